"""Arithmetic of calendars: does a period lie in what is open, and what is left of it when some is taken? Pure.

Periods are half-open: one may begin where another ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from hub.core.jsontypes import Tree
from hub.core.types import moment_text, parse_datetime


class Span(NamedTuple):
    """From `start` to `end`, without the end."""

    start: datetime
    end: datetime

    def overlaps(self, other: Span) -> bool:
        return self.start < other.end and other.start < self.end


def span_of(tree: Mapping[str, Any]) -> Span:
    """Of a Period or Timeslot tree."""
    return Span(parse_datetime(tree["start_date_time"]), parse_datetime(tree["end_date_time"]))


def why_outside(period: Span, calendars: Sequence[Mapping[str, Any]]) -> str | None:
    """Why none of the calendars has `period` open; None where one has. Without calendars all times are open."""
    why = None if not calendars else "the calendar is not open in this period"
    for calendar in calendars:
        slots = sorted(map(span_of, calendar["available_timeslots"]))
        first = next((slot for slot in slots if slot.start <= period.start < slot.end), None)
        if first is None or _open_until(slots, first.end) < period.end:
            continue
        step = timedelta(minutes=max(int(calendar.get("timeslot_increment") or 0), 0))
        if not step or not ((period.start - first.start) % step or (period.end - period.start) % step):
            return None
        why = f"periods go by steps of {calendar['timeslot_increment']} minutes"
    return why


def _open_until(slots: Iterable[Span], end: datetime) -> datetime:
    """How far slots that join on to each other reach."""
    for slot in slots:
        if slot.start <= end < slot.end:
            end = slot.end
    return end


def remaining(calendar: Tree, busy: Sequence[Span]) -> Tree | None:
    """The calendar without what is busy; None where nothing is left, as a calendar has a timeslot at least."""
    slots = [
        {**slot, "start_date_time": moment_text(part.start), "end_date_time": moment_text(part.end)}
        for slot in calendar["available_timeslots"]
        for part in _without(span_of(slot), busy)
    ]
    return {**calendar, "available_timeslots": slots} if slots else None


def _without(slot: Span, busy: Sequence[Span]) -> Iterator[Span]:
    start = slot.start
    for taken in sorted(busy):
        if taken.end <= start or taken.start >= slot.end:
            continue
        if taken.start > start:
            yield Span(start, taken.start)
        start = max(start, taken.end)
    if start < slot.end:
        yield Span(start, slot.end)


def busy_everywhere(units: Sequence[Sequence[Span]]) -> list[Span]:
    """When all of the bookable units are taken; each unit's own spans do not overlap."""
    edges = sorted((at, step) for spans in units for span in spans for at, step in ((span.start, 1), (span.end, -1)))
    found: list[Span] = []
    taken, since = 0, None
    for at, step in edges:
        if taken == len(units) and since is not None and at > since:
            found.append(Span(since, at))
        taken += step
        since = at if taken == len(units) else None
    return found
