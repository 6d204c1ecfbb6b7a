"""The ledger: what a station reported, in any order and any number of times, and what it adds up to.

A charger is a reporter who shouts across a bad line. It repeats itself under new message ids, sends the stop before the
start, replays last week at noon, names transactions 0 and -1, and lives in 1970 until somebody tells it the time. So
the ledger keeps *facts*, and derives everything else from the set of them, every time:

    event -> fact (merged with its repeats) -> pairs of start and stop -> transactions -> what changed (effects)

* A fact is known by its content (`facts.py`). A start is (station, connector, idTag, time as sent, meterStart); a stop
  is (idTag, time, meterStop); samples are their values. Of repeats the first arrival counts, and ids are collected. So
  repetition changes nothing, and order cannot: a set has none.
* In 2.x the charger names its transactions, and (station, id) is what one is known by. Any of its messages may come
  first, so each tells of the start what it knows, and the best of all that was told counts (`gathering.py`). Where a
  charger uses an id again each charge has a name of its own, and comes here under that (`used_again.py`).
* Pairing (`matching.py`) looks at content alone. Hence *the same bill*. It is keyed by the content of the start, never
  by an id of ours, which is a name given in order of arrival. Its energy depends on nothing but what the charger said,
  and its times neither, as long as the charger's clock was set. With a clock that is dead or runs ahead times are
  reckoned from those of first arrival (`wrong_clock.py`), and the transaction says so.
* meterStop - meterStart is the bill; samples shape the periods (`amount.py`). They decide only when the stop is
  missing (the last sample) or the meter ran backwards (the sum of its rising parts); without any, nobody knows.
* Start and stop may count in another unit than the samples; then a charge has two figures (`scales.py`), of which the
  larger is the ledger's, and the one that the connector can give is billed.
* A charge without a stop ends administratively (flag ESTIMATED_END) when its connector reports Available after its last
  sign of life, when another charge begins there, or when the station booted and stayed silent about it. SuspendedEV
  ends nothing. A late stop corrects all three: the effect is `revised`, and whoever sent a CDR credits it first.
* Ids of 1.6 come from one durable sequence, handed in as `next_id`. Nothing that a charger says moves it: a stop with a
  number of 2^31 - 1 would use it up. A number that a station has mentioned is passed over when that station is given
  its next one, so that a stop of an earlier life never hits a charge of this one.

One `Book` is one station: (station, id) is the key, and no station can touch another's charge. `settle` is the whole as
one pure function; `apply` is the same, one event at a time, `with_samples` many samples at a time, and tests hold all
three equal. Samples that are later than all before are only added (`reckoning.Tally`), so that a charge of a thousand
is not reckoned a thousand times. A book is bounded: of a charger gone mad it forgets the older half, and of a very long
charge every second sample.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal

from partners.ocpp import wrong_clock
from partners.ocpp.events import HARD, Event, Orphan, StartKey, Transaction, start_key
from partners.ocpp.facts import Facts
from partners.ocpp.matching import Pairing, StopKey, pair, stop_key
from partners.ocpp.reckoning import Tally, grown, lowest, reckon, tally
from partners.ocpp.surroundings import Surroundings

MOST_CHARGES: Final = 300
"""Starts and stops that a book holds at most; `settle` alone is not bounded."""


@dataclass(frozen=True, slots=True)
class Book:
    """Everything one station reported that still matters. Begin with `blank(station)` or `settled(...)`."""

    facts: Facts
    pairing: Pairing = field(default_factory=Pairing)
    transactions: Mapping[StartKey, Transaction] = field(default_factory=dict)
    tallies: Mapping[StartKey, Tally] = field(default_factory=dict)
    """Of charges that go on; where there is none the charge is reckoned as a whole."""

    @property
    def station(self) -> str:
        return self.facts.station

    @property
    def orphans(self) -> tuple[Orphan, ...]:
        """Stops whose start is not known."""
        return tuple(Orphan(event) for event in self.pairing.orphans)

    @property
    def open(self) -> tuple[Transaction, ...]:
        """Charges that have not ended, oldest first."""
        going = [charge for charge in self.transactions.values() if charge.ending == "open"]
        return tuple(sorted(going, key=lambda charge: (charge.start, charge.key)))

    def find(self, transaction_id: int | str) -> Transaction | None:
        """The charge that was ever answered this id; of several (2.x) the one that began last."""
        found = (t for t in self.transactions.values() if transaction_id == t.id or transaction_id in t.ids)
        return max(found, key=lambda charge: (charge.start, charge.key), default=None)


@dataclass(frozen=True, slots=True)
class Effect:
    """What an event changed. `before` is the transaction as it was, None when it is new.

    opened    a charge began                      ended      it has an end now
    grew      a reading, still open               revised    it had ended, and its bill is another now
    reopened  its estimated end was wrong         orphaned   a stop without a start (`event`)
    doubted   it had ended, and its bill stands; but whether that is right is another question now
    repeated  nothing new, or nothing that anyone must hear of (a sample of a charge that is over)
    """

    kind: Literal["opened", "grew", "ended", "revised", "reopened", "doubted", "orphaned", "repeated"]
    transaction: Transaction | None = None
    before: Transaction | None = None
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """The book after an event; `event` with the id to answer in `assigned` (starts); the sequence to keep."""

    book: Book
    event: Event
    effects: tuple[Effect, ...]
    next_id: int


def blank(station: str) -> Book:
    """The book of a station that never said anything."""
    return Book(Facts(station))


def apply(book: Book, event: Event, *, next_id: int) -> Applied:
    """Enter `event`. Store `Applied.event` and `next_id` durably before answering the charger.

    Raises: ValueError, when the event is another station's.
    """
    if event.station != book.station:
        raise ValueError("the event is another station's")
    if event.kind == "start" and event.assigned is None:
        event, next_id = _with_id(book, event, next_id)
    if event.kind == "meter" and not book.facts.knows_sample(event):
        after = with_samples(book, [event])
        return Applied(after, event, changed(book, after, event), next_id)
    facts = book.facts.with_event(event)
    if facts is book.facts:
        return Applied(book, event, (Effect("repeated", event=event),), next_id)
    if event.part is not None and (longer := _prolonged(book, facts, event)) is not None:
        after = _bounded(longer, event.arrival)
        return Applied(after, event, changed(book, after, event), next_id)
    after = _reckoned(book, facts, *([] if event.kind == "meter" else [event]), now=event.arrival)
    return Applied(_bounded(after, event.arrival), event, changed(book, after, event), next_id)


def with_samples(book: Book, events: Sequence[Event]) -> Book:
    """`book` with messages of samples, in order of their arrival: the same as one by one."""
    known = len(book.facts.samples)
    facts = book.facts.with_samples(events)
    if len(facts.samples) == known + len(events):
        after = _lengthened(book, facts, events)
        now = events[-1].arrival
        return _bounded(after if after is not None else _reckoned(book, facts, *events, now=now), now)
    for event in events:
        book = book if book.facts.knows_sample(event) else with_samples(book, [event])
    return book


def expire(book: Book, *, now: datetime) -> tuple[Book, tuple[Effect, ...]]:
    """Let time pass: end what the station forgot in a boot and has been silent about since."""
    after = _reckoned(book, book.facts, now=now)
    return after, changed(book, after, None)


def settle(events: Iterable[Event], *, now: datetime | None = None) -> list[Transaction]:
    """The transactions in `events` of any number of stations, by key. Order and repetition do not matter.

    `now` ends what a boot interrupted; without it only what the charger said does.
    """
    stations: dict[str, list[Event]] = {}
    for event in events:
        stations.setdefault(event.station, []).append(event)
    books = (settled(name, stations[name], now=now) for name in sorted(stations))
    return [book.transactions[key] for book in books for key in sorted(book.transactions)]


def settled(station: str, events: Iterable[Event], *, now: datetime | None = None) -> Book:
    """The book of `station` from its stored events: the way back after a restart."""
    return over(Facts.gathered(station, events), now=now)


def over(facts: Facts, *, now: datetime | None = None) -> Book:
    """The book that rests on these facts."""
    return _reckoned(blank(facts.station), facts, now=now)


def forget(
    book: Book, *, before: datetime, but: Collection[StartKey] = (), but_stops: Collection[StopKey] = ()
) -> Book:
    """Drop what was over before `before`: ended charges with all that belongs to them, orphans heard until then.

    `but` these charges, and `but_stops` of those without a start.
    A start that is repeated later would open anew: look its `start_key` up first and set `assigned`. A stop that
    corrects an estimated end later is an orphan then. A week or more is a good age.
    """
    ends = ((key, charge.end) for key, charge in book.transactions.items() if key not in but)
    over = {key for key, end in ends if end is not None and end < before}
    lone = [orphan for orphan in book.pairing.orphans if stop_key(orphan) not in but_stops]
    old = [orphan for orphan in lone if orphan.arrival < before]
    gone = {stop.arrival for stop in (*old, *(stop for key, stop in book.pairing.stops.items() if key in over))}
    named = {key.named for key in over if key.named}
    stops = [key for key, stop in book.facts.stops.items() if stop.event.arrival in gone or key.named in named]
    pairing = Pairing(
        {key: stop for key, stop in book.pairing.stops.items() if key not in over},
        {key: flags for key, flags in book.pairing.flags.items() if key not in over},
        tuple(orphan for orphan in book.pairing.orphans if orphan not in old),
    )
    return replace(
        book,
        facts=book.facts.without(over, stops, before),
        pairing=pairing,
        transactions={key: charge for key, charge in book.transactions.items() if key not in over},
    )


def _bounded(book: Book, now: datetime) -> Book:
    """`book`, or the younger half of it when a charger gone mad fills it. Nothing is lost: the events are stored."""
    facts = book.facts.thinned()
    if facts is not book.facts:
        book = _reckoned(book, facts, now=now)
    if len(facts.starts) + len(facts.stops) <= MOST_CHARGES:
        return book
    ends = [charge.end for charge in book.transactions.values() if charge.end is not None]
    ends += [orphan.arrival for orphan in book.pairing.orphans]
    return forget(book, before=sorted(ends)[len(ends) // 2]) if ends else book


def _prolonged(book: Book, facts: Facts, event: Event) -> Book | None:
    """`book` over `facts` where `event`, a part of a charge that goes on, only says that it does; None where it tells
    more."""
    key = start_key(event)
    known, now, charge = book.facts.starts.get(key), facts.starts[key], book.transactions.get(key)
    if known is None or known.event != now.event or facts.stops is not book.facts.stops or charge is None:
        return None
    if charge.ending != "open" or len(facts.samples) - len(book.facts.samples) != bool(event.readings or event.signed):
        return None
    after = _lengthened(book, facts, [event] if facts.samples is not book.facts.samples else [])
    if after is None or now.gathered is None or known.gathered is None or now.gathered.begun != known.gathered.begun:
        return None
    told = wrong_clock.with_states(now, None).gathered or now.gathered
    longer = replace(after.transactions[key], states=told.reported(None))
    return replace(after, transactions={**after.transactions, key: longer})


def _lengthened(book: Book, facts: Facts, events: Iterable[Event]) -> Book | None:
    """`book` over `facts` where all that is new is later samples of charges that go on; None when it is not."""
    around = Surroundings(facts, None)
    charges, tallies = dict(book.transactions), dict(book.tallies)
    for key, told in around.shared_out(events).items():
        charge, so_far = charges.get(key), tallies.get(key)
        if charge is None or so_far is None or charge.ending != "open":
            return None
        longer = grown(charge, so_far, told)
        if longer is None:
            return None
        charges[key], tallies[key] = longer
    return replace(book, facts=facts, transactions=charges, tallies=tallies)


def _reckoned(book: Book, facts: Facts, *events: Event, now: datetime | None) -> Book:
    """`book` over `facts`, worked out anew: the transactions that `events` can have touched; without any, all."""
    everything = not events or any(event.kind in ("start", "stop", "part") for event in events)
    pairing = pair(facts.starts, facts.stops.values()) if everything else book.pairing
    around = Surroundings(facts, now)
    touched = facts.starts.keys() if everything else set().union(*map(around.touched, events))
    charges: dict[StartKey, Transaction] = {} if everything else dict(book.transactions)
    tallies: dict[StartKey, Tally] = {} if everything else dict(book.tallies)
    for key in touched:
        charges[key] = reckon(facts.starts[key], pairing.stops.get(key), pairing.flags.get(key, frozenset()), around)
        so_far = tally(facts.starts[key].event, around.sampled(key).in_order())
        tallies.pop(key, None)
        if so_far is not None and charges[key].ending == "open" and charges[key].otherwise is None:
            tallies[key] = so_far
    return replace(book, facts=facts, pairing=pairing, transactions=charges, tallies=tallies)


def free_id(book: Book, number: int) -> int:
    """The first number from this one on that the station has not mentioned: there it could mean something else."""
    mentioned = book.facts.mentioned
    while number in mentioned:
        number += 1
    return number


def _with_id(book: Book, event: Event, next_id: int) -> tuple[Event, int]:
    known = book.facts.starts.get(start_key(event))
    if known is not None and known.ids:
        return replace(event, assigned=lowest(known.ids)), next_id
    number = free_id(book, next_id)
    return replace(event, assigned=number), number + 1


def changed(before: Book, after: Book, event: Event | None) -> tuple[Effect, ...]:
    """What is another in `after`. With an `event`, that nothing is when nothing is."""
    effects: list[Effect] = []
    for key in sorted(after.transactions):
        new, old = after.transactions[key], before.transactions.get(key)
        if new is not old and new != old:
            effects += _effects_of(new, old)
    known = set(before.pairing.orphans)
    effects += [Effect("orphaned", event=orphan) for orphan in after.pairing.orphans if orphan not in known]
    return tuple(effects) or ((Effect("repeated", event=event),) if event is not None else ())


def _effects_of(new: Transaction, old: Transaction | None) -> list[Effect]:
    if old is None:
        opened = [Effect("opened", new)]
        return opened if new.ending == "open" else [*opened, Effect("ended", new)]
    if old.ending == "open":
        return [Effect("grew" if new.ending == "open" else "ended", new, old)]
    if new.ending == "open":
        return [Effect("reopened", new, old)]
    is_other = new.key.named and (new.id_tag, new.connector, new.states) != (old.id_tag, old.connector, old.states)
    if new.bill != old.bill or new.ending != old.ending or is_other:
        return [Effect("revised", new, old)]
    return [Effect("doubted", new, old)] if (new.flags ^ old.flags) & HARD else []
