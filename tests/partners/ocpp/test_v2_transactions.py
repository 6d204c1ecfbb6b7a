"""Transactions of 2.0.1 and 2.1 over real sockets: sessions, CDRs and answers."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from hub.core.units import Unit
from modules.cdrs import service as cdrs
from modules.tokens import service as tokens
from modules.tokens.authorize import By, Decision, remember
from modules.tokens.model import Token
from partners.ocpp import archive, journal
from partners.ocpp.live import remote_start
from tests.partners.ocpp.points2 import VERSIONS, begin, end, event, point2
from tests.partners.ocpp.site import (
    ASKED_CARD,
    BLOCKED_CARD,
    CARD,
    OURS,
    THEIRS,
    Payload,
    Site,
    a_site,
    recently,
    token,
    until,
)

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_charge_from_its_start_to_its_end_is_a_session_and_a_cdr(site: Site, version: str) -> None:
    began = recently()
    async with await point2(site, version=version) as cp:
        answer = await cp.call("TransactionEvent", begin(began))
        assert answer["idTokenInfo"] == {"status": "Accepted"}
        (session,) = await site.sessions()
        assert (session["status"], session["evse_uid"], session["kwh"]) == ("ACTIVE", "E1", 0)
        assert await site.evse_status("E1") == "CHARGING"
        for minute in (10, 20):
            await cp.event(
                "Updated", began + minute * MINUTE, wh=1000 + 200 * minute, info={"chargingState": "Charging"}
            )
        (session,) = await site.sessions()
        assert session["kwh"] == 4
        answer = await cp.call("TransactionEvent", end(began + 30 * MINUTE))
        assert answer == {"totalCost": 1.5}
    (session,), (cdr,), (record,) = await site.sessions(), await site.cdrs(), await site.records()
    assert (session["status"], session["kwh"]) == ("COMPLETED", 5)
    assert (cdr["total_energy"], cdr["total_cost"]["before_taxes"]) == (5, Decimal("1.5"))
    assert (record.number, record.state, record.flags, record.trouble) == ("T1", "ended", [], "")


@pytest.mark.parametrize("seed", range(6))
async def test_a_replay_in_any_order_with_useless_numbers_and_twins_is_the_same_bill(site: Site, seed: int) -> None:
    began, rng = recently(), random.Random(seed)
    told = [begin(began, offline=True)]
    told += [event("Updated", began + n * MINUTE, wh=1000 + 100 * n, offline=True) for n in range(1, 50, 7)]
    told.append(end(began + 50 * MINUTE, offline=True))
    told += rng.sample(told, 3)
    rng.shuffle(told)
    async with await point2(site) as cp:
        for payload in told:
            await cp.call("TransactionEvent", payload)
    (session,) = await site.sessions()
    (record,) = await site.records()
    assert [session["status"], record.energy_kwh, record.start, record.end] == [
        "COMPLETED",
        5,
        began,
        began + 50 * MINUTE,
    ]
    bills = await site.cdrs()
    assert sum(cdr["total_energy"] for cdr in bills if not cdr.get("credit")) - sum(
        cdr["total_energy"] for cdr in bills if cdr.get("credit")
    ) == Decimal(5)


async def test_two_stations_may_call_their_transactions_alike(site: Site) -> None:
    began = recently()
    async with await point2(site) as one, await point2(site, "CP2") as other:
        await one.call("TransactionEvent", begin(began, "0"))
        await other.call("TransactionEvent", begin(began, "0", wh=7000))
        await one.call("TransactionEvent", end(began + MINUTE, "0", wh=2000))
        await other.call("TransactionEvent", end(began + MINUTE, "0", wh=8500))
    assert sorted(cdr["total_energy"] for cdr in await site.cdrs()) == [1, Decimal("1.5")]


async def test_a_charge_without_a_token_is_on_record_and_becomes_a_session_with_the_token(site: Site) -> None:
    began = recently()
    async with await point2(site) as cp:
        plugged = {"chargingState": "EVConnected"}
        answer = await cp.call("TransactionEvent", begin(began, tag=None, trigger="CablePluggedIn", info=plugged))
        assert answer == {}
        assert (await site.sessions(), len(await site.records())) == ([], 1)
        shown = await cp.event("Updated", began + 5 * MINUTE, tag=CARD, trigger="Authorized")
        assert shown["idTokenInfo"]["status"] == "Accepted"
        (session,) = await site.sessions()
        assert session["start_date_time"][:19] == began.isoformat()[:19]
        await cp.call("TransactionEvent", end(began + 30 * MINUTE))
    (cdr,) = await site.cdrs()
    assert (cdr["total_energy"], cdr["total_time"]) == (5, Decimal("0.5"))


async def test_an_evse_that_is_known_later_gets_its_session_then(site: Site) -> None:
    began = recently()
    async with await point2(site) as cp:
        answer = await cp.call("TransactionEvent", begin(began, evse=None))
        assert (answer["idTokenInfo"]["status"], await site.sessions()) == ("Accepted", [])
        await cp.event("Updated", began + MINUTE, evse=2, trigger="CablePluggedIn")
        (session,) = await site.sessions()
        assert session["evse_uid"] == "E2"
        await cp.call("TransactionEvent", end(began + 9 * MINUTE))
    (cdr,) = await site.cdrs()
    assert (cdr["total_energy"], cdr["cdr_location"]["evse_uid"]) == (5, "E2")


async def test_a_station_with_one_connector_need_not_name_it(site: Site) -> None:
    async with await point2(site, "CP2") as cp:
        await cp.call("TransactionEvent", begin(recently(), evse=None))
        (session,) = await site.sessions()
    assert session["evse_uid"] == "E3"


async def test_what_a_charger_says_against_the_schema_is_billed_all_the_same(site: Site) -> None:
    began = recently()
    started = {**begin(began), "meterValue": []}
    stopped = end(began + 20 * MINUTE)
    stopped["meterValue"][0]["sampledValue"][0]["value"] = "9000"
    del stopped["seqNo"]
    async with await point2(site) as cp:
        await cp.call("TransactionEvent", started)
        await cp.event("Updated", began + MINUTE, wh=4000)
        await cp.call("TransactionEvent", stopped)
    (cdr,), (record,) = await site.cdrs(), await site.records()
    assert cdr["total_energy"] == 5
    assert {"SCHEMA_BROKEN", "METER_START_MISSING"} <= set(record.flags)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("number", ["NaN", "1e308", "1e999", "9" * 5000], ids=lambda text: text[:5])
async def test_an_end_with_numbers_that_cannot_be_read_is_acknowledged_and_the_last_sample_counts(
    site: Site, version: str, number: str
) -> None:
    began = recently()
    ended = json.dumps(end(began + 20 * MINUTE, wh=-77.5, seq=-99))
    async with await point2(site, version=version) as cp:
        await cp.call("TransactionEvent", begin(began))
        await cp.event("Updated", began + MINUTE, wh=4000)
        assert ended.count("-77.5") == ended.count("-99") == 1
        said = ended.replace("-77.5", number).replace("-99", number)
        assert (await cp.exchange_text("e1", f'[2,"e1","TransactionEvent",{said}]'))[0] == 3
    (cdr,), (record,) = await site.cdrs(), await site.records()
    assert (cdr["total_energy"], record.state) == (3, "ended")
    assert {"SCHEMA_BROKEN", "VALUE_UNREADABLE"} <= set(record.flags)


async def test_an_end_alone_is_kept_and_shown_and_bills_nobody(site: Site) -> None:
    async with await point2(site) as cp:
        await cp.event("Ended", recently(), wh=9000, tag=CARD, evse=1)
        stopped = {**end(recently(), "T2", wh=9000, tag=CARD, evse=1), "meterValue": begin(recently())["meterValue"]}
        stopped["meterValue"] += end(recently(), wh=9000)["meterValue"]
        await cp.call("TransactionEvent", stopped)
    assert (await site.sessions(), len(await site.records())) == ([], 2)
    doubts = await site.doubts("CP1")
    assert [doubt["held"] for doubt in doubts] == [True, True]
    assert all("only its end was reported; the charge is not billed" in doubt["reasons"] for doubt in doubts)


async def test_an_event_without_an_id_is_answered_and_begins_nothing(site: Site) -> None:
    payload = begin(recently())
    del payload["transactionInfo"]["transactionId"]
    async with await point2(site) as cp:
        assert await cp.call("TransactionEvent", payload) == {}
    assert await site.records() == []


@pytest.mark.parametrize(("card", "status"), [(BLOCKED_CARD, "Blocked"), ("NOBODYS", "Invalid")])
async def test_a_refused_token_is_told_and_another_may_pay(site: Site, card: str, status: str) -> None:
    began = recently()
    async with await point2(site) as cp:
        answer = await cp.call("TransactionEvent", begin(began, tag=card))
        assert (answer["idTokenInfo"]["status"], await site.sessions()) == (status, [])
        again = await cp.call("TransactionEvent", begin(began, tag=card))
        assert again == answer
        answer = await cp.event("Updated", began + MINUTE, tag=CARD, trigger="Authorized")
        assert answer["idTokenInfo"]["status"] == "Accepted"
        await cp.call("TransactionEvent", end(began + 9 * MINUTE))
    (cdr,), (record,) = await site.cdrs(), await site.records()
    assert (cdr["total_energy"], cdr["cdr_token"]["uid"], record.id_tag) == (5, CARD, CARD)


async def test_energy_for_a_refused_token_is_an_operators_doubt(site: Site) -> None:
    began = recently()
    async with await point2(site) as cp:
        await cp.call("TransactionEvent", begin(began, tag=BLOCKED_CARD))
        await cp.call("TransactionEvent", end(began + MINUTE))
    (doubt,) = await site.doubts("CP1")
    assert (doubt["severity"], await site.cdrs()) == ("hard", [])


async def test_a_token_that_stops_does_not_pay_and_one_of_the_group_may_stop(site: Site) -> None:
    began = recently()
    for uid, group in (("AAAA0001", "FAMILY"), ("AAAA0002", "FAMILY"), ("AAAA0003", None)):
        card = Token.model_validate(token(uid, whitelist="ALLOWED", **({"group_id": group} if group else {})))
        await tokens.put(site.hub.store, THEIRS, uid, card, now=site.hub.clock.now())
    async with await point2(site) as cp:
        answer = await cp.call("TransactionEvent", begin(began, tag="AAAA0001"))
        assert answer["idTokenInfo"]["groupIdToken"] == {"idToken": "FAMILY", "type": "Central"}
        mine = await cp.event("Updated", began + MINUTE, tag="AAAA0002", trigger="StopAuthorized")
        assert mine["idTokenInfo"]["status"] == "Accepted"
        stopped = await cp.call("TransactionEvent", end(began + 9 * MINUTE, tag="AAAA0002", trigger="StopAuthorized"))
        assert stopped["idTokenInfo"]["status"] == "Accepted"
    (cdr,) = await site.cdrs()
    assert cdr["cdr_token"]["uid"] == "AAAA0001"


async def test_a_remote_start_and_its_charge_are_one_journey(site: Site) -> None:
    live = site.gateway.stations.get("CP1")
    decision = Decision("ALLOWED", By.COMMAND, token("APPUSER"), str(THEIRS), "REF1")
    put = remember(decision, "APPUSER", at="CP1", now=site.hub.clock.now(), command="C1")
    await site.hub.store.commit(Unit().put(put))
    async with await point2(site) as cp:
        live.begin_journey(remote_start(77), "journey-77", site.hub.clock.monotonic())
        answer = await cp.call(
            "TransactionEvent",
            begin(recently(), tag="APPUSER", tag_type="Central", trigger="RemoteStart", info={"remoteStartId": 77}),
        )
        assert answer["idTokenInfo"]["status"] == "Accepted"
    (record,), (session,) = await site.records(), await site.sessions()
    assert (record.correlation_id, session["authorization_reference"]) == ("journey-77", "REF1")


async def test_an_emsp_that_must_be_asked_is_asked_once_for_a_transaction(site: Site) -> None:
    site.emsp.says = {"allowed": "ALLOWED", "token": token(ASKED_CARD, whitelist="NEVER")}
    began = recently()
    async with await point2(site) as cp:
        shown = await cp.call("Authorize", {"idToken": {"idToken": ASKED_CARD, "type": "ISO14443"}})
        assert shown["idTokenInfo"]["status"] == "Accepted"
        for minute in range(3):
            await cp.call("TransactionEvent", {**begin(began, tag=ASKED_CARD), "seqNo": minute})
    assert len(site.emsp.asked) == 1


async def test_states_of_the_charge_are_periods_whatever_order_they_come_in(site: Site) -> None:
    began = recently()
    states = {5: "Charging", 20: "SuspendedEV", 30: "Charging", 40: "EVConnected"}
    told = [event("Updated", began + n * MINUTE, info={"chargingState": state}) for n, state in states.items()]
    told.reverse()
    async with await point2(site) as cp:
        await cp.call("TransactionEvent", begin(began, info={"chargingState": "EVConnected"}))
        for payload in told:
            await cp.call("TransactionEvent", payload)
        await cp.call("TransactionEvent", end(began + 60 * MINUTE))
    (cdr,) = await site.cdrs()
    assert (cdr["total_time"], cdr["total_parking_time"]) == (1, Decimal("0.5"))


async def test_an_end_that_comes_after_the_estimate_corrects_the_bill(site: Site) -> None:
    began = recently()
    async with await point2(site) as cp:
        await cp.call("TransactionEvent", begin(began))
        await cp.event("Updated", began + 5 * MINUTE, wh=2000)
        await cp.connector("Available", began + 20 * MINUTE)
        (cdr,) = await site.cdrs()
        assert cdr["total_energy"] == 1
        await cp.call("TransactionEvent", end(began + 10 * MINUTE))
    first, credit, second = sorted(await site.cdrs(), key=lambda cdr: (cdr["last_updated"], not cdr.get("credit")))
    assert (credit.get("credit"), second["total_energy"], first["total_energy"]) == (True, 5, 1)


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_end_that_comes_after_the_estimate_is_told_what_the_corrected_bill_comes_to(
    site: Site, version: str
) -> None:
    began = recently()
    async with await point2(site, version=version) as cp:
        await cp.call("TransactionEvent", begin(began))
        await cp.event("Updated", began + 5 * MINUTE, wh=2000)
        await cp.connector("Available", began + 20 * MINUTE)
        for _ in range(2):
            assert await cp.call("TransactionEvent", end(began + 10 * MINUTE)) == {"totalCost": 1.5}
    (session,) = await site.sessions()
    assert session["total_cost"]["before_taxes"] == Decimal("0.3")


async def test_an_end_of_which_the_bill_was_taken_back_is_told_no_cost(site: Site) -> None:
    began = recently()
    async with await point2(site) as cp:
        await cp.call("TransactionEvent", begin(began))
        assert await cp.call("TransactionEvent", end(began + 10 * MINUTE)) == {"totalCost": 1.5}
        (cdr,) = await site.cdrs()
        await cdrs.take_back(site.hub, f"{OURS}/{cdr['id'].upper()}", actor="jo", location={})
        assert await cp.call("TransactionEvent", end(began + 10 * MINUTE)) == {}


async def test_meter_values_outside_of_transactions_count_for_the_charge_that_goes_on(site: Site) -> None:
    began = recently()
    async with await point2(site) as cp:
        await cp.call("TransactionEvent", begin(began))
        values = event("Updated", began + 10 * MINUTE, wh=3000)["meterValue"]
        assert await cp.call("MeterValues", {"evseId": 1, "meterValue": values}) == {}
        assert await cp.call("MeterValues", {"evseId": 0, "meterValue": values}) == {}
        (session,) = await site.sessions()
    assert session["kwh"] == 2


@pytest.mark.parametrize("ends", [1, 2])
async def test_nothing_of_a_charge_that_is_long_over_is_read_again(site: Site, ends: int) -> None:
    began = recently()
    async with await point2(site) as cp:
        await cp.call("TransactionEvent", begin(began))
        for number in range(ends):
            await cp.call("TransactionEvent", end(began + (30 + number) * MINUTE, seq=1))
    desk = await archive.read(site.hub.store, "CP1")
    await archive.put_away(site.hub.store, desk, site.hub.clock.now() + timedelta(days=9))
    assert [documents async for documents in journal.live_events(site.hub.store, "CP1")] == []


async def test_more_of_a_charge_that_is_long_over_leaves_its_record_and_its_bill(site: Site) -> None:
    began = recently()
    async with await point2(site) as cp:
        for part in (begin(began), end(began + 30 * MINUTE, seq=2)):
            await cp.call("TransactionEvent", part)
        (before,) = await site.records()
        desk = await archive.read(site.hub.store, "CP1")
        await archive.put_away(site.hub.store, desk, site.hub.clock.now() + timedelta(days=9))
        await site.restart()
    async with await point2(site) as cp:
        await cp.call("TransactionEvent", event("Updated", began + 10 * MINUTE, wh=2000, seq=1))
    (record,), (cdr,) = await site.records(), await site.cdrs()
    assert "its bill does not know of that" in record.trouble
    assert (record.energy_kwh, record.id_tag, record.connector) == (before.energy_kwh, CARD, 1)
    assert cdr["total_energy"] == 5


async def test_a_restart_forgets_nothing_of_a_transaction(site: Site) -> None:
    began = recently()
    told = [begin(began, evse=None, tag=None), event("Updated", began + MINUTE, evse=1, wh=2000)]
    told += [event("Updated", began + 2 * MINUTE, tag=CARD, trigger="Authorized", seq=7), end(began + 30 * MINUTE)]
    for payload in told:
        async with await point2(site) as cp:
            await cp.call("TransactionEvent", payload)
        await site.restart()
    (cdr,), (record,) = await site.cdrs(), await site.records()
    assert (cdr["total_energy"], record.connector, record.id_tag, record.start) == (5, 1, CARD, began)


async def test_parts_that_are_missing_are_asked_for_once_nothing_is_replayed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("partners.ocpp.v2_transactions._WAIT_FOR_PARTS_S", 0.0)
    monkeypatch.setattr("partners.ocpp.v2_transactions.REPLAY_S", 0.05)
    began = recently()
    async with await point2(site) as cp:
        cp.answers["GetTransactionStatus"] = {"messagesInQueue": True}
        await cp.call("TransactionEvent", begin(began, seq=0))
        await cp.event("Updated", began + MINUTE, seq=3)
        await cp.event("Updated", began + 2 * MINUTE, seq=4)
        await until(lambda: len(cp.asked) > 0)
        assert cp.asked == [("GetTransactionStatus", {"transactionId": "T1"})]
        assert (await site.records())[0].flags == ["PARTS_MISSING"]
        for seq in (1, 2):
            await cp.event("Updated", began + 0.1 * seq * MINUTE, seq=seq)
        assert (await site.records())[0].flags == []


async def test_one_charge_per_token_counts_a_charge_once(tmp_path: Path) -> None:
    async with a_site(tmp_path, ocpp_one_charge_per_token=True) as site, await point2(site) as cp:
        began = recently()
        assert (await cp.call("TransactionEvent", begin(began, evse=None)))["idTokenInfo"]["status"] == "Accepted"
        assert (await cp.call("TransactionEvent", begin(began)))["idTokenInfo"]["status"] == "Accepted"
        (session,) = await site.sessions()
        other: Payload = begin(began, "T2", evse=2)
        assert (await cp.call("TransactionEvent", other))["idTokenInfo"]["status"] == "ConcurrentTx"
        assert session["evse_uid"] == "E1"


async def test_a_beginning_that_comes_when_all_else_was_billed_is_billed_too(site: Site) -> None:
    began = recently()
    heard = event("Updated", began + 5 * MINUTE, wh=3000, seq=1, evse=1, tag=CARD)
    async with await point2(site) as cp:
        for told in (heard, end(began + 30 * MINUTE, seq=2), {**begin(began), "offline": True}):
            await cp.call("TransactionEvent", told)
    told_of = [(int(cdr["total_energy"]), cdr.get("credit")) for cdr in await site.cdrs()]
    assert told_of == [(3, None), (3, True), (5, None)]
