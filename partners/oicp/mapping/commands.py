"""What became of an order: OCPI's CommandResultType and CommandResponseType, OICP's StatusCode.

Both tables are total: `tests/partners/oicp` walks every value of either side. What neither names means that it failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from partners.oicp.answers import Code

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
"""Any other code is FAILED: 510 (no car is connected), 400 and what nobody has written down."""
_OF_FAULTS: Final[Mapping[int, Code]] = {
    2003: Code.UNKNOWN_EVSE,
    4001: Code.PARTNER_UNKNOWN,
    4002: Code.PARTNER_SILENT,
    4003: Code.PARTNER_SILENT,
}


def code_of_command(result: str, *, reserves: bool = False) -> Code:
    """The StatusCode for what a CPO of OCPI says; `reserves`: an EVSE that is taken counts as reserved then."""
    code = TO_OICP.get(result, Code.EVSE_UNREACHABLE)
    return Code.EVSE_RESERVED if reserves and code is Code.EVSE_IN_USE else code


def command_result(code: str) -> str:
    """The CommandResultType for a StatusCode, of whatever partner."""
    return next((result for member, result in TO_OCPI.items() if member.value == code), "FAILED")


def code_of_fault(ocpi_code: int) -> Code:
    """The StatusCode where the hub, or a CPO behind it, did not take the order at all."""
    return _OF_FAULTS.get(ocpi_code, Code.EVSE_UNREACHABLE)
