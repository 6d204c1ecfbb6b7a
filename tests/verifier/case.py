"""What is given: the tariffs, the periods, the contract's switches. Nulls and empty lists mean absent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from tests.verifier.clock import instant
from tests.verifier.numbers import HOUR_S, maybe, number, rounded

BY_THE_TEXT: Final[Mapping[str, Any]] = {
    "decimals": 4,
    "rounding": "half_up",
    "round_parts_first": False,
    "flat_once_per": "phase",
    "time_step": "parking",
    "step_over": "session",
    "reservation_step": "own",
    "step_counts_unpriced": False,
    "step_counts_zero": False,
    "timestamps_over_volumes": True,
    "unstated_time": "nothing",
    "measured_range": "touches",
    "missing_measurement": "not_fulfilled",
    "duration_from": "session",
    "period_without_tariff": "free",
    "negative_energy": "credit",
    "limit_without_after_taxes": "proportion",
    "minimum_without_session": False,
    "missing_vat": "none",
    "tax_name": "VAT",
}
"""The switches of a contract, each in the position that the text has by itself."""
TIMES: Final = ("TIME", "PARKING_TIME", "RESERVATION_TIME")
EXPIRES: Final = "RESERVATION_EXPIRES"
"""Reserved time, in the bookings edition, of a reservation of which nobody came."""
QUANTITIES: Final = ("ENERGY", *TIMES)
BOUNDS: Final = frozenset(f"{end}_{axis}" for end in ("min", "max") for axis in ("kwh", "duration", "power", "current"))
LOCAL: Final = frozenset({"start_time", "end_time", "start_date", "end_date", "day_of_week"})
KNOWN: Final = LOCAL | BOUNDS | {"reservation"}


class Refused(Exception):
    """There is no price: nobody can say which tariff holds, or where the session took place."""


@dataclass(frozen=True)
class Component:
    """`place` is its index in the element."""

    place: int
    kind: str
    price: Fraction
    vat: Fraction | None
    step: int


@dataclass(frozen=True)
class Element:
    """`strange`: restrictions that this reading does not know. Who does not know a condition cannot say it holds."""

    place: int
    components: tuple[Component, ...]
    restrictions: Mapping[str, Any]
    strange: tuple[str, ...]


@dataclass(frozen=True)
class Tariff:
    """`limits`: the bounds (before taxes, after taxes) of min_price and max_price, as far as stated."""

    id: str
    elements: tuple[Element, ...]
    tax_included: str
    says_tax_included: bool
    limits: Mapping[str, tuple[Fraction | None, Fraction | None]]
    start: Fraction | None
    end: Fraction | None
    type: str | None

    def holds_at(self, at: Fraction) -> bool:
        """start_date_time <= at < end_date_time."""
        return (self.start is None or self.start <= at) and (self.end is None or at < self.end)


@dataclass(frozen=True)
class Period:
    """`index` is its place in the list as given; `stated`: volumes as stated, hours of time in seconds."""

    index: int
    start: Fraction
    end: Fraction
    tariff_id: str | None
    stated: Mapping[str, Fraction]
    measured: Mapping[str, Fraction]

    @property
    def in_session(self) -> bool:
        """A period that states reserved time and nothing else belongs to the reservation."""
        return {name for name in QUANTITIES if name in self.stated} != {"RESERVATION_TIME"}

    @property
    def reserves(self) -> bool:
        return "RESERVATION_TIME" in self.stated

    def range(self, what: str) -> tuple[Fraction | None, Fraction | None]:
        """MIN and MAX of POWER or CURRENT, as stated."""
        return self.measured.get(f"MIN_{what}"), self.measured.get(f"MAX_{what}")


def tariff(tree: Mapping[str, Any]) -> Tariff:
    return Tariff(
        id=tree["id"],
        elements=tuple(_element(place, each) for place, each in enumerate(tree["elements"])),
        tax_included=tree.get("tax_included") or "NO",
        says_tax_included=tree.get("tax_included") is not None,
        limits={
            name: (maybe(tree[name].get("before_taxes")), maybe(tree[name].get("after_taxes")))
            for name in ("min_price", "max_price")
            if tree.get(name)
        },
        start=instant(tree["start_date_time"]) if tree.get("start_date_time") else None,
        end=instant(tree["end_date_time"]) if tree.get("end_date_time") else None,
        type=tree.get("type"),
    )


def _bound(name: str, value: object) -> Fraction:
    """Numbers have four decimals (types_number_type), volumes and the bounds that they are held against."""
    return number(value) if name.endswith("_duration") else rounded(number(value), 4, "half_up")


def _element(place: int, tree: Mapping[str, Any]) -> Element:
    """A window of the whole day restricts nothing: midnight to midnight, or from any time until the same."""
    stated = {
        name: _bound(name, value) if name in BOUNDS else value
        for name, value in (tree.get("restrictions") or {}).items()
        if value not in (None, [])
    }
    if stated.get("end_time", "00:00") == stated.get("start_time", "00:00"):
        stated = {name: value for name, value in stated.items() if name not in ("start_time", "end_time")}
    components = tuple(
        Component(at, each["type"], number(each["price"]), maybe(each.get("vat")), int(each.get("step_size") or 0))
        for at, each in enumerate(tree["price_components"])
    )
    strange = [name for name in stated if name not in KNOWN]
    if stated.get("reservation") not in (None, "RESERVATION", "RESERVATION_EXPIRES"):
        strange.append("reservation")
    return Element(place, components, stated, tuple(strange))


def periods(trees: Sequence[Mapping[str, Any]], end: Fraction) -> list[Period]:
    """In order of time. Each lasts until the next starts, the last until the session ends."""
    starts = {index: instant(tree["start_date_time"]) for index, tree in enumerate(trees)}
    order = sorted(starts, key=lambda index: (starts[index], index))
    ends = [*(starts[index] for index in order[1:]), end]
    return [
        _period(index, trees[index], starts[index], max(until, starts[index]))
        for index, until in zip(order, ends, strict=False)
    ]


def has_expired(case: Mapping[str, Any]) -> bool:
    """Whoever came to use a reservation left more in the periods than reserved time."""
    if case.get("reservation_expired") is not None:
        return bool(case["reservation_expired"])
    if any(each["type"] == EXPIRES for tree in case["periods"] for each in tree.get("dimensions") or []):
        return True
    found = periods(case["periods"], instant(case["end"]))
    return bool(found) and not any(period.in_session for period in found)


def _period(index: int, tree: Mapping[str, Any], start: Fraction, end: Fraction) -> Period:
    stated: dict[str, Fraction] = {}
    measured: dict[str, Fraction] = {}
    for dimension in tree.get("dimensions") or []:
        kind, volume = dimension["type"], number(dimension["volume"])
        if kind == EXPIRES:
            kind = "RESERVATION_TIME"
        if kind in QUANTITIES:
            stated[kind] = stated.get(kind, Fraction(0)) + (volume * HOUR_S if kind in TIMES else volume)
        else:
            measured[kind] = volume
    return Period(index, start, end, tree.get("tariff_id") or None, stated, measured)
