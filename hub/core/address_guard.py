"""Which addresses we may connect to (trap T-49).

A partner tells us URLs: versions, endpoints, response_url, the next page. None of them may lead into our
own network. So a name is resolved once, *all* its addresses are checked, and each is checked again as its
socket is made: that catches literal addresses, odd spellings (`0x7f.1`), and names whose answer changes
between look and connect.

Open are globally routable unicast addresses, after unwrapping IPv4 in IPv6. Tunnels and translators (NAT64,
6to4, Teredo) are shut, as what they reach is written inside them. Networks that the operator lists are open
too; the addresses where clouds hand out credentials only when listed one by one.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final

from aiohttp.abc import AbstractResolver, ResolveResult

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

METADATA: Final = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google, OpenStack
        "169.254.170.2",  # AWS container credentials
        "fd00:ec2::254",  # AWS over IPv6
        "fd00:ec2::23",
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle
        "168.63.129.16",  # Azure's wire server, which is in public space
    )
)
_UNICAST_6: Final = IPv6Network("2000::/3")
_SHUT: Final[tuple[Network, ...]] = (
    IPv4Network("192.88.99.0/24"),  # 6to4 relays
    IPv6Network("2001::/23"),  # Teredo and other protocol assignments
    IPv6Network("2002::/16"),  # 6to4
    IPv6Network("3fff::/20"),  # documentation, not yet known to Python 3.11
)
_DNS_THREADS: Final = 16


class ForbiddenAddressError(OSError):
    """The address is not one that we connect to."""


class AddressGuard:
    """The rule, for one list of allowed networks. `only_listed`: nothing is open but that list."""

    def __init__(self, allow_networks: Sequence[str], *, only_listed: bool = False) -> None:
        """Raises: ValueError, for text that is not a network (127.0.0.0/8, ::1)."""
        self._listed: tuple[Network, ...] = tuple(map(ip_network, allow_networks))
        self._only_listed = only_listed

    def permits(self, text: str) -> bool:
        """May we connect to this address? Anything that is not an address may not."""
        try:
            address = ip_address(text)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        listed = [network for network in self._listed if address in network]
        if address in METADATA:
            return any(network.num_addresses == 1 for network in listed)
        return bool(listed) or (not self._only_listed and _is_public(address))

    def check(self, text: str) -> None:
        """Raises: ForbiddenAddressError."""
        if not self.permits(text):
            raise ForbiddenAddressError("the address is neither public nor allowed")

    def socket_for(self, info: tuple[Any, ...]) -> socket.socket:
        """A socket for one result of getaddrinfo. Raises: ForbiddenAddressError."""
        family, kind, protocol, _, target = info
        self.check(target[0])
        return socket.socket(family, kind, protocol)


class GuardedResolver(AbstractResolver):
    """Names to addresses, all of which the guard permits; in threads of its own, as a look-up can hang."""

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard
        self._threads = ThreadPoolExecutor(_DNS_THREADS, "dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises: OSError, for an unknown name; ForbiddenAddressError, when one of its addresses is shut."""
        loop = asyncio.get_running_loop()
        try:
            infos = await loop.run_in_executor(
                self._threads, socket.getaddrinfo, host, port, family, socket.SOCK_STREAM
            )
        except UnicodeError as error:  # a label that is empty or too long
            raise OSError("not a host name") from error
        for info in infos:
            self._guard.check(str(info[4][0]))
        return [_result(host, port, info) for info in infos]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _UNICAST_6:
        return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _SHUT)


def _result(host: str, port: int, info: tuple[Any, ...]) -> ResolveResult:
    family, _, protocol, _, target = info
    return ResolveResult(
        hostname=host,
        host=target[0],
        port=port,
        family=family,
        proto=protocol,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
