"""What an allocation gives out: the shares, and what went with them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from partners.ocpp.energy.claims import Claim
from partners.ocpp.energy.facts import Told, Turn
from partners.ocpp.energy.reasons import Held, Hold, Notice, Reserved, Slice
from partners.ocpp.energy.reckoning import followed
from partners.ocpp.energy.rules import Rules


@dataclass(frozen=True, slots=True)
class Share:
    """What one charge may draw on each of `phases` (of the grid), from `begin` to `until`.

    then_ma: what it will be told when others have given way. tell: its charger is to be told (again). slices add up
    to `ma`; hold is why it is not more. turn is to be kept, and handed in with the charge the next time. lately: from
    what its charger may be on its way down, see `Told`.
    """

    charge: str
    evse: str
    phases: tuple[int, ...]
    ma: int
    then_ma: int
    begin: datetime
    until: datetime
    slices: tuple[Slice, ...]
    hold: Hold | None
    turn: Turn
    tell: bool
    lately: tuple[tuple[int, datetime], ...]

    @property
    def told(self) -> Told:
        """What its charger is told by this."""
        return Told(self.ma, self.begin, self.until, tuple(each for each in self.lately if each[0] > self.ma))


@dataclass(frozen=True, slots=True)
class Allocation:
    """The shares of all charges, in the order of the facts; what else was reckoned with; what an operator must hear.

    until: when something that is known of ahead changes. again_at: when to ask again, if nothing happens before.
    """

    begin: datetime
    until: datetime
    shares: tuple[Share, ...]
    reserved: tuple[Reserved, ...]
    notices: tuple[Notice, ...]
    again_at: datetime

    def of(self, charge: str) -> Share:
        """The share of `charge`. Raises: KeyError."""
        for share in self.shares:
            if share.charge == charge:
                return share
        raise KeyError(charge)


def share_of(claim: Claim, now_ma: int, rules: Rules, now: datetime, until: datetime) -> Share:
    """What became of `claim`: it is to have `claim.ma`, and may draw `now_ma` of it at once."""
    then_ma = claim.ma
    if now_ma < then_ma:
        claim.unpile(now_ma)
        claim.hold = Hold(Held.OTHERS_FIRST if claim.reckoned_ma == claim.in_force_ma else Held.DISOBEYS)
    turn = claim.turn if claim.turn.on == (now_ma > 0) else Turn(now_ma > 0, now)
    told = claim.charge.told
    tell = tells(told, now_ma, rules, now, until)
    ends = until if tell or told is None else told.until
    slices = tuple(claim.slices)
    lately = followed(claim.charge, claim.evse, rules, now)
    return Share(
        *(claim.charge.id, claim.evse.id, claim.phases, now_ma, then_ma, now, ends),
        *(slices, claim.hold, turn, tell, lately),
    )


def tells(told: Told | None, ma: int, rules: Rules, now: datetime, until: datetime) -> bool:
    """Is a charger to be told `ma`? Where it was told nothing, another current, or one that ends too late or soon."""
    if told is None:
        return True
    runs_out = told.until < until and told.until - now <= rules.renewed
    return told.ma != ma or told.until <= now or told.until > until or runs_out


def again_at(shares: Iterable[Share], rules: Rules, now: datetime, until: datetime) -> datetime:
    """The first moment at which the same facts would give other shares, or a charger must be told again."""
    moments = [until]
    listed = list(shares)
    waits = any(share.hold is not None and share.hold.why is Held.WAITS for share in listed)
    for share in listed:
        moments += [share.until - rules.renewed, share.until]
        if share.hold is not None and share.hold.until is not None:
            moments.append(share.hold.until)
        if waits:
            moments.append(share.turn.since + (rules.stay if share.turn.on else rules.patience))
    return min(moment for moment in moments if moment > now)
