"""Chargers of 2.x that use the id of a transaction again, over real sockets: each charge has one CDR."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from hub.core.clock import SystemClock, timestamp
from modules.tokens import service as tokens
from modules.tokens.model import Token
from partners.ocpp import archive, journal, quirks
from partners.ocpp.beginnings import are_one
from partners.ocpp.events import Begun, Flag
from tests.partners.ocpp.points2 import VERSIONS, begin, end, event, point2
from tests.partners.ocpp.site import CARD, THEIRS, Payload, Site, a_site, recently, token

MINUTE = timedelta(minutes=1)
OTHER = "04BB01"


@pytest.fixture(autouse=True)
async def other_card(site: Site) -> None:
    await known(site)


async def known(site: Site) -> None:
    """Our other card."""
    card = Token.model_validate(token(OTHER))
    await tokens.put(site.hub.store, THEIRS, OTHER, card, now=site.hub.clock.now())


def first(began: datetime) -> list[Payload]:
    """1 kWh by our usual card at EVSE 1, in ten minutes."""
    return [begin(began, "1"), end(began + 10 * MINUTE, "1", wh=2000, seq=1)]


def second(began: datetime, *, tag: str | None = OTHER, evse: int = 1) -> list[Payload]:
    """7 kWh under the same id, in twenty minutes."""
    return [
        begin(began, "1", wh=2000, tag=tag, evse=evse),
        event("Updated", began + 5 * MINUTE, "1", wh=4000, seq=1, evse=evse),
        end(began + 20 * MINUTE, "1", wh=9000, seq=2, evse=evse),
    ]


async def billed(site: Site) -> list[tuple[str, int]]:
    """Token and whole kWh of each CDR that stands."""
    cdrs = await site.cdrs()
    taken_back = {cdr.get("credit_reference_id") for cdr in cdrs}
    stand = [cdr for cdr in cdrs if not cdr.get("credit") and cdr["id"] not in taken_back]
    return sorted((cdr["cdr_token"]["uid"], int(cdr["total_energy"])) for cdr in stand)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("boots", [True, False], ids=["boots", "goes on"])
async def test_an_id_that_is_used_again_is_another_charge(site: Site, version: str, boots: bool) -> None:
    began = recently()
    async with await point2(site, version=version) as cp:
        for told in first(began):
            await cp.call("TransactionEvent", told)
        if boots:
            await cp.boot()
        started, *_, ended = second(began + 60 * MINUTE)
        await cp.call("TransactionEvent", started)
        assert sorted(session["status"] for session in await site.sessions()) == ["ACTIVE", "COMPLETED"]
        assert await cp.call("TransactionEvent", ended) == {"totalCost": 2.1}
    assert await billed(site) == [(CARD, 1), (OTHER, 7)]
    assert {record.number for record in await site.records()} == {"1"}


async def test_it_is_said_in_its_remark_and_counted_as_a_quirk_of_its_charger(site: Site) -> None:
    began = recently()
    async with await point2(site) as cp:
        await cp.boot()
        for told in (*first(began), *second(began + 60 * MINUTE)):
            await cp.call("TransactionEvent", told)
        await site.gateway.transactions.quirks.write(site.gateway.stations.make_of)
    (known,) = await quirks.listed(site.hub.store)
    assert known.quirks[f"of a charge: {Flag.ID_USED_AGAIN}"].times == 1
    (remark,) = [cdr["remark"] for cdr in await site.cdrs() if cdr.get("remark")]
    assert Flag.ID_USED_AGAIN in remark


class LetGo(SystemClock):
    """The clock of the hub, which a test lets go on."""

    passed = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.passed


@pytest.mark.parametrize("boots", [True, False], ids=["boots", "goes on"])
@pytest.mark.parametrize("ahead", [20 * MINUTE, 60 * MINUTE], ids=["20 min", "60 min"])
async def test_what_comes_live_after_a_clock_was_set_right_is_of_the_charge_that_began_then(
    site: Site, ahead: timedelta, boots: bool
) -> None:
    clock = site.hub.clock = LetGo()
    async with await point2(site) as cp:
        for told in first(clock.now() + ahead):
            await cp.call("TransactionEvent", told)
            clock.passed += ahead / 10
        if boots:
            await cp.boot()
        started, updated, ended = second(clock.now())
        await cp.call("TransactionEvent", started)
        for part in (updated, ended):
            clock.passed += ahead
            answer = await cp.call("TransactionEvent", {**part, "timestamp": timestamp(clock.now())})
            assert len(await site.cdrs()) == (1 if part is updated else 2)
        assert answer == {"totalCost": 2.1}
    assert await billed(site) == [(CARD, 1), (OTHER, 7)]
    assert [cdr.get("credit") for cdr in await site.cdrs()] == [None, None]


@pytest.mark.parametrize(
    "other",
    [second(recently(3600)), second(recently(3600), tag=CARD), second(recently(3600), evse=2)],
    ids=["another token", "the same token", "another EVSE"],
)
async def test_it_is_another_charge_also_when_the_first_has_not_ended(site: Site, other: list[Payload]) -> None:
    began = recently()
    started, ended = first(began)
    async with await point2(site) as cp:
        for told in (started, *other, {**ended, "evse": {"id": 1, "connectorId": 1}}):
            await cp.call("TransactionEvent", told)
    payer = other[0]["idToken"]["idToken"]
    assert await billed(site) == sorted([(CARD, 1), (payer, 7)])


@pytest.mark.parametrize("seed", range(8))
async def test_charges_of_one_id_are_billed_once_each_in_any_order_over_kills_and_twins(site: Site, seed: int) -> None:
    began, rng = recently(), random.Random(seed)
    told = [*first(began), *second(began + 30 * MINUTE), *second(began + 60 * MINUTE, tag=CARD)]
    told += rng.sample(told, 4)
    rng.shuffle(told)
    for payload in told:
        async with await point2(site) as cp:
            await cp.call("TransactionEvent", {**payload, "offline": True})
        if rng.random() < 0.4:
            await site.restart()
    assert sorted(energy for _, energy in await billed(site)) == [1, 7, 7]
    assert len(await site.sessions()) == 3


@pytest.mark.parametrize("seq", [0, 7])
async def test_a_started_that_is_told_again_is_the_same_charge_whatever_its_number(site: Site, seq: int) -> None:
    began = recently()
    told = [*first(began), *second(began + 30 * MINUTE)]
    async with await point2(site) as cp:
        for payload in (*told, *({**payload, "seqNo": seq} for payload in told)):
            await cp.call("TransactionEvent", payload)
    assert await billed(site) == [(CARD, 1), (OTHER, 7)]
    assert len(await site.records()) == 2


async def put_away(site: Site) -> None:
    """As if nine days had passed."""
    desk = await archive.read(site.hub.store, "CP1")
    await archive.put_away(site.hub.store, desk, site.hub.clock.now() + timedelta(days=9))


async def test_what_was_put_away_is_known_again_and_what_is_new_is_another_charge(site: Site) -> None:
    began = recently()
    old = [*first(began), *second(began + 30 * MINUTE)]
    async with await point2(site) as cp:
        for payload in old:
            await cp.call("TransactionEvent", payload)
    await put_away(site)
    assert [documents async for documents in journal.live_events(site.hub.store, "CP1")] == []
    await site.restart()
    third, *rest = second(began + 60 * MINUTE, tag=CARD)
    async with await point2(site) as cp:
        for payload in (*old, third, *old, *rest, *old):
            await cp.call("TransactionEvent", payload)
    assert await billed(site) == [(CARD, 1), (CARD, 7), (OTHER, 7)]
    assert [record.trouble for record in await site.records()] == ["", "", ""]


async def test_what_was_put_away_by_a_clock_that_ran_ahead_is_known_again_by_its_times(site: Site) -> None:
    clock = site.hub.clock = LetGo()
    began = clock.now() + 120 * MINUTE
    old = [*first(began), *second(began + 30 * MINUTE)]
    async with await point2(site) as cp:
        for payload in old:
            await cp.call("TransactionEvent", payload)
    await put_away(site)
    await site.restart()
    clock = site.hub.clock = LetGo()
    clock.passed = timedelta(days=9)
    third, *rest = second(clock.now(), tag=CARD)
    async with await point2(site) as cp:
        for payload in (third, *old[1:2], *old[4:], *rest):
            await cp.call("TransactionEvent", payload)
    assert await billed(site) == [(CARD, 1), (CARD, 7), (OTHER, 7)]
    assert [record.trouble for record in await site.records()] == ["", "", ""]


async def test_an_end_without_its_beginning_is_no_charge_of_what_begins_after_it(site: Site) -> None:
    began = recently()
    async with await point2(site) as cp:
        for payload in (first(began)[1], *second(began + 30 * MINUTE)):
            await cp.call("TransactionEvent", payload)
    assert await billed(site) == [(OTHER, 7)]
    assert sorted(record.state for record in await site.records()) == [journal.ENDED, journal.UNPLACED]


async def test_one_that_counts_on_in_a_charge_that_goes_on_is_no_beginning(site: Site) -> None:
    began = recently()
    plugged = event("Started", began + MINUTE, "1", seq=1, evse=1, trigger="CablePluggedIn")
    started, ended = first(began)
    async with await point2(site) as cp:
        for payload in (started, plugged, {**ended, "seqNo": 2}):
            await cp.call("TransactionEvent", payload)
    assert (await billed(site), len(await site.records())) == ([(CARD, 1)], 1)


async def test_a_connector_shows_the_charge_that_begins_under_an_id_that_was_used_before(site: Site) -> None:
    now, charging = datetime.now(UTC), {"chargingState": "Charging"}
    async with await point2(site) as cp:
        await cp.call("TransactionEvent", begin(now, "1", info=charging))
        await cp.call("TransactionEvent", end(now + timedelta(seconds=1), "1"))
        await cp.connector("Available", now + timedelta(seconds=2))
        assert await site.evse_status("E1") == "AVAILABLE"
        started = begin(now + timedelta(seconds=3), "1", wh=6000, trigger="CablePluggedIn", info=charging)
        await cp.call("TransactionEvent", started)
        assert await site.evse_status("E1") == "CHARGING"


async def test_each_charge_is_a_journey_of_its_own(site: Site) -> None:
    began = recently()
    async with await point2(site) as cp:
        for payload in (*first(began), *second(began + 30 * MINUTE)):
            await cp.call("TransactionEvent", payload)
    journeys = {record.correlation_id for record in await site.records()}
    assert len(journeys) == 2


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (Begun("2026-05-01T12:00:00.400000+00:00", "aa", 1), True),
        (Begun("2026-05-01T12:00:01+00:00", "aa", 1), False),
        (Begun("", "aa", 1), True),
        (Begun("2026-05-01T12:00:00+00:00", "", 0), True),
        (Begun("2026-05-01T12:00:00+00:00", "bb", 1), False),
        (Begun("2026-05-01T12:00:00+00:00", "aa", 2), False),
        (Begun("yesterday", "aa", 1), False),
    ],
)
def test_time_token_and_evse_say_whether_two_beginnings_are_one(other: Begun, same: bool) -> None:
    begun = Begun("2026-05-01T12:00:00+00:00", "aa", 1)
    assert (are_one(begun, other), are_one(other, begun)) == (same, same)


LOST_ITS_END: dict[str, Callable[[datetime], Iterable[Payload]]] = {
    "its end was the next one's, and overtook the next one's beginning": lambda began: (
        begin(began, "1"),
        end(began + 50 * MINUTE, "1", wh=9000, seq=2, tag=OTHER),
        begin(began + 30 * MINUTE, "1", wh=2000, tag=OTHER),
    ),
    "its beginning was told again with another time": lambda began: (*first(began), begin(began + MINUTE / 3, "1")),
}


@pytest.mark.parametrize("late_stop_s", [0, 60])
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("told", LOST_ITS_END.values(), ids=list(LOST_ITS_END))
async def test_a_charge_that_loses_its_end_to_another_is_credited_when_it_is_held(
    tmp_path: Path, told: Callable[[datetime], Iterable[Payload]], version: str, late_stop_s: int
) -> None:
    (own := tmp_path / "own").mkdir()
    async with a_site(own, ocpp_late_stop_s=late_stop_s) as site, await point2(site, version=version) as cp:
        await known(site)
        for payload in told(recently()):
            await cp.call("TransactionEvent", payload)
        for seconds in (10, 20):
            await site.gateway.transactions.pass_time(datetime.now(UTC) + timedelta(seconds=late_stop_s + seconds))
        assert len(await billed(site)) == 1
        (held,) = [doubt for doubt in await site.doubts("CP1") if doubt["held"]]
        assert "nobody measured its energy" in held["reasons"][0]
        assert "its CDR was credited" in held["reasons"][0]


async def test_its_own_end_that_comes_after_all_bills_it_anew(site: Site) -> None:
    began = recently()
    overtaken = LOST_ITS_END["its end was the next one's, and overtook the next one's beginning"]
    async with await point2(site) as cp:
        for payload in (*overtaken(began), {**first(began)[1], "offline": True}):
            await cp.call("TransactionEvent", payload)
    assert await billed(site) == [(CARD, 1), (OTHER, 7)]
    assert not [doubt for doubt in await site.doubts("CP1") if doubt["held"]]


async def test_an_end_after_the_end_with_another_token_and_a_register_beyond_is_of_a_charge_that_is_held(
    site: Site,
) -> None:
    began = recently()
    lone = end(began + 50 * MINUTE, "1", wh=9000, seq=2, evse=1, tag=OTHER)
    async with await point2(site) as cp:
        for told in first(began):
            await cp.call("TransactionEvent", told)
        await cp.boot()
        for _ in range(2):
            answer = await cp.call("TransactionEvent", lone)
            assert answer == {"idTokenInfo": {"status": "Accepted"}}
    assert await billed(site) == [(CARD, 1)]
    held = [record for record in await site.records() if record.state == journal.UNPLACED]
    assert [(record.lacks, record.meter_stop_wh) for record in held] == [(journal.Lack.BEGIN, Decimal(9000))]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
@pytest.mark.parametrize("begins", [True, False], ids=["its beginning comes last", "its beginning never comes"])
async def test_what_comes_late_of_a_charge_whose_beginning_does_is_of_that_one_charge(
    site: Site, order: list[int], begins: bool
) -> None:
    began = recently()
    started, *parts = second(began + 30 * MINUTE)
    for part in parts:
        part["idToken"] = started["idToken"]
    parts.insert(1, event("Updated", began + 40 * MINUTE, "1", wh=6000, seq=1, evse=1))
    parts = [*first(began), *(parts[place] for place in order)]
    async with await point2(site) as cp:
        for told in [*parts, started, *parts] if begins else [*parts, *parts]:
            await cp.call("TransactionEvent", {**told, "offline": True})
    assert await billed(site) == [(CARD, 1), (OTHER, 7 if begins else 5)]
    assert len(await site.records()) == 2


@pytest.mark.parametrize(
    "again",
    [{"tag": CARD, "wh": 9000}, {"tag": OTHER, "wh": 2000}, {"tag": None, "wh": 9000}],
    ids=["its token", "its register", "no token"],
)
async def test_an_end_that_is_told_again_with_another_time_is_no_other_charge(site: Site, again: Payload) -> None:
    began = recently()
    async with await point2(site) as cp:
        for told in (*first(began), end(began + 20 * MINUTE, "1", evse=1, **again)):
            await cp.call("TransactionEvent", told)
    assert (await billed(site), len(await site.records())) == ([(CARD, 1)], 1)


NEVER_SET = datetime(2000, 1, 1, tzinfo=UTC)


def by_a_clock_that_stands_still(wh: int, *, kwh: int) -> list[Payload]:
    return [begin(NEVER_SET, "0", wh=wh), end(NEVER_SET, "0", wh=wh + kwh * 1000, seq=1, evse=1, tag=CARD)]


async def test_a_clock_that_stands_still_makes_no_repeat_of_a_charge_that_begins_where_the_last_one_ended(
    site: Site,
) -> None:
    charges = [by_a_clock_that_stands_still(wh, kwh=kwh) for wh, kwh in ((1000, 1), (2000, 3), (5000, 2), (8000, 4))]
    repeats: list[Payload] = []
    for charge in charges:
        async with await point2(site) as cp:
            await cp.boot()
            for payload in (*charge, *repeats, *charge):
                await cp.call("TransactionEvent", payload)
        repeats += charge
        await site.restart()
    assert await billed(site) == [(CARD, 1), (CARD, 2), (CARD, 3), (CARD, 4)]
    assert len(await site.records()) == 4


async def test_nor_of_one_that_was_put_away(site: Site) -> None:
    old, other = by_a_clock_that_stands_still(1000, kwh=1), by_a_clock_that_stands_still(2000, kwh=3)
    async with await point2(site) as cp:
        for payload in old:
            await cp.call("TransactionEvent", payload)
    await put_away(site)
    await site.restart()
    async with await point2(site) as cp:
        for payload in (*old, *other, old[0], *other):
            await cp.call("TransactionEvent", payload)
    assert await billed(site) == [(CARD, 1), (CARD, 3)]
    assert len(await site.records()) == 2
