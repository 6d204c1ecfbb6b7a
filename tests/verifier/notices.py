"""What is worth saying about a price that is given all the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tests.verifier import active
from tests.verifier.case import TIMES, Period, Tariff, tariff
from tests.verifier.changes import changed
from tests.verifier.clock import instant
from tests.verifier.limits import Moved
from tests.verifier.taxes import names_a_rate
from tests.verifier.walk import Stop, agrees, lookups


class Notice(NamedTuple):
    code: str
    period: int | None = None
    subject: str = ""


def all_of(
    stops: Sequence[Stop], moved: Sequence[Moved], unsaid: bool, case: Mapping[str, Any], policy: Mapping[str, Any]
) -> Iterator[Notice]:
    """In the order in which they are met."""
    yield from of_the_periods([stop.period for stop in stops], case)
    yield from of_the_choice(stops, case, policy)
    yield from of_the_tariffs(used(stops), case["version"])
    for stop in stops:
        yield from of_the_walk(stop, case, policy)
    yield from of_the_dimensions(stops)
    yield from of_the_limits(moved, unsaid=unsaid)


def used(stops: Sequence[Stop]) -> list[Tariff]:
    """The tariffs that price a period, each once, in the order met."""
    met: list[Tariff] = []
    for stop in stops:
        if stop.tariff is not None and stop.tariff not in met:
            met.append(stop.tariff)
    return met


def of_the_tariffs(tariffs: Sequence[Tariff], version: str) -> Iterator[Notice]:
    for each in tariffs:
        yield from _of_the_tax(each, version)
        yield from _of_the_elements(each)


def _of_the_elements(tariff: Tariff) -> Iterator[Notice]:
    for element in tariff.elements:
        kinds = [component.kind for component in element.components]
        for at, kind in enumerate(kinds):
            if kind in kinds[:at]:
                yield Notice("duplicate_component", None, kind)
    for element in tariff.elements:
        for name in element.strange[:1]:
            yield Notice("restriction_not_understood", None, name)


def _of_the_tax(tariff: Tariff, version: str) -> Iterator[Notice]:
    if version in ("2.1.1", "2.2.1"):
        return
    if not tariff.says_tax_included:
        yield Notice("tax_included_missing", None, tariff.id)
    if tariff.tax_included == "N/A" and names_a_rate(tariff):
        yield Notice("tax_rate_ignored")
    elif tariff.tax_included == "YES" and not names_a_rate(tariff):
        yield Notice("tax_not_splittable")
    elif tariff.tax_included == "NO" and not names_a_rate(tariff) and not _free(tariff):
        yield Notice("tax_rate_unknown")


def _free(tariff: Tariff) -> bool:
    return all(component.price == 0 for element in tariff.elements for component in element.components)


def of_the_periods(periods: Sequence[Period], case: Mapping[str, Any]) -> Iterator[Notice]:
    order = [period.index for period in periods]
    if order != sorted(order):
        yield Notice("periods_out_of_order")
    begin, end = instant(case["start"]), instant(case["end"])
    for at, period in enumerate(periods):
        if not begin <= period.start <= end:
            yield Notice("period_outside_the_session", period.index)
        if any(period.start == earlier.start for earlier in periods[:at]):
            yield Notice("periods_start_together", period.index)
        times = [name for name in TIMES if period.stated.get(name)]
        if len(times) == 1 and not agrees(period, times[0]):
            yield Notice("volume_disagrees_with_timestamps", period.index)


def of_the_choice(stops: Sequence[Stop], case: Mapping[str, Any], policy: Mapping[str, Any]) -> Iterator[Notice]:
    unnamed = [stop.period.index for stop in stops if not stop.period.tariff_id]
    if len(unnamed) == len(stops):
        yield from _rivals(case)
    else:
        for at, index in enumerate(unnamed):
            yield Notice("period_without_tariff", index)
            if at == 0 and policy["period_without_tariff"] == "in_force":
                yield from _rivals(case)
    for each in used(stops):
        if not each.holds_at(instant(case["start"])):
            yield Notice("tariff_outside_its_validity", None, each.id)


def _rivals(case: Mapping[str, Any]) -> Iterator[Notice]:
    """Several tariffs that could be meant where no period says which."""
    if len(case["tariffs"]) > 1:
        start, kind = instant(case["start"]), case.get("tariff_type")
        read = [tariff(tree) for tree in case["tariffs"]]
        fitting = [each.id for each in read if each.holds_at(start) and (kind is None or each.type in (None, kind))]
        if len(fitting) > 1:
            yield Notice("several_tariffs_fit", None, ", ".join(fitting[:5]))


def of_the_walk(stop: Stop, case: Mapping[str, Any], policy: Mapping[str, Any]) -> Iterator[Notice]:
    index, tariff = stop.period.index, stop.tariff
    if stop.period.in_session and "RESERVATION_TIME" in stop.period.stated:
        yield Notice("reserved_and_consumed_together", index)
    phases = {dimension: (kind, phase) for dimension, kind, phase in lookups(stop, case)}
    asked = (element for _, phase in phases.values() for element in (active.askable(tariff, phase) if tariff else ()))
    if any(active.unmeasured(element, stop.period) for element in asked):
        yield Notice("missing_measurement", index)
    if stop.period.stated.get("ENERGY", 0) < 0:
        yield Notice("negative_energy", index)
    for line in stop.lines:
        if tariff and line.quantity and line.active is None and _prices(tariff, *phases[line.dimension]):
            yield Notice("unpriced_quantity", index, line.dimension)
    for dimension in changed(stop, case, policy):
        yield Notice("period_spans_a_price_change", index, dimension)


def _prices(tariff: Tariff, kind: str, phase: str) -> bool:
    """Does anything in the tariff price a component `kind` in a phase, be it at other times?"""
    elements = active.in_phase(tariff, phase)
    return any(component.kind == kind for element in elements for component in element.components)


def of_the_dimensions(stops: Sequence[Stop]) -> Iterator[Notice]:
    """A price for energy or for charging time, and a session in which nobody says how much of it there was."""
    inside = [stop for stop in stops if stop.period.in_session]
    for dimension, others in (("ENERGY", {"ENERGY"}), ("TIME", {"TIME", "PARKING_TIME"})):
        priced = any(stop.tariff is not None and _prices(stop.tariff, dimension, active.SESSION) for stop in inside)
        if priced and not any(others & stop.consumed.keys() for stop in inside):
            yield Notice("missing_dimension", None, dimension)


def of_the_limits(moved: Sequence[Moved], *, unsaid: bool) -> Iterator[Notice]:
    if moved:
        yield Notice("price_limit_applied")
    if unsaid:
        yield Notice("after_tax_limit_missing")
