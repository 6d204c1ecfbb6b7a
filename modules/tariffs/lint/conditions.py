"""The restrictions of each element, looked at alone. OCPI mod_tariffs_tariff_restrictions_class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from modules.tariffs.lint.findings import Finding, LintCode, finding
from modules.tariffs.lint.regions import boxes_of
from modules.tariffs.pricing import UnfitTariff
from modules.tariffs.pricing.numbers import KWH, decimal_text, in_units, rounded
from modules.tariffs.pricing.restrictions import DECIMALS, MEASURED_BOUNDS, OF_DAY, Range, not_understood, ranges_of

_PAIRS: Final = (
    ("min_kwh", "max_kwh"),
    ("min_duration", "max_duration"),
    ("min_current", "max_current"),
    ("min_power", "max_power"),
    ("start_date", "end_date"),
)
_DAYS: Final = ("day_of_week", "start_date", "end_date")


def restrictions_of(element: Mapping[str, Any]) -> Mapping[str, Any]:
    """The restrictions of an element, which may have none."""
    return element.get("restrictions") or {}


def ranges_or_fault(restrictions: Mapping[str, Any]) -> tuple[Range, ...] | UnfitTariff:
    """The ranges of an element, or why there are none."""
    try:
        return ranges_of(restrictions)
    except UnfitTariff as fault:
        return fault


def of_conditions(tariff: Mapping[str, Any]) -> Iterator[Finding]:
    """What can never hold, says nothing, or says something else than it seems to."""
    for at, element in enumerate(tariff["elements"]):
        if element.get("restrictions") is not None:
            yield from _of_one(f"/elements/{at}/restrictions", element["restrictions"])


def _of_one(pointer: str, restrictions: Mapping[str, Any]) -> Iterator[Finding]:
    strange = not_understood(restrictions)
    for field in strange:
        yield finding(LintCode.UNKNOWN_RESTRICTION, f"{pointer}/{_escaped(field)}", field=field[:40])
    ranges = ranges_or_fault(restrictions)
    if isinstance(ranges, UnfitTariff):
        yield finding(LintCode.UNUSABLE_RESTRICTION, pointer, why=ranges.message)
        return
    start, end = restrictions.get("start_time"), restrictions.get("end_time")
    if start is not None and start == end:
        yield finding(LintCode.EQUAL_TIMES, f"{pointer}/end_time")
    elif not ranges and not restrictions.get("reservation") and not strange:
        yield finding(LintCode.EMPTY_RESTRICTION, pointer)
    wraps = any(found.axis == OF_DAY and not found.inside for found in ranges)
    bound = next((field for field in _DAYS if restrictions.get(field)), None)
    if wraps and bound:
        yield finding(LintCode.WRAPPING_WINDOW, f"{pointer}/end_time", day=bound)
    yield from _impossible(pointer, restrictions, ranges)
    yield from _too_fine(pointer, restrictions)


def _too_fine(pointer: str, restrictions: Mapping[str, Any]) -> Iterator[Finding]:
    """Bounds of more decimals than what is held against them. OCPI types_number_type."""
    for field in MEASURED_BOUNDS:
        if restrictions.get(field) is not None:
            written = in_units(restrictions[field], KWH, field)
            read = rounded(written, KWH, DECIMALS)
            if read * KWH != written:
                yield finding(LintCode.THRESHOLD_TOO_FINE, f"{pointer}/{field}", field=field, read=decimal_text(read))


def _impossible(pointer: str, restrictions: Mapping[str, Any], ranges: tuple[Range, ...]) -> Iterator[Finding]:
    crossed = [pair for pair in _PAIRS if _is_crossed(restrictions, *pair)]
    for low, high in crossed:
        yield finding(LintCode.IMPOSSIBLE_RESTRICTION, f"{pointer}/{high}", why=f"{low} is not below {high}")
    if not crossed and not boxes_of(ranges):
        why = "no moment fulfils all of these restrictions"
        yield finding(LintCode.IMPOSSIBLE_RESTRICTION, pointer, why=why)


def _is_crossed(restrictions: Mapping[str, Any], low: str, high: str) -> bool:
    least, most = restrictions.get(low), restrictions.get(high)
    return least is not None and most is not None and bool(least >= most)


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
