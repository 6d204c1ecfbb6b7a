"""An order of an EMP: what it has to be, and what is said against it once it was carried out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from hub.core.parties import Party
from partners.oicp import ids
from partners.oicp.answers import Code, Refused
from partners.oicp.contracts import is_contract_of
from partners.oicp.face import Call
from partners.oicp.inward import Answered
from partners.oicp.ledger import OicpSession
from partners.oicp.mapping.commands import LONGEST_MIN, USUAL_MIN, code_of_command, code_of_fault
from partners.oicp.mapping.terms import Terms

Message = Mapping[str, Any]


def operator_of(call: Call) -> Party | None:
    """Whose EVSE it would be; None where its id does not tell."""
    try:
        return ids.EvseID.parse(call.message["EvseID"]).operator.party(call.connection.countries)
    except ids.InvalidId:
        return None


def is_same_evse(one: str, other: str) -> bool:
    """In whatever spelling."""
    return ids.EvseID.parse(one).canonical == ids.EvseID.parse(other).canonical


def minutes_of(message: Message) -> int:
    """How long a reservation is to last. Raises: Refused."""
    minutes = message.get("Duration", USUAL_MIN)
    if type(minutes) is not int or not 1 <= minutes <= LONGEST_MIN:
        raise Refused(Code.DATA_ERROR, f"Duration is a whole number of minutes from 1 to {LONGEST_MIN}")
    return minutes


def check_driver(call: Call) -> None:
    """An EMP orders for drivers of its own; behind another hub each contract may be another's. Raises: Refused."""
    driver = call.message["Identification"].get("RemoteIdentification")
    if driver is None:
        raise Refused(Code.DATA_ERROR, "an order names its driver by a RemoteIdentification")
    if call.connection.kind == "emp" and not is_contract_of(call.connection, driver["EvcoID"]):
        raise Refused(Code.FOREIGN_CONTRACT)


def told_anew(session: OicpSession, message: Message) -> OicpSession:
    """A reservation, as the EMP calls the charge that comes of it."""
    return replace(
        session,
        product=message.get("PartnerProductID", session.product),
        emp_partner_session=message.get("EMPPartnerSessionID", session.emp_partner_session),
    )


def no_at_once(said: Answered, command: str, terms: Terms) -> Refused | None:
    """The no of the first answer; None where the result is to come."""
    if not said.is_success:
        return Refused(code_of_fault(said.code), info=said.message)
    return no_of(str((said.data or {}).get("result", "")), command, terms)


def no_of(result: str, command: str, terms: Terms, code: str = "") -> Refused | None:
    """What speaks against an order: the `code` of a CPO of OICP, else the word of OCPI. None where it is done."""
    if code:
        return None if code == Code.SUCCESS else Refused(code)
    found = code_of_command(result, command, terms)
    return None if found is Code.SUCCESS else Refused(found, info=result)
