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

from modules.tariffs.pricing.compile import Compiled, Component, Dimension
from modules.tariffs.pricing.numbers import Exact
from modules.tariffs.pricing.policy import Policy
from modules.tariffs.pricing.restrictions import Standing


@dataclass(slots=True)
class Segment:
    """A quantity (units) of one dimension in one period, and the component that prices it, if any does.

    `period` is the index as given, `at` the instant at which it starts, `billed` the quantity after steps.
    """

    period: int
    at: int
    dimension: Dimension
    reserved: bool
    quantity: Exact
    billed: Exact
    component: Component | None
    tariff: Compiled | None
    standing: Standing


def raise_to_steps(segments: Sequence[Segment], policy: Policy) -> None:
    """Add the surplus of every step to the last segment it belongs to."""
    energy: list[Segment] = []
    time: list[Segment] = []
    parking: list[Segment] = []
    reserved: list[Segment] = []
    by_dimension = (energy, time, parking)
    for segment in segments:
        if segment.component is None or segment.dimension == Dimension.FLAT:
            continue
        (reserved if segment.reserved else by_dimension[segment.dimension]).append(segment)
    _raise(energy)
    _raise(reserved)
    if policy.time_step == "last" and time and parking:
        _raise(parking if parking[-1].at >= time[-1].at else time)
    else:
        _raise(parking or time)


def _raise(segments: list[Segment]) -> None:
    if not segments:
        return
    last = segments[-1]
    step = last.component.step if last.component else 0
    total = sum(segment.quantity for segment in segments)
    if step and total > 0:
        last.billed += -total % step
