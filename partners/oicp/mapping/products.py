"""Pricing products of OICP as tariffs of OCPI. Prices are without tax on both sides of it, and no rate is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from hub.core.jsontypes import Tree
from hub.core.parties import Party
from partners.oicp import ids
from partners.oicp.mapping.enums import DAYS, WEEK
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.terms import Mapped, Notes, Terms
from partners.oicp.wire.message import strangers
from partners.oicp.wire.pricing import PricingProductDataRecordType
from partners.oicp.wire.values import EVERYBODY

UNITS: Final[Mapping[str, tuple[str, int]]] = {
    "KILOWATT_HOUR": ("ENERGY", 1),
    "HOUR": ("TIME", 1),
    "MINUTE": ("TIME", 60),
}
"""ReferenceUnit -> dimension, and how many of them OCPI's unit (kWh, hour) holds."""
FEES: Final[Mapping[str, str]] = {
    "START FEE": "FLAT",
    "FIXED FEE": "FLAT",
    "PARKING FEE": "PARKING_TIME",
    "MINIMUM FEE": "min_price",
    "MAXIMUM FEE": "max_price",
}
"""AdditionalReference -> dimension, or field of the tariff."""
DEFAULT: Final = "DEFAULT"
"""Id of the tariff that is the default price of an operator."""
_PLACES: Final = Decimal("0.0001")
"""What numbers of OCPI have at most (types_number_type)."""
_MIDNIGHT: Final = "00:00"
_END: Final = "24:00"


def tariff_id(product_id: str, provider: str = EVERYBODY) -> str:
    """Tariff.id of a product: its name, with the provider's where it is for one alone."""
    whose = "" if provider == EVERYBODY else f"-{ids.ProviderID.parse(provider)}"
    return ids.fitting(f"{product_id}{whose}")


def tariff_of(
    product: Mapping[str, Any], operator: Party, terms: Terms, *, received: str, provider: str = EVERYBODY
) -> Mapped[Tree]:
    """The Tariff of a PricingProductDataRecord. Raises: NotSayable, where OCPI cannot say its price exactly."""
    notes = Notes()
    components, limits = _components(product, terms, notes)
    notes.lose("/MaximumProductChargingPower", *strangers(PricingProductDataRecordType, product))
    tree: Tree = {
        "country_code": operator.country_code,
        "party_id": operator.party_id,
        "id": tariff_id(product["ProductID"], provider),
        "currency": _currency(product["ProductPriceCurrency"]),
        **limits,
        "elements": list(_elements(product, components, notes)),
        "tax_included": "NO",
        "last_updated": received,
    }
    return notes.mapped(tree)


def default_tariff_of(data: Mapping[str, Any], operator: Party, terms: Terms, *, received: str) -> Mapped[Tree]:
    """The Tariff of EVSEs without a product, of PricingProductData. Raises: NotSayable, where there is none."""
    if "PricingDefaultPrice" not in data:
        raise NotSayable("there is no default price")
    product = {
        "ProductID": DEFAULT,
        "ReferenceUnit": data.get("PricingDefaultReferenceUnit", ""),
        "ProductPriceCurrency": data.get("PricingDefaultPriceCurrency", ""),
        "PricePerReferenceUnit": data["PricingDefaultPrice"],
        "IsValid24hours": True,
    }
    return tariff_of(product, operator, terms, received=received, provider=data.get("ProviderID", EVERYBODY))


def tariff_ids_of(pricing: Sequence[Mapping[str, Any]], provider: Party | None) -> dict[str, list[str]]:
    """Tariff ids by canonical EvseID, of EVSEPricing: those for everybody, and those for `provider` alone."""
    found: dict[str, list[str]] = {}
    for each in pricing:
        whose = each["ProviderID"]
        if whose == EVERYBODY or (provider is not None and ids.ProviderID.parse(whose).party() == provider):
            known = found.setdefault(ids.EvseID.parse(each["EvseID"]).canonical, [])
            told = (tariff_id(product, whose) for product in each["EvseIDProductList"])
            known.extend(one for one in told if one not in known)
    return found


def _currency(code: str) -> str:
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        raise NotSayable("the currency of a price is not told")
    return code.upper()


def _price(type_: str, price: Any, step_size: int) -> Tree:
    return {"type": type_, "price": _exact(price), "step_size": step_size}


def _exact(amount: Any) -> Decimal:
    """Raises: NotSayable, where OCPI would have to round it: that would be another price."""
    found = Decimal(amount)
    if found < 0:
        raise NotSayable("a price is below nothing")
    if found % _PLACES:
        raise NotSayable("a price has more than the four decimals that OCPI has")
    return min(found, found.quantize(_PLACES), key=lambda each: len(str(each)))


def _per_unit(unit: str, price: Any) -> tuple[str, Decimal]:
    if unit not in UNITS:
        raise NotSayable("the unit of a price is not told")
    dimension, how_many = UNITS[unit]
    return dimension, Decimal(price) * how_many


def _components(product: Mapping[str, Any], terms: Terms, notes: Notes) -> tuple[list[Tree], Tree]:
    dimension, price = _per_unit(product["ReferenceUnit"], product["PricePerReferenceUnit"])
    if product["ReferenceUnit"] == "MINUTE":
        notes.lose("/ReferenceUnit")
    components = [_price(dimension, price, 1 if dimension == "ENERGY" else terms.time_step_s)]
    limits: Tree = {}
    for at, fee in enumerate(product.get("AdditionalReferences") or ()):
        name, amount = fee["AdditionalReference"], fee["PricePerAdditionalReferenceUnit"]
        meant = FEES.get(name)
        if meant is None or meant in limits or any(each["type"] == meant for each in components):
            raise NotSayable("a product has a fee that OCPI cannot add to the others")
        if meant in ("min_price", "max_price"):
            limits[meant] = {"before_taxes": _exact(amount)}
        elif meant == "FLAT":
            components.append(_price(meant, amount, 1))
            if name == "FIXED FEE" and price:
                notes.warn("a product has a fixed fee and a price beside it")
        else:
            components.append(_parking(fee, amount, terms))
            notes.warn("when a parking fee applies is not told: taken for the time without charging")
        if fee.get("AdditionalReferenceUnit") and meant != "PARKING_TIME":
            notes.lose(f"/AdditionalReferences/{at}/AdditionalReferenceUnit")
    if len(limits) > 1 and limits["min_price"]["before_taxes"] > limits["max_price"]["before_taxes"]:
        raise NotSayable("the minimum fee of a product is above its maximum fee")
    return components, limits


def _parking(fee: Mapping[str, Any], amount: Any, terms: Terms) -> Tree:
    dimension, price = _per_unit(fee.get("AdditionalReferenceUnit", ""), amount)
    if dimension != "TIME" or terms.parking_fee == "refused":
        raise NotSayable("a parking fee is not told by the time")
    return _price("PARKING_TIME", price, terms.time_step_s)


def _elements(product: Mapping[str, Any], components: list[Tree], notes: Notes) -> Iterator[Tree]:
    """One for each time at which the product can be had."""
    if product.get("IsValid24hours", True):
        notes.lose_all(product, ("ProductAvailabilityTimes",))
        yield {"price_components": components}
        return
    found: dict[tuple[str, str], set[int]] = {}
    for times in product.get("ProductAvailabilityTimes") or ():
        for begin, end, days in _windows(times):
            found.setdefault((begin, end), set()).update(days)
    if not found:
        raise NotSayable("a product is not told when it can be had")
    notes.warn("outside of its times a product has no price")
    for (begin, end), on in sorted(found.items()):
        yield {"price_components": components, **_restrictions(begin, end, on)}


def _windows(times: Mapping[str, Any]) -> Iterator[tuple[str, str, list[int]]]:
    days = DAYS.get(times.get("on", ""))
    if days is None:
        raise NotSayable("a product can be had on days that OICP does not list")
    for period in times.get("Periods") or ():
        begin, end = period["begin"], period["end"].replace(_END, _MIDNIGHT)
        if begin < end or end == _MIDNIGHT:
            yield begin, end, list(days)
        else:
            yield begin, _MIDNIGHT, list(days)
            yield _MIDNIGHT, end, [day % 7 + 1 for day in days]


def _restrictions(begin: str, end: str, days: set[int]) -> Tree:
    """OCPI ends a day with 00:00, too."""
    tree: Tree = {} if begin == end == _MIDNIGHT else {"start_time": begin, "end_time": end}
    if len(days) < len(WEEK):
        tree["day_of_week"] = [WEEK[day - 1].upper() for day in sorted(days)]
    return {"restrictions": tree} if tree else {}
