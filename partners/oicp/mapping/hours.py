"""Opening times: OCPI's regular hours by day of the week, OICP's periods by groups of days.

OICP ends a day at 24:00. OCPI has no such time, and its hours have to end later than they begin
(mod_locations_regularhours_class), so not at 00:00 either: there a day ends at 23:59. What is open all week long is
said so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from hub.core.jsontypes import Tree
from partners.oicp.mapping.enums import DAYS, WEEK
from partners.oicp.mapping.terms import Notes

_MIDNIGHT: Final = "24:00"
_LAST: Final = "23:59"
_MORNING: Final = "00:00"
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)
Span = tuple[str, str]


def said_hours(hours: Mapping[str, Any] | None, notes: Notes) -> Tree:
    """IsOpen24Hours and OpeningTimes."""
    if hours is None:
        notes.warn("no opening times are given: told as always open")
        return {"IsOpen24Hours": True}
    notes.lose_all(hours, ("exceptional_openings", "exceptional_closings"), "/opening_times")
    if hours["twentyfourseven"]:
        notes.lose_all(hours, ("regular_hours",), "/opening_times")
        return {"IsOpen24Hours": True}
    regular = hours.get("regular_hours") or []
    if not regular:
        notes.lose("/opening_times")
        return {"IsOpen24Hours": False}
    spans = {day: sorted(found) for day, found in _by_day(regular, notes).items()}
    if _is_always({day: [(begin, _LAST if end == _MIDNIGHT else end) for begin, end in spans[day]] for day in spans}):
        notes.lose("/opening_times")
        return {"IsOpen24Hours": True}
    return {"IsOpen24Hours": False, "OpeningTimes": list(_grouped(spans))}


def _by_day(regular: Sequence[Mapping[str, Any]], notes: Notes) -> dict[int, set[Span]]:
    days: dict[int, set[Span]] = {}
    for at, hours in enumerate(regular):
        known = days.setdefault(hours["weekday"], set())
        told = hours["period_end"]
        span = (hours["period_begin"], _MIDNIGHT if told in (_LAST, _MORNING) else told)
        if span in known or not span[0] < span[1] or told in (_MORNING, _MIDNIGHT):
            notes.lose(f"/opening_times/regular_hours/{at}")
        known.add(span)
    return days


def _grouped(spans: Mapping[int, list[Span]]) -> Iterator[Tree]:
    """Days with the same hours together, where OICP has a word for them."""
    left = dict(spans)
    for name, days in DAYS.items():
        first = left.get(days[0])
        if first is not None and all(left.get(day) == first for day in days):
            yield {"Period": [{"begin": begin, "end": end} for begin, end in first], "on": name}
            left = {day: found for day, found in left.items() if day not in days}


def read_hours(record: Mapping[str, Any], notes: Notes) -> Tree | None:
    """OCPI's Hours; None where the record does not tell when it is open."""
    if record.get("IsOpen24Hours"):
        notes.lose_all(record, ("OpeningTimes",))
        return {"twentyfourseven": True}
    found: set[tuple[int, str, str]] = set()
    for at, times in enumerate(record.get("OpeningTimes") or ()):
        days = DAYS.get(times.get("on", ""))
        if days is None:
            notes.lose(f"/OpeningTimes/{at}", warn="opening times on unknown days are left out")
            continue
        for period in times.get("Period") or ():
            if _CLOCK.fullmatch(period["begin"]) and _CLOCK.fullmatch(period["end"]):
                found.update(_in_week(days, period["begin"], period["end"]))
            else:
                notes.lose(f"/OpeningTimes/{at}/Period/0", warn="opening times that are no times are left out")
    spans: dict[int, list[Span]] = {}
    for day, begin, end in sorted(found):
        spans.setdefault(day, []).append((begin, end))
    if _is_always(spans):
        notes.lose("/IsOpen24Hours", "/OpeningTimes")
        return {"twentyfourseven": True}
    regular = [{"weekday": day, "period_begin": begin, "period_end": end} for day, begin, end in sorted(found)]
    if not regular:
        notes.lose("/IsOpen24Hours")
        return None
    return {"twentyfourseven": False, "regular_hours": regular}


def _in_week(days: Sequence[int], begin: str, end: str) -> Iterator[tuple[int, str, str]]:
    """What is open over midnight is open on two days."""
    for day in days:
        if begin < end != _MIDNIGHT:
            yield day, begin, end
            continue
        if begin < _LAST:
            yield day, begin, _LAST
        if _MORNING < end < _MIDNIGHT:
            yield day % 7 + 1, _MORNING, end


def _is_always(spans: Mapping[int, Sequence[Span]]) -> bool:
    """Is it open all day, every day? The spans of a day are in order."""
    return all(_is_all_day(spans.get(day, ())) for day in range(1, len(WEEK) + 1))


def _is_all_day(spans: Sequence[Span]) -> bool:
    until = _MORNING
    for begin, end in spans:
        if begin <= until:
            until = max(until, end)
    return until == _LAST
