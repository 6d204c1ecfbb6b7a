"""Opening times: OCPI's regular hours by day of the week, OICP's periods by groups of days."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from hub.core.jsontypes import Tree
from partners.oicp.mapping.enums import DAYS
from partners.oicp.mapping.terms import Notes

MIDNIGHT: Final = "24:00"
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
    return {"IsOpen24Hours": False, "OpeningTimes": list(_grouped(spans))}


def _by_day(regular: Sequence[Mapping[str, Any]], notes: Notes) -> dict[int, set[Span]]:
    days: dict[int, set[Span]] = {}
    for at, hours in enumerate(regular):
        known = days.setdefault(hours["weekday"], set())
        span = (hours["period_begin"], hours["period_end"])
        if span in known or not span[0] < span[1]:
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
    regular = [{"weekday": day, "period_begin": begin, "period_end": end} for day, begin, end in sorted(found)]
    if not regular:
        notes.lose("/IsOpen24Hours")
        return None
    return {"twentyfourseven": False, "regular_hours": regular}


def _in_week(days: Sequence[int], begin: str, end: str) -> Iterator[tuple[int, str, str]]:
    """What is open over midnight is open on two days."""
    for day in days:
        if begin < end:
            yield day, begin, end
        else:
            yield day, begin, MIDNIGHT
            if end > _MORNING:
                yield day % 7 + 1, _MORNING, end
