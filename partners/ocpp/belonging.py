"""Of which of several charges of one id a part is that begins none. The evidence, the strongest first:

    its EVSE     a charge at another one is not meant
    its clock    one that runs ahead dates the charge that began by it, while it goes on: not what began by a right one
    an end       a charge that had ended before, by its clock and by arrival, is over; unless the part came late, and is
                 dated within it
    its token    that of one charge, and not of the others
    a beginning  of those that are left, the one that began last before it; where all are over, one of which only what
                 came later was told

What comes after the end of the last charge with a token that is none of its, and a register beyond its last, is of none
of them: of that charge the beginning was lost, or is still to come.

Nothing happened after it was heard. So what a clock that ran ahead dates later counts as of its arrival, and what comes
live after that clock was set right is of the charge whose Started was heard last, whatever the times of the first say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from partners.ocpp.as_it_happened import SOON
from partners.ocpp.beginnings import evse_of, is_made_up
from partners.ocpp.events import Event, same_tag
from partners.ocpp.facts import Facts
from partners.ocpp.matching import Start, stop_key
from partners.ocpp.surroundings import DAWN, happened, trusts_clock


def told_before(facts: Facts, event: Event, charges: Sequence[Start]) -> str | None:
    """The charge that was told the very same before: a repeat may come when another one has begun."""
    for start in (start for start in charges if is_at(event, start)):
        known = replace(event, assigned=start.key.named)
        if event.part is not None and event.is_ended and stop_key(known) in facts.stops:
            registers = {facts.stops[stop_key(known)].event.meter_wh, event.part.last_wh} - {None}
            if len(registers) < 2:
                return start.key.named
        sample = replace(known, kind="meter", transaction=start.key.named, part=None)
        if event.readings and facts.knows_sample(sample):
            return start.key.named
    return None


def nearest(facts: Facts, event: Event, charges: Sequence[Start], *, now: str | None = None) -> str:
    """The charge at its EVSE that it is most likely of; the first there, when it is before them all.

    `now` is the one that it is taken for, where it is: any other must have begun earlier, and not at that moment.
    """
    there = [start for start in charges if is_at(event, start)] or charges
    at = happened(event)
    before = [start for start in there if began(start) < at or (began(start) == at and now in (None, start.key.named))]
    if is_ahead(event):
        before = [start for start in before if _goes_on_by_its_clock(facts, start, event)] or before
    if not before:
        return min(there, key=by_beginning).key.named
    left = [start for start in before if not was_over(facts, start, event)] or _later(event, there) or before
    of_token = [start for start in left if event.id_tag and same_tag(start.event.id_tag) == same_tag(event.id_tag)]
    return max(of_token or left, key=by_beginning).key.named


def is_of_none(facts: Facts, event: Event, start: Start) -> bool:
    """Is it of a charge that was told nothing of before, where `start` is the nearest of those that were?"""
    if is_end_of_another(facts, event, start):
        return True
    if not event.id_tag or same_tag(event.id_tag) in _tokens_of(start) or not was_over(facts, start, event):
        return False
    last_wh = last_register(facts, start)
    return last_wh is not None and any(register > last_wh for register in _registers_of(event))


def is_end_of_another(facts: Facts, event: Event, start: Start) -> bool:
    """Is it an end of before the beginning of this charge, or at another EVSE, where this one has an end in order?"""
    if not event.is_ended or not is_begun(start):
        return False
    if not any(is_at(stop, start) and _are_in_order(start.event, stop, stop) for stop in ends_of(facts, start)):
        return False
    return not is_at(event, start) or _is_before(event, start.event)


def began(start: Start) -> datetime:
    """When, at the latest; of the first charge of its id, where its beginning was not told, before all that was."""
    return happened(start.event) if is_begun(start) or is_made_up(start.key.named) else DAWN


def is_begun(start: Start) -> bool:
    """Was it told to begin?"""
    return start.gathered is not None and bool(start.gathered.begun)


def was_over(facts: Facts, start: Start, event: Event) -> bool:
    """Had this charge ended before `event`?"""
    ends = [stop for stop in ends_of(facts, start) if began(start) <= happened(stop) < happened(event)]
    is_late = event.said is not None and trusts_clock(event) and event.arrival - event.said > SOON
    return bool(ends) and not (is_late and any(_are_in_order(start.event, event, stop) for stop in ends))


def ends_of(facts: Facts, start: Start) -> Iterator[Event]:
    """All that were told of this charge."""
    return (stop.event for stop in facts.stops.values() if stop.key.named == start.key.named)


def last_register(facts: Facts, start: Start) -> Decimal | None:
    """The highest that an end of this charge told, in Wh."""
    told = (stop.meter_wh for stop in ends_of(facts, start) if stop.meter_wh is not None)
    return max(told, default=None)


def is_at(event: Event, start: Start) -> bool:
    """Can `event` be of the EVSE of this charge?"""
    evses = {begun.evse for begun in start.gathered.begun} if start.gathered is not None else set()
    evses = (evses - {0}) or ({evse_of(start.event)} - {0})
    return not evses or not evse_of(event) or evse_of(event) in evses


def is_ahead(event: Event) -> bool:
    """Is it dated by a clock that runs ahead?"""
    return event.said is not None and trusts_clock(event) and event.said > event.arrival + SOON


def _goes_on_by_its_clock(facts: Facts, start: Start, event: Event) -> bool:
    """Did this charge begin by a clock that ran ahead, and had not ended by it when it said `event`?"""
    ends = list(ends_of(facts, start))
    is_of_it = all(map(is_ahead, (start.event, *ends)))
    return is_of_it and all(_are_in_order(start.event, event, stop) for stop in ends or [event])


def _later(event: Event, charges: Sequence[Start]) -> list[Start]:
    """The first charge of which only what came later was told. An end is of none that was told to go on."""
    if event.part is None or event.is_ended:
        return []
    waiting = (start for start in charges if not is_begun(start) and happened(event) < began(start))
    return sorted(waiting, key=by_beginning)[:1]


def _tokens_of(start: Start) -> set[str]:
    """Those that began it, pay or ended it."""
    told = start.gathered
    if told is None:
        return {same_tag(start.event.id_tag)}
    said = (each[1][0] for each in (told.payer, told.ender) if each is not None)
    return {*map(same_tag, said), *(begun.id_tag for begun in told.begun)}


def _registers_of(event: Event) -> Iterator[Decimal]:
    """In Wh."""
    yield from (each.energy_kwh * 1000 for each in event.readings if each.energy_kwh is not None)
    if event.part is not None and event.part.last_wh is not None:
        yield event.part.last_wh


def _is_before(event: Event, start: Event) -> bool:
    """By the charger's own words, which can be?"""
    if event.said is None or start.said is None or not (trusts_clock(event) and trusts_clock(start)):
        return False
    return event.said < start.said


def _are_in_order(start: Event, event: Event, stop: Event) -> bool:
    """By the charger's own words?"""
    first, said, last = start.said, event.said, stop.said
    return first is not None and said is not None and last is not None and first <= said <= last


def by_beginning(start: Start) -> tuple[datetime, object]:
    """Sorts charges."""
    return began(start), start.key
