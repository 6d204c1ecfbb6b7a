"""MeterValues to readings: units, phases, registers and intervals, for 1.6 and 2.x alike.

A missing measurand is the import register; a missing unit is Wh, W, A or V. A value without a phase is the
total; else L1..L3 are summed (energy, power, current) or averaged (voltage, to neutral), and N is left out.
`Interval` measurands are steps that add up. A register that falls was reset: it begins a new segment, and
segments are summed. A register that counts kWh under the label Wh shows against power x time; it is flagged,
not corrected. Signed values are taken out as they are. OCPP 1.6 section 7.28, 2.x SampledValueType.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final

from hub.core.jsontypes import Json, Tree
from partners.ocpp.events import Flag
from partners.ocpp.readings import Reading, SignedValue, parse_decimal, parse_time

MAX_SAMPLES: Final = 10_000

_THOUSANDTH: Final = Decimal("0.001")
_ONE: Final = Decimal(1)
_KILO: Final[Mapping[str, Decimal]] = {
    "": _THOUSANDTH,
    "wh": _THOUSANDTH,
    "kwh": _ONE,
    "w": _THOUSANDTH,
    "kw": _ONE,
}
_PLAIN: Final[Mapping[str, Decimal]] = {"": _ONE, "a": _ONE, "v": _ONE, "percent": _ONE, "%": _ONE}
_MEASURANDS: Final[Mapping[str, tuple[str, Mapping[str, Decimal]]]] = {
    "Energy.Active.Import.Register": ("energy_kwh", _KILO),
    "Energy.Active.Import.Interval": ("step_kwh", _KILO),
    "Power.Active.Import": ("power_kw", _KILO),
    "Current.Import": ("current_a", _PLAIN),
    "Voltage": ("voltage", _PLAIN),
    "SoC": ("soc", _PLAIN),
}
_PHASES: Final[Mapping[str, str]] = {
    "": "",
    "L1": "L1", "L2": "L2", "L3": "L3",
    "L1-N": "L1", "L2-N": "L2", "L3-N": "L3",
}  # fmt: skip
_PLACES: Final[Mapping[str, int]] = {"": 0, "Outlet": 0, "EV": 2}
"""What is sold is measured at the outlet; inlet, body or cable count when nothing else is told, the car only
for SoC.
"""


@dataclass(frozen=True, slots=True)
class Metered:
    """What a list of MeterValues holds, in the order it was sent."""

    readings: tuple[Reading, ...] = ()
    signed: tuple[SignedValue, ...] = ()
    flags: frozenset[Flag] = frozenset()


def read(meter_values: Json) -> Metered:
    """The readings in `meterValue` or `transactionData`, whatever it is. Never raises."""
    readings: list[Reading] = []
    signed: list[SignedValue] = []
    flags: set[Flag] = set()
    left = MAX_SAMPLES
    for entry in _dicts(meter_values):
        samples = _dicts(entry.get("sampledValue"))
        if len(samples) > left:
            flags.add(Flag.SAMPLES_CUT)
        at = parse_time(entry.get("timestamp"))
        if at is None:
            flags.add(Flag.TIME_UNREADABLE)
        fields = _fields(samples[:left], flags)
        if fields:
            readings.append(Reading(at, **fields))
        signed += [value for sample in samples[:left] if (value := _signed(sample, at)) is not None]
        left = max(0, left - len(samples))
    return Metered(tuple(readings), tuple(signed), frozenset(flags))


def rising(registers: Iterable[Decimal]) -> tuple[Decimal, bool]:
    """The sum of the rising parts of `registers`, and whether it ever fell (was reset)."""
    total, fell = Decimal(0), False
    for before, after in pairwise(registers):
        if after >= before:
            total += after - before
        else:
            fell = True
    return total, fell


def counts_kwh_as_wh(readings: Sequence[Reading]) -> bool:
    """Does the register move a thousandth of what power x time says? Needs a tenth of a kWh to judge."""
    known = [r for r in readings if r.at is not None and r.energy_kwh is not None and r.power_kw is not None]
    expected = measured = Decimal(0)
    for before, after in pairwise(known):
        hours = Decimal(str((after.at - before.at).total_seconds())) / 3600  # type: ignore[operator]
        expected += hours * (before.power_kw + after.power_kw) / 2  # type: ignore[operator]
        measured += max(Decimal(0), after.energy_kwh - before.energy_kwh)  # type: ignore[operator]
    return expected > Decimal("0.1") and measured > 0 and 300 < expected / measured < 3000


def _fields(samples: list[Tree], flags: set[Flag]) -> dict[str, Decimal]:
    """The fields of one Reading: its samples by field, place and phase; the best place's phases joined."""
    found: dict[str, dict[int, dict[str, Decimal]]] = {}
    for sample in samples:
        field, units = _MEASURANDS.get(_word(sample, "measurand") or "Energy.Active.Import.Register", ("", {}))
        phase, place = _PHASES.get(_word(sample, "phase")), _PLACES.get(_word(sample, "location"), 1)
        in_car = place == 2 and field != "soc"
        if not field or phase is None or in_car or sample.get("format") == "SignedData":
            continue
        value, factor = parse_decimal(sample.get("value")), _factor(sample, units)
        if value is None:
            flags.add(Flag.VALUE_UNREADABLE)
        elif factor is None:
            flags.add(Flag.UNIT_UNKNOWN)
        else:
            found.setdefault(field, {}).setdefault(place, {})[phase] = value * factor
    return {field: _joined(field, places[min(places)]) for field, places in found.items()}


def _joined(field: str, values: dict[str, Decimal]) -> Decimal:
    if "" in values:
        return values[""]
    total = sum(values.values(), Decimal(0))
    return total if field != "voltage" else (total / len(values)).quantize(_THOUSANDTH)


def _factor(sample: Tree, units: Mapping[str, Decimal]) -> Decimal | None:
    """What the value is multiplied by to be in kWh, kW, A, V or percent.

    None for a unit that does not fit.
    """
    unit, multiplier = sample.get("unit"), 0
    measure = sample.get("unitOfMeasure")
    if isinstance(measure, dict):
        unit, multiplier = measure.get("unit"), measure.get("multiplier") or 0
    if not isinstance(unit, str | None) or not isinstance(multiplier, int) or abs(multiplier) > 9:
        return None
    factor = units.get((unit or "").strip().lower())
    return None if factor is None else factor.scaleb(multiplier)


def _signed(sample: Tree, at: object) -> SignedValue | None:
    moment = at if at is None else parse_time(str(at))
    context = str(sample.get("context") or "")[:32]
    if sample.get("format") == "SignedData" and isinstance(sample.get("value"), str):
        return SignedValue(moment, context, sample["value"])
    block = sample.get("signedMeterValue")
    if not isinstance(block, dict) or not isinstance(block.get("signedMeterData"), str):
        return None
    method, key = block.get("encodingMethod"), block.get("publicKey")
    return SignedValue(
        moment,
        context,
        block["signedMeterData"],
        method if isinstance(method, str) else "",
        key if isinstance(key, str) else "",
    )


def _dicts(value: Json) -> list[Tree]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _word(sample: Tree, name: str) -> str:
    """The text under `name`; empty when there is none, unknown when it is no text."""
    value = sample.get(name)
    return value if isinstance(value, str) else "" if value is None else "?"
