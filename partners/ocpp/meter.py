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
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from hub.core.jsontypes import Json, Tree
from partners.ocpp.events import Flag
from partners.ocpp.readings import Reading, SignedValue, objects_in, parse_decimal, parse_time

MAX_SAMPLES: Final = 10_000
_LONGEST_WORD: Final = 40
_MOST_MEANINGS: Final = 1024

_THOUSANDTH: Final = Decimal("0.001")
_ZERO: Final = Decimal(0)
_KILO: Final[Mapping[str, int]] = {"": -3, "wh": -3, "kwh": 0, "w": -3, "kw": 0}
"""Unit -> the power of ten that makes it kWh or kW."""
_PLAIN: Final[Mapping[str, int]] = {"": 0, "a": 0, "v": 0, "percent": 0, "%": 0}
_MEASURANDS: Final[Mapping[str, tuple[str, Mapping[str, int]]]] = {
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
    for entry in objects_in(meter_values):
        samples = objects_in(entry.get("sampledValue"))
        if len(samples) > left:
            flags.add(Flag.SAMPLES_CUT)
        at = parse_time(entry.get("timestamp"))
        if at is None:
            flags.add(Flag.TIME_UNREADABLE)
        fields = _fields(samples[:left], flags)
        if fields:
            readings.append(Reading(at, **fields))
        for sample in samples[:left]:
            if "signedMeterValue" in sample or "format" in sample:
                signed += _signed(sample, at)
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


class _Meaning(NamedTuple):
    """What a sample is about: a field of Reading ("": of none), where and at which phase, and its power of ten."""

    field: str
    place: int
    phase: str
    power: int | None


_MEANINGS: Final[dict[tuple[Json, ...], _Meaning]] = {}


def _fields(samples: list[Tree], flags: set[Flag]) -> dict[str, Decimal]:
    """The fields of one Reading: its samples by field, place and phase; the best place's phases joined."""
    found: dict[str, dict[int, dict[str, Decimal]]] = {}
    for sample in samples:
        field, place, phase, power = _meaning(sample)
        if not field:
            continue
        value = _value(sample.get("value"), power or 0)
        if value is None:
            flags.add(Flag.VALUE_UNREADABLE)
        elif power is None:
            flags.add(Flag.UNIT_UNKNOWN)
        elif (places := found.get(field)) is None:
            found[field] = {place: {phase: value}}
        else:
            places.setdefault(place, {})[phase] = value
    return {field: _joined(field, places[min(places)]) for field, places in found.items()}


def _meaning(sample: Tree) -> _Meaning:
    """Remembered: a charger sends the same few words with every sample."""
    get = sample.get
    words = (get("measurand"), get("phase"), get("location"), get("format"), get("unit"))
    measure = get("unitOfMeasure")
    if isinstance(measure, dict):
        return _meant(*words[:4], measure.get("unit"), measure.get("multiplier") or 0)
    try:
        known = _MEANINGS.get(words)
    except TypeError:  # a list or an object where a word belongs
        return _meant(*words, 0)
    if known is None:
        known = _meant(*words, 0)
        is_short = all(word is None or (isinstance(word, str) and len(word) <= _LONGEST_WORD) for word in words)
        if is_short and len(_MEANINGS) < _MOST_MEANINGS:
            _MEANINGS[words] = known
    return known


def _meant(measurand: Json, phase: Json, location: Json, form: Json, unit: Json, multiplier: Json) -> _Meaning:
    field, units = _MEASURANDS.get(_word(measurand) or "Energy.Active.Import.Register", ("", {}))
    at_phase, place = _PHASES.get(_word(phase)), _PLACES.get(_word(location), 1)
    in_car = place == _PLACES["EV"] and field != "soc"
    if at_phase is None or in_car or form == "SignedData":
        return _Meaning("", 0, "", None)
    return _Meaning(field, place, at_phase, _power(units, unit, multiplier))


def _value(value: Json, power: int) -> Decimal | None:
    if type(value) is str and len(value) <= _LONGEST_WORD:
        return _known_value(value, power)
    number = parse_decimal(value)
    return None if number is None else number.scaleb(power)


@lru_cache(maxsize=8192)
def _known_value(text: str, power: int) -> Decimal | None:
    """Cached: many values are the same again and again, and then they are kept in memory once."""
    number = parse_decimal(text)
    return None if number is None else number.scaleb(power)


def _joined(field: str, values: dict[str, Decimal]) -> Decimal:
    if "" in values:
        return values[""]
    if field == "voltage":
        return _mean(tuple(values.values()))
    return sum(values.values(), _ZERO) if len(values) > 1 else next(iter(values.values()))


@lru_cache(maxsize=1024)
def _mean(values: tuple[Decimal, ...]) -> Decimal:
    return (sum(values, _ZERO) / len(values)).quantize(_THOUSANDTH)


def _power(units: Mapping[str, int], unit: Json, multiplier: Json) -> int | None:
    """The power of ten that makes a value kWh, kW, A, V or percent. None for a unit that does not fit."""
    if not isinstance(unit, str | None) or not isinstance(multiplier, int) or abs(multiplier) > 9:
        return None
    power = units.get((unit or "").strip().lower())
    return None if power is None else power + multiplier


def _signed(sample: Tree, at: datetime | None) -> list[SignedValue]:
    if sample.get("format") == "SignedData" and isinstance(sample.get("value"), str):
        return [SignedValue(at, _context(sample), sample["value"])]
    block = sample.get("signedMeterValue")
    if not isinstance(block, dict) or not isinstance(block.get("signedMeterData"), str):
        return []
    method, key = block.get("encodingMethod"), block.get("publicKey")
    words = (word if isinstance(word, str) else "" for word in (method, key))
    return [SignedValue(at, _context(sample), block["signedMeterData"], *words)]


def _context(sample: Tree) -> str:
    return str(sample.get("context") or "")[:32]


def _word(value: Json) -> str:
    """The text that `value` is; empty when there is none, unknown when it is no text."""
    return value if isinstance(value, str) else "" if value is None else "?"
