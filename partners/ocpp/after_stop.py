"""Which samples of a charge that has stopped are of it: what a meter says after the stop is no part of its bill (R14).

After it is what the charger's own clock says is so, where that dates both; what is dated by its arrival is after it if
it arrived after the stop. A sample of the very moment of the stop is one thing with it: where it says another register,
and start and stop are no measurement by themselves, nobody knows how that came, and the stop's is the one that counts.
What the stop itself brought is its own word; it counts, whatever its date, where the stop names no register.
"""

from __future__ import annotations

from datetime import datetime

from partners.ocpp.events import Event
from partners.ocpp.readings import is_credible
from partners.ocpp.surroundings import Sample


def without_later(samples: list[Sample], start: Event, stop: Event) -> list[Sample]:
    """`samples`, in their order, without those that came after the stop."""
    own, ended = frozenset(stop.readings), _ended(start, stop)
    is_bare, is_measured = stop.meter_wh is None, _is_measured(start, stop)
    found: list[Sample] = []
    for sample in samples:
        reading = sample.reading
        is_own, is_register = reading in own, reading.energy_kwh is not None
        at, until = sample.at, stop.arrival
        if ended is not None and reading.at is not None and is_credible(reading.at) == is_credible(ended):
            at, until = reading.at, ended
        is_other = at == until == ended and is_register and not (is_own or is_bare or is_measured)
        if (is_own and is_bare) or (at <= until and not is_other):
            found.append(sample)
    return found


def _ended(start: Event, stop: Event) -> datetime | None:
    """When, by the charger's clock; None, where it cannot be: before its own start."""
    began, ended = start.said, stop.said
    if began is None or ended is None or is_credible(began) != is_credible(ended):
        return ended
    return ended if ended >= began else None


def _is_measured(start: Event, stop: Event) -> bool:
    """Are the registers of start and stop the bill? Then samples only tell in which unit they are (`scales.py`)."""
    return start.meter_wh is not None and stop.meter_wh is not None and stop.meter_wh >= start.meter_wh
