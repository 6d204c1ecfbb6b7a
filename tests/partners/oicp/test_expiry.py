"""Ends of certificates are told in time, once for each step, and every day at last."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from hub.core.secrets import Keys, Seal
from partners.oicp.certificates import OICP_CERTIFICATES, Certificates, Subject
from partners.oicp.connections import Connection, Connections
from partners.oicp.expiry import End, Expiry
from tests.partners.oicp.authority import Authority
from tests.world import NOW, World, a_world

DAY = timedelta(days=1)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
async def world(sqlite_url: str, authority: Authority) -> AsyncIterator[World]:
    port = authority.identity("port")
    async with a_world(sqlite_url, oicp_certificate=str(port.chain_file)) as made:
        yield made


async def watched(world: World, authority: Authority) -> Expiry:
    """A certificate of ours, one of the port, and one of a partner."""
    connections, certificates = Connections(world.hub), Certificates(world.hub, Seal(Keys.from_secret(b"x" * 32).seal))
    theirs = authority.identity("emp", lasts=timedelta(days=200))
    known = Connection(partner="emp", kind="emp", provider_ids=("DE-DCB",), presented=(theirs.pem,))
    await connections.connect(known, actor="test")
    asked = await certificates.ask("qa", Subject("hub.example"), key_type="ec", actor="test")
    assert asked.asked is not None
    await certificates.install("qa", authority.sign(asked.asked.csr), actor="test")
    return Expiry(world.hub, connections, certificates)


def told(expiry: Expiry) -> list[tuple[str, int]]:
    with capture_logs() as logs:
        expiry.look()
    return [(entry["whose"], entry["days"]) for entry in logs if entry["event"] == "certificate ends"]


async def test_all_certificates_are_watched(world: World, authority: Authority) -> None:
    expiry = await watched(world, authority)
    assert [end.whose for end in expiry.ends()] == ["ours qa", "port", "partner emp"]


async def test_an_end_is_told_at_60_30_and_7_days_and_then_daily(world: World, authority: Authority) -> None:
    expiry = await watched(world, authority)
    end = next(end for end in expiry.ends() if end.whose == "partner emp")
    days = {}
    for left in range(80, -2, -1):
        world.clock.move_to((end.expires - DAY * left - NOW).total_seconds())
        days[left] = [told(expiry), told(expiry)]
    assert [left for left, both in days.items() if both[0]] == [60, 30, 7, 6, 5, 4, 3, 2, 1, 0, -1]
    assert all(both[1] == [] for both in days.values())


async def test_of_several_certificates_of_a_partner_the_last_one_counts(world: World, authority: Authority) -> None:
    connections, certificates = Connections(world.hub), Certificates(world.hub, Seal(Keys.from_secret(b"x" * 32).seal))
    expiry = Expiry(world.hub, connections, certificates)
    new, old = (authority.identity("emp", lasts=DAY * days).pem for days in (400, 20))
    both = Connection(partner="emp", kind="emp", provider_ids=("DE-DCB",), presented=(new, old))
    await connections.connect(both, actor="test")
    ends = [end.expires for end in expiry.ends() if end.whose == "partner emp"]
    assert expiry.last_ends()["partner emp"] == max(ends) > min(ends)
    assert set(expiry.last_ends()) == {"port", "partner emp"}


async def test_a_file_that_cannot_be_read_is_told_and_ends_nothing(world: World, authority: Authority) -> None:
    expiry = await watched(world, authority)
    spoil(world.hub.settings.oicp_certificate)
    with capture_logs() as logs:
        for _ in range(2):
            assert [end.whose for end in expiry.ends()] == ["ours qa", "partner emp"]
    assert [entry["log_level"] for entry in logs] == ["error"]


async def test_a_key_is_sealed_where_it_is_kept(world: World, authority: Authority) -> None:
    await watched(world, authority)
    (kept,) = await world.documents(OICP_CERTIFICATES)
    assert b"PRIVATE" not in kept.body
    assert b"sealed_key" in kept.body


def spoil(file: str) -> None:
    Path(file).write_text("odd")


def test_days_are_whole_ones() -> None:
    assert End("", "", NOW).days(NOW - DAY * 3 + timedelta(hours=1)) == 2
