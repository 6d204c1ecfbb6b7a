"""What an ordinary session comes to, in one pass over its periods.

Most sessions are ordinary: one tariff that restricts nothing, energy that was taken, and no reservation. One component
then prices all of a dimension, so that its quantities can be summed before they are priced, and a step raises the sum.
This is what the walk, the steps and the tally of the segments come to, without the segments: a law holds both to the
same figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from msgspec import Struct

from modules.tariffs.pricing.compile import Compiled, Component
from modules.tariffs.pricing.money import Amounts, Money, Sums, paying
from modules.tariffs.pricing.numbers import Exact
from modules.tariffs.pricing.periods import ONLY_RESERVED, Period, Session
from modules.tariffs.pricing.policy import Policy
from modules.tariffs.pricing.totals import RESERVATION, Tally, doubts

Pair: TypeAlias = tuple[Exact, Exact]
"""What a dimension comes to before taxes, and its tax, over the denominator of the tariff."""


class Summed(Struct, frozen=True, gc=False):
    """What an ordinary session comes to: as it is published, and exactly, by dimension."""

    amounts: Amounts
    pairs: Sequence[Pair | None]


def summed(session: Session, chosen: Sequence[Compiled | None], policy: Policy) -> Summed | None:
    """What a session comes to; None, if it is not ordinary."""
    tariff = _for_all(chosen)
    if tariff is None or not tariff.has_one_rate or session.stated & ONLY_RESERVED or not policy.sums_first:
        return None
    quantities = _quantities(session.periods, tariff.plain)
    if quantities is None:
        return None
    pay = paying(tariff.denominator, policy.decimals, policy.rounding)
    doubted = doubts(tariff, policy)
    rate, known = None, True
    net: Exact = 0
    tax: Exact = 0
    parts: list[Money | None] = []
    pairs: list[Pair | None] = []
    for part, quantity in zip(tariff.plain, quantities, strict=True):
        if part is None or not quantity:
            parts.append(None)
            pairs.append(None)
            continue
        before, added, rate = part.net * quantity, part.tax * quantity, part.rate
        net += before
        tax += added
        told = not (doubted and rate is None and before)
        known = known and told
        parts.append(pay(before, added, rate, told))
        pairs.append((before, added))
    energy, time, parking, fixed = parts
    return Summed((pay(net, tax, rate, known), energy, time, parking, fixed, None), pairs)


def tally_of(pairs: Sequence[Pair | None], tariff: Compiled, policy: Policy) -> Tally:
    """The sums of an ordinary session, as the tally of its segments would find them."""
    doubted = doubts(tariff, policy)
    buckets: list[Sums | None] = [None] * (RESERVATION + 1)
    untold: set[int] = set()
    for bucket, (part, pair) in enumerate(zip(tariff.plain, pairs, strict=True)):
        if part is not None and pair is not None:
            buckets[bucket] = {part.rate: [*pair]}
            if doubted and part.rate is None and pair[0]:
                untold.add(bucket)
    return Tally(tariff.denominator, buckets, untold, tariff.gross_only)


def _for_all(chosen: Sequence[Compiled | None]) -> Compiled | None:
    """The tariff of every period, if it is one."""
    one = chosen[0] if chosen else None
    for each in chosen:
        if each is not one:
            return None
    return one


def _quantities(periods: Sequence[Period], plain: Sequence[Component | None]) -> tuple[Exact, Exact, Exact, int] | None:
    """What is billed of each dimension, after steps; None, if energy was given back."""
    energy: Exact = 0
    time: Exact = 0
    parking: Exact = 0
    for period in periods:
        taken, charging, parked, _ = period.quantities
        if taken < 0:
            return None
        energy += taken
        time += charging
        parking += parked
    of_energy, of_time, of_parking, _ = plain
    if of_energy and of_energy.step:
        energy += -energy % of_energy.step
    if of_parking and parking:
        if of_parking.step:
            parking += -parking % of_parking.step
    elif of_time and of_time.step:
        time += -time % of_time.step
    return energy, time, parking, 1
