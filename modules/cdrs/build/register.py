"""The energy register between its readings.

Energy is interpolated linearly between the two neighbouring readings, never beyond them. The first reading
is zero; readings from before the start or after the end of the session count as at the start and at the
end, so that the whole is always the last reading less the first. That is right for a charge, whose meter stands
still before and after it; who tells of other meters (`timeline`) says first what they showed at the edges.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final

from modules.cdrs.build.facts import Sample
from modules.tariffs.pricing import KWH, Exact, in_units, instant

MILLISECOND: Final = 1000


class Register:
    """The energy charged in a session, in 1e-9 kWh, at any instant between `start` and `end`."""

    def __init__(self, readings: Iterable[Sample], start: int, end: int) -> None:
        in_order = sorted(
            ((instant(at, "a meter reading"), in_units(value, KWH, "a meter reading")) for at, value in readings),
            key=lambda reading: reading[0],
        )
        first = in_order[0][1] if in_order else 0
        self._start, self._end = start, end
        self._times = [min(max(at, start), end) for at, _ in in_order]
        self._charged: Sequence[Exact] = [value - first for _, value in in_order]

    def __bool__(self) -> bool:
        """Was anything read at all?"""
        return bool(self._times)

    @property
    def total(self) -> Exact:
        """The last reading less the first."""
        return self._charged[-1] if self._charged else 0

    def charged(self, at: int) -> Exact:
        """The energy charged until `at`."""
        after = bisect_right(self._times, at)
        if at <= self._start or after == 0:
            return 0
        if after == len(self._times):
            return self.total
        t0, t1 = self._times[after - 1], self._times[after]
        e0, e1 = self._charged[after - 1], self._charged[after]
        return e0 + Fraction((e1 - e0) * (at - t0)) / (t1 - t0)

    def reaches(self, energy: Exact) -> int | None:
        """The instant, rounded up to a millisecond, at which `energy` was charged; None if it never was.

        Between two readings that both count as at the start it is the millisecond after it, between two at the end the
        one before it: only there can a period begin.
        """
        for after in range(1, len(self._times)):
            e0, e1 = self._charged[after - 1], self._charged[after]
            if e0 < energy <= e1:
                t0, t1 = self._times[after - 1], self._times[after]
                if t1 == self._start:
                    return self._start + MILLISECOND
                if t0 == self._end and energy < self.total:
                    return self._end - MILLISECOND
                exact = t0 + Fraction((energy - e0) * (t1 - t0)) / (e1 - e0)
                return -(-exact // MILLISECOND) * MILLISECOND
        return None
