"""How charging periods lie in time: whether they keep within their CDR, and out of each other's way.

A period says when it starts and not when it ends (mod_cdrs_chargingperiod_class), so that an overlap shows only in what
it says of itself: two that state time and start together, or more time in one than there is until the next. Hours are
written with as few as two decimals, and the start and the end of a CDR may come from another clock than its periods; so
much is let pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import zip_longest
from typing import Final, NamedTuple

WRITTEN: Final = timedelta(seconds=36)
"""A hundredth of an hour, as which many write times."""
CLOCKS: Final = timedelta(minutes=1)
"""By how much the clocks behind two timestamps may differ."""
IN_AN_HOUR: Final = {"minutes": 60, "seconds": 3600}
_HOUR: Final = timedelta(hours=1)


class Misplacement(StrEnum):
    """What is wrong with the place of a period in time."""

    OVERLAP = "overlapping_periods"
    OUTSIDE = "period_outside_session"


class Span(NamedTuple):
    """When a period starts, and all the time that it states, in hours."""

    start: datetime
    hours: Decimal


class Misplaced(NamedTuple):
    """A period, by its place in the list, that cannot be where it is."""

    at: int
    what: Misplacement
    why: str


def misplaced(spans: Sequence[Span], begin: datetime, end: datetime) -> Iterator[Misplaced]:
    """The periods that cannot be true as they stand, each for the first reason found."""
    starts = sorted({span.start for span in spans})
    until = dict(zip_longest(starts, starts[1:]))
    timed: set[datetime] = set()
    for at, (start, stated) in enumerate(spans):
        follows, allowed = until[start], WRITTEN
        if follows is None:
            follows, allowed = max(end, start), WRITTEN + CLOCKS
        if begin - start > CLOCKS:
            yield Misplaced(at, Misplacement.OUTSIDE, "it starts before its CDR does")
        elif start - end > CLOCKS:
            yield Misplaced(at, Misplacement.OUTSIDE, "it starts after its CDR has ended")
        elif stated and start in timed:
            yield Misplaced(at, Misplacement.OVERLAP, "another period that states time starts with it")
        elif stated > hours_of(follows - start + allowed):
            why = "it states more time than there is until the next one or the end"
            unit = unit_of(stated, hours_of(follows - start))
            yield Misplaced(at, Misplacement.OVERLAP, f"{why}: it seems to be in {unit}, not in hours" if unit else why)
        if stated:
            timed.add(start)


def unit_of(stated: Decimal, lasted: Decimal) -> str:
    """The unit in which a time is just what a period lasts (hours); "": neither minutes nor seconds are."""
    if lasted <= 0:
        return ""
    fitting = (unit for unit, in_one in IN_AN_HOUR.items() if abs(stated / in_one - lasted) <= hours_of(WRITTEN))
    return next(fitting, "")


def hours_of(span: timedelta) -> Decimal:
    return Decimal(span // timedelta(milliseconds=1)) / (_HOUR // timedelta(milliseconds=1))
