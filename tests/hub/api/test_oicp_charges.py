"""Charges of partners of OICP, as an operator sees them over the API."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, get_args

import pytest

from hub.api.oicp_charges import RecordStates, States
from hub.core.units import Unit
from partners.oicp import ledger, record_store
from partners.oicp.ledger import ACTIVE, CLOSED, OicpSession
from partners.oicp.record_store import DELIVERED, WITHHELD, OicpRecord
from tests.hub.house import House

CHARGES = "/api/v1/oicp/charges"
UID = "0102030405060708090A"
DRIVER = {"RFIDMifareFamilyIdentification": {"UID": UID}}


def _session(number: int) -> str:
    return f"b2688855-7f00-0002-6d8e-{number:012d}"


async def _charge(house: House, number: int, state: str, record: str = "") -> None:
    session = OicpSession(
        id=_session(number),
        state=state,
        cpo="abc",
        cpo_party="DE*ABC",
        emp="dcb",
        emp_party="DE*DCB",
        evse_id="DE*ABC*E1",
        identification=DRIVER,
        token={"uid": UID},
        opened=datetime(2026, 5, 4, 10, number, tzinfo=UTC),
        told={"start": "2026-05-04T10:00:00Z"},
    )
    unit = Unit().put(session.put())
    if record:
        moment = "2026-05-04T12:00:00+02:00"
        times = dict.fromkeys(("SessionStart", "ChargingStart", "ChargingEnd", "SessionEnd"), moment)
        message = {"Identification": DRIVER, "ConsumedEnergy": Decimal("7.125"), "PartnerProductID": "AC1", **times}
        why = "an agreement keeps it from its EMP" if record == WITHHELD else ""
        unit.put(OicpRecord(session=session.id, state=record, why=why, record=message, tries=1).put())
    await house.program.store.commit(unit)


async def _numbers(house: House, query: str = "") -> list[int]:
    said = await house.ask("GET", CHARGES + query)
    assert said.status == 200
    return [int(each["session_id"][-1]) for each in said.tree["items"]]


async def test_charges_between_partners_of_oicp_are_listed_the_newest_first(house: House) -> None:
    await _charge(house, 1, CLOSED, DELIVERED)
    await _charge(house, 2, CLOSED, WITHHELD)
    await _charge(house, 3, ACTIVE)
    assert await _numbers(house) == [3, 2, 1]
    assert await _numbers(house, "?limit=1&offset=1") == [2]
    assert await _numbers(house, "?state=active") == [3]
    assert await _numbers(house, "?record=withheld") == [2]
    assert await _numbers(house, "?record=held") == []
    assert (await house.ask("GET", f"{CHARGES}?state=nonsense")).code == "invalid_request"


async def test_one_is_shown_with_what_became_of_its_record_and_without_the_card(house: House) -> None:
    await _charge(house, 2, CLOSED, WITHHELD)
    said = await house.ask("GET", f"{CHARGES}/{_session(2).upper()}")
    shown: dict[str, Any] = said.tree
    assert (shown["state"], shown["cpo_party"], shown["emp_party"]) == (CLOSED, "DE*ABC", "DE*DCB")
    assert shown["told"] == {"start": "2026-05-04T10:00:00Z"}
    record = shown["record"]
    assert (record["state"], record["why"]) == (WITHHELD, "an agreement keeps it from its EMP")
    assert (record["kwh"], record["product"]) == (7.125, "AC1")
    assert record["times"]["SessionEnd"] == "2026-05-04T12:00:00+02:00"
    assert UID not in str(shown)
    assert (await house.ask("GET", f"{CHARGES}/{_session(9)}")).status == 404


async def test_a_charge_without_a_record_says_so(house: House) -> None:
    await _charge(house, 3, ACTIVE)
    assert (await house.ask("GET", f"{CHARGES}/{_session(3)}")).tree["record"] is None


@pytest.mark.parametrize(
    ("asked", "names", "where"),
    [
        (States, ("PENDING", "ACTIVE", "ENDED", "CLOSED", "REFUSED", "UNUSED"), ledger),
        (RecordStates, ("NEW", "HELD", "WAITING", "WITHHELD", "REFUSED", "DELIVERED"), record_store),
    ],
)
def test_every_state_can_be_asked_for(asked: Any, names: tuple[str, ...], where: Any) -> None:
    assert set(get_args(asked)) == {getattr(where, name) for name in names}
