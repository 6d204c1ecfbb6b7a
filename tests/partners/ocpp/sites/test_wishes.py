"""What partners wish of a session at a site: heeded under every limit, and called done when the charger took it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from hub.core.jsontypes import Tree
from hub.core.ports import Limits, ProfileOutcome
from hub.core.units import Unit
from modules.chargingprofiles.store import PROFILES, Profile, active_in, put_of
from partners.ocpp.sites import rows
from partners.ocpp.sites.state import EvseRow, state_in
from partners.sandbox.point.faults import Faults
from tests.partners.ocpp.site import until
from tests.partners.ocpp.sites.test_steering import all_there, three_charging
from tests.partners.ocpp.sites.yard import Yard, a_yard, grid

NUMBER = 7
YES, NO = ProfileOutcome.ACCEPTED, ProfileOutcome.REJECTED


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    async with a_yard(tmp_path) as made:
        yield made


async def session_of(yard: Yard, name: str) -> str:
    records = yard.site.gateway.transactions.open_at(name)
    return records[1].session


async def wish(
    yard: Yard,
    name: str,
    amperes: float,
    *,
    unit: str = "A",
    timeout_s: float = 10,
    start: datetime | None = None,
    duration_s: int | None = None,
) -> ProfileOutcome | None:
    limits = Limits(unit, ((0, Decimal(str(amperes))),), start or datetime.now(UTC), duration_s)
    return await yard.site.hub.chargers.limit(
        name, transaction=await session_of(yard, name), number=NUMBER, limits=limits, timeout_s=timeout_s
    )


async def withdraw(yard: Yard, name: str, number: int = NUMBER) -> ProfileOutcome:
    return await yard.site.hub.chargers.unlimit(name, number=number, timeout_s=10)


async def restore(yard: Yard, name: str, amperes: float | None) -> ProfileOutcome | None:
    limits = None if amperes is None else Limits("A", ((0, Decimal(str(amperes))),), datetime.now(UTC))
    return await yard.site.hub.chargers.restore(
        name, transaction=await session_of(yard, name), number=NUMBER, limits=limits, timeout_s=10
    )


async def kept(yard: Yard, evse: str) -> EvseRow:
    found = [state_in(row).row for row in await yard.site.hub.store.select(rows.SITE_EVSES)]
    return next(row for row in found if row.evse == evse)


async def test_a_lower_wish_is_done_when_the_charger_took_it_and_the_others_get_the_rest(yard: Yard) -> None:
    began = await three_charging(yard)
    assert await wish(yard, "CP1", 10) is YES
    assert yard.may_a("CP1") == 10
    await yard.reaches(CP2=19, CP3=19)
    assert "partner's charging profile" in (await _why(yard, "E1", "profile"))
    assert await withdraw(yard, "CP1") is YES
    await yard.reaches(CP1=16, CP2=16, CP3=16)
    assert yard.most_since(began) <= 48


async def _why(yard: Yard, evse: str, words: str) -> str:
    await until(lambda: says(yard, evse, words))
    return str((await yard.power())[evse]["why"])


async def says(yard: Yard, evse: str, words: str) -> bool:
    return words in (await yard.power())[evse]["why"]


async def test_a_higher_wish_raises_nobody_above_the_limits(yard: Yard) -> None:
    began = await three_charging(yard)
    assert await wish(yard, "CP1", 32) is YES
    assert await wish(yard, "CP1", 22000, unit="W") is YES
    await asyncio.sleep(0.3)
    assert yard.all_a() == {"CP1": 16, "CP2": 16, "CP3": 16}
    assert yard.most_since(began) <= 48


async def test_a_wish_in_watts_counts_over_the_phases(yard: Yard) -> None:
    await three_charging(yard)
    assert await wish(yard, "CP1", 6900, unit="W") is YES
    assert yard.may_a("CP1") == 10


async def test_a_wish_for_nothing_pauses_the_charge_and_ends_with_its_duration(yard: Yard) -> None:
    await three_charging(yard)
    assert await wish(yard, "CP2", 0, duration_s=3) is YES
    assert yard.may_a("CP2") == 0
    await yard.reaches(CP1=16, CP2=16, CP3=16)


async def test_a_wish_that_the_charger_refuses_is_rejected_and_leaves_the_one_before(yard: Yard) -> None:
    await three_charging(yard)
    assert await wish(yard, "CP1", 12) is YES
    yard.chargers["CP1"]._answers._table["SetChargingProfile"] = lambda _: ({"status": "Rejected"}, None)
    assert await wish(yard, "CP1", 8) is NO
    row = await kept(yard, "E1")
    assert row.wish is not None
    assert row.wish.periods == ((0, Decimal(12)),)


@pytest.mark.parametrize("amperes", [0, 10, 32])
async def test_a_wish_at_a_charger_that_draws_more_than_told_is_rejected_whatever_it_accepts(
    yard: Yard, amperes: float
) -> None:
    await three_charging(yard, CP2=Faults(ignores_limits=True))
    await until(lambda: says(yard, "E2", "does not do what it is told"))
    assert await wish(yard, "CP2", amperes) is NO
    assert (await kept(yard, "E2")).wish is None


async def test_a_wish_from_before_a_charger_drew_more_than_told_can_be_withdrawn_and_not_replaced(yard: Yard) -> None:
    await three_charging(yard)
    assert await wish(yard, "CP2", 12) is YES
    yard.chargers["CP2"]._faults = Faults(ignores_limits=True)
    await until(lambda: says(yard, "E2", "does not do what it is told"))
    assert await wish(yard, "CP2", 8) is NO
    row = await kept(yard, "E2")
    assert row.wish is not None
    assert row.wish.periods == ((0, Decimal(12)),)
    assert await withdraw(yard, "CP2") is YES


async def test_a_wish_at_a_deaf_charger_is_rejected_and_the_charger_not_asked(yard: Yard) -> None:
    await all_there(yard, grid(48, "E1", "E2", "E3"))
    await yard.begin("CP1")
    await yard.reaches(CP1=32)
    asked: list[Tree] = []

    def refuses(payload: Tree) -> Tree:
        asked.append(payload)
        return {"status": "NotSupported"}

    yard.chargers["CP1"]._answers._table["SetChargingProfile"] = lambda payload: (refuses(payload), None)
    await yard.begin("CP2")
    await until(lambda: says(yard, "E1", "does not do what it is told"))
    before = len(asked)
    assert await wish(yard, "CP1", 8) is NO
    assert len(asked) == before
    assert (await kept(yard, "E1")).wish is None


async def test_a_wish_that_came_to_nothing_gives_way_to_the_one_before_or_to_none(yard: Yard) -> None:
    began = await three_charging(yard)
    assert await wish(yard, "CP1", 8) is YES
    assert await restore(yard, "CP1", 12) is YES
    await yard.reaches(CP1=12, CP2=18, CP3=18)
    assert await restore(yard, "CP1", None) is YES
    await yard.reaches(CP1=16, CP2=16, CP3=16)
    assert (await kept(yard, "E1")).wish is None
    assert yard.most_since(began) <= 48


async def test_a_wish_is_taken_back_whatever_the_charger_says_to_it(yard: Yard) -> None:
    await three_charging(yard)
    assert await wish(yard, "CP1", 8) is YES
    yard.chargers["CP1"]._answers._table["SetChargingProfile"] = lambda _: ({"status": "Rejected"}, None)
    assert await restore(yard, "CP1", None) is YES
    assert (await kept(yard, "E1")).wish is None


async def test_a_wish_for_later_is_told_to_the_charger_when_it_begins(yard: Yard) -> None:
    await three_charging(yard)
    begin = datetime.now(UTC) + timedelta(seconds=3)
    assert await wish(yard, "CP1", 10, start=begin) is YES
    assert yard.may_a("CP1") == 16
    assert (await shown_at(yard, "CP1")).is_for_now
    await yard.reaches(CP1=10, CP2=19, CP3=19)


async def shown_at(yard: Yard, name: str) -> Limits:
    session = await session_of(yard, name)
    shown = await yard.site.hub.chargers.limits(name, transaction=session, duration_s=600, unit="A", timeout_s=5)
    assert isinstance(shown, Limits)
    return shown


async def test_a_wish_at_a_charger_that_is_away_is_rejected(yard: Yard) -> None:
    await three_charging(yard)
    session = await session_of(yard, "CP1")
    await yard.chargers["CP1"].go_offline()
    limits = Limits("A", ((0, Decimal(8)),), datetime.now(UTC))
    outcome = await yard.site.hub.chargers.limit("CP1", transaction=session, number=1, limits=limits, timeout_s=2)
    assert outcome is NO
    assert (await kept(yard, "E1")).wish is None


async def test_a_profile_that_nobody_set_is_unknown_to_the_charger(yard: Yard) -> None:
    await three_charging(yard)
    assert await withdraw(yard, "CP1", number=99) is ProfileOutcome.UNKNOWN


async def test_a_wish_outlives_a_restart_and_ends_with_its_charge(yard: Yard) -> None:
    await three_charging(yard)
    assert await wish(yard, "CP1", 10) is YES
    await yard.restart()
    await yard.reaches(CP1=10, CP2=19, CP3=19)
    await yard.end("CP1")
    await yard.begin("CP1")
    await yard.reaches(CP1=16)
    assert (await kept(yard, "E1")).wish is None


async def test_whoever_limited_a_session_hears_of_each_change_of_what_it_gets(yard: Yard) -> None:
    await three_charging(yard)
    store, session = yard.site.hub.store, await session_of(yard, "CP1")
    profile = Profile("NL*EEE", is_followed=True)
    await store.commit(Unit().put(put_of(session, profile, now=datetime.now(UTC))))
    await yard.end("CP2")
    await yard.reaches(CP1=21)

    async def is_told() -> bool:
        document = await store.get(PROFILES, session)
        active = active_in(document) if document is not None else None
        return active is not None and active["charging_profile"]["charging_profile_period"][0]["limit"] == 21

    await until(is_told)
    changes = [row.change for row in await store.changes(after=0, limit=10_000)]
    assert [(c.key, c.audience) for c in changes if c.module == "chargingprofiles"] == [(session, "NL*EEE")]


async def test_a_departure_is_planned_for_and_who_leaves_first_is_served_first(yard: Yard) -> None:
    await all_there(yard, grid(30, *("E1", "E2", "E3"), policy="DEPARTURE"))
    for name in ("CP1", "CP2", "CP3"):
        await yard.begin(name)
    await yard.reaches(CP1=18, CP2=6, CP3=6)
    heeded = await yard.site.hub.chargers.prefer(
        "CP3",
        transaction=await session_of(yard, "CP3"),
        departure=datetime.now(UTC) + timedelta(hours=1),
        need_kwh=Decimal(10),
        timeout_s=5,
    )
    assert heeded
    await yard.reaches(CP1=6, CP3=18)


async def test_where_no_site_is_a_partners_limits_go_to_the_charger_as_they_are(yard: Yard) -> None:
    await yard.connect("CP1")
    await yard.begin("CP1")
    assert await wish(yard, "CP1", 10) is YES
    ((connector, profile, _),) = yard.chargers["CP1"].plan._installed.values()
    assert (connector, profile["chargingProfileId"]) == (1, NUMBER)
    assert not (await shown_at(yard, "CP1")).is_for_now
    assert await restore(yard, "CP1", 12) is YES
    assert yard.may_a("CP1") == 12
    assert await restore(yard, "CP1", None) is YES
    assert yard.chargers["CP1"].plan._installed == {}
    assert await wish(yard, "CP1", 10) is YES
    assert await withdraw(yard, "CP1") is YES
    chargers = yard.site.hub.chargers
    session = await session_of(yard, "CP1")
    assert not await chargers.prefer("CP1", transaction=session, departure=None, need_kwh=None, timeout_s=1)
