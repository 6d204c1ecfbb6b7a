"""A charger that boots amid a charge is told again what a partner limited it to, however often it measures."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from hub.core.ports import Limits
from hub.core.units import Unit
from modules.chargingprofiles.owed import as_kept
from modules.chargingprofiles.store import PROFILES, Profile, active_in, put_of
from partners.ocpp import rpc
from tests.partners.ocpp.points2 import begin, event, point2
from tests.partners.ocpp.site import THEIRS, Payload, Point, Site, a_site, recently, until

VERSIONS = ("1.6", "2.0.1", "2.1")
SETTLE_S = 1


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with a_site(tmp_path, ocpp_settle_s=SETTLE_S) as made:
        yield made


async def connected(site: Site, version: str) -> Point:
    return await site.point() if version == "1.6" else await point2(site, version=version)


async def charging(site: Site, version: str) -> str:
    """A charge begins at CP1, which then goes away, and a partner has limited it to 8 A. Returns: the session."""
    async with await connected(site, version) as cp:
        if version == "1.6":
            await cp.start(recently())
        else:
            await cp.call("TransactionEvent", begin(recently()))
    (session,) = await site.sessions()
    limits = as_kept(Limits("A", ((0, Decimal(8)),), recently()))
    profile = Profile(str(THEIRS), is_followed=True, limits=limits)
    await site.hub.store.commit(Unit().put(put_of(session["id"], profile, now=datetime.now(UTC))))
    return str(session["id"])


async def measures(cp: Point, version: str) -> None:
    """It says again and again what goes through, until it is told a limit."""
    for wh in itertools.count(2000):
        await asyncio.sleep(0.1)
        if told_a(cp):
            return
        if version == "1.6":
            await cp.meter(datetime.now(UTC), wh)
        else:
            await cp.call("TransactionEvent", event("Updated", datetime.now(UTC), seq=wh, wh=wh))


def told_a(cp: Point) -> list[float]:
    """The limits that it was told."""
    return [_limit(payload) for action, payload in cp.asked if action == "SetChargingProfile"]


def _limit(payload: Payload) -> float:
    profile = payload.get("csChargingProfiles") or payload["chargingProfile"]
    schedule = profile["chargingSchedule"]
    schedule = schedule if isinstance(schedule, dict) else schedule[0]
    return float(schedule["chargingSchedulePeriod"][0]["limit"])


@pytest.mark.parametrize("version", VERSIONS)
async def test_it_is_told_again_and_measures_all_the_time(site: Site, version: str) -> None:
    await charging(site, version)
    async with await connected(site, version) as cp:
        cp.answers["SetChargingProfile"] = {"status": "Accepted"}
        await cp.boot()
        async with asyncio.timeout(30):
            await measures(cp, version)
    assert told_a(cp) == [8]


async def test_a_charger_that_only_connected_again_is_not_told_again(site: Site) -> None:
    await charging(site, "1.6")
    async with await connected(site, "1.6") as cp:
        cp.answers["SetChargingProfile"] = {"status": "Accepted"}
        await site.settled()
    assert told_a(cp) == []


async def test_where_it_does_not_take_it_its_party_is_shown_what_the_charge_goes_by(site: Site) -> None:
    session = await charging(site, "1.6")

    async def is_shown() -> bool:
        document = await site.hub.store.get(PROFILES, session)
        active = active_in(document) if document is not None else None
        return active is not None and active["charging_profile"]["charging_profile_period"][0]["limit"] == 32

    async with await connected(site, "1.6") as cp:
        cp.answers["SetChargingProfile"] = {"status": "Rejected"}
        await cp.boot()
        await until(is_shown)
    changes = [row.change for row in await site.hub.store.changes(after=0, limit=10_000)]
    assert [c.audience for c in changes if c.module == "chargingprofiles"] == [str(THEIRS)]


@pytest.mark.parametrize(
    ("action", "status", "told"),
    [
        ("ClearChargingProfile", "Accepted", [8]),
        ("ClearChargingProfile", "Unknown", []),
        ("UnlockConnector", "Accepted", []),
    ],
)
async def test_one_that_cleared_late_what_was_set_again_is_told_it_again(
    site: Site, action: str, status: str, told: list[float]
) -> None:
    await charging(site, "1.6")
    async with await connected(site, "1.6") as cp:
        cp.answers["SetChargingProfile"] = {"status": "Accepted"}
        stations = site.gateway.stations
        late = rpc.LateAnswer(action, rpc.CallResult({"status": status}), 3.0)
        await stations.heard_late(stations.get("CP1"), late)
        assert told_a(cp) == told
