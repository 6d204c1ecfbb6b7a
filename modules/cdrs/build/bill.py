"""A session of ours, measured and priced: while it runs and when it is over, by the same steps.

Because there is only one way from facts to money, what a driver saw last is what the CDR says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from modules.cdrs.build.course import PLACES, whole_ms
from modules.cdrs.build.facts import SessionFacts
from modules.cdrs.build.periods import Cutter, period_trees
from modules.cdrs.build.reserved import reserved_periods
from modules.tariffs.pricing import (
    HOUR,
    Case,
    Compiled,
    Priced,
    UnfitSession,
    UnknownTariff,
    at_hand,
    free,
    in_force,
    moment_of,
    price,
    rounded,
)

_OURS: Final = "2.3.0"
"""The version whose rules our tariffs follow."""


@dataclass(frozen=True, slots=True)
class Bill:
    """What a session came to until a moment.

    start, end: of the whole, the reservation included. hours: from start to end.
    parked_hours: the PARKING_TIME, free or not; None if there was none.
    tariff: the tree that prices it; None where the connector has no tariff, so that all is free.
    """

    start: datetime
    end: datetime
    kwh: Decimal
    hours: Decimal
    parked_hours: Decimal | None
    charging_periods: list[dict[str, Any]]
    tariff: dict[str, Any] | None
    priced: Priced
    currency: str


def bill(facts: SessionFacts, until: datetime) -> Bill:
    """Measure and price a session until a moment. Raises: PricingFault.

    A connector without any tariff is free, with a warning; a tariff that is not at hand is a fault.
    """
    begin, end = _whole(facts, until)
    tree, compiled = _tariff(facts, begin)
    periods = charging_periods(facts, compiled, begin, end)
    parked = [d["volume"] for p in periods for d in p["dimensions"] if d["type"] == "PARKING_TIME"]
    return Bill(
        start=moment_of(begin),
        end=moment_of(end),
        kwh=sum((d["volume"] for p in periods for d in p["dimensions"] if d["type"] == "ENERGY"), Decimal(0)),
        hours=rounded(end - begin, HOUR, PLACES),
        parked_hours=sum(parked, Decimal(0)) if parked else None,
        charging_periods=periods,
        tariff=tree,
        priced=_priced(facts, compiled, periods, begin, end),
        currency=tree["currency"] if tree else facts.currency,
    )


def _whole(facts: SessionFacts, until: datetime) -> tuple[int, int]:
    """The first and the last instant of what is billed. Raises: UnfitSession."""
    first = facts.reservation_start or facts.start
    if first is None:
        raise UnfitSession("there is neither a session nor a reservation")
    begin, end = whole_ms(first, "the start"), whole_ms(until, "the end")
    if end < begin:
        raise UnfitSession("the session ends before it starts")
    return begin, end


def _tariff(facts: SessionFacts, begin: int) -> tuple[dict[str, Any] | None, Compiled | None]:
    """The tariff of the connector that was in force at the start. It stays for the whole session."""
    trees = {str(tree.get("id")).lower(): tree for tree in facts.tariffs}
    named = [str(name) for name in _connector(facts).get("tariff_ids") or ()] or list(trees)
    if not named:
        return None, None
    missing = [name for name in named if name.lower() not in trees]
    if missing:
        raise UnknownTariff(f"its tariff{'s are' if missing[1:] else ' is'} not here: {', '.join(missing)}")
    known = [at_hand(trees[name.lower()], _OURS) for name in named]
    chosen = in_force(known, begin, facts.tariff_type)
    return dict(trees[chosen.key]), chosen


def _connector(facts: SessionFacts) -> dict[str, Any]:
    for evse in facts.location.get("evses") or ():
        if str(evse.get("uid")).lower() == facts.evse_uid.lower():
            for connector in evse.get("connectors") or ():
                if str(connector.get("id")).lower() == facts.connector_id.lower():
                    return dict(connector)
    return {}


def charging_periods(facts: SessionFacts, tariff: Compiled | None, begin: int, end: int) -> list[dict[str, Any]]:
    """The reservation, if there was one; then the session. Raises: UnfitSession."""
    name = tariff.id if tariff else None
    start = end if facts.start is None else min(max(whole_ms(facts.start, "the start"), begin), end)
    periods = []
    if facts.reservation_start is not None:
        zone, expired = facts.location.get("time_zone"), facts.reservation_expired
        periods = reserved_periods(tariff, zone, begin, start, expired=expired)
    if facts.start is None:
        return periods
    cutter = Cutter(facts, tariff, start, end)
    return periods + period_trees(cutter.spans(), metered=bool(cutter.register), tariff_id=name)


def _priced(
    facts: SessionFacts, tariff: Compiled | None, periods: Sequence[dict[str, Any]], begin: int, end: int
) -> Priced:
    case = Case(
        version=_OURS,
        time_zone=facts.location.get("time_zone"),
        tariffs=[tariff] if tariff else [],
        start=moment_of(begin),
        end=moment_of(end),
        periods=periods,
        reservation_expired=facts.reservation_expired,
    )
    return price(case) if tariff else free(case)
