"""How fast a charger may talk: a bucket of tokens.

A long replay after an outage is slowed down, never refused.
"""

from __future__ import annotations

from hub.core.clock import Clock


class Pace:
    """`burst` messages at once, then `per_s` a second."""

    def __init__(self, clock: Clock, *, per_s: float, burst: int) -> None:
        self._clock, self._per_s, self._burst = clock, per_s, burst
        self._tokens, self._filled_at = float(burst), clock.monotonic()

    def allows(self) -> bool:
        """Is there a token?"""
        return self._tokens >= 1 or self._tokens + (self._clock.monotonic() - self._filled_at) * self._per_s >= 1

    def spend(self) -> float:
        """Spend a token. Returns: for how many seconds to wait, because there is none."""
        now = self._clock.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_s) - 1
        self._filled_at = now
        return 0.0 if self._tokens >= 0 else -self._tokens / self._per_s
