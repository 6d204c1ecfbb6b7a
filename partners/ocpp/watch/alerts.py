"""From what holds at a moment to alerts that open once and close once.

A rule that holds is *suspected*; when it has held for its time an alert opens; when it has not held for a while the
alert closes. What comes and goes faster than that opens nothing, and closes nothing: the state of each rule and subject
is one `Watched`, and `step` takes it on.

    nothing -> suspected -(for_s)-> open -> clearing -(clear_s)-> nothing
                  |                   ^         |
                  +-> nothing         +---------+
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from partners.ocpp.watch.house_rules import HOUSE_RULES
from partners.ocpp.watch.rules import RULES, About, Held, Rule, Severity, Thresholds

ALL_RULES: Final[tuple[Rule[Any], ...]] = (*RULES, *HOUSE_RULES)
BY_NAME: Final = {rule.name: rule for rule in ALL_RULES}


@dataclass(frozen=True, slots=True)
class Alert:
    """`seen` is what was seen last while it was open. `acknowledged_by` is an operator, "" as long as nobody did."""

    id: str
    rule: str
    subject: str
    severity: Severity
    opened: datetime
    seen: str
    closed: datetime | None = None
    acknowledged_by: str = ""
    about: About = About.CHARGER


@dataclass(frozen=True, slots=True)
class Watched:
    """One rule and one subject: since when it holds (or, of an open alert, does not hold any more), and its alert."""

    rule: str
    subject: str
    since: datetime
    alert: Alert | None = None
    clearing: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one: its state (None: forget it), and the alert that opened, closed or says something else now."""

    watched: Watched | None
    opened: Alert | None = None
    closed: Alert | None = None


def step(
    watched: Watched | None, key: tuple[str, str], held: Held | None, thresholds: Thresholds, now: datetime, new_id: str
) -> Step:
    """Take `watched` on to `now`, `held` being what its rule says now. `new_id`: for an alert that opens."""
    rule, subject = key
    if watched is None:
        watched = None if held is None else Watched(rule, subject, now)
    if watched is None:
        return Step(None)
    if watched.alert is None:
        return Step(None) if held is None else _suspected(watched, held, thresholds, now, new_id)
    return _open(watched, watched.alert, held, thresholds, now)


def _suspected(watched: Watched, held: Held, thresholds: Thresholds, now: datetime, new_id: str) -> Step:
    rule = BY_NAME[watched.rule]
    if now - watched.since < timedelta(seconds=rule.for_s(thresholds)):
        return Step(watched)
    alert = Alert(new_id, rule.name, watched.subject, rule.severity, now, held.seen, about=rule.about)
    return Step(replace(watched, alert=alert), opened=alert)


def _open(watched: Watched, alert: Alert, held: Held | None, thresholds: Thresholds, now: datetime) -> Step:
    if held is not None:
        return Step(replace(watched, alert=replace(alert, seen=held.seen), clearing=False))
    if not watched.clearing:
        return Step(replace(watched, since=now, clearing=True))
    if now - watched.since < timedelta(seconds=thresholds.clear_s):
        return Step(watched)
    return Step(None, closed=replace(alert, closed=now))


def next_step(watched: Watched, thresholds: Thresholds) -> datetime | None:
    """When the time alone takes it on: its alert opens or closes. None: only what is seen does."""
    if watched.alert is None:
        return watched.since + timedelta(seconds=BY_NAME[watched.rule].for_s(thresholds))
    return watched.since + timedelta(seconds=thresholds.clear_s) if watched.clearing else None


def resumed(alert: Alert, known: Watched | None = None) -> Watched:
    """The state of an alert that is open on disk: what is `known`, if it is of this one; it is not opened anew."""
    if known is not None and known.alert is not None and known.alert.id == alert.id:
        return known
    return Watched(alert.rule, alert.subject, alert.opened, alert)
