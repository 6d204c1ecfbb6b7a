"""Prices of another tariff than that of the session."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, Final

from modules.cdrs.check.amounts import PARTS, Figures, Pair, coin_of, finest, is_copy
from modules.cdrs.check.bill import Bill, part_of
from modules.cdrs.check.claim import Age, without_validity
from modules.cdrs.check.result import Cause
from modules.cdrs.check.suppose.supposition import Suppositions
from modules.tariffs.pricing import HOUR, KWH, Code
from modules.tariffs.pricing import rounded as rounded_exact

TARIFFS = Suppositions()

_LARGEST: Final = 20
_UNITS: Final = {"energy": KWH, "time": HOUR, "parking": HOUR, "fixed": 1, "reservation": HOUR}
_TELLING: Final = 4
"""So many times the last place of an amount must lie between those of two prices that are a coin apart."""
_FINE: Final = 10


@TARIFFS(Cause.STALE_TARIFF)
def later_version(bill: Bill) -> Iterator[Figures]:
    """The prices are those to which its tariff was changed after the start of the session."""
    yield from _priced_by(bill, [*bill.claim.late, *bill.claim.newer])


@TARIFFS(Cause.STALE_TARIFF)
def replaced_version(bill: Bill) -> Iterator[Figures]:
    """The prices are those of the tariff that it holds, and another version was told and in force at the start."""
    if bill.claim.told_otherwise:
        yield bill.again(tariffs=bill.claim.believing(*Age))


@TARIFFS(Cause.STALE_TARIFF)
def another_tariff(bill: Bill) -> Iterator[Figures]:
    """The prices are those of another tariff than the one of the session."""
    known: list[Any] = [*bill.claim.tariffs, *bill.claim.embedded]
    yield from _priced_by(bill, known if len(known) > 1 else [])


def _priced_by(bill: Bill, tariffs: Sequence[Any]) -> Iterator[Figures]:
    """The price by each of these tariffs alone."""
    periods = [{name: v for name, v in p.items() if name != "tariff_id"} for p in bill.case.periods]
    for tariff in tariffs[:_LARGEST]:
        yield bill.again(tariffs=[without_validity(tariff)], periods=periods)


@TARIFFS(Cause.STALE_TARIFF)
def another_price(bill: Bill) -> Iterator[Figures]:
    """The amount is that of another price than the tariff states."""
    for part in PARTS:
        segments = [segment for segment in bill.segments if part_of(segment) == part]
        if len({id(segment.component) for segment in segments}) != 1 or not _may_tell(bill, part):
            continue
        billed = Fraction(sum(segment.billed for segment in segments)) / _UNITS[part]
        quoted = Fraction(segments[0].component.price) if segments[0].component else Fraction(0)
        if not billed or not quoted or not bill.exact[part].excl:
            continue
        factor = _implied(bill, part, billed, quoted) / quoted
        if factor:
            yield bill.billed_as(lambda s, part=part, f=factor: s.billed * f if part_of(s) == part else s.billed)  # type: ignore[misc]


def _may_tell(bill: Bill, part: str) -> bool:
    """Does the CDR state this part, or is the part its whole total? And has one price ruled each of its periods?"""
    if part != "fixed" and Code.PERIOD_SPANS_A_PRICE_CHANGE in bill.codes:
        return False
    return part in bill.claimed or (bill.claimed.keys() == {"total"} and bill.exact.keys() == {"total", part})


def _implied(bill: Bill, part: str, billed: Fraction, quoted: Fraction) -> Fraction:
    """The price of a unit, in whole coins of the currency, that gives just the claimed amount; 0 where there is none.

    Where a coin more or less for a unit makes hardly another amount, some price gives any.
    """
    name = part if part in bill.claimed else "total"
    claimed, coin = bill.claimed[name].excl, Fraction(coin_of(bill.claim.currency))
    net = Fraction(bill.exact[part].excl) / billed / quoted
    step = abs(coin * billed * net)
    if step <= Fraction(bill.scale.tolerance) or step < _TELLING * Fraction(finest(claimed, bill.scale)):
        return Fraction(0)
    price = round(Fraction(claimed) / billed / net / coin) * coin
    made = price * billed * net
    pair = Pair(name, "before_taxes", claimed, rounded_exact(made, 1, _FINE))
    return price if is_copy(pair, bill.scale) else Fraction(0)
