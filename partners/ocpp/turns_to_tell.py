"""When a charge that goes on is priced for its partner: not more often than is of use, however fast chargers replay.

Of one station at most once a second; and of all stations together for one part in `TELLING` of the time. What is
passed over now is told with a later sample, or by the ticker.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from hub.core.clock import Clock
from partners.ocpp.desk import Desk, Meter

TOLD_EVERY_S: Final = 1.0
"""Of one station: a running session is priced no more often, however fast a charger replays an hour."""
TELLING: Final = 25
"""Pricing what goes on takes one part in so many of the time, however many chargers replay. The ticker catches up."""
_ON_ITS_WAY_S: Final = 0.1
"""While one message goes the long way so that a partner is told, no other has to."""


class TurnsToTell:
    """Of all stations."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._from = 0.0

    def is_due(self, desk: Desk, meter: Meter, at: datetime) -> bool:
        """Is a partner to be told with the sample of `at`?"""
        if meter.due is not None and at < meter.due:
            return False
        return self.has_come(desk)

    def has_come(self, desk: Desk) -> bool:
        """Has the station's turn come, whatever it says?"""
        return self._clock.monotonic() >= max(desk.told_at + TOLD_EVERY_S, self._from)

    def on_its_way(self) -> None:
        """A message has set out to tell."""
        self._from = self._clock.monotonic() + _ON_ITS_WAY_S

    def told(self, desk: Desk, *, began: float) -> None:
        """It was worked out since `began`, by monotonic seconds."""
        desk.told_at = self._clock.monotonic()
        self._from = desk.told_at + (desk.told_at - began) * (TELLING - 1)
