"""A charge from its beginning to its bill, between OCPI's sessions and CDRs and OICP's notifications and records."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from hub.core.dialect import NotExpressible
from hub.core.errors import PeerRefused, PeerUnreachable
from hub.core.operations import RECEIVER
from partners.oicp import ledger
from partners.oicp.answers import Code, Refused
from partners.oicp.ledger import ACTIVE, CLOSED, ENDED, REFUSED, OicpSession, new_session_id
from partners.oicp.record_store import DELIVERED, HELD, WAITING
from tests.modules.sessions.records import a_session
from tests.partners.oicp.bridged import YES, Asked, Bridged, bridged
from tests.world import Sent, location, tariff, token

EVSE = "DE*ABC*E1"
UID = "0102030405060708090A"
CARD = {"RFIDMifareFamilyIdentification": {"UID": UID}}


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url) as made:
        await made.connect("abc", "cpo", operator_ids=("DE*ABC",))
        await made.connect("dcb", "emp", provider_ids=("DE-DCB",))
        await made.place(EVSE, "DE*ABC", "POOL1", "DEABCE1")
        yield made


async def _priced(bridge: Bridged, owner: str = "DE*ABC") -> None:
    """The CPO's location and tariff, as they come from its EVSE data and prices."""
    path = tuple(owner.split("*"))
    named = {"country_code": path[0], "party_id": path[1], "last_updated": "2026-05-04T09:00:00Z"}
    tree = location("POOL1", evses=("DEABCE1",), **named)
    for evse in tree["evses"]:
        evse |= {"evse_id": EVSE, "last_updated": named["last_updated"]}
        for connector in evse["connectors"]:
            connector["last_updated"] = named["last_updated"]
    partner = bridge.world.partner("abc")
    inward = bridge.oicp.bridge.inward
    priced = {**tariff("T1", "0.40"), **named}
    for module, object_id, body in (("tariffs", "T1", priced), ("locations", "POOL1", tree)):
        said = await inward.request(partner, "PUT", module, RECEIVER, (*path, object_id), body=body)
        assert said.is_success, said


async def _row(bridge: Bridged, **fields: Any) -> OicpSession:
    """A charge at the OICP CPO's EVSE by a driver of e1, allowed a moment ago."""
    session_id = new_session_id()
    usual: dict[str, Any] = {
        "cpo": "abc",
        "cpo_party": "DE*ABC",
        "emp_party": "NL*EEE",
        "provider_id": "NL-EEE",
        "evse_id": EVSE,
        "identification": CARD,
        "token": token("2.3.0", uid=UID),
        "reference": session_id,
        "opened": bridge.world.clock.now(),
    }
    return await bridge.oicp.bridge.ledger.open(OicpSession(id=session_id, **{**usual, **fields}))


def _notified(row: OicpSession, kind: str, **fields: Any) -> dict[str, Any]:
    return {"Type": kind, "SessionID": row.id, "EvseID": EVSE, "OperatorID": "DE*ABC", **fields}


START = {"ChargingStart": "2026-05-04T12:00:00+02:00", "SessionStart": "2026-05-04T11:58:00+02:00"}


async def _session(bridge: Bridged, row: OicpSession) -> Any:
    said = await bridge.world.ask("GET", "/ocpi/2.3.0/sender/sessions?date_from=2026-01-01T00:00:00Z", by="e1")
    return next(each for each in said.data if each["id"].lower() == row.id)


async def test_the_notifications_of_a_cpo_are_a_session_of_the_emsp(bridge: Bridged) -> None:
    row = await _row(bridge)
    said = await bridge.ask("abc", "ChargingNotification", _notified(row, "Start", **START))
    assert said["Result"] is True
    session = await _session(bridge, row)
    assert (session["status"], session["start_date_time"]) == ("ACTIVE", "2026-05-04T09:58:00Z")
    assert (session["cdr_token"]["uid"], session["authorization_reference"]) == (UID, row.reference)
    progress = {**START, "EventOccurred": "2026-05-04T12:10:00+02:00", "ConsumedEnergyProgress": Decimal("1.5")}
    await bridge.ask("abc", "ChargingNotification", _notified(row, "Progress", **progress))
    assert (await _session(bridge, row))["kwh"] == 1.5


async def _lost(bridge: Bridged, partner: str) -> set[tuple[str, str, str]]:
    """What is counted as lost between this partner and us: way, module, field."""
    return {(lost.way, lost.module, lost.field) for lost in await bridge.world.hub.losses.of(partner)}


async def test_what_a_session_and_a_cdr_do_not_say_of_oicp_is_counted(bridge: Bridged) -> None:
    await _priced(bridge)
    row = await _row(bridge)
    progress = {**START, "EventOccurred": "2026-05-04T12:10:00+02:00", "ConsumedEnergyProgress": Decimal("1.5")}
    await bridge.ask("abc", "ChargingNotification", _notified(row, "Progress", **progress))
    assert ("in", "sessions", "/EventOccurred") in await _lost(bridge, "abc")
    odd = {"MeterValueStart": Decimal(1), "MeterValueEnd": Decimal(9)}
    await bridge.ask("abc", "ChargeDetailRecord", _record(row, **odd), id="DE*ABC")
    await _state(bridge, row, DELIVERED)
    assert ("in", "cdrs", "/MeterValueEnd") in await _lost(bridge, "abc")


async def test_the_end_of_energy_is_not_the_end_of_the_session(bridge: Bridged) -> None:
    row = await _row(bridge)
    await bridge.ask("abc", "ChargingNotification", _notified(row, "Start", **START))
    end = {**START, "ChargingEnd": "2026-05-04T12:30:00+02:00", "ConsumedEnergy": Decimal(5)}
    await bridge.ask("abc", "ChargingNotification", _notified(row, "End", **end))
    session = await _session(bridge, row)
    assert (session["status"], session["kwh"]) == ("ACTIVE", 5)
    assert session["charging_periods"][-1]["dimensions"][0]["type"] == "PARKING_TIME"
    assert (await bridge.oicp.bridge.ledger.get(row.id)).state == ENDED


async def test_a_progress_that_comes_too_soon_is_refused(bridge: Bridged) -> None:
    row = await _row(bridge)
    progress = {**START, "EventOccurred": "2026-05-04T12:10:00+02:00", "ConsumedEnergyProgress": Decimal("1.5")}
    await bridge.ask("abc", "ChargingNotification", _notified(row, "Progress", **progress))
    with pytest.raises(Refused) as refused:
        await bridge.ask("abc", "ChargingNotification", _notified(row, "Progress", **progress))
    assert refused.value.code is Code.DATA_ERROR
    bridge.world.clock.move_to(301)
    await bridge.ask("abc", "ChargingNotification", _notified(row, "Progress", **progress))


async def test_nobody_tells_of_anothers_session(bridge: Bridged) -> None:
    row = await _row(bridge)
    await bridge.connect("xyz", "cpo", operator_ids=("DE*XYZ",))
    for name, known in (("xyz", row), ("abc", replace(row, id=new_session_id()))):
        with pytest.raises(Refused) as refused:
            await bridge.ask(name, "ChargingNotification", _notified(known, "Start", **START))
        assert refused.value.code is Code.SESSION_INVALID


async def test_a_charge_that_begins_after_it_was_given_up_is_stopped(bridge: Bridged) -> None:
    row = await _row(bridge, state=REFUSED, origin="remote")
    with pytest.raises(Refused) as refused:
        await bridge.ask("abc", "ChargingNotification", _notified(row, "Start", **START))
    assert refused.value.code is Code.SESSION_INVALID
    await _until(lambda: bridge.client.of("AuthorizeRemoteStop"))
    assert bridge.client.of("AuthorizeRemoteStop")[0]["SessionID"] == row.id


def _record(row: OicpSession, **fields: Any) -> dict[str, Any]:
    return {
        "SessionID": row.id,
        "EvseID": EVSE,
        "Identification": CARD,
        "SessionStart": "2026-05-04T11:00:00+02:00",
        "ChargingStart": "2026-05-04T11:02:00+02:00",
        "ChargingEnd": "2026-05-04T11:32:00+02:00",
        "SessionEnd": "2026-05-04T11:40:00+02:00",
        "ConsumedEnergy": Decimal("10.123"),
        **fields,
    }


async def _cdrs(bridge: Bridged) -> list[Any]:
    said = await bridge.world.ask("GET", "/ocpi/2.3.0/sender/cdrs", by="e1")
    return list(said.data)


async def _state(bridge: Bridged, row: OicpSession, state: str) -> None:
    for _ in range(300):
        record = await bridge.oicp.records.store.find(row.id)
        if record is not None and record.state == state:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"the record is {record.state if record else 'missing'}: {record.why if record else ''}")


async def test_a_record_is_priced_here_and_billed_to_the_emsp_once(bridge: Bridged) -> None:
    await _priced(bridge)
    row = await _row(bridge)
    for _ in range(2):
        assert (await bridge.ask("abc", "ChargeDetailRecord", _record(row), id="DE*ABC"))["Result"] is True
    await _state(bridge, row, DELIVERED)
    [cdr] = await _cdrs(bridge)
    assert (cdr["total_energy"], cdr["total_cost"]["before_taxes"]) == (10.123, pytest.approx(4.0492))
    assert (cdr["session_id"], cdr["authorization_reference"]) == (row.id, row.reference)
    assert (await _session(bridge, row))["status"] == "COMPLETED"
    assert (await bridge.oicp.bridge.ledger.get(row.id)).state == CLOSED


async def test_another_record_of_a_closed_session_is_refused(bridge: Bridged) -> None:
    await _priced(bridge)
    row = await _row(bridge)
    await bridge.ask("abc", "ChargeDetailRecord", _record(row), id="DE*ABC")
    with pytest.raises(Refused) as refused:
        await bridge.ask("abc", "ChargeDetailRecord", _record(row, ConsumedEnergy=Decimal(11)), id="DE*ABC")
    assert (refused.value.code, refused.value.http) == (Code.SESSION_INVALID, 404)


async def test_a_record_without_a_price_is_held_and_never_billed_as_nothing(bridge: Bridged) -> None:
    row = await _row(bridge)
    await bridge.ask("abc", "ChargeDetailRecord", _record(row), id="DE*ABC")
    await _state(bridge, row, HELD)
    assert await _cdrs(bridge) == []
    await _priced(bridge)
    await bridge.oicp.records.go_on(row.id)
    await _state(bridge, row, DELIVERED)
    assert len(await _cdrs(bridge)) == 1


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
    row = await _row(bridge)
    if "SessionEnd" in wrong:
        wrong = {"SessionEnd": "2026-05-04T08:59:00+00:00"}
    with pytest.raises(Refused) as refused:
        await bridge.ask("abc", "ChargeDetailRecord", _record(row, **wrong), id="DE*ABC")
    assert refused.value.code is Code.DATA_ERROR
    assert await bridge.oicp.records.store.find(row.id) is None


async def test_a_record_of_the_future_is_refused_and_times_compare_whatever_their_offsets(bridge: Bridged) -> None:
    row = await _row(bridge)
    future = {"ChargingEnd": "2026-05-04T13:00:00+02:00", "SessionEnd": "2026-05-04T13:00:00+02:00"}
    with pytest.raises(Refused) as refused:
        await bridge.ask("abc", "ChargeDetailRecord", _record(row, **future), id="DE*ABC")
    assert refused.value.code is Code.DATA_ERROR
    odd = {"ChargingEnd": "2026-05-04T09:32:00+00:00", "SessionEnd": "2026-05-04T09:40:00+00:00"}
    assert (await bridge.ask("abc", "ChargeDetailRecord", _record(row, **odd), id="DE*ABC"))["Result"] is True


async def test_two_records_at_the_same_moment_are_one_and_a_refusal(bridge: Bridged) -> None:
    await _priced(bridge)
    row = await _row(bridge)
    asks = [
        bridge.ask("abc", "ChargeDetailRecord", _record(row, ConsumedEnergy=Decimal(kwh)), id="DE*ABC")
        for kwh in (5, 6)
    ]
    said = await asyncio.gather(*asks, return_exceptions=True)
    assert sorted(isinstance(each, Refused) for each in said) == [False, True]
    await _state(bridge, row, DELIVERED)
    assert len(await _cdrs(bridge)) == 1


async def test_between_two_partners_of_oicp_a_record_goes_on_as_it_came(bridge: Bridged) -> None:
    row = await _row(bridge, emp="dcb", emp_party="DE*DCB", provider_id="DE-DCB")
    sent = _record(row, PartnerProductID="AC1", x_vendor={"a": [1, "b"]})
    bridge.client.script = _first_unreachable()
    await bridge.ask("abc", "ChargeDetailRecord", sent, id="DE*ABC")
    await _state(bridge, row, WAITING)
    await bridge.oicp.records.go_on(row.id)
    await _state(bridge, row, DELIVERED)
    assert bridge.client.of("ChargeDetailRecord")[-1] == sent


def _first_unreachable() -> Callable[[Asked], Any]:
    tries: list[Asked] = []

    def script(asked: Asked) -> Any:
        tries.append(asked)
        if len(tries) == 1:
            raise PeerUnreachable
        return YES

    return script


async def _charge_of_dcb(bridge: Bridged) -> tuple[Any, OicpSession]:
    """A charge at one of our own EVSEs by a driver of the OICP EMP: the CDR that its lane has to bring."""
    await bridge.place("DE*BSB*E1", "DE*BSB", "LOC1", "E1")
    driver = token("2.3.0", "DE*DCB", UID, contract_id="DE-DCB-C00000001-X")
    row = await _row(
        bridge,
        cpo="",
        cpo_party="DE*BSB",
        emp="dcb",
        emp_party="DE*DCB",
        provider_id="DE-DCB",
        evse_id="DE*BSB*E1",
        token=driver,
    )
    cdr = {
        "country_code": "DE",
        "party_id": "BSB",
        "id": "cdr-1",
        "session_id": "s-1",
        "authorization_reference": row.reference,
        "start_date_time": "2026-05-04T09:00:00Z",
        "end_date_time": "2026-05-04T10:00:00Z",
        "cdr_token": {name: driver[name] for name in ("country_code", "party_id", "uid", "type", "contract_id")},
        "cdr_location": {"id": "LOC1", "evse_uid": "E1"},
        "charging_periods": [
            {"start_date_time": "2026-05-04T09:00:00Z", "dimensions": [{"type": "ENERGY", "volume": Decimal("7.5")}]},
            {"start_date_time": "2026-05-04T09:45:00Z", "dimensions": [{"type": "PARKING_TIME", "volume": Decimal(1)}]},
        ],
        "currency": "EUR",
        "total_cost": {"before_taxes": Decimal("3.75")},
        "total_energy": Decimal("7.5"),
    }
    return cdr, row


async def test_a_cdr_reaches_an_emp_as_a_record_in_local_time_and_without_its_price(bridge: Bridged) -> None:
    cdr, row = await _charge_of_dcb(bridge)
    answer = await bridge.oicp.records.deliver(bridge.world.partner("dcb"), cdr)
    assert answer.status_code == 1000
    [record] = bridge.client.of("ChargeDetailRecord")
    assert (record["SessionID"], record["EvseID"], record["ConsumedEnergy"]) == (row.id, "DE*BSB*E1", Decimal("7.5"))
    assert record["SessionStart"] == "2026-05-04T11:00:00.000+02:00"
    assert record["ChargingEnd"] == "2026-05-04T11:45:00.000+02:00"
    assert not {"total_cost", "currency"} & set(record)
    await _state(bridge, row, DELIVERED)


async def test_a_refusal_because_an_earlier_try_arrived_is_an_arrival(bridge: Bridged) -> None:
    cdr, row = await _charge_of_dcb(bridge)
    partner = bridge.world.partner("dcb")

    def closed(asked: Asked) -> Any:
        raise PeerRefused("closed", http=404, status_code=400)

    bridge.client.script = closed
    with pytest.raises(PeerRefused):
        await bridge.oicp.records.deliver(partner, cdr)
    assert (await bridge.oicp.records.deliver(partner, cdr)).status_code == 1000
    await _state(bridge, row, DELIVERED)


async def test_a_credit_is_never_said_in_oicp(bridge: Bridged) -> None:
    cdr, _ = await _charge_of_dcb(bridge)
    with pytest.raises(NotExpressible):
        await bridge.oicp.records.deliver(bridge.world.partner("dcb"), {**cdr, "credit": True})
    assert bridge.client.asked == []


async def test_a_cdr_without_the_signed_values_that_its_evse_promises_is_not_said(bridge: Bridged) -> None:
    cdr, _ = await _charge_of_dcb(bridge)
    await bridge.connect("dcb", "emp", provider_ids=("DE-DCB",), terms={"calibration_law": "External"})
    with pytest.raises(NotExpressible, match="signed values"):
        await bridge.oicp.records.deliver(bridge.world.partner("dcb"), cdr)
    assert bridge.client.asked == []


async def _until(seen: Callable[[], Any]) -> None:
    for _ in range(200):
        if seen():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come")


async def _session_of_c1(bridge: Bridged, row: OicpSession, **fields: Any) -> None:
    """c1, a CPO of OCPI, tells of a charge by a driver of the OICP EMP."""
    session = a_session("2.3.0", id="s-9", cdr_token=_cdr_token(row), authorization_reference=row.reference)
    said = await bridge.world.ask(
        "PUT", "/ocpi/2.3.0/receiver/sessions/BE/AAA/s-9", by="c1", body={**session, **fields}
    )
    assert said.code == 1000, said.body
    await bridge.oicp.notifications.tell(bridge.world.partner("dcb"), "BE*AAA", "s-9")


def _cdr_token(row: OicpSession) -> dict[str, Any]:
    return {name: row.token[name] for name in ("country_code", "party_id", "uid", "type", "contract_id")}


async def _allowed_at_c1(bridge: Bridged, **fields: Any) -> OicpSession:
    await bridge.place("BE*AAA*E1", "BE*AAA", "X1", "U1")
    usual: dict[str, Any] = {"cpo": "", "cpo_party": "BE*AAA", "emp": "dcb", "emp_party": "DE*DCB"}
    driver = token("2.3.0", "DE*DCB", UID, contract_id="DE-DCB-C00000001-X")
    return await _row(bridge, **{**usual, "evse_id": "BE*AAA*E1", "token": driver, "provider_id": "DE-DCB", **fields})


async def test_a_session_of_ocpi_is_told_as_start_progress_and_end(bridge: Bridged) -> None:
    row = await _allowed_at_c1(bridge)
    await _session_of_c1(bridge, row, status="ACTIVE", kwh=1, last_updated="2026-05-04T10:00:00Z")
    await _session_of_c1(bridge, row, status="ACTIVE", kwh=2, last_updated="2026-05-04T10:01:00Z")
    bridge.world.clock.move_to(301)
    await _session_of_c1(bridge, row, status="ACTIVE", kwh=3, last_updated="2026-05-04T10:05:01Z")
    over = {"status": "COMPLETED", "end_date_time": "2026-05-04T10:05:30Z", "last_updated": "2026-05-04T10:05:31Z"}
    await _session_of_c1(bridge, row, kwh=4, **over)
    told = bridge.client.of("ChargingNotification")
    assert [each["Type"] for each in told] == ["Start", "Progress", "End"]
    assert {each["SessionID"] for each in told} == {row.id}
    assert ("out", "sessions", "/connector_id") in await _lost(bridge, "dcb")
    assert (told[1]["ConsumedEnergyProgress"], told[2]["ConsumedEnergy"]) == (3, 4)
    assert (await bridge.oicp.bridge.ledger.get(row.id)).state == ENDED


async def test_a_session_of_an_order_that_was_given_up_is_stopped_at_its_cpo(bridge: Bridged) -> None:
    row = await _allowed_at_c1(bridge, state=REFUSED)
    bridge.world.peers.script = lambda sent: {"result": "ACCEPTED", "timeout": 30} if _is_stop(sent) else None
    await _session_of_c1(bridge, row, status="ACTIVE", kwh=0)
    assert [sent.body["session_id"] for sent in bridge.world.peers.sent if _is_stop(sent)] == ["s-9"]
    assert bridge.client.of("ChargingNotification") == []


def _is_stop(sent: Sent) -> bool:
    return sent.path == ("STOP_SESSION",)


async def test_a_lost_notification_holds_nothing_up(bridge: Bridged) -> None:
    row = await _allowed_at_c1(bridge)

    def broken(asked: Asked) -> Any:
        raise PeerUnreachable

    bridge.client.script = broken
    await _session_of_c1(bridge, row, status="ACTIVE", kwh=1)
    assert (await bridge.oicp.bridge.ledger.get(row.id)).state == ACTIVE


async def test_a_charge_is_forgotten_after_400_days_and_not_before(bridge: Bridged) -> None:
    row = await _row(bridge)
    for days, is_known in ((399, True), (401, False)):
        bridge.world.clock.move_to(days * 86_400)
        await ledger.forget(bridge.world.hub)
        assert (await bridge.oicp.bridge.ledger.find(row.id) is not None) is is_known


async def test_a_no_that_comes_as_text_is_no_yes(bridge: Bridged) -> None:
    cdr, row = await _charge_of_dcb(bridge)
    bridge.client.script = lambda asked: {"Result": "false", "StatusCode": {"Code": 22}}
    with pytest.raises(PeerRefused):
        await bridge.oicp.records.deliver(bridge.world.partner("dcb"), cdr)
    await _state(bridge, row, WAITING)
