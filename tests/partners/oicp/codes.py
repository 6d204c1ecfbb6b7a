"""Which StatusCodes OICP lets an operation answer with, and which of them this hub never says, as data.

By the order of a hub's checks (certificate, partner, contract, consistency, data) and by who may refuse with what: an
EMP with 100 to 200, a CPO with 400 and 500 to 700, the hub with the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final


def codes(*groups: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for group in groups for code in group.split()))


ALL: Final = "000 001 002 017 021 022"
PARTNER: Final = "300"
CONTRACT: Final = "210"
OF_EMP: Final = "101 102 103 105 106 110 120 121 122 200"
OF_CPO: Final = "400 501 510 601 602 603 700"
ON_THE_WAY: Final = "310 320"
_ORDER: Final = codes(ALL, PARTNER, CONTRACT, OF_CPO, ON_THE_WAY)
_PULL: Final = codes(ALL, PARTNER, CONTRACT)

SERVED: Final[Mapping[str, tuple[str, ...]]] = {
    "PushEvseData": codes(ALL, PARTNER, CONTRACT, "009 018"),
    "PushEvseStatus": codes(ALL, PARTNER, CONTRACT, "009 018"),
    "PushPricingProductData": codes(ALL, PARTNER, CONTRACT, "009"),
    "PushEVSEPricing": codes(ALL, PARTNER, CONTRACT, "009 018"),
    "PushAuthenticationData": codes(ALL, PARTNER, CONTRACT, "009 019"),
    "AuthorizeStart": codes(ALL, PARTNER, CONTRACT, "018", OF_EMP, ON_THE_WAY),
    "AuthorizeStop": codes(ALL, PARTNER, CONTRACT, "400", OF_EMP, ON_THE_WAY),
    "ChargeDetailRecord": codes(ALL, PARTNER, CONTRACT, "018 400"),
    "ChargingNotification": codes(ALL, PARTNER, CONTRACT, "400", ON_THE_WAY),
    "AuthorizeRemoteStart": (*_ORDER, "019", "604"),
    "AuthorizeRemoteStop": _ORDER,
    "AuthorizeRemoteReservationStart": (*_ORDER, "019", "604"),
    "AuthorizeRemoteReservationStop": _ORDER,
    "PullEvseData": _PULL,
    "PullEvseStatus": _PULL,
    "PullEvseStatusByID": _PULL,
    "PullEvseStatusByOperatorID": _PULL,
    "PullPricingProductData": _PULL,
    "PullEVSEPricing": _PULL,
    "GetChargeDetailRecords": codes(ALL, PARTNER),
}
"""Every operation that we serve."""

_WITH_THE_HUB: Final = (
    *("PushEvseData", "PushEvseStatus", "PushPricingProductData", "PushEVSEPricing", "PushAuthenticationData"),
    *("PullEvseData", "PullEvseStatus", "PullEvseStatusByID", "PullEvseStatusByOperatorID"),
    *("PullPricingProductData", "PullEVSEPricing"),
)
_OF_A_SESSION: Final = ("AuthorizeStop", "ChargeDetailRecord", "ChargingNotification")

NEVER: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    (
        "210",
        "a contract with the hub itself: whoever is connected has it, and who is not is refused with 017",
    ): _WITH_THE_HUB,
    ("210", "the session is there because there was a contract when it began"): _OF_A_SESSION,
    ("300", "who asks is known by its certificate, else it is 017; nobody else is named"): (
        *_WITH_THE_HUB,
        "GetChargeDetailRecords",
    ),
    ("300", "the session says whose it is; one of a partner that is gone is 320 or 310"): _OF_A_SESSION,
    ("300", "a card names no partner, and a contract of a provider that is not here is an unknown one: 105"): (
        "AuthorizeStart",
    ),
    ("310", "the silence of a provider is no no: the session knows what it began with"): ("AuthorizeStop",),
    ("320", "a provider need not offer it: the session knows what it began with"): ("AuthorizeStop",),
    ("320", "a provider that serves nothing leaves its cards with us, and whom they do not name is 102 or 105"): (
        "AuthorizeStart",
    ),
}
"""By code and reason, the operations that never answer it."""


def never(operation: str) -> set[str]:
    return {code for (code, _), operations in NEVER.items() if operation in operations}
