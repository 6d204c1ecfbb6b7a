"""Charges over real websockets, from the first frame to the CDR, and what goes wrong between."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from hub.core import failpoints
from hub.core.clock import timestamp
from hub.core.errors import PeerRefused, PeerUnreachable
from hub.core.store import Store
from partners.ocpp import sequence
from partners.ocpp.desk import MOST_OPEN
from partners.ocpp.journal import OCPP_EVENTS
from partners.ocpp.ledger import blank
from partners.ocpp.live import MOST_CONNECTORS
from tests.partners.ocpp.site import (
    ASKED_CARD,
    BLOCKED_CARD,
    CARD,
    TALKATIVE,
    Payload,
    Point,
    Site,
    a_site,
    recently,
    token,
    until,
)

HOUR = timedelta(hours=1)


async def charged(cp: Point, began: datetime, kwh: int = 10, **more: object) -> int:
    """A whole charge of an hour. Returns: its number."""
    number: int = (await cp.start(began, **more))["transactionId"]  # type: ignore[arg-type]
    await cp.stop(began + HOUR, number, 1000 + kwh * 1000)
    return number


async def test_a_charge_becomes_a_session_and_a_cdr(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        assert await cp.boot() == "Accepted"
        assert "currentTime" in await cp.call("Heartbeat", {})
        await cp.status(1, "Preparing")
        assert await cp.call("Authorize", {"idTag": CARD}) == {"idTagInfo": {"status": "Accepted"}}
        started = await cp.start(began)
        assert started["idTagInfo"] == {"status": "Accepted"}
        (session,) = await site.sessions()
        assert (session["status"], session["kwh"]) == ("ACTIVE", Decimal(0))
        assert await site.evse_status("E1") == "CHARGING"
        await cp.meter(began + HOUR / 2, 6000, started["transactionId"])
        await cp.stop(began + HOUR, started["transactionId"], 11000)
    (session,) = await site.sessions()
    (cdr,) = await site.cdrs()
    assert (session["status"], session["kwh"]) == ("COMPLETED", Decimal(10))
    assert (cdr["total_energy"], cdr["total_time"]) == (Decimal(10), Decimal(1))
    assert cdr["total_cost"]["before_taxes"] == Decimal("3.00")
    assert cdr["cdr_token"]["uid"] == CARD
    assert cdr["session_id"] == session["id"]


async def test_meter_values_show_in_the_running_session(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = (await cp.start(began))["transactionId"]
        await cp.meter(began + HOUR / 2, 4500, number)
    (session,) = await site.sessions()
    assert (session["status"], session["kwh"]) == ("ACTIVE", Decimal("3.5"))
    assert session["total_cost"]["before_taxes"] == Decimal("1.05")


async def test_meter_values_without_a_transaction_belong_to_the_charge_on_that_connector(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        await cp.start(began, connector=1)
        await cp.start(began, connector=2, tag="04a1b2c3")
        await cp.meter(began + HOUR / 2, 4000, connector=2)
    energy = {session["evse_uid"]: session["kwh"] for session in await site.sessions()}
    assert energy == {"E1": Decimal(0), "E2": Decimal(3)}


async def test_meter_values_outside_of_a_charge_are_answered_and_leave_nothing(site: Site) -> None:
    async with await site.point() as cp:
        await cp.meter(recently(), 4000, connector=2)
    assert await site.hub.store.select(OCPP_EVENTS) == []


async def test_the_car_pausing_is_parking_time(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = (await cp.start(began))["transactionId"]
        await cp.status(1, "SuspendedEV", began + HOUR / 2)
        await cp.stop(began + HOUR, number, 11000)
    (cdr,) = await site.cdrs()
    assert cdr["total_parking_time"] == Decimal("0.5")


async def test_a_repeated_start_gets_the_same_number_and_answer_and_opens_nothing(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        first = await cp.start(began)
        assert await cp.start(began) == first
        await cp.stop(began + HOUR, first["transactionId"], 11000)
        assert await cp.start(began) == first
    assert [session["status"] for session in await site.sessions()] == ["COMPLETED"]
    assert len(await site.cdrs()) == 1


async def test_a_repeated_stop_is_answered_and_bills_nothing_twice(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = await charged(cp, began)
        await cp.stop(began + HOUR, number, 11000)
    assert len(await site.cdrs()) == 1


async def test_a_second_stop_of_the_same_time_raises_no_bill_and_is_seen_by_the_operator(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = await charged(cp, began, kwh=5)
        await cp.stop(began + HOUR, number, 16000)
    await site.restart()
    async with await site.point() as cp:
        await cp.stop(began + HOUR, number, 16000)
    (cdr,) = await site.cdrs()
    assert (cdr["total_energy"], cdr.get("remark")) == (Decimal(5), None)
    (doubt,) = await site.doubts("CP1")
    assert (doubt["severity"], doubt["transaction"]) == ("hard", number)
    assert "several stops" in doubt["reasons"][0]


async def test_a_stop_that_overtakes_its_start_is_billed_when_the_start_comes(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        await cp.stop(began + HOUR, 4711, 11000, idTag=CARD)
        (orphan,) = await site.records()
        assert (orphan.state, orphan.number) == ("unplaced", 4711)
        await cp.start(began)
    (record,) = await site.records()
    (cdr,) = await site.cdrs()
    assert (record.state, cdr["total_energy"]) == ("ended", Decimal(10))


@pytest.mark.parametrize("number", [0, -1])
async def test_an_offline_charge_replayed_under_no_number_of_ours_is_found_by_its_content(
    site: Site, number: int
) -> None:
    began = recently()
    async with await site.point() as cp:
        await cp.start(began)
        await cp.stop(began + HOUR, number, 11000, idTag=CARD)
    (cdr,) = await site.cdrs()
    assert cdr["total_energy"] == Decimal(10)
    assert "unknown transaction" in cdr["remark"]


async def test_a_stop_that_nobody_knows_is_answered_and_kept(site: Site) -> None:
    async with await site.point() as cp:
        assert await cp.stop(recently(), 999, 5000) == {}
    (record,) = await site.records()
    assert (record.state, record.number, record.meter_stop_wh) == ("orphan", 999, Decimal(5000))


async def test_a_stop_of_another_stations_charge_ends_nothing_here_and_an_operator_sees_it(site: Site) -> None:
    began = recently()
    async with await site.point() as cp, await site.point("CP2") as other:
        number = (await cp.start(began))["transactionId"]
        foreign = (await other.start(began, tag=ASKED_CARD))["transactionId"]
        assert await cp.stop(began + HOUR, foreign, 1000) == {}
        assert await site.cdrs() == []
        doubts = await site.doubts("CP1")
        assert [(doubt["transaction"], doubt["severity"]) for doubt in doubts] == [(foreign, "hard"), (number, "hard")]
        assert "ended nothing" in doubts[0]["reasons"][0]
        await cp.stop(began + HOUR, number, 11000)
    (cdr,) = await site.cdrs()
    assert (cdr["total_energy"], cdr.get("remark")) == (Decimal(10), None)


@pytest.mark.parametrize("mentioned", [5000, 2**31 - 1])
async def test_a_number_that_a_charger_mentions_moves_nobodys_numbers(site: Site, mentioned: int) -> None:
    began = recently()
    async with await site.point() as cp:
        first = (await cp.start(began - HOUR))["transactionId"]
        await cp.stop(began - HOUR, mentioned, 500)
        await cp.stop(began - HOUR, first + 1, 500, idTag="X")
        assert (await cp.start(began, connector=2))["transactionId"] == first + 2


@pytest.mark.parametrize(
    ("nonsense", "reason"),
    [
        ({"connectorId": 99}, "connector 99 is on no location"),
        ({"connectorId": -1}, "connector -1 is on no location"),
        ({"timestamp": "9999-12-31T23:59:59Z"}, "clock ran ahead"),
        ({"timestamp": "yesterday"}, "could not be read"),
        ({"timestamp": "1970-01-01T00:00:00Z"}, "clock was not set"),
        ({"meterStart": -5}, "below zero"),
        ({"meterStart": 999_999_999_999}, "higher than any"),
        ({"meterStart": 10**30}, "no meter value"),
        ({"meterStart": "much"}, "no meter value"),
    ],
)
async def test_a_start_that_makes_no_sense_is_answered_and_seen_by_the_operator(
    site: Site, nonsense: Payload, reason: str
) -> None:
    start = {"connectorId": 1, "idTag": CARD, "meterStart": 1000, "timestamp": timestamp(recently()), **nonsense}
    async with await site.point() as cp:
        assert (await cp.call("StartTransaction", start))["transactionId"] > 0
    (doubt,) = await site.doubts("CP1")
    assert any(reason in told for told in doubt["reasons"]), doubt
    assert CARD not in str(doubt)


async def test_a_charge_like_any_other_raises_no_doubt(site: Site) -> None:
    async with await site.point() as cp:
        await charged(cp, recently())
    assert await site.doubts("CP1") == []


@pytest.mark.parametrize("connector", [0, 3, 99, -1])
async def test_a_start_where_nothing_can_be_billed_is_refused_while_the_charger_is_online(
    site: Site, connector: int
) -> None:
    async with await site.point() as cp:
        await cp.status(1, "Available", datetime.now(UTC))
        began = datetime.now(UTC)
        started = await cp.start(began, connector=connector)
        assert started["idTagInfo"] == {"status": "Invalid"}
        assert started["transactionId"] > 0
        assert await cp.start(began, connector=connector) == started
        await cp.stop(began + HOUR / 60, started["transactionId"], 1500)
        assert (await cp.start(began, connector=1))["idTagInfo"] == {"status": "Accepted"}
    refused = next(record for record in await site.records() if record.connector == connector)
    assert (refused.state, refused.energy_kwh) == ("unplaced", Decimal("0.5")), "it gave energy all the same"
    assert any("is on no location" in reason for doubt in await site.doubts("CP1") for reason in doubt["reasons"])


async def test_a_start_where_nothing_can_be_billed_is_only_kept_when_it_was_made_offline(site: Site) -> None:
    async with await site.point() as cp:
        assert (await cp.start(recently(), connector=99))["idTagInfo"] == {"status": "Accepted"}
    assert await site.sessions() == []


async def test_a_refused_start_at_a_connector_of_nobody_does_not_keep_its_card_from_another(tmp_path: Path) -> None:
    async with a_site(tmp_path, ocpp_one_charge_per_token=True) as site, await site.point() as cp:
        await cp.start(datetime.now(UTC), connector=3)
        assert (await cp.start(datetime.now(UTC), connector=1))["idTagInfo"] == {"status": "Accepted"}


async def test_made_up_connectors_fill_no_memory_and_take_no_room_from_real_ones(tmp_path: Path) -> None:
    began = datetime.now(UTC)
    async with a_site(tmp_path, **TALKATIVE) as site, await site.point() as cp:
        for number in range(3, 203):
            await cp.status(number, "Charging")
            assert (await cp.start(began, connector=number))["idTagInfo"] == {"status": "Invalid"}
        await cp.status(2, "Available")
        assert len(site.gateway.transactions.open_at("CP1")) == MOST_OPEN
        live = site.gateway.stations.get("CP1")
        assert len(live.connectors) == MOST_CONNECTORS + 1
        assert live.connectors[2].status == "Available"
        number = await charged(cp, began - HOUR)
        assert number > 200
        assert [cdr["total_energy"] for cdr in await site.cdrs()] == [Decimal(10)]


async def test_numbers_go_on_after_a_restart(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        first = await charged(cp, began)
        await cp.stop(began - HOUR, first + 100, 500)
    await site.restart()
    async with await site.point() as cp:
        assert await charged(cp, began + HOUR) == first + 101


async def test_a_restart_in_the_middle_loses_nothing(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = (await cp.start(began))["transactionId"]
        await cp.meter(began + HOUR / 2, 6000, number)
    await site.restart()
    async with await site.point() as cp:
        await cp.meter(began + HOUR * 3 / 4, 8500, number)
        await cp.stop(began + HOUR, number, 11000)
    (cdr,) = await site.cdrs()
    assert cdr["total_energy"] == Decimal(10)
    assert [session["status"] for session in await site.sessions()] == ["COMPLETED"]


async def test_a_clock_in_1970_is_billed_by_arrival_and_says_so(site: Site) -> None:
    async with await site.point() as cp:
        number = (await cp.start(datetime(1970, 1, 1, 0, 5, tzinfo=UTC)))["transactionId"]
        await cp.stop(datetime(1970, 1, 1, 1, 5, tzinfo=UTC), number, 11000)
    (cdr,) = await site.cdrs()
    assert cdr["start_date_time"] > "2026"
    assert "clock was not set" in cdr["remark"]


async def test_a_start_that_breaks_its_schema_is_kept_and_answered(site: Site) -> None:
    async with await site.point() as cp:
        started = await cp.start(recently(), vendorNonsense={"x": 1})
        assert started["idTagInfo"]["status"] == "Accepted"
    (record,) = await site.records()
    assert record.flags == ["SCHEMA_BROKEN"]


async def test_an_unplugged_cable_ends_a_charge_and_a_late_stop_corrects_the_bill(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = (await cp.start(began))["transactionId"]
        await cp.meter(began + HOUR / 2, 6000, number)
        await cp.status(1, "Available", began + HOUR)
        (cdr,) = await site.cdrs()
        assert (cdr["total_energy"], cdr["total_cost"]["before_taxes"]) == (Decimal(5), Decimal("1.50"))
        assert "no stop was reported" in cdr["remark"]
        assert await site.evse_status("E1") == "AVAILABLE"
        await cp.stop(began + HOUR - timedelta(minutes=1), number, 11000)
    first, credit, corrected = await site.cdrs()
    assert first == cdr
    assert (credit["credit_reference_id"], credit["total_cost"]["before_taxes"]) == (first["id"], Decimal("-1.50"))
    assert (corrected["total_energy"], corrected["total_cost"]["before_taxes"]) == (Decimal(10), Decimal("3.00"))
    (session,) = await site.sessions()
    assert (session["status"], session["kwh"]) == ("COMPLETED", Decimal(5)), "as it was told: COMPLETED is final"


async def test_a_new_charge_on_the_connector_ends_the_one_before(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = (await cp.start(began))["transactionId"]
        await cp.meter(began + HOUR / 2, 6000, number)
        await cp.start(began + HOUR, meter=9000)
    assert sorted(session["status"] for session in await site.sessions()) == ["ACTIVE", "COMPLETED"]


async def test_a_blocked_card_gets_a_number_but_no_session(site: Site) -> None:
    async with await site.point() as cp:
        started = await cp.start(recently(), tag=BLOCKED_CARD)
    assert started["idTagInfo"] == {"status": "Blocked"}
    assert await site.sessions() == []
    (record,) = await site.records()
    assert (record.state, record.allowed) == ("refused", "BLOCKED")


async def test_a_refused_charge_that_went_on_all_the_same_is_shown_and_not_billed(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = await charged(cp, began, tag="STRANGER")
        assert (await cp.start(began, tag="STRANGER"))["transactionId"] == number
    (record,) = await site.records()
    assert (record.state, record.energy_kwh, record.ending) == ("unplaced", Decimal(10), "stop")
    assert (await site.sessions(), await site.cdrs()) == ([], [])


async def test_a_card_that_must_be_asked_for_is_asked_for_once_and_brings_its_reference(site: Site) -> None:
    site.emsp.says = {"allowed": "ALLOWED", "token": token(ASKED_CARD), "authorization_reference": "REF-1"}
    began = recently()
    async with await site.point("CP2") as cp:
        assert (await cp.call("Authorize", {"idTag": ASKED_CARD}))["idTagInfo"]["status"] == "Accepted"
        await charged(cp, began, tag=ASKED_CARD)
    assert site.emsp.asked == [((ASKED_CARD, "authorize"), {"location_id": "LOC1", "evse_uids": ["E3"]})]
    (cdr,) = await site.cdrs()
    assert (cdr["authorization_reference"], cdr["auth_method"]) == ("REF-1", "AUTH_REQUEST")


@pytest.mark.parametrize("fault", [None, PeerUnreachable(), PeerRefused(http=500)])
async def test_a_silent_emsp_refuses_a_card_that_must_be_asked_for(site: Site, fault: PeerUnreachable | None) -> None:
    site.emsp.fault = fault
    async with await site.point() as cp:
        answer = await cp.call("Authorize", {"idTag": ASKED_CARD})
    assert answer == {"idTagInfo": {"status": "Invalid"}}


@pytest.mark.parametrize(
    ("allowed", "status"), [("NO_CREDIT", "Blocked"), ("EXPIRED", "Expired"), ("NOT_ALLOWED", "Invalid")]
)
async def test_what_an_emsp_says_reaches_the_charger(site: Site, allowed: str, status: str) -> None:
    site.emsp.says = {"allowed": allowed, "token": token(ASKED_CARD)}
    async with await site.point() as cp:
        assert await cp.call("Authorize", {"idTag": ASKED_CARD}) == {"idTagInfo": {"status": status}}


async def test_one_charge_a_token_where_the_operator_wants_it(tmp_path: Path) -> None:
    async with a_site(tmp_path, ocpp_one_charge_per_token=True) as site:
        async with await site.point() as cp:
            await cp.start(recently())
            again = await cp.start(recently(), connector=2)
        assert again["idTagInfo"] == {"status": "ConcurrentTx"}
        assert len(await site.sessions()) == 1


async def test_two_stations_charge_at_once_and_know_nothing_of_each_other(site: Site) -> None:
    began = recently()
    async with await site.point("CP1") as one, await site.point("CP2") as two:
        first, second = (await one.start(began))["transactionId"], (await two.start(began))["transactionId"]
        assert first != second
        await two.stop(began + HOUR, first, 11000, idTag="SOMEBODY")
        assert (await site.cdrs()) == []
        await one.stop(began + HOUR, first, 3000)
        await two.stop(began + HOUR, second, 6000)
    energy = {cdr["cdr_location"]["evse_uid"]: cdr["total_energy"] for cdr in await site.cdrs()}
    assert energy == {"E1": Decimal(2), "E3": Decimal(5)}


async def test_one_journey_has_one_correlation_id_from_the_card_to_the_last_change(site: Site) -> None:
    began = recently()
    async with await site.point() as cp, await site.point("CP2") as other:
        await cp.call("Authorize", {"idTag": CARD})
        number = (await cp.start(began))["transactionId"]
        await other.start(began)
        await cp.call("Heartbeat", {})
        await cp.stop(began + HOUR, number, 11000)
    changes = [row.change for row in await site.hub.store.changes(after=0, limit=1000)]
    (cdr,) = await site.cdrs()
    own = {c.correlation_id for c in changes if c.module == "sessions" and c.key.endswith(cdr["session_id"].upper())}
    others = {c.correlation_id for c in changes if c.module == "sessions"} - own
    assert own == {c.correlation_id for c in changes if c.module == "cdrs"}
    assert (len(own), len(others)) == (1, 1)


async def test_a_start_that_cannot_be_kept_is_not_acknowledged(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUSBAR_TEST", "1")
    began = recently()
    payload = {"connectorId": 1, "idTag": CARD, "meterStart": 1000, "timestamp": began.isoformat()}
    async with await site.point() as cp:
        failpoints.arm("ocpp.in.before_commit=once")
        try:
            refused = await cp.exchange([2, "a", "StartTransaction", payload])
            assert (refused[0], refused[2]) == (4, "InternalError")
            assert (await site.sessions(), await site.records()) == ([], [])
            assert (await cp.exchange([2, "b", "StartTransaction", payload]))[0] == 3
        finally:
            failpoints.arm("")
    assert len(await site.sessions()) == 1


@pytest.mark.parametrize("point", ["ocpp.in.before_commit", "ocpp.in.after_commit", "ocpp.in.before_reply"])
async def test_a_stop_interrupted_anywhere_is_billed_once_when_it_is_sent_again(
    site: Site, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setenv("BUSBAR_TEST", "1")
    began = recently()
    async with await site.point() as cp:
        number = (await cp.start(began))["transactionId"]
        stop = {"transactionId": number, "meterStop": 11000, "timestamp": (began + HOUR).isoformat()}
        failpoints.arm(f"{point}=once")
        try:
            assert (await cp.exchange([2, "a", "StopTransaction", stop]))[0] == 4
            assert (await cp.exchange([2, "b", "StopTransaction", stop]))[0] == 3
        finally:
            failpoints.arm("")
    assert [cdr["total_energy"] for cdr in await site.cdrs()] == [Decimal(10)]


async def test_a_charge_at_an_evse_on_no_location_is_kept_and_shown(site: Site) -> None:
    await site.gateway.stations.put("CP3", {**_lost_station(), "password": "another-password-of-20"})
    async with await site.point("CP3", password="another-password-of-20") as cp:
        assert (await cp.start(recently()))["idTagInfo"]["status"] == "Accepted"
    (record,) = await site.records()
    assert "UnknownLocation" in record.trouble


def _lost_station() -> Payload:
    return {"location": "NOWHERE", "evses": {"1": {"evse_uid": "E9", "connectors": {"1": "1"}}}}


async def test_blocks_of_numbers_of_two_processes_do_not_meet(site: Site) -> None:
    one, two = sequence.Numbers(site.hub.store), sequence.Numbers(site.hub.store)
    given: set[int] = set()
    for _ in range(150):
        for numbers in (one, two):
            await numbers.cover(blank("CP1"))
            assert numbers.next not in given
            given.add(numbers.next)
            numbers.next += 1


async def test_a_desk_where_nothing_goes_on_is_put_away_and_taken_up_again(site: Site) -> None:
    began = recently(2 * 86_400)
    async with await site.point() as cp:
        started = await cp.start(began)
        await cp.stop(began + HOUR, started["transactionId"], 11000)
        transactions = site.gateway.transactions
        transactions._desks["CP1"].touched -= 10_000
        await transactions.pass_time(site.hub.clock.now() + timedelta(days=1))
        assert transactions._desks == {}
        assert await _live(site.hub.store) == 0
        assert await cp.start(began) == started
    assert len(await site.cdrs()) == 1


async def _live(store: Store) -> int:
    return len(await store.select(OCPP_EVENTS, equal={"state": "live"}))


async def test_what_a_boot_interrupted_is_ended_when_the_station_stays_silent_about_it(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = (await cp.start(began))["transactionId"]
        await cp.meter(began + HOUR / 2, 6000, number)
        await cp.boot()
        await site.gateway.transactions.pass_time(site.hub.clock.now() + HOUR)
        await until(lambda: _has_cdr(site))


async def _has_cdr(site: Site) -> bool:
    return [cdr["total_energy"] for cdr in await site.cdrs()] == [Decimal(5)]


async def test_signed_values_reach_the_cdr_byte_for_byte(site: Site) -> None:
    began = recently()
    ocmf = 'OCMF|{"FV":"1.0","RD":[{"RV":1.0}]}|{"SD":"3045"}'
    wrapped = json.dumps({"signedMeterData": ocmf, "encodingMethod": "OCMF", "publicKey": "AB12"})
    values = [
        {
            "timestamp": timestamp(began + n * HOUR),
            "sampledValue": [{"value": text, "format": "SignedData", "context": context}],
        }
        for n, (text, context) in enumerate([(wrapped, "Transaction.Begin"), (wrapped, "Transaction.End")])
    ]
    async with await site.point() as cp:
        number = (await cp.start(began))["transactionId"]
        await cp.stop(began + HOUR, number, 11000, transactionData=values)
    (cdr,) = await site.cdrs()
    signed = cdr["signed_data"]
    assert (signed["encoding_method"], signed["public_key"]) == ("OCMF", "AB12")
    assert [value["nature"] for value in signed["signed_values"]] == ["Start", "End"]
    assert {value["signed_data"] for value in signed["signed_values"]} == {ocmf}
    assert signed["signed_values"][0]["plain_data"] == '{"FV":"1.0","RD":[{"RV":1.0}]}'
