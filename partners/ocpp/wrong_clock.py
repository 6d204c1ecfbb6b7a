"""A charge of which both ends come from one clock that was wrong: 1970, years ahead, or local time that is called UTC.

Its times say nothing, and their distance is right. So one end is taken for the moment of its arrival, the one that came
with less delay, and the other lies as far from it as the clock says. A charge that was replayed, whose ends arrive
together, is over when its stop arrives. Where the clock was never set it did not begin before what the station last
said by a clock that was right; one that is ahead by hours was so then too, and nobody could tell.

A clock that runs ahead shows it wherever something is heard before it happened, be it but a sample; an end that came
late may have a time that could be right. But an end that was heard at the very time that it names is one of a clock
that is right: there it was set, or moved, while the charge went on, and each end is dated by itself. Unless both ends
came together: of a replay, one of them bears the right time by chance.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from partners.ocpp.as_it_happened import SOON
from partners.ocpp.events import Event
from partners.ocpp.matching import Start
from partners.ocpp.readings import is_credible
from partners.ocpp.surroundings import AHEAD, Sample, Surroundings, runs_ahead, trusts_clock

_NOTHING: Final = timedelta(0)
LONGEST: Final = timedelta(days=2)
"""Of a charge that was replayed; a clock that went on for longer was set in between."""


def is_wrong(event: Event) -> bool:
    """Is its time none that can be?"""
    return not trusts_clock(event) or runs_ahead(event)


def offset_of(start: Event, stop: Event, samples: Iterable[Sample], around: Surroundings) -> timedelta | None:
    """What makes the times of one clock right that was wrong at both ends; None, where it was not, or not one clock."""
    began, ended = start.said, stop.said
    if began is None or ended is None or is_credible(began) != is_credible(ended) or ended <= began:
        return None
    offset = min(start.arrival - began, stop.arrival - ended)
    if _are_near(start, stop):
        offset = min([offset, *_ahead(samples, began)])
        return offset if offset < -AHEAD and _is_one_ahead(start, stop) else None
    is_anew = any(start.arrival < boot < stop.arrival for boot in around.boots)
    is_longer = stop.arrival - start.arrival < ended - began > LONGEST
    if not (is_wrong(start) and is_wrong(stop)) or is_anew or is_longer:
        return None
    return min([offset, *_ahead(samples, began, ended)])


def ends_by(offset: timedelta, start: Event, stop: Event, around: Surroundings) -> tuple[datetime, datetime]:
    """Start and end, as the clock says with this offset."""
    began, ended = (event.said or event.arrival for event in (start, stop))
    known = None if _are_near(start, stop) else around.known_until(start.arrival)
    began, ended = began + offset, ended + offset
    return min(began if known is None else max(began, known), ended), ended


def offset_without_stop(start: Event, samples: Iterable[Sample]) -> timedelta | None:
    """The same of a charge whose end is estimated, by the samples that its clock dates ahead as well."""
    said = start.said
    if said is None or not trusts_clock(start) or not runs_ahead(start):
        return None
    return min([start.arrival - said, *_ahead(samples, said)])


def dated(samples: Iterable[Sample], offset: timedelta, start: Event, stop: Event | None) -> list[Sample]:
    """The samples of that charge by the same clock: where they are dated by their arrival, or lie within the charge."""
    return [
        sample._replace(at=_shifted(sample, offset)) if _is_by(sample, start, stop) else sample for sample in samples
    ]


def with_states(start: Start, offset: timedelta | None) -> Start:
    """`start` with its states by the right time, where its clock ran ahead.

    `offset`: of a charge that is over. That of one that goes on is what the clock was ahead when its start was heard.
    """
    told, said = start.gathered, start.event.said
    if offset is None and runs_ahead(start.event) and said is not None:
        offset = start.event.arrival - said
    if told is None or said is None or offset is None or offset > _NOTHING:
        return start
    states = frozenset((at + offset if at >= said else at, state) for at, state in told.states)
    return replace(start, gathered=told._replace(states=states))


def _are_near(start: Event, stop: Event) -> bool:
    """Is neither so far ahead that nothing of its time can be believed?"""
    return trusts_clock(start) and trusts_clock(stop)


def _ahead(samples: Iterable[Sample], began: datetime, ended: datetime | None = None) -> list[timedelta]:
    """By how much a clock was wrong that dates samples of this charge, each as its arrival says.

    `ended`: those after it are of another clock; None, where any clock is the same.
    """
    told = ((sample.reading.at, sample.at) for sample in samples if sample.named)
    named = ((at, arrival) for at, arrival in told if at is not None and at != arrival)
    return [arrival - at for at, arrival in named if began <= at and (ended is None or at <= ended)]


def _is_one_ahead(start: Event, stop: Event) -> bool:
    """Of times that can be: were both said by the clock that runs ahead?"""
    if _is_at_once(stop):
        return False
    return not _is_at_once(start) or stop.arrival - start.arrival <= SOON


def _is_at_once(event: Event) -> bool:
    """Was it heard when it says that it happened?"""
    return event.said is not None and abs(event.arrival - event.said) <= SOON


def _is_by(sample: Sample, start: Event, stop: Event | None) -> bool:
    """Is it dated by the clock of this charge?"""
    at, began, ended = sample.reading.at, start.said, stop.said if stop is not None else None
    if at is None or at != sample.at:
        return at is not None
    return began is not None and ended is not None and began <= at <= ended


def _shifted(sample: Sample, offset: timedelta) -> datetime:
    """Never after its arrival: one that was taken by another clock stays where it was."""
    said = sample.reading.at
    try:
        return sample.at if said is None else min(said + offset, sample.at)
    except OverflowError:
        return sample.at
