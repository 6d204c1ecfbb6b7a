"""OICP 2.3 as one table of operations: what may be asked, by whom, of whom, and at which path.

The face serves this table, the client calls by it, `openapi/oicp-2.3.json` is written from it. Each service has a
version of its own in its paths; there is no version of the whole. The same paths serve both directions: a hub appends
them to the base URL of its partner.

`by` and `to` say whose matter an operation is, whoever happens to pass it on: AuthorizeStart is asked by a CPO and
answered by an EMP, so a hub takes it from CPOs and sends it to EMPs, and we take it from a hub where we are an EMP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    summary: str
    service: str
    path: str
    by: By
    to: To
    answer: AnswerKind = AnswerKind.ACKNOWLEDGEMENT
    named: tuple[str, ...] = ()
    limit_per_min: int = 0
    limit: int = SMALL
    paged: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def has_id(self) -> bool:
        """Is the asking party named in the path?"""
        return "{id}" in self.path

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths at which it is served; we call the first."""
        return (self.path, *self.aliases)


_OPERATOR: Final = ("OperatorID",)
_PROVIDER: Final = ("ProviderID",)
_RESERVATION: Final = "/charging/v21/providers/{id}/authorize-remote-reservation"

_TABLE: Final = (
    # A CPO asks.
    Operation(
        name="PushEvseData",
        summary="Tell all EVSEs there are, or which came, changed or went.",
        service="evse_data",
        path="/evsepush/v23/operators/{id}/data-records",
        by="cpo",
        to="hub",
        named=("OperatorEvseData", "OperatorID"),
        limit_per_min=375,
        limit=LARGE,
    ),
    Operation(
        name="PushEvseStatus",
        summary="Tell what EVSEs are doing.",
        service="evse_status",
        path="/evsepush/v21/operators/{id}/status-records",
        by="cpo",
        to="hub",
        named=("OperatorEvseStatus", "OperatorID"),
        limit_per_min=2000,
        limit=LARGE,
    ),
    Operation(
        name="AuthorizeStart",
        summary="May this card, contract or car charge here?",
        service="authorization",
        path="/charging/v21/operators/{id}/authorize/start",
        by="cpo",
        to="emp",
        answer=AnswerKind.AUTHORIZATION_START,
        named=_OPERATOR,
        limit_per_min=200,
    ),
    Operation(
        name="AuthorizeStop",
        summary="May this card, contract or car end the session?",
        service="authorization",
        path="/charging/v21/operators/{id}/authorize/stop",
        by="cpo",
        to="emp",
        answer=AnswerKind.AUTHORIZATION_STOP,
        named=_OPERATOR,
        limit_per_min=50,
    ),
    Operation(
        name="ChargeDetailRecord",
        summary="Tell what was charged in a session, once.",
        service="cdrs",
        path="/cdrmgmt/v22/operators/{id}/charge-detail-record",
        by="cpo",
        to="emp",
        limit_per_min=350,
    ),
    Operation(
        name="ChargingNotification",
        summary="Tell that energy flows, how much has flowed, that it flows no more, or what went wrong.",
        service="notifications",
        path="/notificationmgmt/v11/charging-notifications",
        by="cpo",
        to="emp",
        named=_OPERATOR,
        limit_per_min=100,
    ),
    Operation(
        name="PushPricingProductData",
        summary="Tell products and their prices.",
        service="pricing",
        path="/dynamicpricing/v10/operators/{id}/pricing-products",
        by="cpo",
        to="hub",
        named=("PricingProductData", "OperatorID"),
        limit_per_min=6,
        limit=LARGE,
    ),
    Operation(
        name="PushEVSEPricing",
        summary="Tell which products are sold at which EVSE.",
        service="pricing",
        path="/dynamicpricing/v10/operators/{id}/evse-pricing",
        by="cpo",
        to="hub",
        limit_per_min=6,
        limit=LARGE,
    ),
    Operation(
        name="PullAuthenticationData",
        summary="Fetch the cards that providers have told.",
        service="authentication_data",
        path="/authdata/v21/operators/{id}/pull-request",
        by="cpo",
        to="hub",
        answer=AnswerKind.AUTHENTICATION_DATA,
        named=_OPERATOR,
        limit_per_min=6,
    ),
    # An EMP asks.
    Operation(
        name="PullEvseData",
        summary="Fetch EVSEs: all, or what changed since the last call.",
        service="evse_data",
        path="/evsepull/v23/providers/{id}/data-records",
        by="emp",
        to="hub",
        answer=AnswerKind.EVSE_DATA,
        named=_PROVIDER,
        limit_per_min=100,
        paged=True,
    ),
    Operation(
        name="PullEvseStatus",
        summary="Fetch what all EVSEs are doing.",
        service="evse_status",
        path="/evsepull/v21/providers/{id}/status-records",
        by="emp",
        to="hub",
        answer=AnswerKind.EVSE_STATUS,
        named=_PROVIDER,
        limit_per_min=6,
    ),
    Operation(
        name="PullEvseStatusByID",
        summary="Fetch what some EVSEs are doing.",
        service="evse_status",
        path="/evsepull/v21/providers/{id}/status-records-by-id",
        by="emp",
        to="hub",
        answer=AnswerKind.EVSE_STATUS_BY_ID,
        named=_PROVIDER,
        limit_per_min=300,
    ),
    Operation(
        name="PullEvseStatusByOperatorID",
        summary="Fetch what the EVSEs of some operators are doing.",
        service="evse_status",
        path="/evsepull/v21/providers/{id}/status-records-by-operator-id",
        by="emp",
        to="hub",
        answer=AnswerKind.EVSE_STATUS_BY_OPERATOR,
        named=_PROVIDER,
        limit_per_min=75,
    ),
    Operation(
        name="AuthorizeRemoteStart",
        summary="Start a charge at an EVSE.",
        service="authorization",
        path="/charging/v21/providers/{id}/authorize-remote/start",
        by="emp",
        to="cpo",
        named=_PROVIDER,
        limit_per_min=100,
    ),
    Operation(
        name="AuthorizeRemoteStop",
        summary="End a session.",
        service="authorization",
        path="/charging/v21/providers/{id}/authorize-remote/stop",
        by="emp",
        to="cpo",
        named=_PROVIDER,
        limit_per_min=200,
    ),
    Operation(
        name="AuthorizeRemoteReservationStart",
        summary="Reserve an EVSE.",
        service="reservation",
        path="/reservation/v11/providers/{id}/reservation-start-request",
        by="emp",
        to="cpo",
        named=_PROVIDER,
        aliases=(f"{_RESERVATION}/start",),
    ),
    Operation(
        name="AuthorizeRemoteReservationStop",
        summary="End a reservation.",
        service="reservation",
        path="/reservation/v11/providers/{id}/reservation-stop-request",
        by="emp",
        to="cpo",
        named=_PROVIDER,
        aliases=(f"{_RESERVATION}/stop",),
    ),
    Operation(
        name="GetChargeDetailRecords",
        summary="Fetch what was charged, also what could not be brought.",
        service="cdrs",
        path="/cdrmgmt/v22/providers/{id}/get-charge-detail-records-request",
        by="emp",
        to="hub",
        answer=AnswerKind.CHARGE_DETAIL_RECORDS,
        named=_PROVIDER,
        limit_per_min=200,
        paged=True,
    ),
    Operation(
        name="PushAuthenticationData",
        summary="Tell the cards and contracts of one's drivers.",
        service="authentication_data",
        path="/authdata/v21/providers/{id}/push-request",
        by="emp",
        to="hub",
        named=("ProviderAuthenticationData", "ProviderID"),
        limit_per_min=50,
        limit=LARGE,
    ),
    Operation(
        name="PullPricingProductData",
        summary="Fetch products and their prices.",
        service="pricing",
        path="/dynamicpricing/v10/providers/{id}/pricing-products",
        by="emp",
        to="hub",
        answer=AnswerKind.PRICING_PRODUCT_DATA,
        limit_per_min=300,
    ),
    Operation(
        name="PullEVSEPricing",
        summary="Fetch which products are sold at which EVSE.",
        service="pricing",
        path="/dynamicpricing/v10/providers/{id}/evse-pricing",
        by="emp",
        to="hub",
        answer=AnswerKind.EVSE_PRICING,
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
