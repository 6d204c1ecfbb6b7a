"""How long a charge can have lasted at the most: by our own clock, where we heard it happen, else by its charger's.

We did when its start arrived soon after the charger's own time of it: then it cannot have gone on for longer than
from that arrival to that of its stop, be this late or not. A stop that is dated ahead of its arrival says that the
charger's clock is wrong, and the start agreed with ours by chance: a replay of a clock that is an hour ahead does so.

Of what was replayed with times that can be, the charger's clock says how long it took, and our own that it took no less
than lay between its messages. Either may be off by what a clock is moved in between, or by summer time: an hour.

A clock that was never set says nothing of that, and a charge by it may have taken a day. But a stop that we joined to
its start by a guess must at least make sense there: the distance of two times of one clock counts, however wrong it
is, and where they are of two clocks nobody saw the charge go on for longer than between its messages.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from partners.ocpp.events import Event, Flag
from partners.ocpp.readings import is_credible
from partners.ocpp.surroundings import trusts_clock

SOON: Final = timedelta(minutes=2)
MOVED: Final = timedelta(hours=1)
"""By so much a charger's clock may have been moved while a charge went on."""


def longest(start: Event, stop: Event, *, is_guess: bool) -> timedelta | None:
    """The most that a charge can have lasted; None, where nobody can say.

    `is_guess`: the stop did not name its charge, and was joined to it by token, meter and time.
    """
    if (seen := seen_for(start, stop)) is not None:
        return seen
    if Flag.BEGIN_MISSING in start.flags:
        return None
    by_clock = _by_its_clock(start, stop)
    if not is_guess and (by_clock is None or not trusts_clock(start) or not trusts_clock(stop)):
        return None
    return max(by_clock or timedelta(0), stop.arrival - start.arrival, timedelta(0)) + MOVED


def _by_its_clock(start: Event, stop: Event) -> timedelta | None:
    """From start to stop by the charger's clock; None, where that was not one and the same."""
    began, ended = start.said, stop.said
    if began is None or ended is None or is_credible(began) != is_credible(ended) or ended < began:
        return None
    return ended - began


def seen_for(start: Event, stop: Event) -> timedelta | None:
    """Give or take twice `SOON`; None, where we did not hear of its start as it happened."""
    began, ended = start.said, stop.said
    if began is None or not trusts_clock(start) or Flag.BEGIN_MISSING in start.flags:
        return None
    is_ahead = ended is not None and ended > stop.arrival + SOON
    if abs(start.arrival - began) > SOON or is_ahead or stop.arrival < start.arrival:
        return None
    return stop.arrival - start.arrival
