"""Is what comes older than what we have? Then it changes nothing, and is success (decision equal-time-is-newer).

Times are the owner's own. One that lies ahead of our clock gives way to one that does not: a slip of the year would
else shut out every later change for good; where a clock is always ahead, both are. Where an owner does not say when it
changed something (a PATCH of 2.1.1 need not), the object keeps the time that was said last, as a guess of ours must not
outrank what its owner says next; only the document's own `last_updated`, by which lists are filtered, moves on.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from hub.core.inbound import parse
from hub.core.types import parse_datetime, timestamp_of
from hub.core.units import Document

AHEAD: Final = timedelta(minutes=1)
"""So far the clocks of two machines may be apart."""
_LIMIT: Final = 8 * 1024 * 1024


def is_older(new: str, known: str, now: datetime) -> bool:
    """Of two moments as their owner tells them: is the new one before the one that is known?"""
    then, before, latest = parse_datetime(new), parse_datetime(known), now + AHEAD
    return then < before and (before <= latest or then > latest)


def is_outdated(new: str, known: Document, now: datetime) -> bool:
    """The same, for what would replace a document; `last_updated` of the object in it is what its owner said."""
    if timestamp_of(new) >= known.last_updated:
        return False
    return is_older(new, parse(known.body, limit=_LIMIT)["last_updated"], now)
