"""The reasons of a share as sentences for an operator or a driver."""

from __future__ import annotations

from typing import Final

from partners.ocpp.energy.reasons import Crowded, Held, Hold, Notice, Overdrawn, Why
from partners.ocpp.energy.shares import Share
from partners.ocpp.energy.units import amperes

GIVEN: Final[dict[Why, str]] = {
    Why.TURN: "as it is its turn",
    Why.STAY: "as its turn goes on",
    Why.PATIENCE: "as it has waited for long enough",
    Why.PLAN: "by the plan over the day",
    Why.SHARE: "as an equal share with the others",
    Why.ORDER: "as those before it have all they can get",
    Why.REST: "from what rounding left over",
    Why.KEPT: "as it was told so before and nobody needs it",
    Why.OFFLINE: "as its charger cannot be told anything and may allow that",
    Why.IDLE: "as the next charge may draw that before it is told anything",
    Why.OVERDRAWN: "as it was told, although it draws more",
    Why.DEAF: "as it was told, although its charger does not do what it is told",
}

HELD: Final[dict[Held, str]] = {
    Held.LIMIT: "no more, as {place} has no more",
    Held.WAITS: "waits for its turn, as {place} has no room for its least current",
    Held.TOO_LITTLE: "cannot charge, as {place} leaves less than its least current",
    Held.PAUSE: "pauses until {until}, as its turn is just over",
    Held.OTHERS_FIRST: "no more until others draw less",
    Held.QUIET: "no more before {until}, as the change would be small",
    Held.EVSE: "the most that the EVSE gives",
    Held.VEHICLE: "the most that the cable and the vehicle take",
    Held.TAKES_LESS: "little more than the vehicle draws",
    Held.WISH: "the most that the partner's charging profile allows",
    Held.ENERGY: "it has the energy that it wanted",
    Held.OFFLINE: "its charger cannot be told anything",
    Held.DISOBEYS: "its charger does not do what it is told",
}


def sentence(share: Share) -> str:
    """All reasons of a share: `13.0 A on L2: 6.0 A as it is its turn, 7.0 A as ...; no more, as L2 of ...`."""
    phases = ", ".join(f"L{phase}" for phase in share.phases)
    given = ", ".join(f"{amperes(each.ma)} A {GIVEN[each.why]}" for each in share.slices)
    held = "" if share.hold is None else _held(share.hold)
    told = f"{amperes(share.ma)} A on {phases}"
    return "; ".join(part for part in (f"{told}: {given}" if given else told, held) if part)


def _held(hold: Hold) -> str:
    until = "" if hold.until is None else f"{hold.until:%H:%M:%S}"
    return HELD[hold.why].format(place=_place(hold.node, hold.phase), until=until)


def _place(node: str | None, phase: int | None) -> str:
    return f"L{phase} of {node}" if phase is not None else f"the power of {node}"


def warning(notice: Notice) -> str:
    """What an operator must hear."""
    if isinstance(notice, Overdrawn):
        drawn = ", ".join(f"{amperes(ma)} A" for ma in notice.drawn_ma)
        return f"{notice.evse} draws {drawn} on L1, L2, L3, and was told {amperes(notice.told_ma)} A"
    place, unit = _place(notice.node, notice.phase), "A" if notice.phase is not None else "W"
    by = f"{amperes(notice.by)} {unit}"
    if isinstance(notice, Crowded):
        kept = f"{amperes(notice.kept)} {unit} that are kept as chargers may allow them unasked"
        return f"{place} has {by} too little for the {kept}; they are not drawn"
    return f"{place} is exceeded by {by} that nobody can steer"
