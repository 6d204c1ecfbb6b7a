"""What a car says that it needs (NotifyEVChargingNeeds, ISO 15118): until when it stays, and how much it wants.

The newest of each EVSE is kept in `Live.needs`, by the number of the EVSE, for whoever shares out power; it goes with
the end of the charge (whoever reads it compares `at` with the begin of the charge) and is on record for operators.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from hub.core.jsontypes import Tree
from partners.ocpp.readings import parse_time

_MOST_WH: Final = Decimal(10_000_000)


class Needs(msgspec.Struct, frozen=True):
    """Of the car at an EVSE. `departure` is the car's word; energy in Wh, limits as it told them; None: not told."""

    evse: int
    at: datetime
    transfer: str = ""
    departure: datetime | None = None
    energy_wh: Decimal | None = None
    most_current_a: Decimal | None = None
    least_current_a: Decimal | None = None
    most_power_w: Decimal | None = None
    soc: int | None = None


def needs_in(payload: Tree, now: datetime) -> Needs:
    """What a NotifyEVChargingNeeds tells."""
    told = _object(payload, "chargingNeeds")
    ac, dc = _object(told, "acChargingParameters"), _object(told, "dcChargingParameters")
    v2x = _object(told, "v2xChargingParameters")
    departure, soc, evse = told.get("departureTime"), dc.get("stateOfCharge"), payload.get("evseId")
    return Needs(
        evse=evse if isinstance(evse, int) else 0,
        at=now,
        transfer=str(told.get("requestedEnergyTransfer") or "")[:30],
        departure=parse_time(departure) if isinstance(departure, str) else None,
        energy_wh=_first(ac.get("energyAmount"), dc.get("energyAmount"), v2x.get("evTargetEnergyRequest")),
        most_current_a=_first(ac.get("evMaxCurrent"), dc.get("evMaxCurrent"), v2x.get("maxChargeCurrent")),
        least_current_a=_first(ac.get("evMinCurrent"), v2x.get("minChargeCurrent")),
        most_power_w=_first(dc.get("evMaxPower"), v2x.get("maxChargePower")),
        soc=soc if isinstance(soc, int) and 0 <= soc <= 100 else None,
    )


def _object(tree: Tree, name: str) -> Tree:
    found = tree.get(name)
    return found if isinstance(found, dict) else {}


def _first(*values: Any) -> Decimal | None:
    """The first that is a number that can be."""
    for value in values:
        try:
            number = Decimal(str(value)) if value is not None and not isinstance(value, bool) else None
        except InvalidOperation:
            continue
        if number is not None and number.is_finite() and 0 <= number <= _MOST_WH:
            return number
    return None
