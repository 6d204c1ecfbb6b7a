"""step_size: blocks, once per session. OCPI mod_tariffs_pricecomponent_class, mod_tariffs_step_size.

What has a price is summed over the whole session and raised to a multiple of the step of the last
component; the surplus is billed with that last component. An exact multiple is not raised, a step of 0
rounds nothing, a step of 1 rounds to whole Wh or seconds. Energy is one such sum; time is one: that of
parking where parking is priced, else that of charging; the reservation is one of its own. Quantities
without a component, and zeros, do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from modules.tariffs.pricing.compile import Compiled, Component, Dimension
from modules.tariffs.pricing.numbers import Exact
from modules.tariffs.pricing.periods import Period
from modules.tariffs.pricing.policy import Policy
from modules.tariffs.pricing.restrictions import Standing


@dataclass(slots=True)
class Segment:
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
    """What a step added. `segment`: the index of the one that carries it; `step` and `total` (before) in units."""

    segment: int
    step: int
    total: Exact
    surplus: Exact


def raise_to_steps(segments: Sequence[Segment], policy: Policy) -> tuple[Raised, ...]:
    """Add the surplus of every step to the last segment it belongs to. Returns: where there was one."""
    energy: list[int] = []
    time: list[int] = []
    parking: list[int] = []
    reserved: list[int] = []
    by_dimension = (energy, time, parking)
    for place, segment in enumerate(segments):
        if segment.component is None or segment.dimension == Dimension.FLAT:
            continue
        (reserved if segment.reserved else by_dimension[segment.dimension]).append(place)
    if policy.time_step == "last" and time and parking:
        timed = parking if parking[-1] > time[-1] else time
    else:
        timed = parking or time
    raised = (_raised(segments, places) for places in (energy, timed, reserved) if places)
    return tuple(found for found in raised if found)


def _raised(segments: Sequence[Segment], places: list[int]) -> Raised | None:
    last = segments[places[-1]]
    step = last.component.step if last.component else 0
    total = sum(segments[place].quantity for place in places)
    surplus = -total % step if step and total > 0 else 0
    if not surplus:
        return None
    last.billed += surplus
    return Raised(places[-1], step, total, surplus)
