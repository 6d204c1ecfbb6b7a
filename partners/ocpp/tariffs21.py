"""A tariff of OCPI as a charger of OCPP 2.1 takes it (TariffType), so that it shows and reckons what is billed.

OCPI lists elements, of which for each dimension the first that applies counts; 2.1 lists prices by dimension, of which
the first whose conditions hold counts. So each component becomes a price, in the same order. What 2.1 cannot say is
never left out: a tariff with a step size, prices with taxes inside, or a price per hour that has no exact price per
minute is not expressible, and the reasons name the fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, NamedTuple

from hub.core.jsontypes import Tree

MOST_DESCRIPTIONS: Final = 10
_MINUTES: Final = Decimal(60)
_FINEST: Final = Decimal("0.000001")
_VAT: Final = "VAT"


class Dimension(NamedTuple):
    """Where a component stands in 2.1: the list, and the name of its price there."""

    name: str
    price: str
    is_fixed: bool = False
    is_hourly: bool = False


DIMENSIONS: Final[Mapping[tuple[str, str], Dimension]] = {
    ("ENERGY", ""): Dimension("energy", "priceKwh"),
    ("TIME", ""): Dimension("chargingTime", "priceMinute", is_hourly=True),
    ("PARKING_TIME", ""): Dimension("idleTime", "priceMinute", is_hourly=True),
    ("FLAT", ""): Dimension("fixedFee", "priceFixed", is_fixed=True),
    ("TIME", "RESERVATION"): Dimension("reservationTime", "priceMinute", is_hourly=True),
    ("FLAT", "RESERVATION"): Dimension("reservationFixed", "priceFixed", is_fixed=True),
}
"""Type of a component, and the reservation that it is restricted to."""

_AT_THE_START: Final = {
    "start_time": "startTimeOfDay",
    "end_time": "endTimeOfDay",
    "start_date": "validFromDate",
    "end_date": "validToDate",
}
_IN_BETWEEN: Final = {
    "min_kwh": ("minEnergy", 1000),
    "max_kwh": ("maxEnergy", 1000),
    "min_current": ("minCurrent", 1),
    "max_current": ("maxCurrent", 1),
    "min_power": ("minPower", 1000),
    "max_power": ("maxPower", 1000),
    "min_duration": ("minTime", 1),
    "max_duration": ("maxTime", 1),
}
"""Restrictions of OCPI -> conditions of 2.1, and the factor between their units. Fixed prices have none of these."""


@dataclass(frozen=True, slots=True)
class Expressed:
    """`tariff` is a TariffType; empty, where there are `reasons` why there is none: JSON pointer and words."""

    tariff: Tree = field(default_factory=dict)
    reasons: tuple[str, ...] = ()


def expressed(tariff: Tree) -> Expressed:
    """`tariff` (in our form) in the words of 2.1, or why that cannot be."""
    reasons = [*_of_the_whole(tariff)]
    dimensions: dict[str, Tree] = {}
    taxes: dict[str, Any] = {}
    for number, element in enumerate(tariff["elements"]):
        for index, component in enumerate(element["price_components"]):
            where = f"/elements/{number}/price_components/{index}"
            restrictions = element.get("restrictions") or {}
            dimension = DIMENSIONS.get((component["type"], restrictions.get("reservation") or ""))
            if dimension is None:
                reasons.append(f"{where}/type: {component['type']} of an expired or other reservation")
                continue
            reasons += _of_a_component(component, restrictions, dimension, where, f"/elements/{number}/restrictions")
            if taxes.setdefault(dimension.name, component.get("vat")) != component.get("vat"):
                reasons.append(f"{where}/vat: another than that of the prices before")
            prices = dimensions.setdefault(dimension.name, {"prices": []})["prices"]
            prices.append(_price(component, restrictions, dimension))
    if reasons:
        return Expressed(reasons=tuple(reasons))
    for name, dimension_tree in dimensions.items():
        if taxes[name] is not None and tariff.get("tax_included") == "NO":
            dimension_tree["taxRates"] = [{"type": _VAT, "tax": taxes[name]}]
    return Expressed({**_head(tariff), **dimensions, **_limits(tariff)})


def _of_the_whole(tariff: Tree) -> Iterator[str]:
    if tariff.get("tax_included") == "YES":
        yield "/tax_included: prices of 2.1 are without taxes"
    if tariff.get("end_date_time") is not None:
        yield "/end_date_time: a tariff of 2.1 has no end"


def _of_a_component(
    component: Tree, restrictions: Tree, dimension: Dimension, where: str, restricted: str
) -> Iterator[str]:
    if component.get("step_size", 1) > 1 and not dimension.is_fixed:
        yield f"{where}/step_size: 2.1 has no steps"
    price = Decimal(component["price"])
    if dimension.is_hourly and (price / _MINUTES).quantize(_FINEST) * _MINUTES != price:
        yield f"{where}/price: an hour's price that has no exact price of a minute"
    if dimension.is_fixed:
        for name in _IN_BETWEEN:
            if restrictions.get(name) is not None:
                yield f"{restricted}/{name}: a fixed price of 2.1 has no such condition"


def _price(component: Tree, restrictions: Tree, dimension: Dimension) -> Tree:
    price = Decimal(component["price"])
    said = (price / _MINUTES).quantize(_FINEST).normalize() if dimension.is_hourly else price
    conditions = _conditions(restrictions)
    return {dimension.price: said, **({"conditions": conditions} if conditions else {})}


def _conditions(restrictions: Tree) -> Tree:
    told = {new: restrictions[old] for old, new in _AT_THE_START.items() if restrictions.get(old) is not None}
    days = restrictions.get("day_of_week")
    week = {"dayOfWeek": [day.capitalize() for day in days]} if days else {}
    numbers = {
        new: restrictions[old] * factor
        for old, (new, factor) in _IN_BETWEEN.items()
        if restrictions.get(old) is not None
    }
    return {**told, **week, **numbers}


def _head(tariff: Tree) -> Tree:
    texts = [each for each in tariff.get("tariff_alt_text") or () if each.get("text")][:MOST_DESCRIPTIONS]
    said = [{"format": "UTF8", "language": each["language"], "content": each["text"][:1024]} for each in texts]
    since = tariff.get("start_date_time")
    return {
        "tariffId": tariff["id"],
        **({"description": said} if said else {}),
        "currency": tariff["currency"],
        **({"validFrom": since} if since is not None else {}),
    }


def _limits(tariff: Tree) -> Tree:
    found: Tree = {}
    for ours, theirs in (("min_price", "minCost"), ("max_price", "maxCost")):
        limit = tariff.get(ours) or {}
        pair = {"exclTax": limit.get("before_taxes"), "inclTax": limit.get("after_taxes")}
        told = {name: value for name, value in pair.items() if value is not None}
        if told:
            found[theirs] = told
    return found
