"""What only the tariff as a whole shows: its limits, its validity, and what it prices at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from modules.tariffs.lint.components import UNIT_DIMENSIONS, components
from modules.tariffs.lint.conditions import restrictions_of
from modules.tariffs.lint.findings import Finding, LintCode, finding
from modules.tariffs.pricing import UnfitTariff, compile_tariff


def of_whole(tariff: Mapping[str, Any]) -> Iterator[Finding]:
    """Limits that cross, a validity without a moment, and steps and prices that do not fit each other."""
    least, most = tariff.get("min_price") or {}, tariff.get("max_price") or {}
    for figure in ("before_taxes", "after_taxes"):
        low, high = least.get(figure), most.get(figure)
        if low is not None and high is not None and low > high:
            yield finding(LintCode.MIN_ABOVE_MAX_PRICE, f"/min_price/{figure}", figure=figure)
    start, end = tariff.get("start_date_time"), tariff.get("end_date_time")
    if start is not None and end is not None and _sortable(start) >= _sortable(end):
        yield finding(LintCode.EMPTY_VALIDITY, "/end_date_time")
    yield from _of_use(tariff)


def _sortable(moment: str) -> str:
    """Our form writes milliseconds only where there are some."""
    return moment.removesuffix("Z").ljust(23, ".")


def _of_use(tariff: Mapping[str, Any]) -> Iterator[Finding]:
    in_session = [
        (pointer, component)
        for pointer, component, element in components(tariff)
        if not restrictions_of(element).get("reservation")
    ]
    by_use = any(component["type"] in UNIT_DIMENSIONS for _, component in in_session)
    if not by_use and any(component["price"] for _, component in in_session):
        yield finding(LintCode.NOTHING_BY_USE, "/elements")
    if any(component["type"] == "PARKING_TIME" for _, component in in_session):
        for pointer, component in in_session:
            if component["type"] == "TIME" and component["step_size"] > 1:
                yield finding(LintCode.TIME_STEP_GIVES_WAY, f"{pointer}/step_size")


def of_pricing(tariff: Mapping[str, Any]) -> Iterator[Finding]:
    """Why the engine refuses the tariff, if it does."""
    try:
        compile_tariff(tariff)
    except UnfitTariff as fault:
        yield finding(LintCode.CANNOT_BE_PRICED, "", why=fault.message)
