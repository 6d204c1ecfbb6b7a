"""A charge from its beginning to its bill, between OCPI's sessions and CDRs and OICP's notifications and records."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from hub.core.dialect import NotExpressible
from hub.core.errors import PeerRefused, PeerTimeout, PeerUnreachable
from partners.oicp import ledger, record_store
from partners.oicp.answers import Code, Refused
from partners.oicp.ledger import ACTIVE, CLOSED, ENDED, REFUSED, OicpSession, new_session_id
from partners.oicp.record_store import DELIVERED, HELD, WAITING
from tests.partners.oicp.bridged import YES, Asked, Bridged, bridged
from tests.partners.oicp.charges import (
    EVSE,
    START,
    UID,
    a_record,
    a_row,
    allowed_at_c1,
    cdrs_at_e1,
    charge_of_dcb,
    notified,
    priced,
    record_is,
    session_at_e1,
    session_of_c1,
)
from tests.world import Sent, until


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url) as made:
        await made.connect("abc", "cpo", operator_ids=("DE*ABC",))
        await made.connect("dcb", "emp", provider_ids=("DE-DCB",))
        await made.place(EVSE, "DE*ABC", "POOL1", "DEABCE1")
        yield made


async def test_the_notifications_of_a_cpo_are_a_session_of_the_emsp(bridge: Bridged) -> None:
    row = await a_row(bridge)
    said = await bridge.ask("abc", "ChargingNotification", notified(row, "Start", **START))
    assert said["Result"] is True
    session = await session_at_e1(bridge, row)
    assert (session["status"], session["start_date_time"]) == ("ACTIVE", "2026-05-04T08:58:00Z")
    assert (session["cdr_token"]["uid"], session["authorization_reference"]) == (UID, row.reference)
    progress = {**START, "EventOccurred": "2026-05-04T11:10:00+02:00", "ConsumedEnergyProgress": Decimal("1.5")}
    await bridge.ask("abc", "ChargingNotification", notified(row, "Progress", **progress))
    assert (await session_at_e1(bridge, row))["kwh"] == 1.5


async def _lost(bridge: Bridged, partner: str) -> set[tuple[str, str, str]]:
    """What is counted as lost between this partner and us: way, module, field."""
    return {(lost.way, lost.module, lost.field) for lost in await bridge.world.hub.losses.of(partner)}


async def test_what_a_session_and_a_cdr_do_not_say_of_oicp_is_counted(bridge: Bridged) -> None:
    await priced(bridge)
    row = await a_row(bridge)
    progress = {**START, "EventOccurred": "2026-05-04T11:10:00+02:00", "ConsumedEnergyProgress": Decimal("1.5")}
    await bridge.ask("abc", "ChargingNotification", notified(row, "Progress", **progress))
    assert ("in", "sessions", "/EventOccurred") in await _lost(bridge, "abc")
    odd = {"MeterValueStart": Decimal(1), "MeterValueEnd": Decimal(9)}
    await bridge.ask("abc", "ChargeDetailRecord", a_record(row, **odd), id="DE*ABC")
    await record_is(bridge, row, DELIVERED)
    assert ("in", "cdrs", "/MeterValueEnd") in await _lost(bridge, "abc")


async def test_the_end_of_energy_is_not_the_end_of_the_session(bridge: Bridged) -> None:
    row = await a_row(bridge)
    await bridge.ask("abc", "ChargingNotification", notified(row, "Start", **START))
    end = {**START, "ChargingEnd": "2026-05-04T11:30:00+02:00", "ConsumedEnergy": Decimal(5)}
    await bridge.ask("abc", "ChargingNotification", notified(row, "End", **end))
    session = await session_at_e1(bridge, row)
    assert (session["status"], session["kwh"]) == ("ACTIVE", 5)
    assert session["charging_periods"][-1]["dimensions"][0]["type"] == "PARKING_TIME"
    assert (await bridge.oicp.bridge.ledger.get(row.id)).state == ENDED


async def test_a_progress_that_comes_too_soon_is_refused(bridge: Bridged) -> None:
    row = await a_row(bridge)
    progress = {**START, "EventOccurred": "2026-05-04T11:10:00+02:00", "ConsumedEnergyProgress": Decimal("1.5")}
    await bridge.ask("abc", "ChargingNotification", notified(row, "Progress", **progress))
    with pytest.raises(Refused) as refused:
        await bridge.ask("abc", "ChargingNotification", notified(row, "Progress", **progress))
    assert refused.value.code is Code.DATA_ERROR
    bridge.world.clock.move_to(301)
    await bridge.ask("abc", "ChargingNotification", notified(row, "Progress", **progress))


async def test_nobody_tells_of_anothers_session(bridge: Bridged) -> None:
    row = await a_row(bridge)
    await bridge.connect("xyz", "cpo", operator_ids=("DE*XYZ",))
    for name, known in (("xyz", row), ("abc", replace(row, id=new_session_id()))):
        with pytest.raises(Refused) as refused:
            await bridge.ask(name, "ChargingNotification", notified(known, "Start", **START))
        assert refused.value.code is Code.SESSION_INVALID


async def test_a_charge_that_begins_after_it_was_given_up_is_stopped(bridge: Bridged) -> None:
    row = await a_row(bridge, state=REFUSED, origin="remote")
    with pytest.raises(Refused) as refused:
        await bridge.ask("abc", "ChargingNotification", notified(row, "Start", **START))
    assert refused.value.code is Code.SESSION_INVALID
    await until(lambda: bridge.client.of("AuthorizeRemoteStop"))
    assert bridge.client.of("AuthorizeRemoteStop")[0]["SessionID"] == row.id


async def test_a_record_is_priced_here_and_billed_to_the_emsp_once(bridge: Bridged) -> None:
    await priced(bridge)
    row = await a_row(bridge)
    for _ in range(2):
        assert (await bridge.ask("abc", "ChargeDetailRecord", a_record(row), id="DE*ABC"))["Result"] is True
    await record_is(bridge, row, DELIVERED)
    [cdr] = await cdrs_at_e1(bridge)
    assert (cdr["total_energy"], cdr["total_cost"]["before_taxes"]) == (10.123, pytest.approx(4.0492))
    assert (cdr["session_id"], cdr["authorization_reference"]) == (row.id, row.reference)
    assert (await session_at_e1(bridge, row))["status"] == "COMPLETED"
    assert (await bridge.oicp.bridge.ledger.get(row.id)).state == CLOSED


async def test_another_record_of_a_closed_session_is_refused(bridge: Bridged) -> None:
    await priced(bridge)
    row = await a_row(bridge)
    await bridge.ask("abc", "ChargeDetailRecord", a_record(row), id="DE*ABC")
    with pytest.raises(Refused) as refused:
        await bridge.ask("abc", "ChargeDetailRecord", a_record(row, ConsumedEnergy=Decimal(11)), id="DE*ABC")
    assert (refused.value.code, refused.value.http) == (Code.SESSION_INVALID, 404)


async def _held(bridge: Bridged, row: OicpSession, **fields: Any) -> None:
    await bridge.ask("abc", "ChargeDetailRecord", a_record(row, **fields), id="DE*ABC")
    await record_is(bridge, row, HELD)


async def test_a_session_whose_record_is_held_has_ended_with_what_was_measured(bridge: Bridged) -> None:
    row = await a_row(bridge)
    await bridge.ask("abc", "ChargingNotification", notified(row, "Start", **START))
    assert (await session_at_e1(bridge, row))["status"] == "ACTIVE"
    await _held(bridge, row)
    session = await session_at_e1(bridge, row)
    assert (session["status"], session["kwh"], session.get("total_cost")) == ("COMPLETED", 10.123, None)
    assert (session["start_date_time"], session["end_date_time"]) == ("2026-05-04T09:00:00Z", "2026-05-04T09:40:00Z")
    assert [each["dimensions"][0]["type"] for each in session["charging_periods"]] == ["ENERGY", "PARKING_TIME"]
    await bridge.oicp.records.go_on(row.id)
    assert await session_at_e1(bridge, row) == session


async def test_a_session_of_a_held_record_that_nobody_told_of_is_told_as_over(bridge: Bridged) -> None:
    row = await a_row(bridge, evse_id="")
    await _held(bridge, row)
    session = await session_at_e1(bridge, row)
    assert (session["status"], session["location_id"], session["evse_uid"]) == ("COMPLETED", "POOL1", "DEABCE1")


async def test_what_a_held_charge_costs_is_told_once_it_is_billed(bridge: Bridged) -> None:
    row = await a_row(bridge)
    await _held(bridge, row)
    await priced(bridge)
    bridge.world.clock.passed_s += 60
    await bridge.oicp.records.go_on(row.id)
    await record_is(bridge, row, DELIVERED)
    session = await session_at_e1(bridge, row)
    assert (session["status"], session["total_cost"]["before_taxes"]) == ("COMPLETED", pytest.approx(4.0492))


async def test_a_record_that_is_held_does_not_revive_a_session_that_never_began(bridge: Bridged) -> None:
    row = await a_row(bridge)
    error = {"ErrorType": "CriticalError"}
    await bridge.ask("abc", "ChargingNotification", notified(row, "Error", **error))
    assert (await session_at_e1(bridge, row))["status"] == "INVALID"
    await _held(bridge, row)
    assert (await session_at_e1(bridge, row))["status"] == "INVALID"


async def test_a_session_that_was_allowed_without_an_evse_is_told_at_the_evse_it_began(bridge: Bridged) -> None:
    row = await a_row(bridge, evse_id="")
    await bridge.ask("abc", "ChargingNotification", notified(row, "Start", **START))
    assert (await session_at_e1(bridge, row))["evse_uid"] == "DEABCE1"


async def test_a_record_without_a_price_is_held_and_never_billed_as_nothing(bridge: Bridged) -> None:
    row = await a_row(bridge)
    await bridge.ask("abc", "ChargeDetailRecord", a_record(row), id="DE*ABC")
    await record_is(bridge, row, HELD)
    assert await cdrs_at_e1(bridge) == []
    await priced(bridge)
    await bridge.oicp.records.go_on(row.id)
    await record_is(bridge, row, DELIVERED)
    assert len(await cdrs_at_e1(bridge)) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"ConsumedEnergy": Decimal(1001)},
        {"ConsumedEnergy": Decimal(-1)},
        {"ChargingEnd": "2026-05-04T10:00:00+02:00"},
        {"SessionEnd": "2026-05-04T09:00:00+00:00"},
    ],
)
async def test_a_record_that_can_be_no_charge_is_refused(bridge: Bridged, wrong: dict[str, Any]) -> None:
    row = await a_row(bridge)
    if "SessionEnd" in wrong:
        wrong = {"SessionEnd": "2026-05-04T08:59:00+00:00"}
    with pytest.raises(Refused) as refused:
        await bridge.ask("abc", "ChargeDetailRecord", a_record(row, **wrong), id="DE*ABC")
    assert refused.value.code is Code.DATA_ERROR
    assert await bridge.oicp.records.store.find(row.id) is None


async def test_a_record_of_the_future_is_refused_and_times_compare_whatever_their_offsets(bridge: Bridged) -> None:
    row = await a_row(bridge)
    future = {"ChargingEnd": "2026-05-04T13:00:00+02:00", "SessionEnd": "2026-05-04T13:00:00+02:00"}
    with pytest.raises(Refused) as refused:
        await bridge.ask("abc", "ChargeDetailRecord", a_record(row, **future), id="DE*ABC")
    assert refused.value.code is Code.DATA_ERROR
    odd = {"ChargingEnd": "2026-05-04T09:32:00+00:00", "SessionEnd": "2026-05-04T09:40:00+00:00"}
    assert (await bridge.ask("abc", "ChargeDetailRecord", a_record(row, **odd), id="DE*ABC"))["Result"] is True


async def test_two_records_at_the_same_moment_are_one_and_a_refusal(bridge: Bridged) -> None:
    await priced(bridge)
    row = await a_row(bridge)
    asks = [
        bridge.ask("abc", "ChargeDetailRecord", a_record(row, ConsumedEnergy=Decimal(kwh)), id="DE*ABC")
        for kwh in (5, 6)
    ]
    said = await asyncio.gather(*asks, return_exceptions=True)
    assert sorted(isinstance(each, Refused) for each in said) == [False, True]
    await record_is(bridge, row, DELIVERED)
    assert len(await cdrs_at_e1(bridge)) == 1


async def test_between_two_partners_of_oicp_a_record_goes_on_as_it_came(bridge: Bridged) -> None:
    row = await a_row(bridge, emp="dcb", emp_party="DE*DCB", provider_id="DE-DCB")
    sent = a_record(row, PartnerProductID="AC1", x_vendor={"a": [1, "b"]})
    bridge.client.script = _first_unreachable()
    await bridge.ask("abc", "ChargeDetailRecord", sent, id="DE*ABC")
    await record_is(bridge, row, WAITING)
    await bridge.oicp.records.go_on(row.id)
    await record_is(bridge, row, DELIVERED)
    assert bridge.client.of("ChargeDetailRecord")[-1] == sent


def _first_unreachable() -> Callable[[Asked], Any]:
    tries: list[Asked] = []

    def script(asked: Asked) -> Any:
        tries.append(asked)
        if len(tries) == 1:
            raise PeerUnreachable
        return YES

    return script


async def test_a_cdr_reaches_an_emp_as_a_record_in_local_time_and_without_its_price(bridge: Bridged) -> None:
    cdr, row = await charge_of_dcb(bridge)
    answer = await bridge.oicp.records.deliver(bridge.world.partner("dcb"), cdr)
    assert answer.status_code == 1000
    [record] = bridge.client.of("ChargeDetailRecord")
    assert (record["SessionID"], record["EvseID"], record["ConsumedEnergy"]) == (row.id, "DE*BSB*E1", Decimal("7.5"))
    assert record["SessionStart"] == "2026-05-04T11:00:00.000+02:00"
    assert record["ChargingEnd"] == "2026-05-04T11:45:00.000+02:00"
    assert not {"total_cost", "currency"} & set(record)
    await record_is(bridge, row, DELIVERED)


async def test_a_refusal_because_an_earlier_try_arrived_is_an_arrival(bridge: Bridged) -> None:
    cdr, row = await charge_of_dcb(bridge)
    partner = bridge.world.partner("dcb")

    def silent(asked: Asked) -> Any:
        raise PeerTimeout

    def closed(asked: Asked) -> Any:
        raise PeerRefused("closed", http=404, status_code=400)

    bridge.client.script = silent
    with pytest.raises(PeerTimeout):
        await bridge.oicp.records.deliver(partner, cdr)
    bridge.client.script = closed
    assert (await bridge.oicp.records.deliver(partner, cdr)).status_code == 1000
    await record_is(bridge, row, DELIVERED)


async def test_a_credit_is_never_said_in_oicp(bridge: Bridged) -> None:
    cdr, _ = await charge_of_dcb(bridge)
    with pytest.raises(NotExpressible):
        await bridge.oicp.records.deliver(bridge.world.partner("dcb"), {**cdr, "credit": True})
    assert bridge.client.asked == []


async def test_a_cdr_without_the_signed_values_that_its_evse_promises_is_not_said(bridge: Bridged) -> None:
    cdr, _ = await charge_of_dcb(bridge)
    await bridge.connect("dcb", "emp", provider_ids=("DE-DCB",), terms={"calibration_law": "External"})
    with pytest.raises(NotExpressible, match="signed values"):
        await bridge.oicp.records.deliver(bridge.world.partner("dcb"), cdr)
    assert bridge.client.asked == []


async def test_a_session_of_ocpi_is_told_as_start_progress_and_end(bridge: Bridged) -> None:
    row = await allowed_at_c1(bridge)
    await session_of_c1(bridge, row, status="ACTIVE", kwh=1, last_updated="2026-05-04T10:00:00Z")
    await session_of_c1(bridge, row, status="ACTIVE", kwh=2, last_updated="2026-05-04T10:01:00Z")
    bridge.world.clock.move_to(301)
    await session_of_c1(bridge, row, status="ACTIVE", kwh=3, last_updated="2026-05-04T10:05:01Z")
    over = {"status": "COMPLETED", "end_date_time": "2026-05-04T10:05:30Z", "last_updated": "2026-05-04T10:05:31Z"}
    await session_of_c1(bridge, row, kwh=4, **over)
    told = bridge.client.of("ChargingNotification")
    assert [each["Type"] for each in told] == ["Start", "Progress", "End"]
    assert {each["SessionID"] for each in told} == {row.id}
    assert ("out", "sessions", "/connector_id") in await _lost(bridge, "dcb")
    assert (told[1]["ConsumedEnergyProgress"], told[2]["ConsumedEnergy"]) == (3, 4)
    assert (await bridge.oicp.bridge.ledger.get(row.id)).state == ENDED


async def test_a_session_of_an_order_that_was_given_up_is_stopped_at_its_cpo(bridge: Bridged) -> None:
    row = await allowed_at_c1(bridge, state=REFUSED)
    bridge.world.peers.script = lambda sent: {"result": "ACCEPTED", "timeout": 30} if _is_stop(sent) else None
    await session_of_c1(bridge, row, status="ACTIVE", kwh=0)
    assert [sent.body["session_id"] for sent in bridge.world.peers.sent if _is_stop(sent)] == ["s-9"]
    assert bridge.client.of("ChargingNotification") == []


def _is_stop(sent: Sent) -> bool:
    return sent.path == ("STOP_SESSION",)


async def test_a_lost_notification_holds_nothing_up(bridge: Bridged) -> None:
    row = await allowed_at_c1(bridge)

    def broken(asked: Asked) -> Any:
        raise PeerUnreachable

    bridge.client.script = broken
    await session_of_c1(bridge, row, status="ACTIVE", kwh=1)
    assert (await bridge.oicp.bridge.ledger.get(row.id)).state == ACTIVE


async def test_a_charge_is_forgotten_after_400_days_and_not_before(bridge: Bridged) -> None:
    row = await a_row(bridge)
    for days, is_known in ((399, True), (401, False)):
        bridge.world.clock.move_to(days * 86_400)
        await ledger.forget(bridge.world.hub)
        assert (await bridge.oicp.bridge.ledger.find(row.id) is not None) is is_known


async def test_a_no_that_comes_as_text_is_no_yes(bridge: Bridged) -> None:
    cdr, row = await charge_of_dcb(bridge)
    bridge.client.script = lambda asked: {"Result": "false", "StatusCode": {"Code": 22}}
    with pytest.raises(PeerRefused):
        await bridge.oicp.records.deliver(bridge.world.partner("dcb"), cdr)
    await record_is(bridge, row, record_store.REFUSED)
