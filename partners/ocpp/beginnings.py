"""How a charger of 2.x told that a transaction begins: what two Starteds under one id have in common, or do not.

An id should be given once (E01). But some chargers count anew at each boot, and some call every transaction 0. So the
id alone does not say whether a Started is a replay or another charge. Its content does:

    same time, token and EVSE      the same charge, however often it is told, and whatever its seqNo
    another of these               another charge

A time that differs by less than a second is the same: some keep milliseconds in memory and seconds in flash. What one
of the two does not name says nothing. The seqNo is a hint and no more (rule R10); most begin with 0.

The time of a clock that is known not to be set (it stands in 1970, or 2000) says nothing of being the same: there a
Started with another register begins another, where that is below the first of the charge that it seems to repeat, or at
or above its last.

A charge whose id was used before goes by a *made-up name*: the id, and a digest of how it was told to begin. Hence its
replay has the same name. The charger never hears that name: `as_told` is the id that it knows.
"""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from decimal import Decimal
from typing import Final

from partners.ocpp.events import Begun, Event, TransactionId, same_tag, time_key
from partners.ocpp.numbering import socketed
from partners.ocpp.readings import is_credible, parse_time

MOST: Final = 16
"""Ways to tell of one beginning that are remembered."""
_MOMENT: Final = timedelta(seconds=1)
_MADE_UP: Final = re.compile("\x1f[0-9a-f]{16}$")


def begun_by(event: Event) -> Begun:
    """Of a Started."""
    return Begun(time_key(event), same_tag(event.id_tag), evse_of(event))


def evse_of(event: Event) -> int:
    """0, where it names none."""
    return socketed(event.connector or 0).evse


def are_one(one: Begun, other: Begun) -> bool:
    """Can both be the same charge?"""
    tokens, evses = {one.id_tag, other.id_tag} - {""}, {one.evse, other.evse} - {0}
    return len(tokens) < 2 and len(evses) < 2 and _is_same_time(one.time, other.time)


def is_anew(event: Event, *, first_wh: Decimal | None, last_wh: Decimal | None) -> bool:
    """Does this Started begin another charge than the one that was told to begin just like it, as its meter says?

    `first_wh` and `last_wh`: the registers at the begin and the end of that one, as far as they were told. A repeat has
    the register of its beginning, so it never does.
    """
    register = event.part.first_wh if event.part is not None else None
    if event.said is None or is_credible(event.said) or register is None or first_wh is None:
        return False
    return register < first_wh or (last_wh is not None and register != first_wh and register >= last_wh)


def joined_beginnings(one: frozenset[Begun], other: frozenset[Begun]) -> frozenset[Begun]:
    """All ways in which a charge was told to begin; of too many the first in order, not in arrival."""
    both = one | other
    return both if len(both) <= MOST else frozenset(sorted(both)[:MOST])


def made_up(event: Event) -> str:
    """The name of the charge that this Started begins under an id that was used before; or any other part, where it is
    the first that is heard of that charge."""
    part = event.part
    what = "" if part is None or part.type == "Started" else part.type
    register = (
        "" if part is None or part.first_wh is None or is_credible(event.said) else str(part.first_wh.normalize())
    )
    said = (*begun_by(event), *filter(None, [what, register]))
    digest = hashlib.sha256(repr(said).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{event.transaction}\x1f{digest[:16]}"


def is_made_up(name: str) -> bool:
    return _MADE_UP.search(name) is not None


def as_told(name: TransactionId) -> TransactionId:
    """The id by which its charger knows the charge."""
    return _MADE_UP.sub("", name) if isinstance(name, str) else name


def _is_same_time(one: str, other: str) -> bool:
    if one == other or not one or not other:
        return True
    first, second = parse_time(one), parse_time(other)
    return first is not None and second is not None and abs(first - second) < _MOMENT
