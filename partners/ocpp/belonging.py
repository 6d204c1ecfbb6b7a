"""Of which of several charges of one id a part is that begins none. The evidence, the strongest first:

    its EVSE     a charge at another one is not meant
    its clock    one that runs ahead dates the charge that began by it, while it goes on: not what began by a right one
    an end       a charge that had ended before, by its clock and by arrival, is over; unless the part came late, and is
                 dated within it
    its token    that of one charge, and not of the others
    a beginning  of those that are left, the one that began last before it

Nothing happened after it was heard. So what a clock that ran ahead dates later counts as of its arrival, and what comes
live after that clock was set right is of the charge whose Started was heard last, whatever the times of the first say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from partners.ocpp.as_it_happened import SOON
from partners.ocpp.beginnings import evse_of
from partners.ocpp.events import Event, same_tag
from partners.ocpp.facts import Facts
from partners.ocpp.matching import Start, stop_key
from partners.ocpp.surroundings import DAWN, happened, trusts_clock


def told_before(facts: Facts, event: Event, charges: Sequence[Start]) -> str | None:
    """The charge that was told the very same before: a repeat may come when another one has begun."""
    for start in (start for start in charges if is_at(event, start)):
        known = replace(event, assigned=start.key.named)
        if event.part is not None and event.part.type == "Ended" and stop_key(known) in facts.stops:
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
    own = [start for start in there if is_ahead(event) and _goes_on_by_its_clock(facts, start, event)]
    at = happened(event)
    before = own or [
        start for start in there if began(start) < at or (began(start) == at and now in (None, start.key.named))
    ]
    if not before:
        return min(there, key=_by_beginning).key.named
    left = [start for start in before if not was_over(facts, start, event)] or before
    of_token = [start for start in left if event.id_tag and same_tag(start.event.id_tag) == same_tag(event.id_tag)]
    return max(of_token or left, key=_by_beginning).key.named


def began(start: Start) -> datetime:
    """When, at the latest; of a charge whose beginning was not told, before all that was."""
    return happened(start.event) if start.gathered is not None and start.gathered.begun else DAWN


def was_over(facts: Facts, start: Start, event: Event) -> bool:
    """Had this charge ended before `event`?"""
    ends = [stop for stop in ends_of(facts, start) if began(start) <= happened(stop) < happened(event)]
    is_late = event.said is not None and event.arrival - event.said > SOON
    return bool(ends) and not (is_late and any(_are_in_order(start.event, event, stop) for stop in ends))


def ends_of(facts: Facts, start: Start) -> Iterator[Event]:
    """All that were told of this charge."""
    return (stop.event for stop in facts.stops.values() if stop.key.named == start.key.named)


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


def _are_in_order(start: Event, event: Event, stop: Event) -> bool:
    """By the charger's own words?"""
    first, said, last = start.said, event.said, stop.said
    return first is not None and said is not None and last is not None and first <= said <= last


def _by_beginning(start: Start) -> tuple[datetime, object]:
    return began(start), start.key
