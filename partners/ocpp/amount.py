"""How much energy a charge took, and whether anybody measured it.

start and stop have a register, which rose    the difference; what was sampled in between only shapes it, and is told
                                              where it shows more than the stop does
the stop has none, or one below the start's   what registers of start, samples and stop rose in all; where one falls it
                                              was reset. With no sampled register, the sum of intervals
neither says anything                         nobody knows: it is not billed before an operator has said what it took

Samples are those up to the stop (`after_stop.py`). The last row is not for a charge of which its charger says that it
gave nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from partners.ocpp.events import Flag
from partners.ocpp.matching import Start
from partners.ocpp.meter import rising
from partners.ocpp.scales import Meter

_MOMENT: Final = timedelta(minutes=1)
"""What is sampled so soon tells how the meter stood at the start."""
_CHARGING: Final = "Charging"
_NO_CAR: Final = "Timeout"
"""stoppedReason of 2.x: no car was plugged in in time."""


def of(meter: Meter) -> tuple[Decimal, frozenset[Flag]]:
    """The energy in kWh, and what is odd about the registers."""
    first, last = _ends(meter)
    flags = {Flag.METER_START_MISSING} if first is None else set()
    if meter.stop is not None and last is None:
        flags.add(Flag.METER_STOP_MISSING)
    if first is not None and last is not None and last >= first:
        if any(_is_above(sample.reading.energy_kwh, last) for sample in meter.samples):
            flags.add(Flag.SAMPLE_ABOVE_STOP)
        return last - first, frozenset(flags)
    readings = [sample.reading for sample in meter.samples]
    registers = [reading.energy_kwh for reading in readings if reading.energy_kwh is not None]
    energy, fell = rising([*_known(first), *registers, *_known(last)])
    if fell:
        flags.add(Flag.METER_FELL)
    steps = sum((reading.step_kwh for reading in readings if reading.step_kwh is not None), Decimal(0))
    has_two = bool(registers) or (first is not None and last is not None)
    return (energy if has_two else steps), frozenset(flags)


def _is_above(sampled: Decimal | None, last: Decimal) -> bool:
    """Does a sample show more than the register of the stop, and not for how it is rounded?"""
    return sampled is not None and sampled > last and sampled - last > max(_step(sampled), _step(last))


def _step(register: Decimal) -> Decimal:
    """How finely a register in kWh seems to count: 0.01 for 12.35, and a whole kWh at most."""
    exponent = register.normalize().as_tuple().exponent
    return Decimal(1).scaleb(min(0, exponent)) if isinstance(exponent, int) else Decimal(1)


def is_known(start: Start, meter: Meter, *, began: datetime, ended: datetime) -> bool:
    """Does anything that was told of a charge that is over say how much energy it took?"""
    first, last = _ends(meter)
    energy, flags = of(meter)
    if energy > 0 or (first is not None and last is not None and last >= first):
        return True
    registers = [sample.at for sample in meter.samples if sample.reading.energy_kwh is not None]
    registers += [] if last is None else [ended]
    since = began if first is not None else min(registers, default=ended)
    steps = [sample.at for sample in meter.samples if sample.reading.step_kwh is not None]
    is_sampled = any(at > since + _MOMENT for at in registers) or any(at > began + _MOMENT for at in steps)
    return (is_sampled and Flag.METER_FELL not in flags) or _gave_nothing(start, meter, ended)


def _gave_nothing(start: Start, meter: Meter, ended: datetime) -> bool:
    """Does the charger say so? It tells each state of charging, and all that it told is there."""
    if start.gathered is None:
        return False
    states = {state for at, state in start.gathered.states if at < ended}
    is_idle = bool(states) and _CHARGING not in states and not start.gathered.has_gap
    return is_idle or (meter.stop is not None and meter.stop.reason == _NO_CAR)


def _ends(meter: Meter) -> tuple[Decimal | None, Decimal | None]:
    """The registers of start and stop in kWh."""
    first, last = meter.start.meter_wh, meter.stop.meter_wh if meter.stop is not None else None
    return None if first is None else first / 1000, None if last is None else last / 1000


def _known(register: Decimal | None) -> list[Decimal]:
    return [] if register is None else [register]
