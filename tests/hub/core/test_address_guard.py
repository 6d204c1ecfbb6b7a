"""Which addresses are open, and which never."""

import socket

import pytest

from hub.core.address_guard import AddressGuard, ForbiddenAddressError, GuardedResolver

SHUT = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.88.99.1",
    "168.63.129.16",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2001:0:1::1",
    "2001:db8::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "5f00::1",
    "example.com",
    "127.1",
    "2130706433",
    "0x7f.1",
]
OPEN = ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", SHUT)
def test_what_is_not_a_public_unicast_address_is_shut(address: str) -> None:
    assert not AddressGuard([]).permits(address)


@pytest.mark.parametrize("address", OPEN)
def test_public_addresses_are_open_unless_only_listed_ones_are(address: str) -> None:
    assert AddressGuard([]).permits(address)
    assert not AddressGuard([], only_listed=True).permits(address)


def test_a_listed_network_is_open_and_its_neighbours_stay_shut() -> None:
    guard = AddressGuard(["127.0.0.0/8", "fd00:1::/32"])
    assert guard.permits("127.0.0.1")
    assert guard.permits("::ffff:127.0.0.1")
    assert guard.permits("fd00:1::5")
    assert not guard.permits("0.0.0.0")
    assert not guard.permits("::1")
    assert not guard.permits("fd00:2::5")


def test_a_cloud_s_metadata_address_is_open_only_when_named_alone() -> None:
    assert not AddressGuard(["0.0.0.0/0", "169.254.0.0/16", "::/0"]).permits("169.254.169.254")
    assert not AddressGuard(["::/0"]).permits("fd00:ec2::254")
    assert AddressGuard(["169.254.169.254"]).permits("169.254.169.254")


def test_a_socket_for_a_shut_address_is_never_made() -> None:
    with pytest.raises(ForbiddenAddressError):
        AddressGuard([]).socket_for((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80)))


def test_text_that_is_no_network_stops_the_start() -> None:
    with pytest.raises(ValueError, match="partner"):
        AddressGuard(["partner.example"])


async def test_a_name_with_one_shut_address_among_open_ones_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 443)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: found)
    shut, ours = GuardedResolver(AddressGuard([])), GuardedResolver(AddressGuard(["127.0.0.1"]))
    with pytest.raises(ForbiddenAddressError):
        await shut.resolve("rebind.example", 443)
    assert [each["host"] for each in await ours.resolve("rebind.example", 443)] == ["8.8.8.8", "127.0.0.1"]
    await shut.close()
    await ours.close()
