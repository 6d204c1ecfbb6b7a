"""How fast a charger may talk: a bucket of tokens.

A message takes one, and another for each `STEP` characters, as the work that it makes grows with its length: a charger
that says much at once must not keep the hub from all others. None takes more than half of what there can be, so who was
quiet may say the longest and go on. A long replay after an outage is slowed down, never refused.
"""

from __future__ import annotations

from typing import Final

from hub.core.clock import Clock

STEP: Final = 4096
"""Nearly all that chargers say is shorter."""


class Pace:
    """`burst` short messages at once, then `per_s` a second."""

    def __init__(self, clock: Clock, *, per_s: float, burst: int) -> None:
        self._clock, self._per_s, self._burst = clock, per_s, burst
        self._tokens, self._filled_at = float(burst), clock.monotonic()

    def allows(self, size: int) -> bool:
        """Are there the tokens for a message of so many characters?"""
        filled = self._tokens + (self._clock.monotonic() - self._filled_at) * self._per_s
        return min(self._burst, filled) >= self._price(size)

    def spend(self, size: int) -> float:
        """Spend the tokens for it. Returns: for how many seconds to wait, because there are not so many."""
        now = self._clock.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_s) - self._price(size)
        self._filled_at = now
        return 0.0 if self._tokens >= 0 else -self._tokens / self._per_s

    def _price(self, size: int) -> int:
        return min(1 + size // STEP, max(1, self._burst // 2))
