"""Whose turn it is: which charges get their least current, when not all can.

A charge that cannot get its least gets nothing, and its turn later. Those in their stay come first, then those who have
waited long enough, then those of the plan, then all others as the policy orders them. Two things keep this from
starving or flapping. A charge that has run out of patience and still does not fit *books* the room it needs: no new
turn begins on it, only turns under way go on, and these end. And whoever lost its turn pauses before the next.

Whom a plan serves later does not become impatient meanwhile: that would take what it gives to those who cannot wait.
Whom it never serves does, as without a plan.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from partners.ocpp.energy.claims import Claim
from partners.ocpp.energy.reasons import Held, Hold, Why
from partners.ocpp.energy.room import Grid, Room
from partners.ocpp.energy.rules import Policy, Rules

Key = tuple[int | str, ...]


def order(claims: Iterable[Claim], rules: Rules, now: datetime) -> list[Claim]:
    """All who want something, in the order in which they are served."""
    in_line = (each for each in claims if each.wants)
    return sorted(in_line, key=lambda each: _place(each, rules, now))


def why_now(claim: Claim, rules: Rules, now: datetime) -> Why:
    """On what ground it comes where it comes."""
    waited = now - claim.turn.since
    if claim.turn.on:
        return Why.STAY if waited < rules.stay else Why.TURN
    return Why.PATIENCE if waited >= rules.patience and not claim.charge.planned_later else Why.TURN


def _place(claim: Claim, rules: Rules, now: datetime) -> Key:
    """Patience knows no policy: whoever has waited longest comes first, or the favoured would be patient in turn."""
    match why_now(claim, rules, now):
        case Why.STAY:
            return (0, *key(claim, rules))
        case Why.PATIENCE:
            return (1, _ms(claim.turn.since), claim.charge.id)
        case _:
            return (2 if claim.charge.planned_ma else 3, *key(claim, rules))


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def key(claim: Claim, rules: Rules) -> Key:
    """The policy's order. By turns: who waits before who charges, whoever did so longest first and goes last."""
    charge, since = claim.charge, _ms(claim.turn.since)
    turns: Key = (1, -since) if claim.turn.on else (0, since)
    arrival = _ms(charge.arrival)
    match rules.policy:
        case Policy.FAIR:
            return (*turns, arrival, charge.id)
        case Policy.PRIORITY:
            return (-charge.priority, *turns, arrival, charge.id)
        case Policy.FIRST_COME:
            return (arrival, charge.id)
        case Policy.DEPARTURE:
            return (*((0, claim.laxity_us) if claim.laxity_us is not None else (1, 0)), arrival, charge.id)


@dataclass(slots=True)
class Door:
    """Lets charges in, each with its least current out of `room`.

    unbooked: what is left of it for turns that begin now; None, as long as nobody booked.
    """

    room: Room
    grid: Grid
    rules: Rules
    now: datetime
    unbooked: Room | None = None

    def admit(self, claims: Iterable[Claim]) -> list[Claim]:
        """Those of `claims`, in their order, whose least fits; the others are told why not."""
        return [claim for claim in claims if self._admits(claim)]

    def _admits(self, claim: Claim) -> bool:
        why = why_now(claim, self.rules, self.now)
        if _pauses(claim, self.rules, self.now):
            claim.hold = Hold(Held.PAUSE, until=claim.turn.since + self.rules.pause)
            return False
        if self.room.fits(claim.load, claim.least_ma) and self._may_begin(claim):
            claim.add(claim.least_ma, why, self.room)
            if self.unbooked is not None:
                self.unbooked.take(claim.load, claim.least_ma)
            return True
        claim.hold = held_by_limit(Held.WAITS, claim, self.unbooked or self.room, self.grid)
        if why is Why.PATIENCE:
            self._book(claim)
        return False

    def _may_begin(self, claim: Claim) -> bool:
        return self.unbooked is None or claim.turn.on or self.unbooked.fits(claim.load, claim.least_ma)

    def _book(self, claim: Claim) -> None:
        if self.unbooked is None:
            self.unbooked = self.room.copy()
        self.unbooked.take(claim.load, claim.least_ma)


def _pauses(claim: Claim, rules: Rules, now: datetime) -> bool:
    was_on = claim.charge.turn is not None and claim.turn.since > claim.charge.arrival
    return was_on and not claim.turn.on and now - claim.turn.since < rules.pause


def held_by_limit(why: Held, claim: Claim, room: Room, grid: Grid) -> Hold | None:
    """The limit on its way up that has the least left for it; None, where nothing limits."""
    row = room.tightest(claim.load)
    return Hold(why, *grid.rows[row]) if row is not None else None
