"""From segments to sums, which stay exact: `money` rounds them, each published figure once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import lcm
from typing import Final

from msgspec import Struct

from modules.tariffs.pricing.compile import Compiled
from modules.tariffs.pricing.money import Sums, money
from modules.tariffs.pricing.policy import Policy
from modules.tariffs.pricing.steps import Segment

RESERVATION: Final = 4
"""The bucket after those of the dimensions: reserved time and the FLAT of a reservation."""


class Tally(Struct, gc=False):
    """The exact sums of a session, by bucket and rate. All amounts are over `denominator`.

    buckets: those of the dimensions, then that of the reservation; None where nothing has a component.
    untold: the buckets in which something costs money of which nobody says what comes after taxes.
    """

    denominator: int
    buckets: list[Sums | None]
    untold: set[int]
    gross_only: bool


def tally(segments: Iterable[Segment], used: Sequence[Compiled], policy: Policy) -> Tally:
    """Sum the priced segments. `used`: the tariffs of the session."""
    denominator = lcm(*(tariff.denominator for tariff in used))
    buckets: list[Sums | None] = [None] * (RESERVATION + 1)
    untold: set[int] = set()
    doubted = {id(tariff) for tariff in used if doubts(tariff, policy)}
    for segment in segments:
        component, tariff = segment.component, segment.tariff
        if component is None or tariff is None:
            continue
        quantity, rate = segment.billed, component.rate
        if tariff.denominator != denominator:
            quantity *= denominator // tariff.denominator
        bucket: int = RESERVATION if segment.reserved else segment.dimension
        if doubted and rate is None and id(tariff) in doubted and component.net and quantity:
            untold.add(bucket)
        sums = buckets[bucket]
        if sums is None:
            buckets[bucket] = {rate: [component.net * quantity, component.tax * quantity]}
        elif (pair := sums.get(rate)) is None:
            sums[rate] = [component.net * quantity, component.tax * quantity]
        else:
            pair[0] += component.net * quantity
            pair[1] += component.tax * quantity
    return Tally(denominator, buckets, untold, bool(used) and all(tariff.gross_only for tariff in used))


def doubts(tariff: Compiled, policy: Policy) -> bool:
    """Is it not known whether a component without `vat` has none? A price that holds its tax leaves no doubt."""
    return not tariff.taxes_known or (policy.missing_vat == "unknown" and tariff.rates_are_added)


def joined(buckets: Iterable[Sums | None]) -> Sums:
    """The sums of several buckets as one."""
    total: Sums = {}
    for sums in buckets:
        for rate, (net, tax) in sums.items() if sums else ():
            pair = total.get(rate)
            if pair is None:
                total[rate] = [net, tax]
            else:
                pair[0] += net
                pair[1] += tax
    return total


def to_add_up(counted: Tally, policy: Policy) -> Tally:
    """The sums that make the total: with each bucket rounded first, for contracts that add up rounded sub-totals."""
    if not policy.round_parts_first:
        return counted
    scale = 10**policy.decimals
    buckets: list[Sums | None] = []
    for bucket, sums in enumerate(counted.buckets):
        if sums is None:
            buckets.append(None)
            continue
        part = money(sums, counted.denominator, policy, known=bucket not in counted.untold)
        taxes = {line.rate: int(line.amount * scale) for line in part.taxes}
        parts: Sums = {rate: [0, taxes.get(rate, 0)] for rate in sums}
        next(iter(parts.values()))[0] = int(part.excl * scale)
        buckets.append(parts)
    return Tally(scale, buckets, counted.untold, counted.gross_only)
