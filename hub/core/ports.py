"""What a module needs from outside, as small protocols. `partners/` implement them, `hub/app.py` joins them."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

from hub.core.addressed import Addressed
from hub.core.agreements import Agreements
from hub.core.auth import Form
from hub.core.behind import Behind
from hub.core.clock import Clock
from hub.core.jsontypes import Json
from hub.core.logins import FailedLogins
from hub.core.losses import Losses
from hub.core.operations import Operation, Side
from hub.core.own_ids import OwnIds
from hub.core.positions import Positions
from hub.core.pulse import Pulses
from hub.core.registry import Endpoint, Partner, Registry
from hub.core.settings import Settings
from hub.core.store import Store


@dataclass(frozen=True, slots=True)
class PeerAnswer:
    """A successful OCPI answer (HTTP 2xx, status code 1xxx). Header names are lower case.

    unread: it is known from before by its bytes, so that nothing was read of it; `data` is None.
    """

    http: int
    status_code: int
    data: Json
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    unread: bool = False


class Peers(Protocol):
    """Requests to OCPI partners."""

    async def send(
        self,
        partner: Partner,
        method: str,
        module: str,
        side: Side,
        path: tuple[str, ...] = (),
        *,
        body: bytes | None = None,
        query: Mapping[str, str] | None = None,
        to: str = "",
        sender: str = "",
        deadline_s: float | None = None,
    ) -> PeerAnswer:
        """Call `partner`'s interface `side` of `module`; `path` segments are percent-encoded here.

        `to` and `sender` are parties (`NL*EEE`) for the routing headers of 2.2 and later: who it is for ("": the
        partner's first party), and who speaks ("": our own party). Raises: errors.PeerFault's
        children (PeerRefused when the answer is an error, with both codes) and EndpointsMissing when the partner has
        no such endpoint.
        """
        ...

    async def get(self, partner: Partner, url: str, *, to: str = "", sender: str = "") -> PeerAnswer:
        """GET a URL that the partner gave us (Location); parties and what is raised as in `send`."""
        ...

    async def post_to(self, partner: Partner, url: str, body: bytes, *, to: str = "", sender: str = "") -> PeerAnswer:
        """POST to a URL that the partner gave us (response_url); parties and what is raised as in `send`."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """What a partner's versions URL led to. `token_form` is how it took our token: `base64` or `raw`."""

    version: str
    endpoints: tuple[Endpoint, ...]
    token_form: Form


class Discovery(Protocol):
    """Reading a partner's versions and version details."""

    async def discover(self, versions_url: str, token: str, *, version: str | None) -> Found:
        """The endpoints of `version`, or of the newest that both sides have.

        Raises: ClientApiUnusable (any trouble with the call-backs), VersionNotOffered.
        """
        ...


class Outcome(StrEnum):
    """How a charger answered a command: the values of CommandResultType (mod_commands)."""

    ACCEPTED = "ACCEPTED"
    CANCELED_RESERVATION = "CANCELED_RESERVATION"
    EVSE_OCCUPIED = "EVSE_OCCUPIED"
    EVSE_INOPERATIVE = "EVSE_INOPERATIVE"
    FAILED = "FAILED"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    REJECTED = "REJECTED"
    TIMEOUT = "TIMEOUT"
    UNKNOWN_RESERVATION = "UNKNOWN_RESERVATION"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a connector of ours is, in OCPI's words and in the charger's."""

    station: str
    connector: int
    location: str
    """Key of the location, `DE*BSB/LOC1`."""
    evse_uid: str
    connector_id: str

    @property
    def location_id(self) -> str:
        """Its id, without the party."""
        return self.location.split("/", 1)[1]


class ProfileOutcome(StrEnum):
    """How a charger answered what it was told of limits: ChargingProfileResultType (mod_charging_profiles)."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may flow when: (seconds after the start, limit) in `unit`, A per phase or W in total.

    `start` None: the begin of the transaction. `is_for_now`: what a charger shows that is told anew as time goes by; of
    later it cannot know.
    """

    unit: str
    periods: tuple[tuple[int, Decimal], ...]
    start: datetime | None = None
    duration_s: int | None = None
    least: Decimal | None = None
    is_for_now: bool = False


@dataclass(frozen=True, slots=True)
class LimitRules:
    """What a charger takes: units (`A`, `W`; the first is its own choice), and how many periods, where it told."""

    units: tuple[str, ...]
    most_periods: int | None = None


class Chargers(Protocol):
    """Orders to our own chargers. Each waits at most `timeout_s`, then says TIMEOUT; a charger's fault never raises."""

    def place(self, evse_uid: str, connector_id: str | None = None) -> Place | None:
        """The connector of ours that OCPI knows under this EVSE, or None."""
        ...

    async def reachable(self, station: str) -> bool:
        """Is its socket up, in whichever process, and has it booted?"""
        ...

    async def supports(self, station: str, feature: str) -> bool:
        """Features are OCPP 1.6 profile names: `Core`, `Reservation`, `SmartCharging`, `RemoteTrigger`..."""
        ...

    async def remote_start(self, place: Place, *, id_tag: str, token_type: str = "", timeout_s: float) -> Outcome:
        """`token_type` is OCPI's, where it is known."""
        ...

    async def remote_stop(self, station: str, *, transaction: str, timeout_s: float) -> Outcome: ...

    async def unlock(self, place: Place, *, timeout_s: float) -> Outcome: ...

    async def reserve(
        self,
        place: Place,
        *,
        reservation: int,
        id_tag: str,
        token_type: str = "",
        parent_tag: str | None,
        expiry: str,
        timeout_s: float,
    ) -> Outcome: ...

    async def cancel_reservation(self, station: str, *, reservation: int, timeout_s: float) -> Outcome: ...

    async def limit_rules(self, station: str) -> LimitRules: ...

    async def limit(
        self, station: str, *, transaction: str, number: int, limits: Limits, timeout_s: float
    ) -> ProfileOutcome | None:
        """Limit the charge of session `transaction`, under a profile number of ours.

        None: the charger was asked and has not answered; it may go by the limits all the same.
        """
        ...

    async def unlimit(self, station: str, *, number: int, timeout_s: float) -> ProfileOutcome: ...

    async def restore(
        self, station: str, *, transaction: str, number: int, limits: Limits | None, timeout_s: float
    ) -> ProfileOutcome | None:
        """Undo a `limit` that came to nothing: `limits` are in force again, or none of this number."""
        ...

    async def limits(
        self, station: str, *, transaction: str, duration_s: int, unit: str, timeout_s: float
    ) -> Limits | ProfileOutcome:
        """What the charger will allow from now on; always with a start. Without periods: nothing limits it."""
        ...

    async def prefer(
        self, station: str, *, transaction: str, departure: datetime | None, need_kwh: Decimal | None, timeout_s: float
    ) -> bool:
        """When the driver of session `transaction` leaves, and with how much energy; what is not said is not known.

        Returns: is it heeded? Only where the power of the site is shared.
        """
        ...


class NoChargers:
    """A hub without chargers of its own: knows no place."""

    def place(self, evse_uid: str, connector_id: str | None = None) -> Place | None:
        return None

    async def reachable(self, station: str) -> bool:
        return False

    async def supports(self, station: str, feature: str) -> bool:
        return False

    async def remote_start(self, place: Place, *, id_tag: str, token_type: str = "", timeout_s: float) -> Outcome:
        return Outcome.REJECTED

    async def remote_stop(self, station: str, *, transaction: str, timeout_s: float) -> Outcome:
        return Outcome.REJECTED

    async def unlock(self, place: Place, *, timeout_s: float) -> Outcome:
        return Outcome.REJECTED

    async def reserve(
        self,
        place: Place,
        *,
        reservation: int,
        id_tag: str,
        token_type: str = "",
        parent_tag: str | None,
        expiry: str,
        timeout_s: float,
    ) -> Outcome:
        return Outcome.REJECTED

    async def cancel_reservation(self, station: str, *, reservation: int, timeout_s: float) -> Outcome:
        return Outcome.UNKNOWN_RESERVATION

    async def limit_rules(self, station: str) -> LimitRules:
        return LimitRules(("A", "W"))

    async def limit(
        self, station: str, *, transaction: str, number: int, limits: Limits, timeout_s: float
    ) -> ProfileOutcome | None:
        return ProfileOutcome.REJECTED

    async def unlimit(self, station: str, *, number: int, timeout_s: float) -> ProfileOutcome:
        return ProfileOutcome.UNKNOWN

    async def restore(
        self, station: str, *, transaction: str, number: int, limits: Limits | None, timeout_s: float
    ) -> ProfileOutcome | None:
        return ProfileOutcome.UNKNOWN

    async def limits(
        self, station: str, *, transaction: str, duration_s: int, unit: str, timeout_s: float
    ) -> Limits | ProfileOutcome:
        return ProfileOutcome.REJECTED

    async def prefer(
        self, station: str, *, transaction: str, departure: datetime | None, need_kwh: Decimal | None, timeout_s: float
    ) -> bool:
        return False


@dataclass(slots=True)
class Hub:
    """What services are given: the store, the clock, the partners, and the two ways out."""

    store: Store
    clock: Clock
    settings: Settings
    registry: Registry
    peers: Peers
    discovery: Discovery
    chargers: Chargers
    background: Background
    operations: tuple[Operation, ...] = ()
    logins: FailedLogins = field(default_factory=FailedLogins)
    agreements: Agreements = field(init=False)
    addressed: Addressed = field(init=False)
    own_ids: OwnIds = field(init=False)
    losses: Losses = field(init=False)
    behind: Behind = field(init=False)
    pulses: Pulses = field(init=False)
    positions: Positions = field(default_factory=Positions)
    relaying: set[tuple[str, ...]] = field(default_factory=set)
    """Requests that are being passed on: correlation id, method, path, asker, receiver."""
    asked_to_wait: dict[tuple[str, str], float] = field(default_factory=dict)
    """Partner and module -> until when (monotonic, seconds) nothing is passed on there, at its word (Retry-After)."""

    def __post_init__(self) -> None:
        self.addressed = Addressed(self.store)
        self.own_ids = OwnIds(self.store)
        self.losses = Losses(self.store)
        self.behind = Behind(self.store)
        self.pulses = Pulses(self.clock, self.settings)
        self.agreements = Agreements(self.store, self.registry, self.settings, self.operations)


class Background(Protocol):
    """Work that outlives the request which began it; counted, logged when it fails, cancelled at shutdown."""

    def start(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        """Begin `work` and return at once."""
        ...
