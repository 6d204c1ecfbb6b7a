"""What an operator may send, checked field by field; an unknown field is a mistake and is told."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Json
from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim
from hub.core.types import parse_datetime
from partners.ocpp.watch.rules import Severity

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""Of a partner or a person: letters, digits, `.`, `_` and `-`, at most 64."""
Url = Annotated[str, Field(min_length=8, max_length=255, pattern=r"^https?://")]
Represented = Annotated[str, Field(pattern=r"^([A-Za-z]{2}[*-]?[A-Za-z0-9]{3})?$")]
"""A party, or nobody."""
PresentedToken = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")]


class Ask(BaseModel):
    """The root of all request bodies."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def of(cls, tree: Json) -> Self:
        """From a parsed body. Raises: InvalidRequest, naming the first fault by JSON pointer, never its value."""
        try:
            return cls.model_validate(tree)
        except ValidationError as fault:
            first = fault.errors(include_url=False, include_context=False, include_input=False)[0]
            pointer = "/" + "/".join(str(step) for step in first["loc"])
            raise InvalidRequest(f"{pointer}: {first['msg']}") from None


class RoleAsked(Ask):
    """A party, and as what it takes part."""

    role: PartyRole
    country_code: Annotated[str, Field(min_length=2, max_length=2)]
    party_id: Annotated[str, Field(min_length=3, max_length=3)]

    @property
    def claim(self) -> Claim:
        """Raises: InvalidRequest."""
        return Claim(role=self.role, party=Party.of(self.country_code, self.party_id))


class Invite(Ask):
    """A partner that is to register with us. Without roles, those of its former invitation."""

    name: Name
    roles: tuple[RoleAsked, ...] = ()
    represents: Represented = ""
    """The only party of ours that the connection stands for (2.1.1 knows one); "": all that the partner may see."""


class Rule(Ask):
    """An agreement: who may have whose objects, and reach whom. A viewer is a partner by name, or a party."""

    viewer: Annotated[str, Field(min_length=1, max_length=64)] = "*"
    owner: Annotated[str, Field(min_length=1, max_length=8)] = "*"
    module: Annotated[str, Field(min_length=1, max_length=40)] = "*"
    allow: bool = True


class NewRule(Rule):
    """An agreement that is to be made, or changed."""

    ahead: bool = False
    """The viewer that is named is a partner that is not here yet."""


class RouteAsked(Ask):
    """A message that a partner might send."""

    sender: Name
    module: Annotated[str, Field(min_length=1, max_length=40)]
    method: Annotated[str, Field(pattern="^(GET|PUT|PATCH|POST|DELETE)$")] = "PUT"
    to: Represented = ""
    """The party of the OCPI-to headers; "": left out."""
    owner: Represented = ""
    """The party whose object it is, or that it is about; of a session or CDR, whose driver. "": the sender's own."""


class Connect(Ask):
    """A partner with which we are to register, by the versions URL and token A that it gave us."""

    versions_url: Url
    token: PresentedToken
    roles: tuple[RoleAsked, ...] = ()
    represents: Represented = ""


class Pull(Ask):
    """What to pull: changes since the last time, or everything."""

    full: bool = False


class Rotate(Ask):
    """New tokens; with `version`, a change of the OCPI version along with them."""

    version: str | None = None


class PartnerSwitches(Ask):
    """What follows from a CDR of the partner that is wrong or cannot be checked, and by how much an amount may differ.

    What is left out is as it is for everybody.
    """

    cdr_policy: Literal["accept", "flag", "hold"] | None = None
    cdr_tolerance: Annotated[Decimal, Field(ge=0, le=1000, max_digits=10, decimal_places=4)] | None = None

    def switches(self) -> dict[str, str]:
        """Those that are set, as text."""
        return {name: str(value) for name, value in self if value is not None}


class BillHeld(Ask):
    """Bill a held or credited session: for `kwh`, or, with `as_metered`, for what the charger said.

    One of them must be said.
    """

    kwh: Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=6)] | None = None
    as_metered: bool = False

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if (self.kwh is not None) == self.as_metered:
            raise ValueError("say either kwh, or as_metered: true")
        return self


class CorrectHeld(Ask):
    """Bill a held or credited charge for `kwh`; with `end`, as one that ended then."""

    kwh: Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=6)]
    end: Annotated[str, Field(max_length=40)] | None = None

    def ended_at(self) -> datetime | None:
        """Raises: InvalidRequest."""
        if self.end is None:
            return None
        try:
            return parse_datetime(self.end)
        except (ValueError, OverflowError):
            raise InvalidRequest("/end: is not a timestamp") from None


class ReleaseHeld(Ask):
    """Bill a held charge as it was measured. Of one without a session: `evse_uid` says where it was, if that is not
    known or on no location, and `token` who pays, if nobody's token began it or that was refused; else it is the card
    that ended it, or the one that was refused, if it may charge by now."""

    evse_uid: Annotated[str, Field(max_length=36)] = ""
    token: Annotated[str, Field(max_length=36)] = ""


class InvoiceAsked(Ask):
    """An invoice of ours, and the ids of the CDRs that are on it. Without an id the record gets a new one."""

    invoice_id: Annotated[str, Field(min_length=1, max_length=255)]
    cdrs: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=39)], ...], Field(min_length=1)]
    id: Annotated[str, Field(max_length=36)] = ""


class BookingCancel(Ask):
    """Why we cancel a booking: a CanceledReason."""

    reason: Annotated[str, Field(max_length=36)]


class BookingsEdition(Ask):
    """The edition of the bookings module that a partner speaks: 1.0 or 1.1."""

    edition: Annotated[str, Field(max_length=8)]


class OperatorToken(Ask):
    """A bearer token for a person or a program."""

    subject: Name
    role: Annotated[str, Field(pattern="^(viewer|operator|admin)$")]
    days: Annotated[int, Field(ge=1, le=366)] = 30


class LogAsked(Ask):
    """What a charger is to bring, and of which time."""

    kind: Literal["diagnostics", "security"] = "diagnostics"
    since: Annotated[str, Field(max_length=40)] | None = None
    until: Annotated[str, Field(max_length=40)] | None = None


class CampaignAsked(Ask):
    """A firmware for all stations of its model, or for some of them; see `campaigns.Rules` for the rest."""

    firmware: Name
    model: Annotated[str, Field(max_length=50)] = ""
    stations: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=48)], ...], Field(max_length=10_000)] = ()
    canary: Annotated[int, Field(ge=0, le=1000)] = 1
    batch: Annotated[int, Field(ge=1, le=1000)] = 20
    stop_after: Annotated[int, Field(ge=1, le=100_000)] = 2
    make_unavailable: bool = False
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    retry_s: Annotated[float, Field(ge=0, le=86_400)] = 600
    patience_s: Annotated[float, Field(ge=1, le=604_800)] = 7200
    verify_s: Annotated[float, Field(ge=0, le=86_400)] = 60


class Commission(Ask):
    """A charger that is to be put into service: what is to be registered of it, if anything.

    `evses` are OCPI EVSEs of its location that partners are not to see before that is done.
    """

    station: dict[str, object] | None = None
    evses: Annotated[tuple[dict[str, object], ...], Field(max_length=100)] = ()


class CommissionStep(Ask):
    """Something to do for a commissioning.

    `ask` for the states of its connectors; apply the `template`s that are for it; `start` a charge with the card
    `token` (uid) at `connector`, or `stop` it; `skip` the `step`; `publish`, also (`force`) when a step failed.
    """

    do: Literal["ask", "template", "start", "stop", "skip", "publish"]
    token: Annotated[str, Field(max_length=36)] = ""
    connector: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    step: Annotated[str, Field(max_length=20)] = ""
    force: bool = False


class TemplateApplied(Ask):
    """The charger to which a template is to be applied."""

    station: Annotated[str, Field(min_length=1, max_length=48)]


class StationCall(Ask):
    """An OCPP call. The keys of the payload are sent in the order in which they stand."""

    action: Annotated[str, Field(pattern="^[A-Za-z0-9]{1,50}$")]
    payload: dict[str, object] = {}
    timeout_s: Annotated[float, Field(gt=0, le=300)] = 30
    force: bool = False
    """Send it although the OCPP schema says that it is wrong."""


class MaintenanceAsked(Ask):
    """Which EVSEs are out of service to partners (uids; none: all of them), and why."""

    evses: Annotated[tuple[Annotated[str, Field(max_length=48)], ...], Field(max_length=64)] = ()
    note: Annotated[str, Field(max_length=200)] = ""


class VariableAsked(Ask):
    """A variable of a charger (`Component.Variable`), or a configuration key of OCPP 1.6, and what it is to be."""

    name: Annotated[str, Field(min_length=1, max_length=250)]
    value: Annotated[str, Field(max_length=1000)]


class OutageExcluded(Ask):
    """Why an outage does not count for uptime; without a reason it counts again."""

    reason: Annotated[str, Field(max_length=200)] = ""


class WebhookAsked(Ask):
    """Where a webhook is, and which alerts it hears of: rules and severities, none of them meaning all.

    `secret` signs its calls (`whsec_` and base64); with `sign` instead we make one, which is shown once.
    """

    url: Annotated[str, Field(min_length=8, max_length=2048, pattern=r"^https?://")]
    secret: Annotated[str, Field(max_length=200)] = ""
    sign: bool = False
    rules: Annotated[tuple[Annotated[str, Field(max_length=64)], ...], Field(max_length=64)] = ()
    severities: tuple[Severity, ...] = ()
    enabled: bool = True


class MonitorAsked(Ask):
    """What a charger is to watch. `value` is the threshold or the step; of a periodic monitor the seconds between."""

    name: Annotated[str, Field(min_length=1, max_length=250)]
    type: Literal["UpperThreshold", "LowerThreshold", "Delta", "Periodic", "PeriodicClockAligned"]
    value: Annotated[Decimal, Field(max_digits=20)]
    severity: Annotated[int, Field(ge=0, le=9)] = 5
    transaction: bool = False
    """Only while a charge goes on."""
    id: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    """Of a monitor that is to be another."""


class CertificateAsked(Ask):
    """A root certificate that a charger is to trust, in PEM, and what it is for."""

    kind: Literal["central", "manufacturer", "v2g", "contract", "vehicle"] = "central"
    certificate: Annotated[str, Field(min_length=1, max_length=10_000)]
