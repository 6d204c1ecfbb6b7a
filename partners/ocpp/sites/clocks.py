"""By how much a charger's clock is behind ours: the least delay with which it was heard on its present connection.

A share holds from and until a moment of the charger's own clock, which may be hours wrong. What it says of a moment
long past, out of its queue, is heard with a large delay; what it says of now with that of its clock alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from hub.core.jsontypes import Json, Tree
from partners.ocpp.live import Link
from partners.ocpp.readings import parse_time
from partners.ocpp.register import folded

_SLACK: Final = timedelta(seconds=2)
"""Less than this is the way that messages take."""


class Clocks:
    """Of all stations at sites."""

    def __init__(self) -> None:
        self._behind: dict[str, tuple[int, timedelta]] = {}

    def heard(self, link: Link, payload: Tree, now: datetime) -> None:
        """Look at the times that a message holds."""
        key = folded(link.live.identity)
        for said in _times(payload):
            moment = parse_time(said)
            if moment is not None:
                generation, least = self._behind.get(key, (-1, timedelta.max))
                delay = now - moment
                self._behind[key] = (link.generation, min(least, delay) if generation == link.generation else delay)

    def behind(self, link: Link) -> timedelta:
        """Nothing, where it is not known."""
        generation, delay = self._behind.get(folded(link.live.identity), (-1, timedelta(0)))
        return delay if generation == link.generation and abs(delay) > _SLACK else timedelta(0)


def _times(payload: Tree) -> Iterator[Json]:
    yield payload.get("timestamp")
    values = payload.get("meterValue")
    for value in values if isinstance(values, list) else ():
        if isinstance(value, dict):
            yield value.get("timestamp")
