"""From what each should have to what each is told now: no message for an ampere, and no one rises before others fall.

*Calm.* A small raise is put off until the last change is a while ago; a small lowering that no limit needs is not sent.
*Giving way.* A charger that is told to draw less does so when it has accepted it, perhaps never. Until then it is
reckoned with what it was told before, and those who are to get its share rise as far as there is room beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from partners.ocpp.energy.claims import Claim
from partners.ocpp.energy.facts import Told
from partners.ocpp.energy.reasons import Held, Hold, Why
from partners.ocpp.energy.room import Room
from partners.ocpp.energy.rules import Rules
from partners.ocpp.energy.units import floored


def calm(on: Sequence[Claim], room: Room, rules: Rules, now: datetime) -> None:
    """Leave each of `on` at what it was told, where it is about to change little."""
    small = [(each, told) for each in on if (told := _little_other(each, rules, now)) is not None]
    for claim, told in small:
        if told.ma < claim.ma and now - told.since < rules.quiet:
            claim.trim(told.ma, room)
            claim.hold = Hold(Held.QUIET, until=told.since + rules.quiet)
    for claim, told in small:
        more = told.ma - claim.ma
        if more > 0 and room.fits(claim.load, more):
            claim.add(more, Why.KEPT, room)


def _little_other(claim: Claim, rules: Rules, now: datetime) -> Told | None:
    """What it was told, where that is nearly what it should have, and within what it can take."""
    told = claim.charge.told
    if told is None or told.until <= now or told.ma == claim.ma or told.ma != claim.in_force_ma:
        return None
    possible = claim.least_ma <= told.ma <= claim.most_ma or claim.own is Held.TAKES_LESS
    return told if possible and told.ma >= claim.least_ma and abs(told.ma - claim.ma) < rules.band_ma else None


def give_way(claims: Sequence[Claim], empty: Room, rules: Rules) -> dict[str, int]:
    """What each of `claims` may draw at once, by charge, in their order; `empty` is the room without any of them."""
    now_ma = {each.charge.id: each.ma for each in claims}
    if all(each.ma >= each.reckoned_ma for each in claims):
        return now_ma
    room = empty.copy()
    for each in claims:
        room.take(each.load, each.reckoned_ma)
    for each in claims:
        now_ma[each.charge.id] = told_ma = _for_now(each, room, rules)
        room.take(each.load, max(told_ma - each.reckoned_ma, 0))
    return now_ma


def _for_now(claim: Claim, room: Room, rules: Rules) -> int:
    """What it can draw until others have given way: no little raise, and nothing rather than less than its least."""
    before, more = claim.in_force_ma, claim.ma - claim.reckoned_ma
    if claim.ma <= before or (more > 0 and room.fits(claim.load, more)):
        return claim.ma
    possible = min(max(room.most(claim.load), 0), more) if more > 0 and claim.reckoned_ma == before else 0
    kept, reached = (floored(before + risen, claim.evse.step_ma) for risen in (0, possible))
    if reached < claim.least_ma:
        return 0
    return reached if kept < claim.least_ma or reached - kept >= rules.band_ma else kept
