"""What must not be billed unseen: energy that nobody measured, or two figures of which nobody knows which is right.

Of two figures, where start and stop are a factor of 1000 away from the samples, this one counts:

the connector can give the larger one            that one: a unit that is mistaken makes a figure too small
it cannot, by far, and it can give the smaller   the smaller: that unit was taken for a larger one than it is
nobody can say                                   start and stop, if theirs is the larger one, as they need no unit;
                                                 else neither is billed before an operator has seen both
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final, Literal

from modules.sessions import service as sessions
from modules.sessions.charge import Charge
from partners.ocpp.events import Flag, Transaction

UNMEASURED: Final = "nobody measured its energy"
_LEAST_KWH: Final = Decimal("0.1")
"""A smaller figure is so little that it says nothing for itself."""


def shown(session: Charge, charge: Transaction) -> Transaction:
    """`charge` while it goes on: what cannot be said yet is shown as the smaller figure."""
    smaller = charge.otherwise
    return smaller if smaller is not None and _verdict(session, charge, smaller) != "larger" else charge


def billed(session: Charge, charge: Transaction) -> Transaction:
    """`charge` with the figure that is billed; flagged, where nobody can say which it is."""
    if charge.otherwise is None:
        return charge
    match _verdict(session, charge, charge.otherwise):
        case "larger":
            return charge
        case "smaller":
            return charge.otherwise
    return replace(charge, flags=charge.flags | {Flag.UNITS_UNDECIDED})


def doubted(session: Charge, charge: Transaction) -> sessions.Doubted | None:
    """Why `charge` must not be billed unseen; None, when it may."""
    if Flag.NOT_MEASURED in billed(session, charge).flags:
        return _unmeasured(charge)
    smaller = charge.otherwise
    if smaller is None or _verdict(session, charge, smaller) is not None:
        return None
    by_samples, by_registers = charge.energy_kwh, smaller.energy_kwh
    if not charge.by_samples:
        by_samples, by_registers = by_registers, by_samples
    figures = f"start and stop say {by_registers.normalize():f} kWh, the samples {by_samples.normalize():f} kWh"
    first = (charge.meter_start_wh or Decimal(0)) / 1000
    return sessions.Doubted(f"{figures}; as measured is {charge.energy_kwh.normalize():f}", first + smaller.energy_kwh)


def _unmeasured(charge: Transaction) -> sessions.Doubted:
    first, last = charge.meter_start_wh, charge.meter_stop_wh
    if first is not None and last is not None:
        why = f"its meter ran backwards, from {_kwh(first):f} to {_kwh(last):f} kWh"
    elif first is None and last is None:
        why = "neither its start nor its end came with a meter value that can be read"
    else:
        why = f"its {'end' if last is None else 'start'} came without a meter value that can be read"
    register = next((_kwh(value) for value in (first, last) if value is not None), Decimal(0))
    return sessions.Doubted(f"{UNMEASURED}: {why}, and nothing in between was measured", register)


def _kwh(register_wh: Decimal) -> Decimal:
    return (register_wh / 1000).normalize()


def _verdict(session: Charge, charge: Transaction, smaller: Transaction) -> Literal["larger", "smaller"] | None:
    if charge.energy_kwh == smaller.energy_kwh:
        return "larger"
    until = charge.end or max(
        (reading.at for reading in charge.readings if reading.at is not None), default=charge.start
    )
    lasted = until - charge.start
    could = sessions.could_give(session, charge.energy_kwh, lasted=lasted)
    if could or (could is None and not charge.by_samples):
        return "larger"
    is_likely = smaller.energy_kwh >= _LEAST_KWH and sessions.could_give(session, smaller.energy_kwh, lasted=lasted)
    return "smaller" if could is False and is_likely else None
