"""Charges at no location, and ends that come alone: they wait for an operator, with their way out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.core.errors import InvalidRequest, NotFound
from hub.core.store import open_store
from hub.core.units import Unit
from partners.ocpp import archive, journal, unplaced
from partners.ocpp.journal import Lack, Record
from partners.ocpp.unplaced import Verdict
from tests.partners.ocpp.points2 import begin, end, event, point2
from tests.partners.ocpp.site import BLOCKED_CARD, CARD, Payload, Site, a_site, all_of_them, recently, station

HALF = timedelta(minutes=30)
WAIT_S = 60
LONG_AGO = datetime(2010, 6, 1, tzinfo=UTC)


@pytest.fixture
async def patient(tmp_path: Path) -> AsyncIterator[Site]:
    """A site that waits for what may still come."""
    async with a_site(tmp_path, ocpp_late_stop_s=WAIT_S) as made:
        yield made


async def told(site: Site, *parts: Payload) -> None:
    async with await point2(site) as cp:
        await cp.boot()
        for part in parts:
            await cp.call("TransactionEvent", part)


async def the_one(site: Site) -> Record:
    """The only charge that waits."""
    (record,) = await unplaced.waiting(site.hub.store)
    return record


async def settle(site: Site, record: Record, evse_uid: str = "", *, card: str = "", drops: bool = False) -> None:
    verdict = Verdict(evse_uid, card, drops)
    await site.gateway.stations.settle_unplaced(unplaced.name_of(record), verdict, actor="anna")


async def later(site: Site, seconds: float) -> None:
    await site.gateway.transactions.pass_time(datetime.now(UTC) + timedelta(seconds=seconds))


async def charged_at_evse_7(site: Site, *, version: str = "2.0.1", tag: str = CARD) -> Record:
    """A charge from before its charger connected, at an EVSE or connector that is on no location."""
    began = recently()
    if version == "1.6":
        async with await site.point() as cp:
            number = (await cp.start(began, connector=7, tag=tag))["transactionId"]
            await cp.stop(began + HALF, number, 6000)
    else:
        await told(site, begin(began, evse=7, tag=tag), end(began + HALF))
    return await the_one(site)


async def placed(site: Site, version: str) -> None:
    """The operator puts what the charger calls 7 on the location."""
    number = "1" if version != "1.6" else "7"
    entries = {"1": {"evse_uid": "E1", "connectors": {"1": "1"}}, "7": {"evse_uid": "E4", "connectors": {number: "1"}}}
    protocol = f"ocpp{version}"
    await site.gateway.stations.put("CP1", {**station(), "evses": entries, "protocol": protocol})


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_charge_at_no_location_waits_with_its_reason_and_its_way_out(site: Site, version: str) -> None:
    record = await charged_at_evse_7(site, version=version)
    row = unplaced.shown(record)
    word = "connector 7" if version == "1.6" else "EVSE 7, connector 1"
    assert row["doubt"].startswith(f"{word} is on no location: put it on one and release {unplaced.name_of(record)}")
    assert (row["held"], row["meter_stop_kwh"], await site.sessions()) == (True, 6, [])
    (doubt,) = await site.doubts("CP1")
    assert (doubt["held"], doubt["severity"]) == (True, "hard")


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_it_is_billed_when_its_evse_is_on_a_location_and_it_is_released(site: Site, version: str) -> None:
    record = await charged_at_evse_7(site, version=version)
    with pytest.raises(InvalidRequest, match="is on no location"):
        await settle(site, record)
    await placed(site, version)
    await settle(site, record)
    ((cdr,), (session,)) = await site.cdrs(), await site.sessions()
    assert (cdr["total_energy"], session["status"], session["evse_uid"]) == (5, "COMPLETED", "E4")
    assert await unplaced.waiting(site.hub.store) == []
    with pytest.raises(NotFound):
        await settle(site, record)


async def test_it_is_billed_at_another_evse_if_the_operator_says_so_and_never_if_it_is_dropped(site: Site) -> None:
    record = await charged_at_evse_7(site)
    with pytest.raises(InvalidRequest, match="there are E1, E2"):
        await settle(site, record, "E9")
    with pytest.raises(InvalidRequest, match="known whose token"):
        await settle(site, record, "E2", card=CARD)
    await settle(site, record, "E2")
    (session,) = await site.sessions()
    assert (session["evse_uid"], session["kwh"]) == ("E2", 5)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_one_at_no_location_is_at_hand_long_after_all_else_was_put_away(site: Site, version: str) -> None:
    record = await charged_at_evse_7(site, version=version)
    desk = await archive.read(site.hub.store, "CP1")
    await archive.put_away(site.hub.store, desk, site.hub.clock.now() + timedelta(days=9))
    await site.restart()
    await settle(site, record, "E1")
    (cdr,) = await site.cdrs()
    assert cdr["total_energy"] == 5


async def test_what_was_given_there_although_it_was_refused_waits_and_a_stranger_is_never_billed(site: Site) -> None:
    async with await point2(site) as cp:
        await cp.boot()
        now = datetime.now(UTC)
        answer = await cp.call("TransactionEvent", begin(now, evse=7, tag=BLOCKED_CARD))
        assert answer["idTokenInfo"]["status"] == "Invalid"
        await cp.call("TransactionEvent", end(now + timedelta(seconds=1)))
    record = await the_one(site)
    with pytest.raises(InvalidRequest, match="BLOCKED now, so it cannot be billed"):
        await settle(site, record, "E1")
    await settle(site, record, drops=True)
    assert (await unplaced.waiting(site.hub.store), await site.sessions()) == ([], [])


async def test_a_refused_charge_at_no_location_that_gave_nothing_is_nobodys_business(site: Site) -> None:
    async with await point2(site) as cp:
        await cp.boot()
        now = datetime.now(UTC)
        await cp.call("TransactionEvent", begin(now, evse=7))
        await cp.call("TransactionEvent", end(now + timedelta(seconds=1), wh=1000))
    assert await unplaced.waiting(site.hub.store) == []


async def test_an_end_that_comes_alone_waits_for_an_operator_by_our_own_clock(site: Site) -> None:
    await told(site, end(LONG_AGO, evse=1, tag=CARD))
    record = await the_one(site)
    assert record.lacks is Lack.BEGIN
    assert "only its end was reported" in unplaced.shown(record)["doubt"]
    (since,) = await unplaced.since(site.hub.store)
    assert datetime.now(UTC) - since < timedelta(minutes=5)
    assert await unplaced.how_many(site.hub.store) == 1


async def test_its_card_pays_if_an_operator_says_so_and_what_was_not_measured_is_held_then(site: Site) -> None:
    await told(site, end(recently(), evse=1, tag=CARD))
    await settle(site, await the_one(site))
    (session,) = await site.sessions()
    assert (session["status"], session["cdr_token"]["uid"], await site.cdrs()) == ("ACTIVE", CARD, [])
    (doubt,) = await site.doubts("CP1")
    assert "nobody measured its energy" in doubt["reasons"][0]


async def test_one_that_tells_both_registers_is_billed_by_them(site: Site) -> None:
    ended = recently()
    samples = [
        {"value": 1000, "context": "Transaction.Begin"},
        {"value": 6000, "context": "Transaction.End"},
    ]
    values = [{"timestamp": (ended - HALF).isoformat(), "sampledValue": samples[:1]}]
    values += [{"timestamp": ended.isoformat(), "sampledValue": samples[1:]}]
    await told(site, {**end(ended, evse=1, tag=CARD), "meterValue": values})
    await settle(site, await the_one(site))
    (cdr,) = await site.cdrs()
    assert cdr["total_energy"] == 5


async def test_without_a_card_or_an_evse_an_operator_must_name_them(site: Site) -> None:
    await told(site, end(recently()))
    record = await the_one(site)
    with pytest.raises(InvalidRequest, match="/evse_uid: is needed"):
        await settle(site, record)
    with pytest.raises(InvalidRequest, match="/token: is needed"):
        await settle(site, record, "E2")
    await settle(site, record, "E2", card=CARD)
    (session,) = await site.sessions()
    assert (session["evse_uid"], session["cdr_token"]["uid"]) == ("E2", CARD)


async def test_an_end_of_which_the_count_says_that_more_was_said_waits_for_that_first(patient: Site) -> None:
    began = recently()
    await told(patient, end(began + HALF, seq=2, tag=CARD))
    await later(patient, WAIT_S - 10)
    assert await unplaced.waiting(patient.hub.store) == []
    await told(patient, begin(began), event("Updated", began + HALF / 2, seq=1, wh=2000))
    ((cdr,), (record,)) = await patient.cdrs(), await patient.records()
    assert (cdr["total_energy"], record.state, record.held_since) == (5, journal.ENDED, None)


async def test_it_is_held_when_nothing_came_for_a_while_also_over_a_restart(patient: Site) -> None:
    began = recently()
    await told(patient, end(began + HALF, seq=2, evse=1, tag=CARD))
    await patient.restart()
    await later(patient, WAIT_S + 10)
    await later(patient, WAIT_S + 20)
    assert (await the_one(patient)).lacks is Lack.BEGIN


async def test_an_end_that_is_the_first_by_its_count_is_held_at_once(patient: Site) -> None:
    await told(patient, end(recently(), seq=0, evse=1))
    assert (await the_one(patient)).lacks is Lack.BEGIN


@pytest.mark.parametrize("first", [True, False], ids=["held before", "dropped before"])
async def test_a_beginning_that_comes_late_bills_what_is_held_and_not_what_was_dropped(site: Site, first: Any) -> None:
    began = recently()
    await told(site, end(began + HALF, seq=1))
    if not first:
        await settle(site, await the_one(site), drops=True)
    await told(site, begin(began))
    assert len(await site.cdrs()) == (1 if first else 0)
    assert await unplaced.waiting(site.hub.store) == []


BEGINNINGS = {
    "its beginning is missing": lambda began: event("Updated", began, wh=1000, evse=1),
    "it began without a token": lambda began: event("Started", began, wh=1000, evse=1),
}


@pytest.mark.parametrize("beginning", BEGINNINGS.values(), ids=list(BEGINNINGS))
async def test_a_charge_of_nobodys_token_is_held_and_the_card_that_ended_it_pays_if_an_operator_says_so(
    site: Site, beginning: Any
) -> None:
    began = recently()
    await told(site, beginning(began), end(began + HALF, evse=1, tag=CARD, trigger="StopAuthorized"))
    record = await the_one(site)
    assert record.lacks is Lack.TOKEN
    assert "nobody's token was told with it before its end: release" in unplaced.shown(record)["doubt"]
    await settle(site, record)
    ((cdr,), (session,)) = await site.cdrs(), await site.sessions()
    assert (cdr["total_energy"], session["cdr_token"]["uid"]) == (5, CARD)


async def test_a_charge_that_never_named_a_token_is_held_and_billed_to_the_one_that_an_operator_names(
    site: Site,
) -> None:
    began = recently()
    await told(site, event("Started", began, wh=1000, evse=1), end(began + HALF, evse=1))
    record = await the_one(site)
    with pytest.raises(InvalidRequest, match="/token: is needed"):
        await settle(site, record)
    await settle(site, record, card=CARD)
    (cdr,) = await site.cdrs()
    assert (cdr["total_energy"], cdr["cdr_token"]["uid"]) == (5, CARD)


async def test_a_charge_of_nobodys_token_that_gave_nothing_is_not_held(site: Site) -> None:
    began = recently()
    await told(site, event("Started", began, wh=1000, evse=1), end(began + HALF, evse=1, wh=1000))
    (record,) = await site.records()
    assert (record.state, await unplaced.waiting(site.hub.store)) == (journal.ENDED, [])


async def test_a_token_that_comes_after_all_ends_the_wait(site: Site) -> None:
    began = recently()
    await told(site, event("Started", began, wh=1000, evse=1), end(began + HALF, evse=1))
    await told(site, event("Updated", began + HALF / 2, tag=CARD, trigger="Authorized"))
    ((cdr,), (record,)) = await site.cdrs(), await site.records()
    assert (cdr["total_energy"], record.state, record.lacks) == (5, journal.ENDED, None)


async def refused(site: Site, version: str) -> Record:
    """What a charger gave although the token was refused."""
    began = recently()
    if version == "1.6":
        async with await site.point() as cp:
            number = (await cp.start(began, tag=BLOCKED_CARD))["transactionId"]
            await cp.stop(began + HALF, number, 6000)
    else:
        await told(site, begin(began, tag=BLOCKED_CARD), end(began + HALF))
    return await the_one(site)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_what_a_refused_token_took_is_held_and_never_billed_to_it(site: Site, version: str) -> None:
    record = await refused(site, version)
    assert (record.lacks, record.energy_kwh) == (Lack.CONSENT, Decimal(5))
    assert "its token was refused, and the charger gave energy all the same: release" in unplaced.shown(record)["doubt"]
    with pytest.raises(InvalidRequest, match="BLOCKED now, so it cannot be billed"):
        await settle(site, record)
    await settle(site, await the_one(site), drops=True)
    assert (await unplaced.waiting(site.hub.store), await site.sessions()) == ([], [])


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_what_a_refused_token_took_is_billed_to_another_that_an_operator_names(site: Site, version: str) -> None:
    await settle(site, await refused(site, version), card=CARD)
    ((cdr,), (record,)) = await site.cdrs(), await site.records()
    assert (cdr["total_energy"], cdr["cdr_token"]["uid"], record.state) == (5, CARD, journal.ENDED)


async def test_what_a_refused_token_took_without_a_stop_is_held_once_its_stop_is_waited_for_no_more(
    patient: Site,
) -> None:
    began = recently()
    async with await patient.point() as cp:
        number = (await cp.start(began, tag=BLOCKED_CARD))["transactionId"]
        await cp.meter(began + HALF, 6000, number)
        await cp.status(1, "Available", began + 2 * HALF)
    assert await unplaced.waiting(patient.hub.store) == []
    for seconds in (WAIT_S + 10, WAIT_S + 20):
        await later(patient, seconds)
    assert (await the_one(patient)).lacks is Lack.CONSENT


async def test_those_that_wait_are_found_and_counted_on_either_database(database_url: str) -> None:
    now = datetime.now(UTC)
    states = {"1": journal.UNPLACED, "2": journal.ENDED, "3": journal.UNPLACED}
    store = await open_store(database_url, all_of_them())
    try:
        for number, state in states.items():
            record = Record(f"CP{number}/{number}", f"CP{number}", state, end=LONG_AGO, held_since=now)
            await store.commit(Unit().put(journal.record_put(record)))
        assert await unplaced.how_many(store) == 2
        assert await unplaced.since(store) == [now, now]
        assert [record.station for record in await unplaced.waiting(store, "CP3")] == ["CP3"]
    finally:
        await store.close()
