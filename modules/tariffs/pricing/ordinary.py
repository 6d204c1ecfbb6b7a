"""What an ordinary session comes to, in one pass over its periods.

Most sessions are ordinary: one tariff that restricts nothing, energy that was taken, and no reservation. One component
then prices all of a dimension, so that its quantities can be summed before they are priced, and a step raises the sum.
This is what the walk, the steps and the tally of the segments come to, without the segments, which are made when they
are asked for: a law holds both to the same figures and the same receipt.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from msgspec import Struct

from modules.tariffs.pricing.compile import Compiled, Component, Dimension
from modules.tariffs.pricing.money import Amounts, Money, Sums, paying
from modules.tariffs.pricing.numbers import Exact
from modules.tariffs.pricing.periods import ONLY_RESERVED, RESERVED, Period, Session
from modules.tariffs.pricing.policy import Policy
from modules.tariffs.pricing.standing import NOWHERE
from modules.tariffs.pricing.steps import Raised, Segment
from modules.tariffs.pricing.totals import RESERVATION, Tally, doubts

Quantities: TypeAlias = tuple[Exact, Exact, Exact, int]
"""Energy, time and parking time in units, and the FLAT once."""
_CONSUMED: Final = (Dimension.ENERGY, Dimension.TIME, Dimension.PARKING_TIME)


class Summed(Struct, frozen=True, gc=False):
    """What an ordinary session comes to, and how much of each dimension was used, and is billed after steps."""

    tariff: Compiled
    amounts: Amounts
    used: Quantities
    billed: Quantities


def summed(session: Session, chosen: Sequence[Compiled | None], policy: Policy) -> Summed | None:
    """What a session comes to; None, if it is not ordinary."""
    tariff = chosen[0] if chosen else None
    if tariff is None or not tariff.has_one_rate or chosen.count(tariff) < len(chosen):
        return None
    if session.stated & ONLY_RESERVED or not policy.sums_first:
        return None
    used = _used(session.periods)
    if used is None:
        return None
    billed = _raised(used, tariff.plain)
    pay = paying(tariff.denominator, policy.decimals, policy.rounding)
    is_doubted = doubts(tariff, policy)
    rate, known = None, True
    net: Exact = 0
    tax: Exact = 0
    parts: list[Money | None] = []
    for part, quantity in zip(tariff.plain, billed, strict=True):
        if part is None or not quantity:
            parts.append(None)
            continue
        before, added, rate = part.net * quantity, part.tax * quantity, part.rate
        net += before
        tax += added
        told = True
        if is_doubted and rate is None and before:
            told = known = False
        parts.append(pay(before, added, rate, told))
    energy, time, parking, fixed = parts
    return Summed(tariff, (pay(net, tax, rate, known), energy, time, parking, fixed, None), used, billed)


def _used(periods: Sequence[Period]) -> Quantities | None:
    """What was used of each dimension; None, if energy was given back."""
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
    return energy, time, parking, 1


def _raised(used: Quantities, plain: Sequence[Component | None]) -> Quantities:
    """What is billed of each dimension, after steps."""
    energy, time, parking, once = used
    of_energy, of_time, of_parking, _ = plain
    if of_energy and of_energy.step:
        energy += -energy % of_energy.step
    if of_parking and parking:
        if of_parking.step:
            parking += -parking % of_parking.step
    elif of_time and of_time.step:
        time += -time % of_time.step
    return energy, time, parking, once


def segments_of(session: Session, tariff: Compiled) -> list[Segment]:
    """The segments of an ordinary session, before steps, as the walk would record them."""
    plain = tariff.plain
    flat = plain[Dimension.FLAT]
    segments: list[Segment] = []
    for period in session.periods:
        if flat:
            segments.append(Segment(period, Dimension.FLAT, False, 1, 1, flat, tariff, NOWHERE))
            flat = None
        for dimension, quantity in zip(_CONSUMED, period.quantities[:RESERVED], strict=True):
            if quantity:
                part = plain[dimension]
                segments.append(Segment(period, dimension, False, quantity, quantity, part, tariff, NOWHERE))
    return segments


def raise_last(segments: Sequence[Segment], summed: Summed) -> tuple[Raised, ...]:
    """Add the surplus of every step to the last segment of its dimension, as `raise_to_steps` does."""
    found: list[Raised] = []
    for part, used, billed in zip(summed.tariff.plain, summed.used, summed.billed, strict=True):
        if part is not None and billed != used:
            last = next(segment for segment in reversed(segments) if segment.component is part)
            last.billed += billed - used
            found.append(Raised(last, part.step, used, billed - used))
    return tuple(found)


def tally_of(summed: Summed, policy: Policy) -> Tally:
    """The sums of an ordinary session, as the tally of its segments would find them."""
    tariff, billed = summed.tariff, summed.billed
    is_doubted = doubts(tariff, policy)
    buckets: list[Sums | None] = [None] * (RESERVATION + 1)
    untold: set[int] = set()
    for bucket, (part, quantity) in enumerate(zip(tariff.plain, billed, strict=True)):
        if part is not None and quantity:
            buckets[bucket] = {part.rate: [part.net * quantity, part.tax * quantity]}
            if is_doubted and part.rate is None and part.net:
                untold.add(bucket)
    return Tally(tariff.denominator, buckets, untold, tariff.gross_only)
