"""What we do about each StatusCode with which partners answer what we ask, as data.

By operation, outcome and codes; `...` is every other code. Beside those of OICP there are five answers that are none:
999, the number 22 for "022", a bare text for the StatusCode, a no without a StatusCode, and an empty object.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import EllipsisType
from typing import Any, Final

from partners.oicp.answers import Code

UNKNOWN: Final = "999"
NUMBER: Final = "number"
BARE: Final = "bare"
MISSING: Final = "missing"
NOTHING: Final = "nothing"
ODD: Final = (UNKNOWN, NUMBER, BARE, MISSING, NOTHING)
ANSWERS: Final = (*(code.value for code in Code), *ODD)

NO: Final = {"Result": False, "AuthorizationStatus": "NotAuthorized"}


def said(answer: str) -> dict[str, Any]:
    """An answer with this code, of whatever operation; with 000 a yes."""
    match answer:
        case "nothing":
            return {}
        case "missing":
            return dict(NO)
        case "number":
            return {**NO, "StatusCode": {"Code": 22}}
        case "bare":
            return {**NO, "StatusCode": "022"}
        case "000":
            yes = {"Result": True, "AuthorizationStatus": "Authorized", "ProviderID": "DE-DCB"}
            return {**yes, "StatusCode": {"Code": answer}}
        case _:
            return {**NO, "StatusCode": {"Code": answer}}


Outcomes = Mapping[str, tuple[str, ...] | EllipsisType]


def _codes(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ORDERED: Final[Outcomes] = {
    "ACCEPTED": _codes("000"),
    "EVSE_OCCUPIED": _codes("601 602"),
    "EVSE_INOPERATIVE": _codes("700"),
    "NOT_SUPPORTED": _codes("320 604"),
    "REJECTED": _codes("017 210 300 603"),
    "TIMEOUT": _codes("310 501"),
    "FAILED": ...,
}
_RELEASED: Final[Outcomes] = {**_ORDERED, "UNKNOWN_RESERVATION": _codes("400")}
_PUSHED: Final[Outcomes] = {
    "taken": _codes("000"),
    "set aside": _codes("009 018 019 022 number bare"),
    "kept and pushed again": ...,
}
_PULLED: Final[Outcomes] = {"taken": _codes("000"), "asked again": ...}

CALLED: Final[Mapping[str, Outcomes]] = {
    "AuthorizeStart": {
        "ALLOWED": _codes("000"),
        "BLOCKED": _codes("200"),
        "unknown token": _codes("101 102 103 105 120"),
        "no word of the provider": _codes("001 002 021 310 320 110 122 nothing"),
        "NOT_ALLOWED": ...,
    },
    "AuthorizeStop": {
        "may stop": _codes("000"),
        "may not stop": _codes("101 102 103 105 106 110 120 121 122 200"),
        "stops with what began it": ...,
    },
    "AuthorizeRemoteStart": _ORDERED,
    "AuthorizeRemoteStop": _ORDERED,
    "AuthorizeRemoteReservationStart": _ORDERED,
    "AuthorizeRemoteReservationStop": _RELEASED,
    "ChargingNotification": {"told": _codes("000"), "told again with the next change": ...},
    "ChargeDetailRecord": {
        "delivered": _codes("000"),
        "brought again": _codes("001 002 021 310 nothing"),
        "set aside": ...,
    },
    "PushEvseData": _PUSHED,
    "PushEvseStatus": {
        "taken": _codes("000"),
        "data told again": _codes("009 018 019 022 number bare"),
        "kept and pushed again": ...,
    },
    "PushAuthenticationData": _PUSHED,
    "PushPricingProductData": _PUSHED,
    "PushEVSEPricing": _PUSHED,
    "PullEvseData": _PULLED,
    "PullEvseStatus": _PULLED,
    "PullPricingProductData": _PULLED,
    "PullEVSEPricing": _PULLED,
    "GetChargeDetailRecords": _PULLED,
}
"""Every operation that we ask of partners."""

NEVER_ASKED: Final = ("PullAuthenticationData", "PullEvseStatusByID", "PullEvseStatusByOperatorID")
"""Nobody needs them of us: all statuses are pulled, and cards are pushed."""


def outcome_of(operation: str, answer: str) -> str:
    """What is to become of it."""
    rest = next(outcome for outcome, answers in CALLED[operation].items() if answers is ...)
    named = {each: outcome for outcome, answers in CALLED[operation].items() if answers is not ... for each in answers}
    return named.get(answer, rest)
