"""min_price and max_price. OCPI mod_tariffs_tariff_object, types_pricelimit_class.

The two bounds of a limit are independent: the total before taxes is held against `before_taxes`, the total
after taxes against `after_taxes`. The minimum comes first, then the maximum; sub-totals stay as they are.
Where a limit has no `after_taxes`, the text does not say what becomes of the tax: it then moves in
proportion.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Literal, NamedTuple, TypeAlias

from modules.tariffs.pricing.faults import UnfitTariff
from modules.tariffs.pricing.numbers import decimal_of

Unstated: TypeAlias = Literal["proportion", "unmoved", "unknown"]


class Limit(NamedTuple):
    """A PriceLimit; a bound that is not stated does not bind."""

    before: Fraction | None
    after: Fraction | None


class Move(NamedTuple):
    """A limit that moved a figure. `bound` is None where the tax moved in proportion, for want of a bound."""

    limit: str
    figure: str
    bound: Fraction | None
    was: Fraction
    now: Fraction


class Bounded(NamedTuple):
    """A total after the limits. `after` is None where the tax is unknown; `guessed`: a limit said nothing of it."""

    before: Fraction
    after: Fraction | None
    moves: tuple[Move, ...] = ()
    guessed: bool = False


def limit_of(tariff: Mapping[str, Any], field: str) -> Limit | None:
    """The PriceLimit in `field` of a tariff in our form, None if there is none. Raises: UnfitTariff."""
    tree = tariff.get(field)
    if tree is None:
        return None
    if not isinstance(tree, Mapping):
        raise UnfitTariff(f"{field} is not a PriceLimit")
    before, after = (
        None if tree.get(bound) is None else Fraction(decimal_of(tree[bound], field, fault=UnfitTariff))
        for bound in ("before_taxes", "after_taxes")
    )
    return Limit(before, after)


def bounded(
    total: Bounded, minimum: Limit | None, maximum: Limit | None, *, gross_only: bool, unstated: Unstated
) -> Bounded:
    """`total` within the limits. With `gross_only` both figures are the one that is known, the gross one.

    unstated: what becomes of the tax where a limit that was reached states no amount after taxes.
    """
    for name, limit, pick in (("min_price", minimum, max), ("max_price", maximum, min)):
        if limit is None:
            continue
        if gross_only:
            limit = Limit(*[limit.before if limit.after is None else limit.after] * 2)
        before = total.before if limit.before is None else pick(total.before, limit.before)
        after, guessed = total.after, total.guessed
        if after is not None and limit.after is not None:
            after = pick(after, limit.after)
        elif after is not None and before != total.before:
            after, guessed = _following(unstated, total.before, after, before), True
        moves = (
            *_move(name, "before_taxes", limit.before, total.before, before),
            *_move(name, "after_taxes", limit.after, total.after, after),
        )
        total = Bounded(before, after, total.moves + moves, guessed)
    return total


def _following(unstated: Unstated, was: Fraction, after: Fraction, before: Fraction) -> Fraction | None:
    """The amount after taxes, where only the one before taxes has a bound, which moved it."""
    if unstated == "unmoved":
        return after
    if unstated == "unknown":
        return None
    return after * before / was if was else before


def _move(
    limit: str, figure: str, bound: Fraction | None, was: Fraction | None, now: Fraction | None
) -> tuple[Move, ...]:
    if was is None or now is None or was == now:
        return ()
    return (Move(limit, figure, bound, was, now),)
