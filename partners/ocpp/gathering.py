"""What the parts of one transaction of 2.x say about it: of each thing the best that any of them said.

A TransactionEvent of any type may be the first that is heard (rules R1, R11), so no part is the start. Each says what
it knows: when it began, where, who pays, how the meter stood. What two parts say differently is decided by rank: what
was said as the beginning before all else, then by the charger's time, then by content. The best of several does not
depend on which came first or how often, and so neither does the bill:

    joined(a, b) = joined(b, a)        joined(a, joined(b, c)) = joined(joined(a, b), c)        joined(a, a) = a

Who pays is the first whose token was not refused; a token that stops is never the one that pays. The count (`seq`) is a
hint and no more: many chargers send 0 with each message. Only what is missing between two numbers says something.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeVar

from partners.ocpp.beginnings import begun_by, is_made_up, joined_beginnings
from partners.ocpp.events import Begun, Event, Flag, Part, StartKey, time_key
from partners.ocpp.readings import is_credible
from partners.ocpp.status import states_of
from partners.ocpp.stretches import Stretches, joined_stretches

V = TypeVar("V")

MOST_STATES: Final = 5000
"""Of one charge. A charger gone mad says more, and is not listened to."""

Rank = tuple[bool, bool, bool, str]
"""Not preferred for a reason of its own; not said as the beginning; by a clock that was not set; when."""
Said = tuple[Rank, V]


class Gathered(NamedTuple):
    """By name, rank and value of the best; the smallest is the best.

    `is_end_alone`: no part but its end was told. `latest` is the charger's newest time, as long as its clock was set.
    `ender` is the token that was told with the end. `states` are its words, each with when. `begun`: all that Starteds
    said of which charge it is.
    """

    began: tuple[Rank, str, datetime]
    is_begun: bool
    is_end_alone: bool = False
    latest: datetime | None = None
    connector: Said[int] | None = None
    payer: Said[tuple[str, bool]] | None = None
    ender: Said[tuple[str, bool]] | None = None
    first: Said[Decimal] | None = None
    last: Said[Decimal] | None = None
    remote: Said[int] | None = None
    reservation: Said[int] | None = None
    seqs: Stretches = ()
    states: frozenset[tuple[datetime, str]] = frozenset()
    flags: frozenset[Flag] = frozenset()
    begun: frozenset[Begun] = frozenset()

    @property
    def has_gap(self) -> bool:
        """Does the charger's count, which begins with 0, say that parts are missing?"""
        return len(self.seqs) > 1 or (not self.is_begun and bool(self.seqs) and self.seqs[0][0] > 0)

    def reported(self, ended: datetime | None) -> tuple[tuple[datetime, str], ...]:
        """The states of charging periods, in order, up to the end."""
        return states_of(sorted(state for state in self.states if ended is None or state[0] < ended))


def gathered(event: Event, part: Part) -> Gathered:
    """What one part says."""
    said, is_started = event.said, part.type == "Started"
    rank: Rank = (False, not is_started, not is_credible(said), time_key(event))
    at = said if is_credible(said) else None
    token, is_end = (event.id_tag, part.is_contract) if event.id_tag else None, part.type == "Ended"
    return Gathered(
        began=(rank, event.timestamp or "", event.arrival),
        is_begun=is_started,
        is_end_alone=is_end,
        latest=at,
        connector=_said(rank, event.connector or None, last=not part.socketed),
        payer=_said(rank, token if part.pays else None, last=part.refused),
        ender=_said(rank, token if is_end else None),
        first=_said(rank, part.first_wh, last="first" not in part.marked),
        last=_said(rank, part.last_wh if "last" in part.marked else None, last=not is_end),
        remote=_said(rank, part.remote),
        reservation=_said(rank, part.reservation),
        seqs=() if part.seq is None else ((part.seq, part.seq),),
        states=frozenset({(at, part.state)} if part.state and at is not None else ()),
        flags=event.flags,
        begun=frozenset({begun_by(event)} if is_started else ()),
    )


def joined(one: Gathered, other: Gathered) -> Gathered:
    """What both say."""
    if one == other:
        return one
    states = one.states | other.states
    return Gathered(
        began=min(one.began, other.began),
        is_begun=one.is_begun or other.is_begun,
        is_end_alone=one.is_end_alone and other.is_end_alone,
        latest=max((at for at in (one.latest, other.latest) if at is not None), default=None),
        connector=_best(one.connector, other.connector),
        payer=_best(one.payer, other.payer),
        ender=_best(one.ender, other.ender),
        first=_best(one.first, other.first),
        last=_best(one.last, other.last),
        remote=_best(one.remote, other.remote),
        reservation=_best(one.reservation, other.reservation),
        seqs=joined_stretches(one.seqs, other.seqs),
        states=states if len(states) <= MOST_STATES else one.states,
        flags=one.flags | other.flags,
        begun=joined_beginnings(one.begun, other.begun),
    )


def start_of(key: StartKey, known: Gathered) -> Event:
    """The start of the transaction, as far as its parts tell."""
    flags = set(known.flags)
    if not known.is_begun:
        flags.add(Flag.BEGIN_MISSING)
    if known.is_end_alone:
        flags.add(Flag.END_ALONE)
    if known.first is not None and known.first[0][0]:
        flags.add(Flag.METER_UNMARKED)
    if known.has_gap:
        flags.add(Flag.PARTS_MISSING)
    if is_made_up(key.named):
        flags.add(Flag.ID_USED_AGAIN)
    return Event(
        key.station,
        "start",
        known.began[2],
        connector=_value(known.connector),
        id_tag=known.payer[1][0] if known.payer is not None else None,
        timestamp=known.began[1] or None,
        meter_wh=_value(known.first),
        transaction=key.named,
        assigned=key.named,
        flags=frozenset(flags),
    )


def _said(rank: Rank, value: V | None, *, last: bool = False) -> Said[V] | None:
    return None if value is None else ((last, *rank[1:]), value)


def _best(one: Any, other: Any) -> Any:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def _value(said: Said[V] | None) -> V | None:
    return None if said is None else said[1]
