"""Which stop ends which start, at one station. What the charger said decides, never when we heard it.

1. By id. A stop that names an id we gave to a start of this station ends that start. Not when it was dated before the
   start and its meter stood no higher: then the id is one from another life of the charger (or of its back end).
2. By content, for stops whose ids we never gave. A start without a stop is a candidate when the token does not differ,
   the meter did not fall, the times (if the clock is the same one) do not contradict, and no other charge began on that
   connector in between. Nearest pairs are joined first. What is left is an orphan.
3. What says 0, -1 or nothing has no number. A stop whose number could be one of ours is believed to mean the charge of
   that number, and no other: one of another station's, or of none that ever was, ends nothing that runs. It is joined
   by content only when its token is that of the start, and the start was not heard before all was over: a charger that
   was offline could not know our number, and made up its own. What it could else have ended bears a flag until its end.
4. In 2.x an end names its transaction, and ends that one and no other.
5. A stop with neither number nor token says nothing of whose charge is over. It is joined to a charge that was heard of
   before it was over only if there is no other that fits, and if energy was taken.

A start with several stops takes the earliest, and of one time the one with the lowest meter, so that no repeat raises
a bill that was told; if their meters differ that is a hard flag. The connector of a 1.6 stop is unknown and stays so:
nobody guesses 1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final, NamedTuple

from partners.ocpp.events import Event, Flag, StartKey, TransactionId, same_tag, time_key
from partners.ocpp.gathering import Gathered
from partners.ocpp.readings import is_credible

MOST_WATTS: Final = 1_500_000
"""More than any charger gives. A pair that needs more is joined only when there is no other."""


class StopKey(NamedTuple):
    """What makes a stop itself. The id it names is no part: a charger may send one stop under two ids. But in 2.x it
    is (`named`)."""

    id_tag: str
    time: str
    meter_wh: str
    named: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    """A start as first heard, and every id that was ever answered to it.

    `gathered`: of 2.x, what all parts of the transaction have said; `event` is made of that.
    """

    key: StartKey
    event: Event
    ids: frozenset[TransactionId] = frozenset()
    gathered: Gathered | None = None

    @property
    def connector(self) -> int:
        """0, where it is not known."""
        return self.event.connector or 0


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop as first heard, and every id that it was sent under."""

    key: StopKey
    event: Event
    names: frozenset[TransactionId] = frozenset()


@dataclass(slots=True)
class Pairing:
    """The stop of each start, with the flags of how it was found, and the stops that nobody claims."""

    stops: dict[StartKey, Event] = field(default_factory=dict)
    flags: dict[StartKey, frozenset[Flag]] = field(default_factory=dict)
    orphans: tuple[Event, ...] = ()


class _Pair(NamedTuple):
    """A possible pair, worst things first, so that the smallest is the nearest."""

    clocks_differ: bool
    implausible: bool
    seconds: float
    energy_wh: Decimal
    start: StartKey
    stop: StopKey


def stop_key(event: Event) -> StopKey:
    """The identity of a stop."""
    meter = "" if event.meter_wh is None else str(event.meter_wh.normalize() + 0)
    named = "" if event.part is None else event.named
    return StopKey(same_tag(event.id_tag), time_key(event), meter, named)


def pair(starts: Mapping[StartKey, Start], stops: Iterable[Stop]) -> Pairing:
    """Join the starts and stops of one station. The order of either does not matter."""
    found, unclaimed = _by_id(starts, stops)
    pairing = Pairing()
    for key, several in found.items():
        several.sort(key=_earliest_first)
        pairing.stops[key] = several[0].event
        disagree = len({stop.event.meter_wh for stop in several}) > 1
        pairing.flags[key] = frozenset({Flag.STOPS_DISAGREE} if disagree else ())
    _by_content(starts, unclaimed, pairing)
    return pairing


def owners(starts: Mapping[StartKey, Start]) -> dict[TransactionId, StartKey]:
    """Whose each id is. One that a charger gave to two charges is nobody's: content decides then."""
    owner: dict[TransactionId, StartKey] = {}
    shared: set[TransactionId] = set()
    for key, start in starts.items():
        shared |= start.ids & owner.keys()
        owner.update(dict.fromkeys(start.ids, key))
    return {name: key for name, key in owner.items() if name not in shared}


def _by_id(
    starts: Mapping[StartKey, Start], stops: Iterable[Stop]
) -> tuple[dict[StartKey, list[Stop]], dict[StopKey, Stop]]:
    owner = owners(starts)
    found: dict[StartKey, list[Stop]] = defaultdict(list)
    unclaimed: dict[StopKey, Stop] = {}
    for stop in stops:
        named = {owner[name] for name in stop.names if name in owner}
        meant = [key for key in named if key.named or not _is_from_another_life(starts[key].event, stop.event)]
        for key in meant:
            found[key].append(stop)
        if not meant:
            unclaimed[stop.key] = stop
    return found, unclaimed


def _by_content(starts: Mapping[StartKey, Start], unclaimed: dict[StopKey, Stop], pairing: Pairing) -> None:
    candidates = [start for key, start in starts.items() if key not in pairing.stops and not key.named]
    following = _next_on_connector(starts)
    by_tag = _by_tag(unclaimed.values())
    pairs = sorted(
        _pair(start, stop)
        for start in candidates
        for stop in _of_token(start, by_tag)
        if _may_be_meant(start.event, stop) and _fits(start.event, stop.event, following.get(start.key))
    )
    choices = {key: sum(1 for pair in pairs if pair.stop == key) for key in unclaimed}
    for nearest in pairs:
        if nearest.start in pairing.stops or nearest.stop not in unclaimed:
            continue
        is_told = nearest.energy_wh != 0 and choices[nearest.stop] == 1
        if not is_told and _says_nothing(starts[nearest.start].event, unclaimed[nearest.stop]):
            continue
        pairing.stops[nearest.start] = unclaimed.pop(nearest.stop).event
        ambiguous = {Flag.MATCH_AMBIGUOUS} if choices[nearest.stop] > 1 else set()
        pairing.flags[nearest.start] = frozenset({Flag.STOP_ID_UNKNOWN, *ambiguous})
    pairing.orphans = tuple(unclaimed[key].event for key in sorted(unclaimed))
    misnamed = _by_tag(stop for stop in unclaimed.values() if _is_numbered(stop))
    for start in (start for start in candidates if start.key not in pairing.stops):
        if any(_fits(start.event, stop.event, following.get(start.key)) for stop in _of_token(start, misnamed)):
            pairing.flags[start.key] = frozenset({Flag.STOP_MISNAMED})


def _by_tag(stops: Iterable[Stop]) -> Mapping[str | None, list[Stop]]:
    """Stops by their token. A charger gone mad reports hundreds, and each is looked at for each start."""
    found: dict[str | None, list[Stop]] = defaultdict(list)
    for stop in stops:
        found[None if stop.event.id_tag is None else same_tag(stop.event.id_tag)].append(stop)
    return found


def _of_token(start: Start, stops: Mapping[str | None, list[Stop]]) -> list[Stop]:
    """The stops whose token does not differ from that of the start."""
    return [*stops.get(None, ()), *stops.get(same_tag(start.event.id_tag), ())]


def _is_numbered(stop: Stop) -> bool:
    """Does it name what could be a number of ours, and nothing else?"""
    return bool(stop.names) and all(isinstance(name, int) and name > 0 for name in stop.names)


def _may_be_meant(start: Event, stop: Stop) -> bool:
    """Can a stop mean a charge without naming it?"""
    return not _is_numbered(stop) or (stop.event.id_tag is not None and _was_over(start, stop.event))


def _says_nothing(start: Event, stop: Stop) -> bool:
    """Could it as well have ended any other charge of a charger that was online?"""
    return stop.event.id_tag is None and not _is_numbered(stop) and not _was_over(start, stop.event)


def _was_over(start: Event, stop: Event) -> bool:
    """Was the charge over before we heard of it, so that its charger cannot have known our number?

    A clock that is hours behind says so of every charge: start and stop must also have come closer together than they
    lay apart.
    """
    began, ended = start.said, stop.said
    if ended is None or not is_credible(ended) or start.arrival < ended:
        return False
    return began is None or not is_credible(began) or (stop.arrival - start.arrival) * 2 < ended - began


def _fits(start: Event, stop: Event, following: datetime | None) -> bool:
    """Do connector, meter and times agree? The token does."""
    if stop.connector is not None and stop.connector != start.connector:
        return False
    if start.meter_wh is not None and stop.meter_wh is not None and stop.meter_wh < start.meter_wh:
        return False
    began, ended = start.said, stop.said
    if began is None or ended is None or is_credible(began) != is_credible(ended):
        return True
    return began <= ended and (following is None or not is_credible(ended) or ended <= following)


def _pair(start: Start, stop: Stop) -> _Pair:
    began, ended = start.event.said, stop.event.said
    energy = (stop.event.meter_wh or Decimal(0)) - (start.event.meter_wh or Decimal(0))
    if began is None or ended is None or is_credible(began) != is_credible(ended):
        return _Pair(True, False, 0.0, energy, start.key, stop.key)
    seconds = (ended - began) / timedelta(seconds=1)
    too_much = energy > Decimal(str(seconds)) * MOST_WATTS / 3600 + 1000
    return _Pair(False, too_much, seconds, energy, start.key, stop.key)


def _next_on_connector(starts: Mapping[StartKey, Start]) -> dict[StartKey, datetime]:
    """When the next charge began on the same connector, for starts whose clock was set."""
    lanes: dict[int, list[tuple[datetime, StartKey]]] = defaultdict(list)
    for key, start in starts.items():
        said = start.event.said
        if said is not None and is_credible(said):
            lanes[start.connector].append((said, key))
    following: dict[StartKey, datetime] = {}
    for lane in lanes.values():
        lane.sort()
        for (began, key), (after, _) in pairwise(lane):
            if after > began:
                following[key] = after
    return following


def _is_from_another_life(start: Event, stop: Event) -> bool:
    """Dated before the start, by a clock that was set, and with a meter that stood no higher."""
    began, ended = start.said, stop.said
    if began is None or ended is None or not is_credible(began) or not is_credible(ended) or ended >= began:
        return False
    return start.meter_wh is not None and stop.meter_wh is not None and stop.meter_wh <= start.meter_wh


def _earliest_first(stop: Stop) -> tuple[bool, bool, str, Decimal, StopKey]:
    said, meter = stop.event.said, stop.event.meter_wh
    time = said.isoformat() if said is not None else ""
    is_bare = bool(stop.key.named) and meter is None
    return (is_bare, not is_credible(said), time, meter or Decimal(0), stop.key)
