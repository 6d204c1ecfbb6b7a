"""What connectors draw just now, phase by phase, out of the meter values of any version of OCPP.

Currents (or powers) that name their phases say it all. A total says nothing of phases: spread evenly it can show that
somebody draws too much, never that he takes less, as he may draw it all on one. A DC outlet's current is not the
grid's, so that a current without a phase says nothing. Where only the register is told, its rise is a total. Read
leniently: what cannot be read is not there, and nothing raises.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from hub.core.jsontypes import Json, Tree
from partners.ocpp.energy.units import PHASES, PerPhase
from partners.ocpp.readings import is_credible, objects_in, parse_decimal, parse_time

_CURRENT: Final = "Current.Import"
_POWER: Final = "Power.Active.Import"
_REGISTER: Final = "Energy.Active.Import.Register"
_PHASES: Final[Mapping[str, int]] = {"L1": 1, "L2": 2, "L3": 3, "L1-N": 1, "L2-N": 2, "L3-N": 3}
_IN_THOUSANDTHS: Final[Mapping[str, int]] = {"": 1000, "a": 1000, "w": 1000, "kw": 10**6}
_IN_WH: Final[Mapping[str, int]] = {"": 1, "wh": 1, "kwh": 1000}
_CAR: Final = "EV"
_LEAST_S: Final = 30.0
"""Two looks at a register that are closer together say too little of the power between them."""
_MOST: Final = Decimal(10**9)


@dataclass(frozen=True, slots=True)
class Metered:
    """One look at a meter: mA by phase of the EVSE (its own L1 first) or None, the power in mW, the register in Wh."""

    at: datetime
    ma: PerPhase | None
    mw: int | None
    wh: int | None = None

    @property
    def says_power(self) -> bool:
        """Or only how much went through, which says nothing of what is drawn now?"""
        return self.ma is not None or self.mw is not None


@dataclass(frozen=True, slots=True)
class Arrived:
    """When something came, and by how much the charger's clock is behind ours, as far as that is known."""

    now: datetime
    behind: timedelta = timedelta(0)

    def dated(self, said: Json) -> datetime:
        """When it was measured, by our clock: what was queued while offline is history. Without a clock, now."""
        moment = parse_time(said)
        if moment is None or not is_credible(moment):
            return self.now
        return min(moment + self.behind, self.now)


@dataclass(slots=True)
class Meters:
    """The newest look at each connector, by station (folded) and connector."""

    newest: dict[tuple[str, int], Metered] = field(default_factory=dict)
    _registers: dict[tuple[str, int], Metered] = field(default_factory=dict)

    def heard(self, station: str, connector: int, meter_values: Json, arrived: Arrived, *, mv: int) -> bool:
        """Take in meter values; `mv` is the voltage between a phase and neutral. Was anything in them?"""
        last: Metered | None = None
        for moment in objects_in(meter_values):
            at = arrived.dated(moment.get("timestamp"))
            last = _read(objects_in(moment.get("sampledValue")), at, mv) or last
        if last is None:
            return False
        key = (station, connector)
        self.newest[key] = self._by_register(key, last) if last.ma is None and last.mw is None else last
        return True

    def _by_register(self, key: tuple[str, int], look: Metered) -> Metered:
        """The power between two looks at a register alone; a Wh less, as it may have been rounded down before.

        It is of the earlier moment: so nobody is blamed for what he drew before he was told to draw less.
        """
        before = self._registers.setdefault(key, look)
        seconds = (look.at - before.at).total_seconds()
        if seconds < _LEAST_S or look.wh is None or before.wh is None:
            newest = self.newest.get(key)
            return look if newest is None else replace(newest, wh=look.wh)
        self._registers[key] = look
        return replace(look, at=before.at, mw=int(max(look.wh - before.wh - 1, 0) * 3_600_000 / seconds))

    def of(self, station: str, connector: int) -> Metered | None:
        return self.newest.get((station, connector))

    def forget(self, station: str, connector: int) -> None:
        """Another charge, another vehicle."""
        self.newest.pop((station, connector), None)
        self._registers.pop((station, connector), None)


def _read(samples: list[Tree], at: datetime, mv: int) -> Metered | None:
    currents = dict(_by_phase(samples, _CURRENT))
    powers = dict(_by_phase(samples, _POWER))
    total = _total(samples, _POWER, _IN_THOUSANDTHS)
    register = _total(samples, _REGISTER, _IN_WH)
    if currents:
        ma = _all_of(currents)
    elif powers:
        ma = _all_of({phase: mw * 1000 // mv for phase, mw in powers.items()})
    else:
        ma = None
    if powers and total is None:
        total = sum(powers.values())
    if ma is None and total is None and register is None:
        return None
    return Metered(at, ma, total, register)


def _by_phase(samples: list[Tree], measurand: str) -> Iterator[tuple[int, int]]:
    """Phase, and the value in thousandths of A or W."""
    for sample in samples:
        phase = _PHASES.get(str(sample.get("phase") or ""))
        if phase is not None and sample.get("measurand") == measurand and sample.get("location") != _CAR:
            value = _value(sample, _IN_THOUSANDTHS)
            if value is not None:
                yield phase, value


def _total(samples: list[Tree], measurand: str, units: Mapping[str, int]) -> int | None:
    for sample in samples:
        known = sample.get("measurand", _REGISTER)
        if known == measurand and not sample.get("phase") and sample.get("location") != _CAR:
            return _value(sample, units)
    return None


def _value(sample: Tree, units: Mapping[str, int]) -> int | None:
    if sample.get("format") == "SignedData":
        return None
    measure = sample.get("unitOfMeasure")
    unit, power = sample.get("unit"), 0
    if isinstance(measure, dict):
        unit, multiplier = measure.get("unit"), measure.get("multiplier")
        power = multiplier if type(multiplier) is int and abs(multiplier) <= 9 else 0
    number = parse_decimal(sample.get("value"))
    factor = units.get(unit.strip().lower() if isinstance(unit, str) else "")
    if number is None or factor is None or not 0 <= (number := number.scaleb(power)) <= _MOST:
        return None
    return int(number * factor)


def _all_of(found: Mapping[int, int]) -> PerPhase:
    first, second, third = (found.get(phase, 0) for phase in PHASES)
    return first, second, third
