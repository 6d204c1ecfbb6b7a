"""The facts of a moment at a site, for the allocation: from registers, states, sockets and meters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from hub.core.errors import InvalidRequest
from hub.core.ports import Limits
from partners.ocpp.energy.facts import NO_WISH, Charge, Drawn, Facts
from partners.ocpp.energy.reckoning import in_force_ma
from partners.ocpp.energy.rules import Rules
from partners.ocpp.energy.site import UNLIMITED, Evse, Limit
from partners.ocpp.energy.timeline import Steps
from partners.ocpp.energy.units import PerPhase, together_mv
from partners.ocpp.energy.wishes import wish_of
from partners.ocpp.sites import form as forms
from partners.ocpp.sites.metering import Metered
from partners.ocpp.sites.register import Known
from partners.ocpp.sites.rows import LimitRow, LoadRow
from partners.ocpp.sites.state import EvseState, Wish

CLEARLY_MA: Final = 4000
"""From this on a reading says which phases a vehicle uses."""
_LEAST_WH: Final = 1
"""A driver who has what he needed is last in line, and may go on all the same."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An EVSE now: is it known where its charger is, can it be told, and what its meter reads."""

    state: EvseState
    is_served: bool
    is_ready: bool
    metered: Metered | None
    drawn_wh: int | None = None
    """Energy since the charge began, where that is known."""
    is_empty: bool = False
    """Its charger is there, and no car at any of its connectors."""
    is_online: bool = False
    """Its charger has a connection, though perhaps it cannot be told anything yet."""
    is_doubted: bool = False
    """It drew more than it was told when it was last read. That is too old now, and since its charger connected it was
    not read: for as long as a reading would be fresh it is taken to draw what it can."""

    def is_deaf(self, evse: Evse) -> bool:
        """Nobody knows that it holds its safe current, or it is known that it does not do what it is told.

        One that has just come, and is to be told its safe current in a moment, draws nothing without a car.
        """
        safe_ma = self.state.row.safe_ma
        is_unsafe = safe_ma is None or safe_ma > evse.safe_ma
        return self.is_served and (self.state.row.is_deaf or (is_unsafe and (self.is_ready or not self.is_empty)))


def facts_of(known: Known, seen: Mapping[str, Seen], now: datetime) -> Facts:
    """Everything that an allocation at `now` looks at."""
    evses = known.site.evse
    return Facts(
        tuple(_charges(known, seen, now)),
        frozenset(uid for uid, each in seen.items() if each.is_served and not each.is_ready),
        frozenset(uid for uid, each in seen.items() if each.is_doubted or each.is_deaf(evses[uid])),
        {row.node: limits_of(row) for row in known.limits.values() if row.until > now},
        {row.node: loads_of(row, known) for row in known.loads.values()},
    )


def limits_of(row: LimitRow) -> Steps[Limit]:
    """A limit for a time, as it goes."""
    return Steps(UNLIMITED, ((row.begin, forms.limit_of(row.limit_a, row.limit_w)), (row.until, UNLIMITED)))


def loads_of(row: LoadRow, known: Known) -> Steps[PerPhase | None]:
    """A measured load until it is too old."""
    stale = row.at + timedelta(seconds=known.form.load_fresh_s)
    return Steps(forms.per_phase(row.load_a), ((stale, None),))


def _charges(known: Known, seen: Mapping[str, Seen], now: datetime) -> Iterator[Charge]:
    for uid, each in seen.items():
        row, evse = each.state.row, known.site.evse[uid]
        if not row.charge:
            continue
        charge = Charge(
            uid,
            uid,
            min(row.arrival or now, now),
            uses=row.uses,
            departure=row.departure,
            wanted_wh=_wanted_wh(row.need_wh, each.drawn_wh),
            priority=known.form.evses[uid].priority,
            wish=wish_in(row.wish, row.arrival or now, known, evse, row.uses),
            told=each.state.told,
            turn=each.state.turn,
        )
        drawn = row.drew if is_newest(row.drew, each.metered) else drawn_of(each.metered, charge, evse, known, now)
        yield charge if drawn is None else replace(charge, drawn=drawn)


def _wanted_wh(need_wh: int | None, drawn_wh: int | None) -> int | None:
    return None if need_wh is None else max(need_wh - (drawn_wh or 0), _LEAST_WH)


def wish_in(
    wish: Wish | None, begun: datetime, known: Known, evse: Evse, uses: tuple[int, ...] | None
) -> Steps[int | None]:
    """What a partner's limits allow over time; what cannot be read limits nothing."""
    if wish is None:
        return NO_WISH
    limits = Limits(wish.unit, wish.periods, wish.start, wish.duration_s)
    try:
        return wish_of(limits, begun=begun, mv=together_mv(known.site.volts_mv, evse.on_grid(uses)))
    except InvalidRequest:
        return NO_WISH


def is_newest(drew: Drawn | None, metered: Metered | None) -> bool:
    """Was nothing read since of what is drawn? A charger's queue may bring what is older."""
    return drew is not None and (metered is None or not metered.says_power or metered.at < drew.at)


def drawn_of(metered: Metered | None, charge: Charge, evse: Evse, known: Known, now: datetime) -> Drawn | None:
    """What is drawn by phase. A total alone counts only where it shows too much, however it is spread."""
    if metered is None or metered.at < charge.arrival:
        return None
    if metered.ma is not None:
        return Drawn(metered.ma, metered.at)
    if metered.mw is None:
        return None
    own = charge.uses or tuple(range(1, len(evse.wiring) + 1))
    evenly = metered.mw * 1000 // together_mv(known.site.volts_mv, evse.on_grid(own))
    if evenly <= in_force_ma(charge, evse, now) + known.rules.tolerance_ma:
        return None
    first, second, third = (evenly if phase in own else 0 for phase in (1, 2, 3))
    return Drawn((first, second, third), metered.at)


def used_phases(before: tuple[int, ...] | None, metered: Metered | None, rules: Rules) -> tuple[int, ...] | None:
    """Which phases of its EVSE a vehicle is seen to use; what was seen once stays."""
    if metered is None or metered.ma is None or max(metered.ma) < CLEARLY_MA:
        return before
    now = {phase for phase, ma in enumerate(metered.ma, 1) if ma > rules.tolerance_ma}
    return tuple(sorted(now | {*(before or ())}))


def amperes_of(figures: Iterable[int]) -> list[Decimal]:
    """mA for people."""
    return [Decimal(ma) / 1000 for ma in figures]
