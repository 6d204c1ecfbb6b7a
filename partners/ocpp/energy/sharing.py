"""Sharing out what is left when each that is on has its least: groups one after the other, each group to one level."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from partners.ocpp.energy.claims import Claim
from partners.ocpp.energy.filling import Vessel, raise_together
from partners.ocpp.energy.reasons import Held, Hold, Why
from partners.ocpp.energy.room import Grid, Room
from partners.ocpp.energy.rules import Policy, Rules
from partners.ocpp.energy.turns import held_by_limit, key
from partners.ocpp.energy.units import floored


def share_out(on: Sequence[Claim], room: Room, rules: Rules) -> None:
    """Raise all of `on`, as the policy says, until each is held by a limit or by itself."""
    for group in _groups(on, rules):
        _raise(group, room, [each.most_ma for each in group], _why(group, rules))
    round_down(on, room)


def _why(group: Sequence[Claim], rules: Rules) -> Why:
    return Why.SHARE if rules.policy is Policy.FAIR or len(group) > 1 else Why.ORDER


def share_planned(on: Sequence[Claim], room: Room) -> None:
    """Raise those that have a plan to what it gives them, before others get more than their least."""
    planned = [each for each in on if each.charge.planned_ma]
    _raise(planned, room, [min(each.charge.planned_ma or 0, each.most_ma) for each in planned], Why.PLAN)


def _groups(on: Sequence[Claim], rules: Rules) -> Iterable[list[Claim]]:
    match rules.policy:
        case Policy.FAIR:
            return [list(on)]
        case Policy.PRIORITY:
            ranked = sorted(on, key=lambda each: -each.charge.priority)
            return [list(group) for _, group in groupby(ranked, key=lambda each: each.charge.priority)]
        case Policy.FIRST_COME | Policy.DEPARTURE:
            return [[each] for each in sorted(on, key=lambda each: key(each, rules))]


def _raise(claims: Sequence[Claim], room: Room, most_ma: Sequence[int], why: Why) -> None:
    vessels = [Vessel(each.load, each.ma, most) for each, most in zip(claims, most_ma, strict=True)]
    raise_together(room, vessels)
    for claim, vessel in zip(claims, vessels, strict=True):
        claim.pile(vessel.ma - claim.ma, why)


def round_down(on: Sequence[Claim], room: Room) -> None:
    """Leave each at a step of its charger, and give the rest to the first that has room for a step."""
    for claim in on:
        claim.trim(floored(claim.ma, claim.evse.step_ma), room)
    for claim in on:
        more = min(claim.most_ma - claim.ma, room.most(claim.load))
        claim.add(floored(max(more, 0), claim.evse.step_ma), Why.REST, room)


def explain(on: Iterable[Claim], room: Room, grid: Grid) -> None:
    """Say of each what holds it."""
    for claim in on:
        if claim.ma >= claim.most_ma:
            claim.hold = Hold(claim.own)
        else:
            claim.hold = held_by_limit(Held.LIMIT, claim, room, grid)
