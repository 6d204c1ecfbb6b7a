"""How long a charge can have lasted by our own clock, where we heard of it as it happened.

That is so when its start arrived soon after the charger's own time of it: then it cannot have gone on for longer than
from that arrival to that of its stop, be this late or not. A stop that is dated ahead of its arrival says that the
charger's clock is wrong, and the start agreed with ours by chance: a replay of a clock that is an hour ahead does so.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from partners.ocpp.events import Event, Flag
from partners.ocpp.surroundings import trusts_clock

SOON: Final = timedelta(minutes=2)


def seen_for(start: Event, stop: Event) -> timedelta | None:
    """Give or take twice `SOON`; None, where we did not hear of its start as it happened."""
    began, ended = start.said, stop.said
    if began is None or not trusts_clock(start) or Flag.BEGIN_MISSING in start.flags:
        return None
    is_ahead = ended is not None and ended > stop.arrival + SOON
    if abs(start.arrival - began) > SOON or is_ahead or stop.arrival < start.arrival:
        return None
    return stop.arrival - start.arrival
