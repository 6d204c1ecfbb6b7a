"""A charge of which both ends come from one clock that was wrong: 1970, or years ahead.

Its times say nothing, and their distance is right. So one end is taken for the moment of its arrival, the one that came
with less delay, and the other lies as far from it as the clock says. A charge that was replayed, whose ends arrive
together, is over when its stop arrives, and did not begin before what the station last said by a clock that was right.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from partners.ocpp.events import Event
from partners.ocpp.readings import is_credible
from partners.ocpp.surroundings import Sample, Surroundings, trusts_clock

LONGEST: Final = timedelta(days=2)
"""Of a charge that was replayed; a clock that went on for longer was set in between."""


def offset_of(start: Event, stop: Event, around: Surroundings) -> timedelta | None:
    """What makes the times of one clock right that was wrong at both ends; None, where it was not, or not one clock."""
    began, ended = start.said, stop.said
    if began is None or ended is None or trusts_clock(start) or trusts_clock(stop):
        return None
    if is_credible(began) != is_credible(ended) or ended <= began:
        return None
    if any(start.arrival < boot < stop.arrival for boot in around.boots):
        return None
    heard = stop.arrival - start.arrival
    if heard < ended - began > LONGEST:
        return None
    return min(start.arrival - began, stop.arrival - ended)


def ends_by(offset: timedelta, start: Event, stop: Event, around: Surroundings) -> tuple[datetime, datetime]:
    """Start and end, as the clock says with this offset."""
    began, ended = (event.said or event.arrival for event in (start, stop))
    known = around.known_until(start.arrival)
    began, ended = began + offset, ended + offset
    return min(began if known is None else max(began, known), ended), ended


def dated(samples: Iterable[Sample], offset: timedelta) -> list[Sample]:
    """The samples of that charge by the same clock, where they are dated by their arrival."""
    return [
        sample if sample.reading.at is None or sample.reading.at == sample.at else sample._replace(at=at)
        for sample in samples
        for at in (_shifted(sample, offset),)
    ]


def _shifted(sample: Sample, offset: timedelta) -> datetime:
    """Never after its arrival: one that was taken by another clock stays where it was."""
    said = sample.reading.at
    try:
        return sample.at if said is None else min(said + offset, sample.at)
    except OverflowError:
        return sample.at
