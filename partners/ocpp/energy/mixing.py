"""How the time of each span is divided among patterns, so that all charges of a day together get the most energy.

A *pattern* is one way to serve those who are there (`patterns.py`). A span in which nothing else changes is divided
among patterns. Each charge has a *weight*: 1 while the division of the whole day gives it less than it wants, falling
to 0 as it has enough. Again and again, in each span, the pattern that gives the most energy by these weights takes time
from the one that gives the least, as far as that gains. When no span gains any more, weights are made sharper.

It comes to the optimum of the linear program over all patterns that were found (these are pairwise steps of Frank and
Wolfe, a span at a time). So a charge that can wait yields to one that cannot, over chains of others and over the whole
day, and nobody has to look for the chain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf
from typing import Final

from partners.ocpp.energy.day import Day, Slot
from partners.ocpp.energy.patterns import Span, spans_of

SOFT: Final = (1.0, 0.3, 0.1, 0.03, 0.01)
"""The part of what a charge wants over which its weight falls from 1 to 0, round after round."""
SWEEPS: Final = 20
ENOUGH: Final = 0.002
"""A round ends when a sweep could have gained less than this part of the energy."""
EFFORT: Final = 60_000
"""Looks at a charge that a pattern may serve: some tenths of a second, and many times what a site of ten needs."""
SHORTEST: Final = timedelta(minutes=5)
"""A pattern that would last shorter in its span is left out."""
_NEGLIGIBLE: Final = 1e-9
_HALVINGS: Final = 12


@dataclass(slots=True)
class Mix:
    """The division of a day to which nobody was given anything.

    parts: of each span, how much of its time each of its patterns has; it begins with all of it for nobody.
    """

    day: Day
    effort: int = EFFORT
    spans: list[Span] = field(init=False)
    parts: list[dict[int, float]] = field(init=False)
    given_uj: list[float] = field(init=False)

    def __post_init__(self) -> None:
        self.spans = spans_of(self.day)
        self.parts = [{0: 1.0} for _ in self.spans]
        self.given_uj = [0.0] * len(self.day.wanting)
        for span in self.spans:
            span.keep((0,) * len(span.here))

    def run(self) -> None:
        """Divide the time, until nothing more is gained or the effort is spent."""
        for soft in SOFT:
            for _ in range(SWEEPS):
                could = [self._improve(span, parts, soft) for span, parts in zip(self.spans, self.parts, strict=True)]
                if sum(could) <= ENOUGH * self.energy_uj:
                    break
                if sum(span.looks for span in self.spans) > self.effort:
                    return

    def divided(self) -> Iterator[tuple[int, Slot, Mapping[int, int]]]:
        """The slots of the day, by number, in the parts that patterns have; and what each charge, by number, draws."""
        found = {span.slot: (span, parts) for span, parts in zip(self.spans, self.parts, strict=True)}
        for number, slot in enumerate(self.day.slots):
            if number in found:
                span, parts = found[number]
                for nth, part in _lasting(slot, parts, [sum(pattern.uj) for pattern in span.patterns]):
                    yield number, part, dict(zip(span.here, span.patterns[nth].ma, strict=True))
            else:
                yield number, slot, {}

    @property
    def energy_uj(self) -> float:
        """What all get together, none of them more than it wants."""
        each = zip(self.day.wanting, self.given_uj, strict=True)
        return sum(given if wanting.left_uj is None else min(given, wanting.left_uj) for wanting, given in each)

    def _lacks(self, number: int, soft: float) -> tuple[float, float]:
        """What a charge is not given of what it wants, and the energy over which its weight falls."""
        wants = self.day.wanting[number].left_uj
        return (inf, 1.0) if wants is None else (wants - self.given_uj[number], soft * wants)

    def _improve(self, span: Span, parts: dict[int, float], soft: float) -> float:
        """Let the best pattern take time from the worst; how much could have been gained by all of it."""
        values = span.look(tuple([_weight(*self._lacks(number, soft)) for number in span.here]))
        best, worst = max(range(len(values)), key=values.__getitem__), min(parts, key=values.__getitem__)
        gain: float = (values[best] - values[worst]) * parts[worst]
        if gain > 0:
            change = [to - of for to, of in zip(span.patterns[best].uj, span.patterns[worst].uj, strict=True)]
            part = self._part(span, change, parts[worst], soft)
            self._shift(span, change, part)
            parts[best] = parts.get(best, 0.0) + part
            parts[worst] -= part
            if parts[worst] < _NEGLIGIBLE:
                del parts[worst]
        return gain

    def _part(self, span: Span, change: Sequence[float], most: float, soft: float) -> float:
        """How much time, up to `most`, is best moved: with more, falling weights would make it a loss."""
        moving = [(*self._lacks(number, soft), uj) for number, uj in zip(span.here, change, strict=True) if uj]

        def gains(part: float) -> bool:
            return sum([_weight(lack - part * uj, over) * uj for lack, over, uj in moving]) > 0

        if gains(most):
            return most
        low, high = 0.0, most
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if gains(middle) else (low, middle)
        return low

    def _shift(self, span: Span, change: Sequence[float], part: float) -> None:
        for number, uj in zip(span.here, change, strict=True):
            self.given_uj[number] += part * uj


def _weight(lack: float, over: float) -> float:
    """What energy is worth to a charge that lacks as much, where that falls from 1 to 0 `over` an energy."""
    weight = lack / over + 0.5
    return 1.0 if weight > 1.0 else max(0.0, weight)


def _lasting(slot: Slot, parts: Mapping[int, float], worth: Sequence[int]) -> Iterator[tuple[int, Slot]]:
    """When in `slot` it is the turn of which pattern: the one that gives the most energy comes first."""
    length, longest = slot.until - slot.begin, max(parts, key=lambda nth: parts[nth])
    kept = [nth for nth, part in parts.items() if part * length >= SHORTEST or nth == longest]
    kept.sort(key=lambda nth: (-worth[nth], nth))
    at = slot.begin
    for number, nth in enumerate(kept):
        share = parts[nth] / sum(parts[each] for each in kept[number:])
        until = at + (slot.until - at) * share
        yield nth, Slot(at, until)
        at = until
