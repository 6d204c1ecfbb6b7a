"""Power and current as samples tell them: each value is valid until the next, the first also before it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from modules.cdrs.build.facts import Sample
from modules.cdrs.build.register import MILLISECOND
from modules.tariffs.pricing import Exact, in_units, instant, rounded

PLACES: Final = 4
"""Decimals of every published figure."""
SCALE: Final = 10**9
"""Units of power or current in one kW or A."""


def whole_ms(moment: object, what: str) -> int:
    """An instant as the wire can say it: down to the millisecond. Raises: UnfitSession."""
    at = instant(moment, what)
    return at - at % MILLISECOND


def _published(value: Decimal, what: str) -> Exact:
    """A sample with the four decimals that it is published with, times 1e9."""
    return in_units(rounded(in_units(value, SCALE, what), SCALE, PLACES), SCALE, what)


class Course:
    """The steps of a sampled value."""

    def __init__(self, samples: Iterable[Sample], what: str) -> None:
        published: dict[Decimal, Exact] = {}  # the same few values come again and again
        in_order: list[tuple[int, Exact]] = []
        for at, value in samples:
            exact = published.get(value)
            if exact is None:
                exact = published[value] = _published(value, what)
            in_order.append((whole_ms(at, what), exact))
        in_order.sort()
        self._times = [at for at, _ in in_order]
        self._values = [value for _, value in in_order]

    def crossings(self, thresholds: Sequence[Exact]) -> set[int]:
        """When a sample lies on another side of a threshold than the one before it."""
        bands = [bisect_right(thresholds, value) for value in self._values]
        return {self._times[n] for n in range(1, len(bands)) if bands[n] != bands[n - 1]}

    def extremes(self, start: int, end: int) -> tuple[Exact | None, Exact | None]:
        """The lowest and the highest value from `start` until before `end`."""
        if not self._times:
            return None, None
        first = max(bisect_right(self._times, start) - 1, 0)
        valid = self._values[first : max(bisect_left(self._times, end), first + 1)]
        return min(valid), max(valid)
