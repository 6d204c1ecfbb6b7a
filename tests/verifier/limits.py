"""min_price, then max_price, of the tariff that held at the start: each bound against its own total; what the
parts cost is not touched (mod_tariffs_tariff_object). A session that never came to be has no minimum.

Where a limit states no amount after taxes, the taxes move in proportion. Where only the gross is known, the
gross is held against the bound after taxes, or the only one that is stated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from tests.verifier.case import Tariff
from tests.verifier.taxes import Sum, not_known, only_gross

Bound = Fraction | None


@dataclass(frozen=True)
class Moved:
    """What a limit did to one figure. `bound`: None where it states none and the figure followed the other."""

    limit: str
    figure: str
    bound: Bound
    before: Fraction
    after: Fraction


@dataclass(frozen=True)
class Ruling:
    """Whose limits hold, and what besides decides. `used`: all tariffs that price a period."""

    tariff: Tariff | None
    used: Sequence[Tariff]
    version: str
    in_session: bool
    policy: Mapping[str, Any]

    @property
    def limits(self) -> Iterator[tuple[str, Bound, Bound]]:
        """Each limit with its bounds before and after taxes."""
        stated = self.tariff.limits if self.tariff is not None else {}
        for name in ("min_price", "max_price"):
            if name in stated and (name == "max_price" or self.in_session or self.policy["minimum_without_session"]):
                net, gross = stated[name]
                if all(only_gross(each, self.version) for each in self.used):
                    net = gross = gross if gross is not None else net
                yield name, net, gross

    def following(self, before: Fraction, was: Sum) -> Bound:
        """The amount after taxes, where a limit has moved the one before taxes and says nothing of it."""
        how = self.policy["limit_without_after_taxes"]
        if was.after is None or how == "unknown":
            return None
        if how == "unmoved":
            return was.after
        if self.tariff is None or not_known(self.tariff, self.version):
            return None
        tax = was.after - was.before
        return before + (tax * before / was.before if was.before else tax)


def limit(total: Sum, ruling: Ruling) -> tuple[Sum, list[Moved], bool]:
    """The total within its limits, what they moved, and whether one said nothing of what comes after taxes."""
    moved: list[Moved] = []
    held, unsaid = total, False
    for name, net, gross in ruling.limits:
        before, after = _held(held.before, net, name), held.after
        if after is not None and gross is not None:
            after = _held(after, gross, name)
        elif after is not None and before != held.before:
            after, unsaid = ruling.following(before, held), True
        moved += _moves(name, (net, gross), held, before, after)
        held = replace(held, before=before, after=after)
    return (replace(held, taxes=_taxes(total, held)) if moved else total), moved, unsaid


def _moves(name: str, bounds: tuple[Bound, Bound], was: Sum, before: Fraction, after: Bound) -> Iterator[Moved]:
    if before != was.before:
        yield Moved(name, "before_taxes", bounds[0], was.before, before)
    if after is not None and was.after is not None and after != was.after:
        yield Moved(name, "after_taxes", bounds[1], was.after, after)


def _held(value: Fraction, bound: Bound, name: str) -> Fraction:
    if bound is None:
        return value
    return max(value, bound) if name == "min_price" else min(value, bound)


def _taxes(total: Sum, held: Sum) -> dict[Fraction | None, Fraction]:
    """Each rate keeps its share; where there was no tax to share, the new one has no rate."""
    was = sum(total.taxes.values(), Fraction(0))
    tax = Fraction(0) if held.after is None else held.after - held.before
    if was:
        return {rate: part * tax / was for rate, part in total.taxes.items()}
    return {None: tax} if tax else {}
