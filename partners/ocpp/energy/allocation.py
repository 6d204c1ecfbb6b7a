"""How many amperes, on which phases, each charge of a site may draw now, until when, and why.

    reserve   what offline and deaf chargers, and those that draw more than told, take away (`reckoning`)
    admit     who gets its least current: stays, patience, the plan, the policy's order (`turns`)
    share     what is left, as the policy says (`sharing`, `filling`)
    calm      no message for a little (`steady`)
    give way  nobody rises before others have fallen (`steady`)

Sums are in whole mA and µW, so that what was told never exceeds a limit by a rounding. The same facts give the same
answer: nothing is drawn by lot, and every order ends with the name of the charge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from partners.ocpp.energy.claims import Claim, claim_of
from partners.ocpp.energy.facts import Charge, Facts, Turn
from partners.ocpp.energy.reasons import Crowded, Held, Hold, Notice, OverLimit, Reserved, Slice, Why
from partners.ocpp.energy.reckoning import drawn_of, followed, in_force_ma, overdrawn, phases_of, reserved_at, without
from partners.ocpp.energy.room import Grid, Room
from partners.ocpp.energy.rules import Rules
from partners.ocpp.energy.shares import Allocation, Share, again_at, share_of, tells
from partners.ocpp.energy.sharing import explain, share_out, share_planned
from partners.ocpp.energy.site import Site
from partners.ocpp.energy.steady import calm, give_way
from partners.ocpp.energy.turns import Door, held_by_limit, order, why_now
from partners.ocpp.energy.units import UW_PER_MW


@dataclass(frozen=True, slots=True)
class _Moment:
    """Everything that an allocation looks at; `empty` is the room that no charge which can be steered has entered."""

    site: Site
    rules: Rules
    now: datetime
    until: datetime
    grid: Grid
    empty: Room


def allocate(site: Site, facts: Facts, rules: Rules, now: datetime) -> Allocation:
    """Share the site's power at `now`. Raises: InvalidRequest, where the facts speak of what the site has not."""
    named = {charge.evse for charge in facts.charges} | facts.offline | facts.deaf
    site.must_have(evses=named, nodes=facts.limits.keys() | facts.loads.keys())
    facts = facts.present(now)
    grid = Grid(site, facts)
    reserved = reserved_at(site, facts, rules, now)
    empty = without(Room(grid.free(now)), grid, reserved)
    moment = _Moment(site, rules, now, _until(grid, facts, rules, now), grid, empty)
    shares = tuple(_shares(moment, facts.charges, {each.charge: each for each in reserved if each.charge}))
    drawing = tuple(drawn_of(site, facts, reserved, rules, now))
    notices: tuple[Notice, ...] = (
        *overdrawn(site, facts, rules, now),
        *_over(grid, without(Room(grid.free(now)), grid, drawing), empty),
    )
    again = again_at(shares, rules, now, moment.until)
    return Allocation(now, moment.until, shares, reserved, notices, again)


def _shares(moment: _Moment, charges: Sequence[Charge], unsteered: dict[str | None, Reserved]) -> Iterator[Share]:
    claims = {
        charge.id: claim_of(charge, moment.site.evse[charge.evse], moment.grid, moment.rules, moment.now)
        for charge in charges
        if charge.id not in unsteered
    }
    now_ma = _shared(moment, list(claims.values()))
    for charge in charges:
        if charge.id in claims:
            yield share_of(claims[charge.id], now_ma[charge.id], moment.rules, moment.now, moment.until)
        else:
            yield _unsteered(moment, charge, unsteered[charge.id])


def _shared(moment: _Moment, claims: Sequence[Claim]) -> dict[str, int]:
    """What each of `claims` may draw at once; what it is to have in the end is left in the claims."""
    grid, rules, now = moment.grid, moment.rules, moment.now
    in_line = [each for each in order(claims, rules, now) if not _too_little(moment, each)]
    first, later = _planned_first(in_line, rules, now)
    door = Door(moment.empty.copy(), grid, rules, now)
    on = door.admit(first)
    share_planned(on, door.room)
    on += door.admit(later)
    share_out(on, door.room, rules)
    explain(on, door.room, grid)
    calm(on, door.room, rules, now)
    lined_up = {each.charge.id for each in in_line}
    aside = [each for each in claims if each.charge.id not in lined_up]
    for each in aside:
        each.hold = each.hold or Hold(each.own)
    return give_way([*in_line, *aside], moment.empty, rules)


def _planned_first(in_line: Sequence[Claim], rules: Rules, now: datetime) -> tuple[list[Claim], list[Claim]]:
    """Those that a plan lets wait now come after the others, but for their stays and their patience."""
    waits = {
        each.charge.id for each in in_line if each.charge.planned_ma == 0 and why_now(each, rules, now) is Why.TURN
    }
    first = [each for each in in_line if each.charge.id not in waits]
    return first, [each for each in in_line if each.charge.id in waits]


def _too_little(moment: _Moment, claim: Claim) -> bool:
    """Can it not charge at all, even alone?"""
    if moment.empty.fits(claim.load, claim.least_ma):
        return False
    claim.hold = held_by_limit(Held.TOO_LITTLE, claim, moment.empty, moment.grid)
    return True


def _unsteered(moment: _Moment, charge: Charge, reserved: Reserved) -> Share:
    """A charge that cannot be steered.

    One online is told all the same: the same again, when it has had the time to follow, or 0 where there is no room.
    """
    evse, now = moment.site.evse[charge.evse], moment.now
    phases = phases_of(charge, evse, moment.rules, now)
    ma, hold, tell = max(reserved.ma), Hold(Held.OFFLINE), False
    if reserved.why is not Why.OFFLINE:
        over = moment.empty.most(moment.grid.load(evse.node, phases)) < 0
        ma, hold = 0 if over else in_force_ma(charge, evse, now), Hold(Held.DISOBEYS)
        has_followed = charge.told is not None and charge.told.since + moment.rules.follows <= now
        tell = has_followed or tells(charge.told, ma, moment.rules, now, moment.until)
    slices = (Slice(ma, reserved.why),) if ma else ()
    turn = charge.turn or Turn(on=True, since=now)
    until = moment.until if tell or charge.told is None else charge.told.until
    lately = followed(charge, evse, moment.rules, now)
    return Share(charge.id, evse.id, phases, ma, ma, now, until, slices, hold, turn, tell, lately)


def _over(grid: Grid, charging: Room, empty: Room) -> Iterator[OverLimit | Crowded]:
    """Limits that what is drawn exceeds (`charging` is what that leaves), or all that is kept would."""
    for row, drawn, left in zip(grid.rows, charging.left, empty.left, strict=True):
        unit = 1 if row.phase is not None else UW_PER_MW
        if drawn < 0:
            yield OverLimit(row.node, row.phase, -(drawn // unit))
        elif left < 0:
            yield Crowded(row.node, row.phase, -(left // unit), (drawn - left) // unit)


def _until(grid: Grid, facts: Facts, rules: Rules, now: datetime) -> datetime:
    """Until when what is told now can stand."""
    changes = [grid.next_change(now), *(charge.wish.next_after(now) for charge in facts.charges)]
    return min(now + rules.holds, *(at for at in changes if at is not None), now + rules.holds)
