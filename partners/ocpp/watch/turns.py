"""Whose turn it is in a look: stations of which something moved, or is due; each of the others once a minute.

What a look finds of a station follows from few things that are in memory, and from the time. Most stations stand still
most of the time: then comparing those few things is all that a look costs. The turn once a minute is for what is not
among them, such as a start that was an hour ago.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from hub.core.clock import Clock
from partners.ocpp.journal import Record
from partners.ocpp.live import Live
from partners.ocpp.watch.alerts import Watched, next_step
from partners.ocpp.watch.rules import Sight, Thresholds

AT_LEAST_EVERY_S: Final = 60.0
_GOLDEN: Final = 0.618034
"""Multiples of it, without their whole part, lie evenly however many there are."""

Moves = tuple[object, ...]
"""What moves the rules and the outages of a station."""


class _Taken(NamedTuple):
    moves: Moves
    due: float


class Turns:
    """`charges`: what goes on at a station, by connector."""

    def __init__(self, clock: Clock, charges: Callable[[str], Mapping[int, Record]]) -> None:
        self._clock, self._charges = clock, charges
        self._taken: dict[str, _Taken] = {}
        self._spread = 0.0

    def of(self, live: Live) -> Moves | None:
        """What moves it, if it is its turn."""
        moves = self._moves(live)
        taken = self._taken.get(live.identity)
        if taken is not None and taken.moves == moves and self._clock.monotonic() < taken.due:
            return None
        return moves

    def take(self, live: Live, moves: Moves, *, due_s: float = AT_LEAST_EVERY_S) -> None:
        """It was looked at as `moves` were; in `due_s` it must be again, if nothing moves before."""
        if live.identity not in self._taken:  # the minutes of those that are first seen together end apart
            self._spread = (self._spread + _GOLDEN) % 1
            due_s = min(due_s, self._spread * AT_LEAST_EVERY_S)
        self._taken[live.identity] = _Taken(moves, self._clock.monotonic() + min(due_s, AT_LEAST_EVERY_S))

    def forget(self, identity: str) -> None:
        """It is its turn, whatever was seen."""
        self._taken.pop(identity, None)

    def keep(self, identities: Container[str]) -> None:
        """Forget all others: they are no more."""
        self._taken = {identity: taken for identity, taken in self._taken.items() if identity in identities}

    def _moves(self, live: Live) -> Moves:
        charges = self._charges(live.identity)
        return (
            live.station,
            live.link.generation if live.link is not None else None,
            tuple(live.connectors.items()),
            live.delays,
            live.connections,
            live.rejected,
            live.starts,
            [(at, r.key, r.start, r.energy_kwh) for at, r in charges.items()] if charges else None,
        )


def due_s(sight: Sight, watched: Iterable[Watched], thresholds: Thresholds, now: datetime) -> float:
    """In how many seconds a rule may begin to hold, or an alert may open or close, though nothing moves."""
    moments = [next_step(one, thresholds) for one in watched]
    if sight.commissioned_since is not None:
        moments.append(sight.commissioned_since + timedelta(seconds=thresholds.commissioning_s))
    for charge in sight.charges:
        moments.append(charge.progress_at + timedelta(seconds=thresholds.no_progress_s))
        moments.append(charge.began + timedelta(seconds=thresholds.stuck_s))
    spans = [(moment - now).total_seconds() for moment in moments if moment is not None and moment > now]
    return min(spans, default=AT_LEAST_EVERY_S)
