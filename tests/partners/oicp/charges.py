"""Charges between OCPI and OICP: what is allowed, told and billed of them, as tests of several files need it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hub.core.operations import RECEIVER
from partners.oicp.ledger import OicpSession, new_session_id
from tests.modules.sessions.records import a_session
from tests.partners.oicp.bridged import Bridged
from tests.world import location, tariff, token, until

EVSE = "DE*ABC*E1"
UID = "0102030405060708090A"
CARD = {"RFIDMifareFamilyIdentification": {"UID": UID}}
START = {"ChargingStart": "2026-05-04T11:00:00+02:00", "SessionStart": "2026-05-04T10:58:00+02:00"}


async def priced(bridge: Bridged, owner: str = "DE*ABC") -> None:
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


async def a_row(bridge: Bridged, **fields: Any) -> OicpSession:
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


def notified(row: OicpSession, kind: str, **fields: Any) -> dict[str, Any]:
    return {"Type": kind, "SessionID": row.id, "EvseID": EVSE, "OperatorID": "DE*ABC", **fields}


async def session_at_e1(bridge: Bridged, row: OicpSession) -> Any:
    said = await bridge.world.ask("GET", "/ocpi/2.3.0/sender/sessions?date_from=2026-01-01T00:00:00Z", by="e1")
    return next(each for each in said.data if each["id"].lower() == row.id)


def a_record(row: OicpSession, **fields: Any) -> dict[str, Any]:
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


async def cdrs_at_e1(bridge: Bridged) -> list[Any]:
    said = await bridge.world.ask("GET", "/ocpi/2.3.0/sender/cdrs", by="e1")
    return list(said.data)


async def record_is(bridge: Bridged, row: OicpSession, state: str) -> None:
    """Wait until the record of a session is in a state, and nobody is at it any more."""
    record = None

    async def is_so() -> bool:
        nonlocal record
        record = await bridge.oicp.records.store.find(row.id)
        is_over = row.id not in bridge.oicp.records._under_way
        return record is not None and record.state == state and is_over

    try:
        await until(is_so)
    except TimeoutError:
        found = f"{record.state}: {record.why}" if record is not None else "missing"
        raise AssertionError(f"the record is {found}") from None


async def charge_of_dcb(bridge: Bridged) -> tuple[Any, OicpSession]:
    """A charge at one of our own EVSEs by a driver of the OICP EMP: the CDR that its lane has to bring."""
    await bridge.place("DE*BSB*E1", "DE*BSB", "LOC1", "E1")
    driver = token("2.3.0", "DE*DCB", UID, contract_id="DE-DCB-C00000001-X")
    row = await a_row(
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


async def session_of_c1(bridge: Bridged, row: OicpSession, **fields: Any) -> None:
    """c1, a CPO of OCPI, tells of a charge by a driver of the OICP EMP."""
    session = a_session("2.3.0", id="s-9", cdr_token=cdr_token_of(row), authorization_reference=row.reference)
    said = await bridge.world.ask(
        "PUT", "/ocpi/2.3.0/receiver/sessions/BE/AAA/s-9", by="c1", body={**session, **fields}
    )
    assert said.code == 1000, said.body
    await bridge.oicp.notifications.tell(bridge.world.partner("dcb"), "BE*AAA", "s-9")


def cdr_token_of(row: OicpSession) -> dict[str, Any]:
    return {name: row.token[name] for name in ("country_code", "party_id", "uid", "type", "contract_id")}


async def allowed_at_c1(bridge: Bridged, **fields: Any) -> OicpSession:
    await bridge.place("BE*AAA*E1", "BE*AAA", "X1", "U1")
    usual: dict[str, Any] = {"cpo": "", "cpo_party": "BE*AAA", "emp": "dcb", "emp_party": "DE*DCB"}
    driver = token("2.3.0", "DE*DCB", UID, contract_id="DE-DCB-C00000001-X")
    return await a_row(bridge, **{**usual, "evse_id": "BE*AAA*E1", "token": driver, "provider_id": "DE-DCB", **fields})
