"""step_size: blocks, once per session. OCPI mod_tariffs_pricecomponent_class, mod_tariffs_step_size.

What has a price is summed over the whole session and raised to a multiple of the step of the last
component; the surplus is billed with that last component. An exact multiple is not raised, a step of 0
rounds nothing, a step of 1 rounds to whole Wh or seconds. Energy is one such sum; time is one: that of
parking where parking is priced, else that of charging; the reservation is one of its own. Quantities
without a component, and zeros, do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from msgspec import Struct

from modules.tariffs.pricing.compile import Compiled, Component, Dimension
from modules.tariffs.pricing.numbers import Exact
from modules.tariffs.pricing.periods import Period
from modules.tariffs.pricing.policy import Policy
from modules.tariffs.pricing.restrictions import Standing

_ENERGY, _TIME, _PARKING, _FLAT = map(int, Dimension)
_RESERVED: Final = 3
"""The place of the reservation's sum, behind those of the dimensions; a FLAT has none."""
_CLOCKED: Final = (_TIME, _PARKING)


class Segment(Struct):
    """A quantity (units) of one dimension in one period, and the component that prices it, if any does.

    `billed` is the quantity after steps.
    """

    period: Period
    dimension: Dimension
    reserved: bool
    quantity: Exact
    billed: Exact
    component: Component | None
    tariff: Compiled | None
    standing: Standing


class Raised(NamedTuple):
    """What a step added. `segment` carries it; `step` and `total` (before) are in units."""

    segment: Segment
    step: int
    total: Exact
    surplus: Exact


def raise_to_steps(segments: Sequence[Segment], policy: Policy) -> tuple[Raised, ...]:
    """Add the surplus of every step to the last segment it belongs to. Returns: where there was one."""
    if policy.step_over == "session":
        return tuple(_raise(segments, policy))
    tariffs = dict.fromkeys(id(segment.tariff) for segment in segments)
    return tuple(
        raised
        for tariff in tariffs
        for raised in _raise([segment for segment in segments if id(segment.tariff) == tariff], policy)
    )


def _raise(segments: Sequence[Segment], policy: Policy) -> list[Raised]:
    """One rounding: of energy, of parking or else charging time, of the reservation."""
    sums: list[Exact] = [0, 0, 0, 0]
    last: list[Segment | None] = [None, None, None, None]
    own, all_count = policy.reservation_step == "own", policy.step_counts_unpriced
    came_last = _TIME
    for segment in segments:
        place: int = segment.dimension
        if place == _FLAT:
            continue
        if segment.reserved and own:
            place = _RESERVED
        if segment.component:
            last[place] = segment
            if place in _CLOCKED:
                came_last = place
        elif not all_count:
            continue
        sums[place] += segment.quantity
    timed = came_last if policy.time_step == "last" or not last[_PARKING] else _PARKING
    found = [_raised(last[place], sums[place]) for place in (_ENERGY, timed, _RESERVED) if last[place]]
    return [raised for raised in found if raised]


def _raised(last: Segment | None, total: Exact) -> Raised | None:
    """Raise one sum to the step of its last component."""
    step = last.component.step if last and last.component else 0
    surplus = -total % step if step and total > 0 else 0
    if not last or not surplus:
        return None
    last.billed += surplus
    return Raised(last, step, total, surplus)
