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

    async def keep(self) -> bool:
        """Spend a token, and wait when there is none. True when it had to wait."""
        now = self._clock.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_s) - 1
        self._filled_at = now
        if self._tokens >= 0:
            return False
        await self._clock.sleep(-self._tokens / self._per_s)
        return True
