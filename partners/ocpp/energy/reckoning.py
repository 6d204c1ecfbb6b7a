"""What is drawn at the EVSEs that nobody can steer now, and what the others hold themselves to until told otherwise.

An offline charger goes on with what it was last told until that runs out, and then falls to its safe current: the
larger of the two is reserved, on every wired phase, as another vehicle may come, or what it drew in spite of both when
it was last read. One that draws more than it was told (and had the time to follow), or is known to be deaf, is reckoned
with what its meter reads; a deaf one without a reading with the most it can give. What is reckoned here is gone for all
others, at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from partners.ocpp.energy.facts import Charge, Drawn, Facts, Told
from partners.ocpp.energy.reasons import Overdrawn, Reserved, Why
from partners.ocpp.energy.room import Grid, Room
from partners.ocpp.energy.rules import Rules
from partners.ocpp.energy.site import Evse, Site
from partners.ocpp.energy.units import NOTHING, PHASES, PerPhase


def in_force_ma(charge: Charge, evse: Evse, now: datetime) -> int:
    """What its charger holds `charge` to on each phase: what it was told, or its safe current."""
    told = charge.told
    return told.ma if told is not None and told.until > now else evse.safe_ma


def unanswered(before: Told | None, new: Told, evse: Evse) -> Told:
    """What may be in force from when `new` is sent until its charger answers. Keep it as the charge's `told` meanwhile.

    If it was never heard, what was told before holds, and then, or at once, the safe current.
    """
    if before is None or before.until <= new.since:
        return Told(max(evse.safe_ma, new.ma), new.since, new.until, new.lately)
    safe_ma = evse.safe_ma if before.until < new.until else 0
    return Told(max(before.ma, new.ma, safe_ma), new.since, max(before.until, new.until), new.lately)


def made_safe(before: Told | None, held_ma: int, evse: Evse, rules: Rules, now: datetime) -> Told | None:
    """What holds a charge whose charger has just accepted its safe current, and was held to `held_ma` by nothing else.

    The vehicle may still be on its way down from there. What the charge was told before goes on to hold.
    """
    if held_ma <= evse.safe_ma or (before is not None and before.until > now):
        return before
    return Told(evse.safe_ma, now, now + rules.follows, ((held_ma, now + rules.follows),))


def drawn_on_grid(charge: Charge, evse: Evse, rules: Rules, now: datetime) -> PerPhase | None:
    """What it draws on each grid phase; None, where no fresh reading tells."""
    if charge.drawn is None or now - charge.drawn.at > rules.fresh:
        return None
    return _by_grid_phase(charge.drawn, evse)


def _by_grid_phase(drawn: Drawn, evse: Evse) -> PerPhase:
    found = [0, 0, 0]
    for wired, ma in zip(evse.wiring, drawn.ma, strict=False):
        found[wired - 1] = ma
    return found[0], found[1], found[2]


def phases_of(charge: Charge, evse: Evse, rules: Rules, now: datetime) -> tuple[int, ...]:
    """The grid phases that it loads: those it is said to use, and those it is seen to use."""
    said = evse.on_grid(charge.uses)
    drawn = drawn_on_grid(charge, evse, rules, now)
    if drawn is None:
        return said
    return tuple(phase for phase in PHASES if phase in said or drawn[phase - 1] > rules.tolerance_ma)


def excess_ma(charge: Charge, evse: Evse, rules: Rules, now: datetime) -> int:
    """The most that it draws on a phase, where that is more than it was told; else 0."""
    most = max(drawn_on_grid(charge, evse, rules, now) or NOTHING)
    return most if most > in_force_ma(charge, evse, now) + rules.tolerance_ma else 0


def outdrew(charge: Charge, evse: Evse, rules: Rules) -> bool:
    """Did it, when it was last read, draw more than its charger was held to then and shortly before?

    From its first moment on: before it is told anything it may draw the safe current, which is in force then.
    """
    drawn = charge.drawn
    if drawn is None or drawn.at < charge.arrival:
        return False
    lately = (ma for ma, until in followed(charge, evse, rules, drawn.at) if drawn.at < until)
    return max(_by_grid_phase(drawn, evse)) > max(lately, default=0) + rules.tolerance_ma


def disobeys(charge: Charge, evse: Evse, rules: Rules, now: datetime) -> bool:
    """Does it draw more than told, and did so in spite of all that it was held to when that was read?"""
    return outdrew(charge, evse, rules) and excess_ma(charge, evse, rules, now) > 0


def followed(charge: Charge, evse: Evse, rules: Rules, now: datetime) -> tuple[tuple[int, datetime], ...]:
    """What it may still draw when it is told less at `now`: each current, and until when, the highest first.

    It is told again every few minutes, and more often while others come and go: a clock that began anew with each of
    them would never find one that does not follow.
    """
    found = [(in_force_ma(charge, evse, now), now + rules.follows)]
    if charge.told is not None:
        found += [(ma, until) for ma, until in charge.told.lately if until > now]
        if charge.told.until <= now < charge.told.until + rules.follows:
            found.append((charge.told.ma, charge.told.until + rules.follows))
    found.sort(reverse=True)
    return tuple(each for nth, each in enumerate(found) if all(each[1] > other[1] for other in found[:nth]))


def reserved_at(site: Site, facts: Facts, rules: Rules, now: datetime) -> tuple[Reserved, ...]:
    """All that cannot be steered now, by EVSE."""
    charges = {charge.evse: charge for charge in facts.charges}
    return tuple(_reserved(site, facts, charges, rules, now))


def _reserved(site: Site, facts: Facts, charges: dict[str, Charge], rules: Rules, now: datetime) -> Iterator[Reserved]:
    for evse in site.evses:
        charge = charges.get(evse.id)
        name = charge.id if charge is not None else None
        if evse.id in facts.offline:
            yield Reserved(evse.id, _offline(charge, evse, facts, rules, now), Why.OFFLINE, name)
        elif charge is None:
            idle_ma = evse.most_ma if evse.id in facts.deaf else evse.safe_ma
            if rules.reserves_idle and idle_ma:
                yield Reserved(evse.id, _on(evse.wiring, idle_ma), Why.IDLE)
        elif evse.id in facts.deaf:
            yield Reserved(evse.id, _unruly(charge, evse, rules, now, unread_ma=evse.most_ma), Why.DEAF, name)
        elif disobeys(charge, evse, rules, now):
            yield Reserved(evse.id, _unruly(charge, evse, rules, now), Why.OVERDRAWN, name)


def _unruly(charge: Charge, evse: Evse, rules: Rules, now: datetime, *, unread_ma: int = 0) -> PerPhase:
    """What it draws on each phase, and no less than what it may; `unread_ma`, where no reading tells."""
    drawn = drawn_on_grid(charge, evse, rules, now)
    if drawn is None:
        return _on(evse.wiring, unread_ma)
    may = _on(phases_of(charge, evse, rules, now), in_force_ma(charge, evse, now))
    first, second, third = map(max, drawn, may)
    return first, second, third


def _offline(charge: Charge | None, evse: Evse, facts: Facts, rules: Rules, now: datetime) -> PerPhase:
    if evse.id in facts.deaf:
        return _on(evse.wiring, evse.most_ma)
    told_ma = in_force_ma(charge, evse, now) if charge is not None else 0
    first, second, third = map(max, _on(evse.wiring, max(evse.safe_ma, told_ma)), _outdrawn(charge, evse, rules))
    return first, second, third


def _outdrawn(charge: Charge | None, evse: Evse, rules: Rules) -> PerPhase:
    """What it drew when it was last read, however long ago, where that was too much: it is taken to go on."""
    if charge is None or charge.drawn is None or not outdrew(charge, evse, rules):
        return NOTHING
    return _by_grid_phase(charge.drawn, evse)


def drawn_of(
    site: Site, facts: Facts, reserved: tuple[Reserved, ...], rules: Rules, now: datetime
) -> Iterator[Reserved]:
    """Of all that is reserved, what is drawn already, as far as is known. The rest is kept for what may come."""
    charges = {charge.id: charge for charge in facts.charges}
    for each in reserved:
        if each.charge is not None:
            charge, evse = charges[each.charge], site.evse[each.evse]
            yield replace(each, ma=_drawing(charge, evse, rules, now, is_deaf=each.evse in facts.deaf))


def _drawing(charge: Charge, evse: Evse, rules: Rules, now: datetime, *, is_deaf: bool) -> PerPhase:
    """What its meter reads; without a reading, what its charger allows now."""
    drawn = drawn_on_grid(charge, evse, rules, now)
    if drawn is not None:
        return drawn
    if is_deaf:
        return _on(evse.wiring, evse.most_ma)
    allowed = _on(phases_of(charge, evse, rules, now), in_force_ma(charge, evse, now))
    first, second, third = map(max, allowed, _outdrawn(charge, evse, rules))
    return first, second, third


def _on(phases: tuple[int, ...], ma: int) -> PerPhase:
    first, second, third = (ma if phase in phases else 0 for phase in PHASES)
    return first, second, third


def without(room: Room, grid: Grid, reserved: tuple[Reserved, ...]) -> Room:
    """What is left in `room` when all of `reserved` is drawn."""
    left = room.copy()
    for each in reserved:
        for phase, ma in zip(PHASES, each.ma, strict=True):
            if ma:
                left.take(grid.load(grid.site.evse[each.evse].node, (phase,)), ma)
    return left


def overdrawn(site: Site, facts: Facts, rules: Rules, now: datetime) -> tuple[Overdrawn, ...]:
    """Who draws more than told, for the operator."""
    found = ((charge, site.evse[charge.evse]) for charge in facts.charges if charge.evse not in facts.offline)
    bold = [(charge, evse) for charge, evse in found if disobeys(charge, evse, rules, now)]
    return tuple(
        Overdrawn(charge.id, evse.id, in_force_ma(charge, evse, now), drawn)
        for charge, evse in bold
        if (drawn := drawn_on_grid(charge, evse, rules, now)) is not None
    )
