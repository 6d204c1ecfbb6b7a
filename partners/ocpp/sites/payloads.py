"""What a charger is told of limits at a site, in the words of each version of OCPP.

A share is a TxProfile of the running transaction: it overrules the TxDefaultProfile, which is the safe current, and
ends by itself; then the safe current holds. The most that a whole station may draw is a profile of connector 0 (1.6:
ChargePointMaxProfile), which caps both. Numbers are far above those of partners' profiles, one for each purpose and
connector, so that a newer one takes the place of an older one. A share's begin is put a little into the past: a clock
that goes wrong by less loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from hub.core.clock import timestamp
from hub.core.jsontypes import Tree
from partners.ocpp.energy.units import amperes, watts
from partners.ocpp.numbering import socketed

ACTION: Final = "SetChargingProfile"
ASK: Final = "GetCompositeSchedule"
EARLY: Final = timedelta(minutes=1)
_SHARE: Final = 2_000_000_000
_SAFE: Final = 2_000_100_000
_WHOLE: Final = 2_000_200_000
_LEVEL: Final = 0


class Cap(NamedTuple):
    """A limit as a charger takes it: `limit` in `unit`, A on each phase or W over `phases` of them."""

    unit: str
    limit: Decimal
    phases: int


class Span(NamedTuple):
    """From when, and for how many seconds."""

    begin: datetime
    duration_s: int


def cap_of(ma: int, *, unit: str, volts_mv: int, phases: int) -> Cap:
    """`ma` on each phase for a charger that takes `unit`; `volts_mv` of its phases together."""
    return Cap(unit, amperes(ma) if unit == "A" else watts(ma, volts_mv), phases)


def span_of(begin: datetime, until: datetime, behind: timedelta) -> Span:
    """When a share holds, by the charger's clock, which is so much `behind` ours."""
    start = begin - EARLY - behind
    return Span(start, max(1, (until - begin + EARLY) // timedelta(seconds=1)))


class Words(NamedTuple):
    """The payloads of one version."""

    share: Callable[[int, Any, Cap, Span], Tree]
    safe: Callable[[int, Cap], Tree]
    whole: Callable[[Cap, datetime], Tree]
    ask: Callable[[int, int, str], Tree]


def _periods(cap: Cap) -> list[Tree]:
    """In W it must be said over how many phases, as one phase would carry all of it otherwise."""
    period: Tree = {"startPeriod": 0, "limit": cap.limit}
    return [period | {"numberPhases": cap.phases}] if cap.unit == "W" else [period]


def _schedule(cap: Cap, span: Span | None = None, start: datetime | None = None) -> Tree:
    shape: Tree = {"chargingRateUnit": cap.unit, "chargingSchedulePeriod": _periods(cap)}
    if span is not None:
        return {"duration": span.duration_s, "startSchedule": timestamp(span.begin), **shape}
    return shape if start is None else {"startSchedule": timestamp(start), **shape}


def _profile(number: int, purpose: str, kind: str) -> Tree:
    return {"stackLevel": _LEVEL, "chargingProfilePurpose": purpose, "chargingProfileKind": kind} | {"id": number}


def _share_16(connector: int, transaction: Any, cap: Cap, span: Span) -> Tree:
    profile = _profile(_SHARE + connector, "TxProfile", "Absolute") | {"transactionId": transaction}
    return _set_16(connector, profile, _schedule(cap, span))


def _safe_16(connector: int, cap: Cap) -> Tree:
    return _set_16(connector, _profile(_SAFE + connector, "TxDefaultProfile", "Relative"), _schedule(cap))


def _whole_16(cap: Cap, now: datetime) -> Tree:
    profile = _profile(_WHOLE, "ChargePointMaxProfile", "Absolute")
    return _set_16(0, profile, _schedule(cap, start=now - EARLY))


def _set_16(connector: int, profile: Tree, schedule: Tree) -> Tree:
    shape = {"chargingProfileId": profile.pop("id"), **profile, "chargingSchedule": schedule}
    return {"connectorId": connector, "csChargingProfiles": shape}


def _ask_16(connector: int, duration_s: int, unit: str) -> Tree:
    return {"connectorId": connector, "duration": duration_s, "chargingRateUnit": unit}


def _share_2x(connector: int, transaction: Any, cap: Cap, span: Span) -> Tree:
    evse = socketed(connector).evse
    profile = _profile(_SHARE + evse, "TxProfile", "Absolute") | {"transactionId": str(transaction)}
    return _set_2x(evse, profile, _schedule(cap, span))


def _safe_2x(connector: int, cap: Cap) -> Tree:
    evse = socketed(connector).evse
    return _set_2x(evse, _profile(_SAFE + evse, "TxDefaultProfile", "Relative"), _schedule(cap))


def _whole_2x(cap: Cap, now: datetime) -> Tree:
    profile = _profile(_WHOLE, "ChargingStationMaxProfile", "Absolute")
    return _set_2x(0, profile, _schedule(cap, start=now - EARLY))


def _set_2x(evse: int, profile: Tree, schedule: Tree) -> Tree:
    return {"evseId": evse, "chargingProfile": {**profile, "chargingSchedule": [{"id": 1, **schedule}]}}


def _ask_2x(connector: int, duration_s: int, unit: str) -> Tree:
    return {"duration": duration_s, "chargingRateUnit": unit, "evseId": socketed(connector).evse}


_WORDS_2X: Final = Words(_share_2x, _safe_2x, _whole_2x, _ask_2x)
WORDS: Final[Mapping[str, Words]] = {
    "1.6": Words(_share_16, _safe_16, _whole_16, _ask_16),
    "2.0.1": _WORDS_2X,
    "2.1": _WORDS_2X,
}


def at_first(answer: Tree) -> tuple[str, Decimal] | None:
    """Unit and limit at the begin of an accepted GetCompositeSchedule of any version; None, where it says none."""
    schedule = answer.get("chargingSchedule", answer.get("schedule"))
    rows = schedule.get("chargingSchedulePeriod") if isinstance(schedule, dict) else None
    first = rows[0] if isinstance(rows, list) and rows else None
    if not isinstance(schedule, dict) or not isinstance(first, dict):
        return None
    unit, limit = schedule.get("chargingRateUnit"), first.get("limit")
    if unit not in ("A", "W") or isinstance(limit, bool) or not isinstance(limit, int | Decimal) or limit < 0:
        return None
    return unit, Decimal(limit)
