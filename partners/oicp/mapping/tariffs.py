"""Tariffs of OCPI as pricing products of OICP: only such as a product says exactly, as no price beats a wrong one.

A product has one price, for energy or for time, and fees beside it, and can be had at some times of the week. So a
tariff is one product where its elements differ by nothing but what they price, or one for each element, where those
hold at different times. Everything else is refused, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from hub.core.jsontypes import Tree
from hub.core.parties import Party
from modules.tariffs.model import Tariff
from partners.oicp import ids
from partners.oicp.mapping.enums import DAYS, WEEK
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.strangers import strangers
from partners.oicp.mapping.terms import Mapped, Notes, Terms
from partners.oicp.wire import write
from partners.oicp.wire.pricing import EVSEPricingType, PricingProductDataRecordType, PricingProductDataType
from partners.oicp.wire.values import EVERYBODY

_AVAILABILITY: Final = frozenset({"start_time", "end_time", "day_of_week"})
_NOT_OF_OICP: Final = (
    *("type", "tariff_alt_text", "tariff_alt_url", "start_date_time", "end_date_time", "energy_mix"),
    "preauthorize_amount",
)
_BASES: Final = {"ENERGY": "KILOWATT_HOUR", "TIME": "HOUR"}
_NUMBERS: Final = {day.upper(): number for number, day in enumerate(WEEK, 1)}
_MIDNIGHT: Final = "00:00"
_END: Final = "24:00"
Components = Mapping[str, Mapping[str, Any]]
Window = tuple[int, str, str]
"""Day of the week, begin, end."""


def products_of(tariff: Mapping[str, Any], terms: Terms, power_kw: Decimal | None = None) -> Mapped[list[Tree]]:
    """PricingProductDataRecords. `power_kw`: what the strongest EVSE with this tariff gives, if there is one.

    Raises: NotSayable.
    """
    notes, power_kw = Notes(), terms.product_power or power_kw
    _refuse(tariff)
    notes.lose_all(tariff, _NOT_OF_OICP)
    notes.lose(*strangers(Tariff, tariff))
    for name in ("min_price", "max_price"):
        notes.lose_all(tariff.get(name) or {}, ("after_taxes",), f"/{name}")
    least, most = ((tariff.get(name) or {}).get("before_taxes") for name in ("min_price", "max_price"))
    if least is not None and most is not None and least > most:
        raise NotSayable("its minimum price is above its maximum price")
    elements = tariff["elements"]
    if not any(map(_restrictions, elements)):
        return notes.mapped([_product(tariff, tariff["id"], _merged(elements, terms, notes), None, power_kw)])
    windows = [list(_windows(_restrictions(element))) for element in elements]
    _refuse_overlaps(windows)
    parts = [_merged([element], terms, notes) for element in elements]
    if len(parts) > 1 and (any("FLAT" in part for part in parts) or tariff.get("min_price") or tariff.get("max_price")):
        raise NotSayable("a fee for the session would be one for each of several products")
    names = [tariff["id"], *(f"{tariff['id']}-{number}" for number in range(2, len(parts) + 1))]
    return notes.mapped([_product(tariff, *each, power_kw) for each in zip(names, parts, windows, strict=True)])


def _product(
    tariff: Mapping[str, Any],
    name: str,
    components: Components,
    windows: Sequence[Window] | None,
    power_kw: Decimal | None,
) -> Tree:
    record = {
        "ProductID": name,
        **_base(components),
        "ProductPriceCurrency": tariff["currency"],
        "MaximumProductChargingPower": _power(power_kw),
        **_availability(windows),
        "AdditionalReferences": list(_fees(tariff, components)) or None,
    }
    return write(PricingProductDataRecordType, record)


def _power(power_kw: Decimal | None) -> Decimal:
    """OICP asks for it, and there is none of 0."""
    if not power_kw:
        raise NotSayable("no EVSE that has it tells its power, which OICP asks for")
    return power_kw


def product_ids(tariff: Mapping[str, Any], products: Mapped[list[Tree]]) -> list[str]:
    """What EVSEs with this tariff are to name."""
    return [product["ProductID"] for product in products.value]


def pricing_data_of(products: Sequence[Mapping[str, Any]], operator: Party, terms: Terms, provider: str) -> Tree:
    """PricingProductData. Raises: NotSayable, where no default price is agreed, which OICP asks for."""
    if terms.default_price is None:
        raise NotSayable("no default price is agreed, which OICP asks for")
    styled = ids.OperatorID.of(operator, terms.operator_style).styled(terms.operator_style)
    return write(
        PricingProductDataType,
        {
            "OperatorID": styled,
            "OperatorName": terms.operator_name or str(operator),
            "ProviderID": provider,
            "PricingDefaultPrice": terms.default_price,
            "PricingDefaultPriceCurrency": terms.default_currency,
            "PricingDefaultReferenceUnit": terms.default_unit,
            "PricingProductDataRecords": list(products),
        },
    )


def evse_pricing_of(evse_id: str, products: Sequence[str], provider: str = EVERYBODY) -> Tree:
    """Which products an EVSE has. Raises: NotSayable."""
    try:
        said = {"EvseID": ids.written(evse_id), "ProviderID": provider, "EvseIDProductList": list(products)}
    except ids.InvalidId as fault:
        raise NotSayable(fault.message) from None
    return write(EVSEPricingType, said)


def _refuse(tariff: Mapping[str, Any]) -> None:
    if tariff["tax_included"] == "YES":
        raise NotSayable("its prices are with tax, and OICP's are without")
    if tariff.get("type") == "AD_HOC_PAYMENT":
        raise NotSayable("it is for drivers without a contract")
    for element in tariff["elements"]:
        beyond = sorted(_restrictions(element).keys() - _AVAILABILITY)
        if beyond:
            raise NotSayable(f"a product is not bound to {' or '.join(beyond)}")


def _restrictions(element: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in (element.get("restrictions") or {}).items() if value not in (None, [])}


def _merged(elements: Sequence[Mapping[str, Any]], terms: Terms, notes: Notes) -> Components:
    """Of each dimension the first component counts (mod_tariffs, TariffElement)."""
    found: dict[str, Mapping[str, Any]] = {}
    for element in elements:
        for component in element["price_components"]:
            if component["type"] in found:
                continue
            if component["type"] != "FLAT" and component["step_size"] > _step(component["type"], terms):
                raise NotSayable("a product has no step")
            if component.get("vat") is not None:
                notes.lose("/elements/0/price_components/0/vat")
            if Decimal(component["price"]) < 0:
                raise NotSayable("a price is below nothing")
            found[component["type"]] = component
    return found


def _step(dimension: str, terms: Terms) -> int:
    """The step_size that goes without saying; Wh or s."""
    return 1 if dimension == "ENERGY" else terms.time_step_s


def _base(components: Components) -> Tree:
    bases = [(unit, components[name]["price"]) for name, unit in _BASES.items() if name in components]
    if len(bases) > 1:
        raise NotSayable("a product has one price, for energy or for time")
    if not bases and "FLAT" not in components:
        raise NotSayable("a product needs a price")
    unit, price = bases[0] if bases else ("KILOWATT_HOUR", Decimal(0))
    return {"ReferenceUnit": unit, "PricePerReferenceUnit": price}


def _fees(tariff: Mapping[str, Any], components: Components) -> Iterator[Tree]:
    has_base = bool(components.keys() & _BASES.keys())
    amounts = {
        "START FEE" if has_base else "FIXED FEE": components.get("FLAT", {}).get("price"),
        "PARKING FEE": components.get("PARKING_TIME", {}).get("price"),
        "MINIMUM FEE": (tariff.get("min_price") or {}).get("before_taxes"),
        "MAXIMUM FEE": (tariff.get("max_price") or {}).get("before_taxes"),
    }
    for name, amount in amounts.items():
        if amount is not None:
            yield {
                "AdditionalReference": name,
                "AdditionalReferenceUnit": "HOUR",
                "PricePerAdditionalReferenceUnit": amount,
            }


def _windows(restrictions: Mapping[str, Any]) -> Iterator[Window]:
    """When an element holds. What ends before it begins goes on to the next day, which restrictions of days cut off."""
    begin, end = restrictions.get("start_time", _MIDNIGHT), restrictions.get("end_time", _MIDNIGHT)
    days = sorted(_NUMBERS[day] for day in restrictions.get("day_of_week") or _NUMBERS)
    for day in days:
        if end in (_MIDNIGHT, _END):
            yield day, begin, _END
        elif begin < end:
            yield day, begin, end
        elif len(days) < len(_NUMBERS):
            raise NotSayable("a night on some days of the week is read in two ways")
        else:
            yield day, _MIDNIGHT, end
            yield day, begin, _END


def _refuse_overlaps(windows: Sequence[Sequence[Window]]) -> None:
    """The first element that holds counts in OCPI; of two products OICP does not say which."""
    taken: list[Window] = []
    for group in windows:
        for day, begin, end in group:
            if any(day == other and begin < until and since < end for other, since, until in taken):
                raise NotSayable("two of its elements hold at the same time")
        taken.extend(group)


def _availability(windows: Sequence[Window] | None) -> Tree:
    """IsValid24hours and ProductAvailabilityTimes, with days together that have the same times."""
    by_day: dict[int, list[tuple[str, str]]] = {}
    for day, begin, end in windows or [(day, _MIDNIGHT, _END) for day in _NUMBERS.values()]:
        by_day.setdefault(day, []).append((begin, end))
    is_always = len(by_day) == len(WEEK) and all(spans == [(_MIDNIGHT, _END)] for spans in by_day.values())
    times = []
    for name, days in DAYS.items():
        spans = by_day.get(days[0])
        if spans and all(by_day.get(day) == spans for day in days):
            times.append({"Periods": [{"begin": begin, "end": end} for begin, end in sorted(spans)], "on": name})
            by_day = {day: found for day, found in by_day.items() if day not in days}
    return {"IsValid24hours": is_always, "ProductAvailabilityTimes": times}
