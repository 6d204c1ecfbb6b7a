"""A small garage to tell stories about, and words for what stands in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from partners.ocpp.energy.allocation import allocate
from partners.ocpp.energy.facts import Charge, Drawn, Facts, Told
from partners.ocpp.energy.rules import Rules
from partners.ocpp.energy.shares import Allocation
from partners.ocpp.energy.site import Evse, Limit, Node, Site
from partners.ocpp.energy.units import PerPhase
from tests.partners.ocpp.energy.site_days import MORNING

CALM = Rules(reserves_idle=False)


def garage(ma: int, count: int, **evse: Any) -> Site:
    """EVSEs E0, E1, ... on one grid connection of `ma` on each phase."""
    evses = (Evse(f"E{number}", "grid", **{"most_ma": 32_000, **evse}) for number in range(count))
    return Site((Node("grid", None, Limit((ma, ma, ma))),), tuple(evses))


def car(number: int, **known: Any) -> Charge:
    """The charge C<number> at E<number>."""
    return Charge(f"C{number}", f"E{number}", **{"arrival": MORNING, **known})


def told(ma: int, *, since: datetime = MORNING, minutes: int = 15) -> Told:
    return Told(ma, since, since + timedelta(minutes=minutes))


def drawn(*ma: int, at: datetime = MORNING) -> Drawn:
    first, second, third = (*ma, 0, 0, 0)[:3]
    return Drawn((first, second, third), at)


def at_once(site: Site, *charges: Charge, rules: Rules = CALM, now: datetime = MORNING, **facts: Any) -> Allocation:
    """The shares of these charges."""
    return allocate(site, Facts(charges, **facts), rules, now)


def ma(allocation: Allocation) -> dict[str, int]:
    """What each charge may draw."""
    return {share.charge: share.ma for share in allocation.shares}


def then(charge: Charge, allocation: Allocation) -> Charge:
    """`charge` after it was told its share."""
    share = allocation.of(charge.id)
    return replace(charge, told=share.told if share.tell else charge.told, turn=share.turn)


def each_phase(value: int) -> PerPhase:
    return value, value, value
