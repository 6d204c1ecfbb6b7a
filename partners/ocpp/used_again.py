"""Whose a part of 2.x is, where a charger uses the id of a transaction for several charges.

    a Started      that of the charge that was told to begin like this; else of another one (`beginnings.py`)
                   if what came before it is of no charge that was told to begin, it is the beginning of that, where it
                   can be: not after its end, nor at another EVSE
    any other      that of the charge at its EVSE that it is most likely of (`belonging.py`); of another one, where it
                   can be of none that was told of

The first charge of an id is called by the id, each other by a made-up name; what a part belongs to is kept with it. As
parts come in any order, some may be heard before the Started of their charge, and are taken for another's. So with a
Started that begins a charge all that came before it is shared out anew (`shared_anew.py`), and it is entered in one
unit with what moves. That is rare: a charger that tells things in their order moves nothing.

One that counts on in a charge that goes on, and names no other token or EVSE, is no beginning, whatever it is called.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from hub.core.store import Store
from hub.core.units import Unit
from partners.ocpp import archive, belonging, journal, shared_anew
from partners.ocpp.beginnings import are_one, as_told, begun_by, is_anew, is_made_up, made_up
from partners.ocpp.belonging import began, ends_of, is_at
from partners.ocpp.events import Event, Flag, StartKey, same_tag, start_key
from partners.ocpp.facts import Facts
from partners.ocpp.journal import Record
from partners.ocpp.ledger import Book
from partners.ocpp.matching import Start
from partners.ocpp.surroundings import FAR_AHEAD, happened, trusts_clock

_MOST_LOOKED_AT: Final = 100
_AT_ONCE: Final = 100
_NEVER = datetime.max.replace(tzinfo=UTC)


def at_hand(book: Book, event: Event) -> str | None:
    """The name of the charge in `book` that this part is of; None, when it is of none of them."""
    charges = _of_id(book.facts, str(event.transaction))
    if event.part is None or not charges:
        return None
    if event.is_started:
        return _begun_so(book, event, charges)
    if len(charges) == 1 and not event.id_tag and not belonging.is_end_of_another(book.facts, event, charges[0]):
        return charges[0].key.named  # as nearly all
    told = belonging.told_before(book.facts, event, charges)
    if told is not None:
        return told
    name = belonging.nearest(book.facts, event, charges)
    (start,) = (start for start in charges if start.key.named == name)
    return made_up(event) if belonging.is_of_none(book.facts, event, start) else name


def another(event: Event) -> Event:
    """A part, as the first that is told of one more charge of its id."""
    return replace(event, assigned=made_up(event))


async def named(store: Store, book: Book, event: Event) -> tuple[Event, Record | None]:
    """`event` with the name of its charge; and its record, when that charge was put away."""
    transaction, name = str(event.transaction), at_hand(book, event)
    charges = _of_id(book.facts, transaction)
    is_all_at_hand = any(start.key.named == transaction for start in charges)
    is_later = name is not None and (event.is_started or not _is_before_all(event, charges))
    if is_later or is_all_at_hand:
        return _as(event, name), None
    records = await _put_away(store, event, charges)
    found = next((record for record in records if _is_of(record, event)), None)
    if found is None and name is None and records:
        return (another(event), None) if event.is_started else (event, records[0])
    return _as(event, name or transaction), found


async def shared_out(store: Store, book: Book, event: Event) -> tuple[Book, Unit]:
    """The book to which `event` is added, a Started that may begin a charge more, and the writes of what moves."""
    if not is_beginning(book, event):
        return book, Unit()
    told = list[Event]()
    async for documents in journal.live_events(store, book.station):
        told += (each for each in map(journal.event_in, documents) if _is_part_of(each, event))
    others: dict[datetime, Event] = {}
    for number, (each, name) in enumerate(shared_anew.named_anew(book.facts, event, told)):
        if name != each.named:
            others[each.arrival] = replace(each, assigned=name)
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
    if not others:
        return book, Unit()
    desk = await archive.read(store, book.station, instead=others)
    return desk.book, Unit([journal.event_put(each) for each in others.values()])


def is_beginning(book: Book, event: Event) -> bool:
    """Is it the first Started of one of several charges, so that what came before may be of another than it seemed?"""
    known = book.facts.starts.get(start_key(event))
    is_first = event.is_started and (known is None or not belonging.is_begun(known))
    others = [start for start in _of_id(book.facts, str(event.transaction)) if start is not known]
    return is_first and bool(others)


def _as(event: Event, name: str | None) -> Event:
    """`event` under that name; a Started that is none of those at hand begins one more."""
    if name is None:
        return another(event)
    return event if name == str(event.transaction) else replace(event, assigned=name)


def _of_id(facts: Facts, transaction: str) -> list[Start]:
    """The charges of this id."""
    found = (start for key, start in facts.starts.items() if key.named.startswith(transaction))
    return [start for start in found if as_told(start.key.named) == transaction]


def _begun_so(book: Book, event: Event, charges: Sequence[Start]) -> str | None:
    begun = begun_by(event)
    for start in charges:
        is_same = start.gathered is not None and any(are_one(begun, each) for each in start.gathered.begun)
        if is_same and not _is_anew(book.facts, start, event):
            return start.key.named
    waiting = [
        each for each in charges if not belonging.is_begun(each) and not _is_another(book.facts, each, event, charges)
    ]
    if waiting:
        return min(waiting, key=lambda start: (_first_told(book.facts, start), start.key)).key.named
    newest = max(charges, key=belonging.by_beginning)
    return newest.key.named if _counts_on(book, newest, event) else None


def _is_another(facts: Facts, start: Start, event: Event, charges: Sequence[Start]) -> bool:
    """Can `event` not be the beginning of this charge, whose beginning was not told?"""
    if not is_at(event, start):
        return True
    if trusts_clock(event) and _is_after_its_end(facts, start, event):
        return True
    others = (each for each in charges if each is not start and is_at(start.event, each))
    before = (happened(stop) for each in others for stop in ends_of(facts, each))
    return is_made_up(start.key.named) and any(happened(event) < ended <= happened(start.event) for ended in before)


def _is_after_its_end(facts: Facts, start: Start, event: Event) -> bool:
    """By the clock of the charger, where that runs ahead: all that it says of before has arrived only now."""
    if not belonging.is_ahead(event) or event.said is None:
        return happened(event) > _first_end(facts, start)
    return any(stop.said < event.said for stop in ends_of(facts, start) if stop.said is not None and trusts_clock(stop))


def _is_anew(facts: Facts, start: Start, event: Event) -> bool:
    return is_anew(event, first_wh=start.event.meter_wh, last_wh=belonging.last_register(facts, start))


def _first_end(facts: Facts, start: Start) -> datetime:
    return min((happened(stop) for stop in ends_of(facts, start) if trusts_clock(stop)), default=_NEVER)


def _first_told(facts: Facts, start: Start) -> datetime:
    """The first end of it; where none was told, the first of all."""
    first_end = _first_end(facts, start)
    return first_end if first_end != _NEVER else happened(start.event)


def _counts_on(book: Book, start: Start, event: Event) -> bool:
    charge, told = book.transactions.get(start.key), start.gathered
    if charge is None or charge.ending != "open" or told is None or event.part is None or not event.part.seq:
        return False
    is_token = event.id_tag is None or same_tag(event.id_tag) == same_tag(start.event.id_tag)
    return is_token and is_at(event, start) and bool(told.seqs) and event.part.seq > told.seqs[-1][1]


def _is_part_of(event: Event, started: Event) -> bool:
    """Of a charge of the same id?"""
    return event.part is not None and event.transaction == started.transaction


def _is_before_all(event: Event, charges: Sequence[Start]) -> bool:
    return all(happened(event) < began(start) for start in charges)


async def _put_away(store: Store, event: Event, charges: Sequence[Start]) -> list[Record]:
    """The newest records of charges of this id that are not at hand."""
    first_key = journal.key_of_start(StartKey(event.station, 0, "", "", "", str(event.transaction)))
    first = await journal.find_record(store, first_key)
    if first is None:
        return []
    where = {"station": event.station, "number": str(event.transaction)}
    documents = await store.select(journal.TRANSACTIONS, equal=where, descending=True, limit=_MOST_LOOKED_AT)
    records = [record for record in map(journal.record_in, documents) if record.begun and record.key != first_key]
    known = {journal.key_of_start(start.key) for start in charges}
    return [record for record in (*records, first) if record.key not in known]


def _is_of(record: Record, event: Event) -> bool:
    """Is `event` of this charge, which was put away?"""
    if event.is_started and record.begun:
        is_same = any(are_one(begun_by(event), begun) for begun in record.begun)
        return is_same and not is_anew(event, first_wh=record.meter_start_wh, last_wh=record.meter_stop_wh)
    at, until = happened(event), record.end
    if until is not None and Flag.CLOCK_AHEAD.name in record.flags:
        until += FAR_AHEAD  # it was dated right, and what is repeated of it is not
    if event.is_started:
        return until is None or not trusts_clock(event) or at <= until
    return record.start is not None and until is not None and record.start <= at <= until
