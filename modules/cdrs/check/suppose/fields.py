"""Right amounts in the wrong field, and fees that were forgotten or counted again."""

from __future__ import annotations

from collections.abc import Iterator

from modules.cdrs.check.amounts import NONE, PARTS, Figures
from modules.cdrs.check.bill import Bill, part_of
from modules.cdrs.check.claim import is_only_reserved
from modules.cdrs.check.result import Cause
from modules.cdrs.check.suppose.supposition import Suppositions

FIELDS = Suppositions()


def _moved(figures: Figures, source: str, to: str) -> Figures:
    both = figures.get(source, NONE).plus(figures.get(to, NONE))
    return {**figures, source: NONE, to: both}


@FIELDS(Cause.PARKING_AS_TIME)
def parking_under_time(bill: Bill) -> Iterator[Figures]:
    """The cost of parking stands in the cost of time."""
    yield _moved(bill.exact, "parking", "time")


@FIELDS(Cause.TIME_AS_PARKING)
def time_under_parking(bill: Bill) -> Iterator[Figures]:
    """The cost of time stands in the cost of parking."""
    yield _moved(bill.exact, "time", "parking")


@FIELDS(Cause.FLAT_PER_PERIOD)
def flat_per_period(bill: Bill) -> Iterator[Figures]:
    """The flat fee was charged for each period."""
    periods = sum(not is_only_reserved(period) for period in bill.case.periods)
    for times in dict.fromkeys((periods, len(bill.case.periods))) if "fixed" in bill.parts else ():
        yield bill.billed_as(lambda s, times=times: s.billed * (times if part_of(s) == "fixed" else 1))  # type: ignore[misc]


@FIELDS(Cause.FLAT_PER_PERIOD)
def flat_twice(bill: Bill) -> Iterator[Figures]:
    """The flat fee was charged twice."""
    if any(segment.dimension.name == "FLAT" for segment in bill.segments):
        yield bill.billed_as(lambda s: s.billed * (2 if s.dimension.name == "FLAT" else 1))


@FIELDS(Cause.LEFT_OUT)
def left_out(bill: Bill) -> Iterator[Figures]:
    """A part of the price was left out."""
    for part in PARTS[:-1]:
        if bill.exact.get(part, NONE).excl:
            yield {**bill.billed_as(lambda s, part=part: 0 if part_of(s) == part else s.billed), part: NONE}  # type: ignore[misc]
