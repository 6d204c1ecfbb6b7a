"""Mistakes with step_size. The text rounds once a session, with the step of the last component.

OCPI mod_tariffs_step_size.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from modules.cdrs.check.amounts import Figures
from modules.cdrs.check.bill import Bill, part_of
from modules.cdrs.check.result import Cause
from modules.cdrs.check.suppose.supposition import Suppositions
from modules.tariffs.pricing import Exact

if TYPE_CHECKING:
    from modules.tariffs.pricing.steps import Segment

STEPS = Suppositions()

_UP = "up"
_DOWN = "down"


def _step(segment: Segment) -> int:
    return segment.component.step if segment.component else 0


def _raised(bill: Bill, group: Callable[[Segment], Hashable], way: str = _UP, factor: int = 1) -> Figures:
    """Each group of segments rounded to the step of its last one; the difference is billed with that one.

    A group of None is billed as it was measured.
    """
    groups: dict[Hashable, list[Segment]] = {}
    for segment in bill.segments:
        if segment.dimension.name != "FLAT":
            groups.setdefault(group(segment), []).append(segment)
    surplus: dict[int, Exact] = {}
    for name, segments in groups.items():
        step = _step(segments[-1]) * factor
        total = sum(segment.quantity for segment in segments)
        if name is not None and step and total > 0:
            surplus[id(segments[-1])] = -total % step if way == _UP else -(total % step)
    return bill.billed_as(lambda segment: segment.quantity + surplus.get(id(segment), 0))


@STEPS(Cause.STEP)
def no_step(bill: Bill) -> Iterator[Figures]:
    """No step_size was applied."""
    yield bill.billed_as(lambda segment: segment.quantity)
    yield _raised(bill, lambda s: None if part_of(s) != "energy" else "energy")
    yield _raised(bill, lambda s: None if part_of(s) == "energy" else _clock(bill, s))


def _clock(bill: Bill, segment: Segment) -> str | None:
    """The sum of time in which a segment counts by the text: parking where there is any."""
    part = part_of(segment)
    return None if part == "time" and "parking" in bill.parts else part


@STEPS(Cause.STEP)
def step_per_period(bill: Bill) -> Iterator[Figures]:
    """The step_size was applied to each period instead of the session."""
    for parts in (("energy", "time", "parking", "reservation"), ("energy",), ("time", "parking"), ("parking",)):
        yield _raised(
            bill,
            lambda s, parts=parts: (s.period.index, part_of(s)) if part_of(s) in parts else _clock(bill, s),  # type: ignore[misc]
        )


@STEPS(Cause.STEP)
def step_per_price(bill: Bill) -> Iterator[Figures]:
    """The step_size was applied for each price instead of the session."""
    yield _raised(bill, lambda s: (part_of(s), s.component.element if s.component else 0))


@STEPS(Cause.STEP)
def both_times(bill: Bill) -> Iterator[Figures]:
    """Time and parking time were both rounded, where only parking time is."""
    yield _raised(bill, part_of)


@STEPS(Cause.STEP)
def time_not_parking(bill: Bill) -> Iterator[Figures]:
    """Time was rounded instead of parking time."""
    yield _raised(bill, lambda s: None if part_of(s) == "parking" else part_of(s))
    yield bill.again(policy=replace(bill.claim.fine_policy, time_step="last"))


@STEPS(Cause.STEP)
def one_clock(bill: Bill) -> Iterator[Figures]:
    """Time and parking time were added up, and then rounded."""
    yield _raised(bill, lambda s: "clock" if part_of(s) in ("time", "parking") else part_of(s))


@STEPS(Cause.STEP)
def rounded_down(bill: Bill) -> Iterator[Figures]:
    """Steps were rounded down: only full ones were billed."""
    yield _raised(bill, lambda s: _clock(bill, s), _DOWN)
    yield _raised(bill, part_of, _DOWN)


@STEPS(Cause.STEP)
def step_of_another_unit(bill: Bill) -> Iterator[Figures]:
    """The step_size was taken for minutes instead of seconds, or for kWh instead of Wh."""
    yield _raised(bill, lambda s: None if part_of(s) == "energy" else _clock(bill, s), factor=60)
    yield _raised(bill, lambda s: "energy" if part_of(s) == "energy" else None, factor=1000)


@STEPS(Cause.STEP)
def unpriced_counts(bill: Bill) -> Iterator[Figures]:
    """The step_size was applied to all that was consumed, also to what has no price."""
    free: dict[str, Exact] = {}
    for segment in bill.priced.segments:
        if segment.component is None:
            free[part_of(segment)] = free.get(part_of(segment), 0) + segment.quantity
    surplus: dict[int, Exact] = {}
    for part in free:
        segments = [segment for segment in bill.segments if part_of(segment) == part]
        if segments and _step(segments[-1]):
            total = sum(segment.quantity for segment in segments) + free[part]
            surplus[id(segments[-1])] = -total % _step(segments[-1])
    if surplus:
        yield bill.billed_as(lambda s: s.quantity + surplus[id(s)] if id(s) in surplus else s.billed)
