"""Charging time at the price of parking, or the reverse: in its own field or in the other's, and with either's step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from modules.cdrs.check.amounts import Figures
from modules.cdrs.check.bill import Bill, part_of
from modules.cdrs.check.result import Cause
from modules.cdrs.check.suppose.supposition import Suppositions
from modules.tariffs.pricing import Exact

if TYPE_CHECKING:
    from modules.tariffs.pricing.steps import Segment

SWAPPED = Suppositions()

_DIMENSION = {"time": "TIME", "parking": "PARKING_TIME"}


@SWAPPED(Cause.PARKING_AS_TIME)
def parking_at_the_price_of_time(bill: Bill) -> Iterator[Figures]:
    """The price of charging time was taken for parking time."""
    yield from _at_the_price_of(bill, "parking", "time")


@SWAPPED(Cause.TIME_AS_PARKING)
def time_at_the_price_of_parking(bill: Bill) -> Iterator[Figures]:
    """The price of parking time was taken for charging time."""
    yield from _at_the_price_of(bill, "time", "parking")


def _at_the_price_of(bill: Bill, part: str, other: str) -> Iterator[Figures]:
    """The amounts with `part` at the price of `other`. Raises: PricingFault."""
    own = [segment for segment in bill.segments if part_of(segment) == part]
    if not own:
        return

    def renamed(period: dict[str, Any]) -> None:
        kinds = {_DIMENSION[part]: _DIMENSION[other]}
        period["dimensions"] = [{**d, "type": kinds.get(d["type"], d["type"])} for d in period["dimensions"]]

    places = {segment.period.index for segment in own}
    moved = [s for s in bill.segments_with(renamed) if part_of(s) == other and s.period.index in places]
    for surplus in _surpluses(own, moved) if moved else ():
        for field in (part, other):
            lines = [bill.line(segment, segment.billed) for segment in bill.segments if part_of(segment) != part]
            for segment in moved:
                more = surplus if segment is moved[-1] else 0
                lines.append(replace(bill.line(segment, segment.quantity + more), part=field))
            yield bill.summed(lines)


def _surpluses(own: list[Segment], moved: list[Segment]) -> dict[Exact, None]:
    """What steps may have added: none, or that of the price that was taken, or that of its own."""
    total = sum(segment.quantity for segment in moved)
    steps = [segment.component.step for segment in (moved[-1], own[-1]) if segment.component]
    return dict.fromkeys([0, *(-total % step for step in steps if step)])
