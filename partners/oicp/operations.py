"""OICP 2.3 as one table of operations: what may be asked, by whom, of whom, and at which path.

The face serves this table, the client calls by it, `openapi/oicp-2.3.json` is written from it. Each service has a
version of its own in its paths; there is no version of the whole. The same paths serve both directions: a hub appends
them to the base URL of its partner.

`by` and `to` say whose matter an operation is, whoever happens to pass it on: AuthorizeStart is asked by a CPO and
answered by an EMP, so a hub takes it from CPOs and sends it to EMPs, and we take it from a hub where we are an EMP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

By = Literal["cpo", "emp"]
To = Literal["cpo", "emp", "hub"]
PartnerKind = Literal["cpo", "emp", "hub"]
"""What the other end of a connection is."""

KIB: Final = 1024
MIB: Final = 1024 * KIB
SMALL: Final = 64 * KIB
LARGE: Final = 32 * MIB
"""Bytes of a push of data. A record is about 2.5 kB: some 12,000 of them; who has more sends several pushes."""


class AnswerKind(StrEnum):
    """The message that an operation is answered with."""

    ACKNOWLEDGEMENT = "Acknowledgement"
    AUTHORIZATION_START = "AuthorizationStart"
    AUTHORIZATION_STOP = "AuthorizationStop"
    EVSE_DATA = "EvseData"
    EVSE_STATUS = "EvseStatus"
    EVSE_STATUS_BY_ID = "EvseStatusByID"
    EVSE_STATUS_BY_OPERATOR = "EvseStatusByOperatorID"
    CHARGE_DETAIL_RECORDS = "ChargeDetailRecords"
    PRICING_PRODUCT_DATA = "PricingProductData"
    EVSE_PRICING = "EVSEPricing"
    AUTHENTICATION_DATA = "AuthenticationData"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    `path` is below the base URL; `{id}` in it is the operator's id where a CPO asks, the provider's where an EMP does.
    `named` is where the body names the same one; () where it does not. `limit` is the most bytes of body taken,
    `limit_per_min` how often a partner may ask (Acceptable Use Policy; 0: as often as any request).
    """

    name: str
    service: str
    path: str
    by: By
    to: To
    answer: AnswerKind = AnswerKind.ACKNOWLEDGEMENT
    named: tuple[str, ...] = ()
    limit_per_min: int = 0
    limit: int = SMALL
    paged: bool = False
    aliases: tuple[str, ...] = field(default=())

    @property
    def has_id(self) -> bool:
        """Is the asking party named in the path?"""
        return "{id}" in self.path

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths at which it is served; we call the first."""
        return (self.path, *self.aliases)


_A = AnswerKind
_OPERATOR: Final = ("OperatorID",)
_PROVIDER: Final = ("ProviderID",)
_RESERVATION: Final = "/charging/v21/providers/{id}/authorize-remote-reservation"

_TABLE: Final = (
    # A CPO asks.
    Operation(
        *("PushEvseData", "evse_data", "/evsepush/v23/operators/{id}/data-records", "cpo", "hub"),
        named=("OperatorEvseData", "OperatorID"),
        limit_per_min=375,
        limit=LARGE,
    ),
    Operation(
        *("PushEvseStatus", "evse_status", "/evsepush/v21/operators/{id}/status-records", "cpo", "hub"),
        named=("OperatorEvseStatus", "OperatorID"),
        limit_per_min=2000,
        limit=LARGE,
    ),
    Operation(
        *("AuthorizeStart", "authorization", "/charging/v21/operators/{id}/authorize/start", "cpo", "emp"),
        answer=_A.AUTHORIZATION_START,
        named=_OPERATOR,
        limit_per_min=200,
    ),
    Operation(
        *("AuthorizeStop", "authorization", "/charging/v21/operators/{id}/authorize/stop", "cpo", "emp"),
        answer=_A.AUTHORIZATION_STOP,
        named=_OPERATOR,
        limit_per_min=50,
    ),
    Operation(
        *("ChargeDetailRecord", "cdrs", "/cdrmgmt/v22/operators/{id}/charge-detail-record", "cpo", "emp"),
        limit_per_min=350,
    ),
    Operation(
        *("ChargingNotification", "notifications", "/notificationmgmt/v11/charging-notifications", "cpo", "emp"),
        named=_OPERATOR,
        limit_per_min=100,
    ),
    Operation(
        *("PushPricingProductData", "pricing", "/dynamicpricing/v10/operators/{id}/pricing-products", "cpo", "hub"),
        named=("PricingProductData", "OperatorID"),
        limit_per_min=6,
        limit=LARGE,
    ),
    Operation(
        *("PushEVSEPricing", "pricing", "/dynamicpricing/v10/operators/{id}/evse-pricing", "cpo", "hub"),
        limit_per_min=6,
        limit=LARGE,
    ),
    Operation(
        *("PullAuthenticationData", "authentication_data", "/authdata/v21/operators/{id}/pull-request", "cpo", "hub"),
        answer=_A.AUTHENTICATION_DATA,
        named=_OPERATOR,
        limit_per_min=6,
    ),
    # An EMP asks.
    Operation(
        *("PullEvseData", "evse_data", "/evsepull/v23/providers/{id}/data-records", "emp", "hub"),
        answer=_A.EVSE_DATA,
        named=_PROVIDER,
        limit_per_min=100,
        paged=True,
    ),
    Operation(
        *("PullEvseStatus", "evse_status", "/evsepull/v21/providers/{id}/status-records", "emp", "hub"),
        answer=_A.EVSE_STATUS,
        named=_PROVIDER,
        limit_per_min=6,
    ),
    Operation(
        *("PullEvseStatusByID", "evse_status", "/evsepull/v21/providers/{id}/status-records-by-id", "emp", "hub"),
        answer=_A.EVSE_STATUS_BY_ID,
        named=_PROVIDER,
        limit_per_min=300,
    ),
    Operation(
        "PullEvseStatusByOperatorID",
        *("evse_status", "/evsepull/v21/providers/{id}/status-records-by-operator-id", "emp", "hub"),
        answer=_A.EVSE_STATUS_BY_OPERATOR,
        named=_PROVIDER,
        limit_per_min=75,
    ),
    Operation(
        *("AuthorizeRemoteStart", "authorization", "/charging/v21/providers/{id}/authorize-remote/start", "emp", "cpo"),
        named=_PROVIDER,
        limit_per_min=100,
    ),
    Operation(
        *("AuthorizeRemoteStop", "authorization", "/charging/v21/providers/{id}/authorize-remote/stop", "emp", "cpo"),
        named=_PROVIDER,
        limit_per_min=200,
    ),
    Operation(
        "AuthorizeRemoteReservationStart",
        *("reservation", "/reservation/v11/providers/{id}/reservation-start-request", "emp", "cpo"),
        named=_PROVIDER,
        aliases=(f"{_RESERVATION}/start",),
    ),
    Operation(
        "AuthorizeRemoteReservationStop",
        *("reservation", "/reservation/v11/providers/{id}/reservation-stop-request", "emp", "cpo"),
        named=_PROVIDER,
        aliases=(f"{_RESERVATION}/stop",),
    ),
    Operation(
        *("GetChargeDetailRecords", "cdrs", "/cdrmgmt/v22/providers/{id}/get-charge-detail-records-request"),
        *("emp", "hub"),
        answer=_A.CHARGE_DETAIL_RECORDS,
        named=_PROVIDER,
        limit_per_min=200,
        paged=True,
    ),
    Operation(
        *("PushAuthenticationData", "authentication_data", "/authdata/v21/providers/{id}/push-request", "emp", "hub"),
        named=("ProviderAuthenticationData", "ProviderID"),
        limit_per_min=50,
        limit=LARGE,
    ),
    Operation(
        *("PullPricingProductData", "pricing", "/dynamicpricing/v10/providers/{id}/pricing-products", "emp", "hub"),
        answer=_A.PRICING_PRODUCT_DATA,
        limit_per_min=300,
    ),
    Operation(
        *("PullEVSEPricing", "pricing", "/dynamicpricing/v10/providers/{id}/evse-pricing", "emp", "hub"),
        answer=_A.EVSE_PRICING,
        named=_PROVIDER,
        limit_per_min=280,
    ),
)

OPERATIONS: Final[Mapping[str, Operation]] = MappingProxyType({operation.name: operation for operation in _TABLE})
"""All operations by name."""


def may_ask(kind: PartnerKind, operation: Operation) -> bool:
    """May a partner of `kind` ask this of us?

    CPOs and EMPs ask what is theirs to ask; a hub passes on to us what is for a CPO or an EMP.
    """
    return operation.to != "hub" if kind == "hub" else operation.by == kind


def serves(kind: PartnerKind, operation: Operation) -> bool:
    """Does OICP let a partner of `kind` answer this to us? A hub does all, the others what a hub passes on to them."""
    return kind == "hub" or operation.to == kind
