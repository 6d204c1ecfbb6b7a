"""What is wrong with a charger: a table of rules over what is seen of it at one moment.

Each rule looks at one `Sight` and names the subjects for which it holds: the station, or one of its EVSEs. How long it
must hold before anybody is told is the rule's too (`alerts.py`), so that a charger that loses its network for a minute
wakes nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Generic, NamedTuple, TypeVar


class Severity(StrEnum):
    """How soon somebody should look: now, today, or at leisure."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class About(StrEnum):
    """What the subject of an alert is."""

    CHARGER = "charger"
    """A charger, or one of its EVSEs, as in CP1/E1."""
    PARTNER = "partner"
    WEBHOOK = "webhook"
    SITE = "site"
    """A site, or the meter of one of its nodes, as in garage/main."""
    MONEY = "money"
    CERTIFICATE = "certificate"
    """One that partners of OICP and we know each other by: `ours qa`, `port`, `partner acme`."""


@dataclass(frozen=True, slots=True)
class Going:
    """A charge that goes on. `progress_at`: when its register last rose; `is_asked_for`: the car wants energy."""

    session: str
    evse_uid: str
    began: datetime
    progress_at: datetime
    is_asked_for: bool


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen of one station. Times are aware, UTC.

    `faulted`: its EVSEs that are, by uid; `unheard`: those of which nothing is known (yet). `clock_offset`: arrival
    minus its own time; None, where it was not measured. `connections`: sockets that it opened within the last minute.
    `rejected`: those of the last hour who could not show its password or certificate, a hundred at the most.
    `starts` and `refused`: starts of the last hour that it was told, and those among them that it refused.
    `commissioned_since`: it is on its way into service since then, with somebody beside it; None: it is not.
    """

    station: str
    online: bool
    faulted: Sequence[str] = ()
    charges: Sequence[Going] = ()
    clock_offset: timedelta | None = None
    connections: int = 0
    rejected: int = 0
    starts: int = 0
    refused: int = 0
    unheard: Sequence[str] = ()
    commissioned_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a rule begins to hold; an operator may set them. Times in seconds."""

    offline_s: float = 900.0
    faulted_s: float = 60.0
    no_progress_s: float = 1800.0
    stuck_s: float = 48 * 3600.0
    clock_s: float = 60.0
    clock_for_s: float = 300.0
    connections: int = 5
    rejected: int = 20
    starts: int = 5
    refused_share: float = 0.5
    held_s: float = 86_400.0
    lane_s: float = 3600.0
    site_s: float = 60.0
    commissioning_s: float = 7 * 86_400.0
    certificate_s: float = 30 * 86_400.0
    certificate_last_s: float = 7 * 86_400.0
    """Before its end, if no other one is there that lasts longer."""
    clear_s: float = 60.0
    """How long a rule must not hold before its alert closes."""


class Held(NamedTuple):
    """A rule holds for `subject`; `seen` says what was seen, for people, without a card's number."""

    subject: str
    seen: str


S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Rule(Generic[S]):
    """Looks at an `S`. `for_s`: how long it must hold before an alert opens."""

    name: str
    severity: Severity
    look: Callable[[S, Thresholds, datetime], Iterator[Held]]
    for_s: Callable[[Thresholds], float] = field(default=lambda thresholds: 0.0)
    about: About = About.CHARGER


def _offline(sight: Sight, thresholds: Thresholds, now: datetime) -> Iterator[Held]:
    if not sight.online:
        yield Held(sight.station, "its socket is gone")


def _faulted(sight: Sight, thresholds: Thresholds, now: datetime) -> Iterator[Held]:
    for evse_uid in sight.faulted:
        yield Held(_evse(sight, evse_uid), "it reports a fault")


def _no_progress(sight: Sight, thresholds: Thresholds, now: datetime) -> Iterator[Held]:
    for charge in sight.charges:
        still_s = (now - charge.progress_at).total_seconds()
        if sight.online and charge.is_asked_for and still_s >= thresholds.no_progress_s:
            yield Held(_evse(sight, charge.evse_uid), f"the meter has not moved for {_minutes(still_s)}")


def _stuck(sight: Sight, thresholds: Thresholds, now: datetime) -> Iterator[Held]:
    for charge in sight.charges:
        lasted_s = (now - charge.began).total_seconds()
        if lasted_s >= thresholds.stuck_s:
            yield Held(_evse(sight, charge.evse_uid), f"session {charge.session} has lasted {_minutes(lasted_s)}")


def _clock(sight: Sight, thresholds: Thresholds, now: datetime) -> Iterator[Held]:
    offset_s = sight.clock_offset.total_seconds() if sight.clock_offset is not None else 0.0
    if abs(offset_s) > thresholds.clock_s:
        side = "behind" if offset_s > 0 else "ahead"
        yield Held(sight.station, f"its clock is {abs(offset_s):,.0f} s {side}")


def _flapping(sight: Sight, thresholds: Thresholds, now: datetime) -> Iterator[Held]:
    if sight.connections > thresholds.connections:
        yield Held(sight.station, f"it connected {sight.connections} times within a minute")


def _rejected(sight: Sight, thresholds: Thresholds, now: datetime) -> Iterator[Held]:
    if sight.rejected > thresholds.rejected:
        seen = f"a wrong password or certificate was shown for it {sight.rejected} times or more within an hour"
        yield Held(sight.station, seen)


def _refusing(sight: Sight, thresholds: Thresholds, now: datetime) -> Iterator[Held]:
    if sight.starts >= thresholds.starts and sight.refused > thresholds.refused_share * sight.starts:
        yield Held(sight.station, f"it refused {sight.refused} of {sight.starts} starts within an hour")


def _unfinished(sight: Sight, thresholds: Thresholds, now: datetime) -> Iterator[Held]:
    since = sight.commissioned_since
    if since is not None and (now - since).total_seconds() >= thresholds.commissioning_s:
        yield Held(sight.station, f"it has been on its way into service since {since:%Y-%m-%d}: finish or abandon that")


IN_SERVICE: Final[tuple[Rule[Sight], ...]] = (
    Rule("offline", Severity.HIGH, _offline, lambda thresholds: thresholds.offline_s),
    Rule("faulted", Severity.HIGH, _faulted, lambda thresholds: thresholds.faulted_s),
    Rule("no_progress", Severity.MEDIUM, _no_progress),
    Rule("stuck_session", Severity.MEDIUM, _stuck),
    Rule("clock_drift", Severity.LOW, _clock, lambda thresholds: thresholds.clock_for_s),
    Rule("flapping", Severity.MEDIUM, _flapping),
    Rule("wrong_passwords", Severity.MEDIUM, _rejected),
    Rule("refusing", Severity.HIGH, _refusing),
)


_UNFINISHED: Final = Rule("commissioning", Severity.LOW, _unfinished)
"""The only rule while a station is on its way into service: whoever is about it sees the rest."""

RULES: Final = (*IN_SERVICE, _UNFINISHED)


def holding(sight: Sight, thresholds: Thresholds, now: datetime) -> dict[tuple[str, str], Held]:
    """All that holds of a station at this moment, by rule and subject."""
    rules = IN_SERVICE if sight.commissioned_since is None else (_UNFINISHED,)
    return {(rule.name, held.subject): held for rule in rules for held in rule.look(sight, thresholds, now)}


def is_unknown(rule: str, subject: str, sight: Sight) -> bool:
    """Can nobody say now whether `rule` holds? Its alert then stays as it is: silence repairs nothing."""
    if rule == "clock_drift" and sight.clock_offset is None:
        return True
    if rule == "faulted" and subject in {_evse(sight, evse_uid) for evse_uid in sight.unheard}:
        return True
    return not sight.online and rule in ("faulted", "no_progress", "clock_drift")


def _evse(sight: Sight, evse_uid: str) -> str:
    return f"{sight.station}/{evse_uid}"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:,.0f} min"
