"""The operations of OICP 2.3 as one table: where each is served, what is asked and what is answered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from partners.sandbox.wire import Json


@dataclass(frozen=True)
class Operation:
    """`asked` and `answered` are kinds of `spec`. `whose` is the way to the field of the body that the path repeats."""

    name: str
    path: str
    asked: str
    answered: str
    whose: tuple[str, ...]

    @property
    def role(self) -> str:
        """Who begins: a CPO or an EMP."""
        return "EMP" if "/providers/" in self.path else "CPO"

    def url(self, base: str, party_id: str) -> str:
        """Below a partner's base URL, with the id percent-encoded: nothing of it is lost on the way."""
        return base.rstrip("/") + self.path.replace("{id}", quote(party_id, safe=""))

    def party_in(self, tree: Json) -> str | None:
        """Who speaks, by the body; None when it does not say."""
        for step in self.whose:
            tree = tree.get(step) if isinstance(tree, dict) else None
        return tree if isinstance(tree, str) else None


_TABLE: Final = """
PushEvseData           /evsepush/v23/operators/{id}/data-records                     OperatorEvseData/OperatorID
PushEvseStatus         /evsepush/v21/operators/{id}/status-records                   OperatorEvseStatus/OperatorID
PushPricingProductData /dynamicpricing/v10/operators/{id}/pricing-products           PricingProductData/OperatorID
PushEVSEPricing        /dynamicpricing/v10/operators/{id}/evse-pricing               -
AuthorizeStart         /charging/v21/operators/{id}/authorize/start                  OperatorID
AuthorizeStop          /charging/v21/operators/{id}/authorize/stop                   OperatorID
ChargeDetailRecord     /cdrmgmt/v22/operators/{id}/charge-detail-record              -
ChargingNotification   /notificationmgmt/v11/charging-notifications                  OperatorID
PullEvseData           /evsepull/v23/providers/{id}/data-records                     ProviderID
PullEvseStatus         /evsepull/v21/providers/{id}/status-records                   ProviderID
PullEvseStatusById     /evsepull/v21/providers/{id}/status-records-by-id             ProviderID
PullEvseStatusByOperatorId /evsepull/v21/providers/{id}/status-records-by-operator-id ProviderID
RemoteStart            /charging/v21/providers/{id}/authorize-remote/start           ProviderID
RemoteStop             /charging/v21/providers/{id}/authorize-remote/stop            ProviderID
ReservationStart       /reservation/v11/providers/{id}/reservation-start-request     ProviderID
ReservationStop        /reservation/v11/providers/{id}/reservation-stop-request      ProviderID
GetChargeDetailRecords /cdrmgmt/v22/providers/{id}/get-charge-detail-records-request ProviderID
PushAuthenticationData /authdata/v21/providers/{id}/push-request                   ProviderAuthenticationData/ProviderID
PullPricingProductData /dynamicpricing/v10/providers/{id}/pricing-products           -
PullEVSEPricing        /dynamicpricing/v10/providers/{id}/evse-pricing               ProviderID
"""
_ANSWERS: Final = {
    "AuthorizeStart": "AuthorizationStart",
    "AuthorizeStop": "AuthorizationStop",
    "PullEvseData": "EvseDataPage",
    "PullEvseStatus": "EvseStatusAnswer",
    "PullEvseStatusByOperatorId": "EvseStatusAnswer",
    "PullEvseStatusById": "EvseStatusByIdAnswer",
    "GetChargeDetailRecords": "CdrPage",
    "PullPricingProductData": "PricingProductDataAnswer",
    "PullEVSEPricing": "EVSEPricingAnswer",
}
"""What is not here is answered with an Acknowledgement."""
_OTHER_PATHS: Final = {
    "/charging/v21/providers/{id}/authorize-remote-reservation/start": "ReservationStart",
    "/charging/v21/providers/{id}/authorize-remote-reservation/stop": "ReservationStop",
}
"""Older ones that are still met."""


def _operation(row: str) -> Operation:
    name, path, whose = row.split()
    way = () if whose == "-" else tuple(whose.split("/"))
    return Operation(name, path, name, _ANSWERS.get(name, "Acknowledgement"), way)


OPERATIONS: Mapping[str, Operation] = {
    operation.name: operation for operation in map(_operation, _TABLE.strip().splitlines())
}
_PATHS: Final = [(operation.path, operation.name) for operation in OPERATIONS.values()] + list(_OTHER_PATHS.items())
_PATTERNS: Final = [(re.compile(path.replace("{id}", "(?P<id>[^/]+)")), name) for path, name in _PATHS]


def located(raw_path: str) -> tuple[Operation, str] | None:
    """The operation below the base URL, and the party in its path ("" where it has none). A `+` stays one."""
    for pattern, name in _PATTERNS:
        found = pattern.fullmatch(raw_path)
        if found:
            return OPERATIONS[name], unquote(found.groupdict().get("id") or "")
    return None
