"""What became of an order: OCPI's CommandResultType and CommandResponseType, OICP's StatusCode.

Both tables are total: `tests/partners/oicp` walks every value of either side. What neither names means that it failed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from hub.core.errors import EndpointsMissing, PeerFault, PeerRefused
from partners.oicp.answers import Code
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.terms import Terms

TO_OICP: Final[Mapping[str, Code]] = {
    "ACCEPTED": Code.SUCCESS,
    "EVSE_OCCUPIED": Code.EVSE_IN_USE,
    "EVSE_INOPERATIVE": Code.EVSE_OUT_OF_SERVICE,
    "TIMEOUT": Code.EVSE_UNREACHABLE,
    "FAILED": Code.EVSE_UNREACHABLE,
    "REJECTED": Code.EVSE_IN_USE,
    "CANCELED_RESERVATION": Code.EVSE_UNREACHABLE,
    "NOT_SUPPORTED": Code.NOT_OFFERED,
    "UNKNOWN_RESERVATION": Code.SESSION_INVALID,
    "UNKNOWN_SESSION": Code.SESSION_INVALID,
}
TO_OCPI: Final[Mapping[Code, str]] = {
    **dict.fromkeys(Code, "FAILED"),
    Code.SUCCESS: "ACCEPTED",
    Code.UNKNOWN_EVSE: "REJECTED",
    Code.EVSE_NOT_COMPATIBLE: "NOT_SUPPORTED",
    Code.NOT_OFFERED: "NOT_SUPPORTED",
    Code.EVSE_RESERVED: "EVSE_OCCUPIED",
    Code.EVSE_IN_USE: "EVSE_OCCUPIED",
    Code.EVSE_OUT_OF_SERVICE: "EVSE_INOPERATIVE",
    Code.EVSE_UNREACHABLE: "TIMEOUT",
    Code.PARTNER_SILENT: "TIMEOUT",
    Code.UNAUTHORIZED: "REJECTED",
    Code.NO_CONTRACT: "REJECTED",
    Code.PARTNER_UNKNOWN: "REJECTED",
}
"""FAILED is what is left: no car is connected, the session is not valid, something broke."""
MESSAGES: Final[Mapping[Code, str]] = {
    Code.NO_CAR: "no EV connected",
    Code.SESSION_INVALID: "the session is not valid",
}
"""What is to be told beside a FAILED."""
OF_CPOS: Final = frozenset(
    {
        *(Code.SESSION_INVALID, Code.EVSE_UNREACHABLE, Code.NO_CAR, Code.EVSE_RESERVED, Code.EVSE_IN_USE),
        *(Code.UNKNOWN_EVSE, Code.EVSE_NOT_COMPATIBLE, Code.EVSE_OUT_OF_SERVICE),
    }
)
"""What a CPO may refuse with (400, 500 to 700). All else is between it and us, and nothing for an EMP to know."""
_BETWEEN_US: Final = frozenset({Code.UNAUTHORIZED, Code.NO_CONTRACT, Code.PARTNER_UNKNOWN, Code.PARTNER_SILENT})
"""It does not deal with us, or could not ask who would: to the EMP it is silent, and says nothing of the EVSE."""
LONGEST_MIN: Final = 99
"""A reservation's Duration has two digits."""
USUAL_MIN: Final = 15
"""Duration of a reservation that does not say."""
_NOT_ENDED: Final[Mapping[str, Code]] = {
    "STOP_SESSION": Code.EVSE_UNREACHABLE,
    "CANCEL_RESERVATION": Code.SESSION_INVALID,
}
"""A CPO rejects the end of what is not there any more. That a charge is over is known before it is asked."""
_OF_FAULTS: Final[Mapping[int, Code]] = {
    2003: Code.UNKNOWN_EVSE,
    4001: Code.PARTNER_UNKNOWN,
    4002: Code.PARTNER_SILENT,
    4003: Code.PARTNER_SILENT,
}


def code_of_command(result: str, command: str = "START_SESSION", terms: Terms | None = None) -> Code:
    """The StatusCode for what a CPO of OCPI says of a command.

    An EVSE that is taken counts as reserved where it was to be. Nothing that is to end is in the way of itself.
    """
    if result == "REJECTED" and command in _NOT_ENDED:
        return _NOT_ENDED[command]
    if result == "REJECTED" and terms is not None and terms.rejected_is_unreachable:
        return Code.EVSE_UNREACHABLE
    code = TO_OICP.get(result, Code.EVSE_UNREACHABLE)
    return Code.EVSE_RESERVED if command == "RESERVE_NOW" and code is Code.EVSE_IN_USE else code


def command_result(code: str, *, reserves: bool = False) -> str:
    """The CommandResultType for a StatusCode, of whatever partner. `reserves`: it was about a reservation."""
    if reserves and code == Code.SESSION_INVALID:
        return "UNKNOWN_RESERVATION"
    return next((result for member, result in TO_OCPI.items() if member == code), "FAILED")


def own_code(code: str) -> Code | None:
    """What an EMP of OICP is to hear of a CPO's no; None: that it failed."""
    if code in _BETWEEN_US:
        return Code.PARTNER_SILENT
    return next((member for member in OF_CPOS if member == code), None)


def code_of_silence(fault: PeerFault | NotSayable) -> Code:
    """What an EMP of OICP is to hear of a CPO that gave no answer of OICP's, or could not be asked in its words."""
    if isinstance(fault, NotSayable):
        return Code.DATA_ERROR
    if isinstance(fault, EndpointsMissing):
        return Code.NOT_OFFERED
    said = fault.status_code if isinstance(fault, PeerRefused) else None
    return (own_code(f"{said:03}") if said is not None else None) or Code.PARTNER_SILENT


def message_of(code: str) -> str:
    """What is to be told beside a CommandResult; "" for nothing."""
    return next((words for member, words in MESSAGES.items() if member == code), "")


def code_of_fault(ocpi_code: int) -> Code:
    """The StatusCode where the hub, or a CPO behind it, did not take the order at all."""
    return _OF_FAULTS.get(ocpi_code, Code.EVSE_UNREACHABLE)


def minutes_until(expiry: datetime, now: datetime, terms: Terms) -> int:
    """Duration of a reservation, in whole minutes. Raises: NotSayable, when it is over or too long."""
    minutes = math.ceil((expiry - now) / timedelta(minutes=1))
    if minutes < 1:
        raise NotSayable("the reservation is over")
    if minutes > LONGEST_MIN and not terms.clamps_reservations:
        raise NotSayable(f"a reservation lasts at most {LONGEST_MIN} minutes")
    return min(minutes, LONGEST_MIN)
