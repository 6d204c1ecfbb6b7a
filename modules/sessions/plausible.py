"""What a connector can give at most, and so which meter readings cannot be: a broken meter is not billed unseen.

Where whoever reports the charge can say how long it lasted at the most, the bound is the connector's power for that
time, and a little more: for a power that is stated too low, the delay of messages, and a meter that counts whole kWh.
Of any other it is that power for the length of the charge, and for a day at least: clocks that were never set leave
charges of no length at all, whose energy is as good as any other. More than that is never plausible, however late a
stop comes.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from hub.core.errors import UnknownLocation
from hub.core.jsontypes import Tree
from modules.locations.service import connector_in, evse_in
from modules.sessions.charge import Charge

TOO_MUCH: Final = "more energy than the connector can give"

_MOMENT: Final = timedelta(minutes=1)
"""In less than this nobody can say what a connector gave."""
_OVER: Final = Decimal("1.25")
_FAR_OVER: Final = Decimal(10)
"""More than a connector's power may be wrong by, as its location states it."""

_DELAY: Final = timedelta(minutes=5)
"""At full power: what a charge may have given before its start was heard."""
_WHOLE_KWH: Final = Decimal(1)

_AT_LEAST: Final = timedelta(hours=24)
_UNKNOWN_KW: Final = Decimal(1000)
_LEAST_KW: Final = Decimal(1)
"""Less is a slip of the unit (kW written for W), and would hold every bill."""
_PHASES: Final = {"AC_1_PHASE": 1, "AC_2_PHASE": 2, "AC_2_PHASE_SPLIT": 2, "AC_3_PHASE": 3, "DC": 1}


class Doubted(NamedTuple):
    """Why a charge is not to be billed before an operator has seen it, and the register at its end until then."""

    why: str
    counted_kwh: Decimal


def judge(charge: Charge, *, longest: timedelta | None = None) -> None:
    """Doubt a charge that has ended with more energy than can be; then its last plausible reading counts.

    `longest`: how long it can have gone on at the most; None, where nobody can say.
    """
    charge.doubt, charge.counted_kwh = "", None
    first = first_kwh(charge)
    if first is None or charge.meter_stop_kwh is None:
        return
    most = first + (most_kwh(charge) if longest is None else min(most_kwh(charge), _most_within_kwh(charge, longest)))
    if charge.meter_stop_kwh > most:
        charge.doubt, charge.counted_kwh = TOO_MUCH, _last_plausible(charge, first, most)


def most_kwh(charge: Charge) -> Decimal:
    """The energy in kWh that the connector could have given in this charge."""
    lasted = (charge.end or charge.start) - charge.start
    return _at_full_power_kwh(charge, max(lasted, _AT_LEAST))


def _most_within_kwh(charge: Charge, longest: timedelta) -> Decimal:
    given, before = _at_full_power_kwh(charge, longest), _at_full_power_kwh(charge, _DELAY)
    return given * _OVER + before + _WHOLE_KWH


def _at_full_power_kwh(charge: Charge, lasted: timedelta) -> Decimal:
    return _power_kw(_connector(charge)) * Decimal(lasted // timedelta(seconds=1)) / 3600


def could_give(charge: Charge, kwh: Decimal, *, lasted: timedelta) -> bool | None:
    """Could the connector have given so much in the time? None, where that cannot be said."""
    if lasted < _MOMENT:
        return None
    most = _at_full_power_kwh(charge, lasted)
    if kwh <= most * _OVER:
        return True
    return False if kwh > most * _FAR_OVER else None


def first_kwh(charge: Charge) -> Decimal | None:
    """The register in kWh from which the charge is counted; None, when there is no reading."""
    if charge.meter_start_kwh is not None:
        return charge.meter_start_kwh
    return next((reading.kwh for reading in charge.readings if reading.kwh is not None), None)


def _last_plausible(charge: Charge, first: Decimal, most: Decimal) -> Decimal:
    """A reading below an earlier one is passed over, as it is in the bill."""
    last = first
    for reading in charge.readings:
        if reading.kwh is not None and reading.at > charge.start and last <= reading.kwh <= most:
            last = reading.kwh
    return last


def _connector(charge: Charge) -> Tree:
    try:
        return connector_in(evse_in(charge.tree_of_location(), charge.evse_uid), charge.connector_id)
    except UnknownLocation:
        return {}


def _power_kw(connector: Tree) -> Decimal:
    stated = Decimal(connector.get("max_electric_power") or 0) / 1000
    if stated >= _LEAST_KW:
        return stated
    volts, amperes = connector.get("max_voltage") or 0, connector.get("max_amperage") or 0
    reckoned = Decimal(volts) * Decimal(amperes) * _PHASES.get(str(connector.get("power_type")), 3) / 1000
    return reckoned if reckoned > 0 else _UNKNOWN_KW
