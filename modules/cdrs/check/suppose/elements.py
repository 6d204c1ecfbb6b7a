"""Mistakes in choosing the element of a tariff. The text: the first that fits, for each dimension.

OCPI mod_tariffs_tariff_object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from modules.cdrs.check.amounts import Figures
from modules.cdrs.check.bill import Bill, Line, part_of
from modules.cdrs.check.result import Cause
from modules.cdrs.check.suppose.supposition import Suppositions

if TYPE_CHECKING:
    from modules.tariffs.pricing.steps import Segment

ELEMENTS = Suppositions()

_CONSUMED = ("ENERGY", "TIME", "PARKING_TIME")


@ELEMENTS(Cause.WRONG_ELEMENT)
def first_as_a_whole(bill: Bill) -> Iterator[Figures]:
    """The first element that fits was taken as a whole, not for each dimension."""
    for dimensions in (_CONSUMED, (*_CONSUMED, "FLAT")):

        def fill(tariff: dict[str, Any], dimensions: tuple[str, ...] = dimensions) -> None:
            for element in tariff["elements"]:
                has = {component["type"] for component in element["price_components"]}
                free = [{"type": kind, "price": 0, "step_size": 0} for kind in dimensions if kind not in has]
                element["price_components"] = [*element["price_components"], *free]

        yield bill.with_tariffs(fill)


@ELEMENTS(Cause.WRONG_ELEMENT)
def last_match(bill: Bill) -> Iterator[Figures]:
    """The last element that fits was taken, not the first."""
    yield bill.with_tariffs(lambda tariff: tariff["elements"].reverse())


@ELEMENTS(Cause.WRONG_ELEMENT)
def price_of_the_start(bill: Bill) -> Iterator[Figures]:
    """The price at the start was kept for the whole session."""
    yield _repriced(bill, bill.segments)


@ELEMENTS(Cause.WRONG_ELEMENT)
def price_of_the_end(bill: Bill) -> Iterator[Figures]:
    """The price at the end was taken for the whole session."""
    yield _repriced(bill, bill.segments[::-1])


def _repriced(bill: Bill, in_order: list[Segment]) -> Figures:
    """Each quantity with the component of the first segment of its part."""
    first: dict[str, Segment] = {}
    for segment in in_order:
        first.setdefault(part_of(segment), segment)
    return bill.summed(_with(bill, first[part_of(segment)], segment) for segment in bill.segments)


def _with(bill: Bill, priced_by: Segment, segment: Segment) -> Line:
    return bill.line(priced_by, segment.billed)


def _restricted(element: dict[str, Any]) -> bool:
    return any(value not in (None, [], {}) for value in (element.get("restrictions") or {}).values())


def _changed(keep: Callable[[dict[str, Any]], bool]) -> Callable[[dict[str, Any]], None]:
    """A change of a tariff: only some of its elements, in their order."""

    def change(tariff: dict[str, Any]) -> None:
        tariff["elements"] = [element for element in tariff["elements"] if keep(element)] or tariff["elements"]

    return change


@ELEMENTS(Cause.WRONG_ELEMENT)
def without_conditions(bill: Bill) -> Iterator[Figures]:
    """Elements with restrictions were passed over."""
    yield bill.with_tariffs(_changed(lambda element: not _restricted(element)))


@ELEMENTS(Cause.WRONG_ELEMENT)
def conditions_ignored(bill: Bill) -> Iterator[Figures]:
    """The restrictions of the elements were not looked at."""

    def open_up(tariff: dict[str, Any]) -> None:
        for element in tariff["elements"]:
            reservation = (element.get("restrictions") or {}).get("reservation")
            element["restrictions"] = {"reservation": reservation} if reservation else None

    yield bill.with_tariffs(open_up)


@ELEMENTS(Cause.WRONG_ELEMENT)
def one_condition_ignored(bill: Bill) -> Iterator[Figures]:
    """A kind of restriction was not looked at, such as weekdays or durations."""
    for fields in (("day_of_week",), ("start_time", "end_time"), ("min_kwh", "max_kwh"),
                   ("min_duration", "max_duration"), ("min_power", "max_power"),
                   ("min_current", "max_current"), ("start_date", "end_date")):  # fmt: skip
        if not any(_has(tariff, fields) for tariff in bill.case.tariffs):
            continue

        def drop(tariff: dict[str, Any], fields: tuple[str, ...] = fields) -> None:
            for element in tariff["elements"]:
                kept = {n: v for n, v in (element.get("restrictions") or {}).items() if n not in fields}
                element["restrictions"] = kept or None

        yield bill.with_tariffs(drop)


def _has(tariff: Any, fields: tuple[str, ...]) -> bool:
    elements = tariff.get("elements", ()) if isinstance(tariff, dict) else ()
    return any((element.get("restrictions") or {}).get(field) for element in elements for field in fields)
