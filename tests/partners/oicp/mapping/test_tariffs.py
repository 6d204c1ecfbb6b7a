"""Prices: what a product says exactly is said, everything else is refused with its reason."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.parties import Party
from modules.tariffs.wire import TARIFF
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.products import FEES, UNITS, default_tariff_of, tariff_id, tariff_ids_of, tariff_of
from partners.oicp.mapping.tariffs import evse_pricing_of, pricing_data_of, product_ids, products_of
from partners.oicp.mapping.terms import Terms
from partners.oicp.wire import enums, read
from partners.oicp.wire.pricing import PricingProductDataRecordType
from tests.laws.objects import objects
from tests.partners.oicp.laws import BOUNDED
from tests.partners.oicp.mapping.ocpi import WHEN
from tests.partners.oicp.mapping.there_and_back import untold
from tests.partners.oicp.messages import messages

TERMS = Terms(product_power=Decimal(22))
ABC = Party("DE", "ABC")
ENERGY = {"type": "ENERGY", "price": Decimal("0.39"), "step_size": 1}
TIME = {"type": "TIME", "price": Decimal("3.60"), "step_size": 1}
FLAT = {"type": "FLAT", "price": Decimal("1.00"), "step_size": 1}
PARKING = {"type": "PARKING_TIME", "price": Decimal("6.00"), "step_size": 1}
PLAIN: dict[str, Any] = {
    "country_code": "DE",
    "party_id": "ABC",
    "id": "AC1",
    "currency": "EUR",
    "elements": [{"price_components": [ENERGY]}],
    "tax_included": "NO",
    "last_updated": WHEN,
}
PRODUCT: dict[str, Any] = {
    "ProductID": "AC1",
    "ReferenceUnit": "KILOWATT_HOUR",
    "ProductPriceCurrency": "EUR",
    "PricePerReferenceUnit": Decimal("0.39"),
    "MaximumProductChargingPower": Decimal(22),
    "IsValid24hours": True,
    "ProductAvailabilityTimes": [{"Periods": [{"begin": "00:00", "end": "24:00"}], "on": "Everyday"}],
}


def tariff(*components: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A tariff of one element, with other fields."""
    elements = [{"price_components": list(components)}] if components else PLAIN["elements"]
    return {**PLAIN, "elements": elements, **fields}


def element(*components: dict[str, Any], **restrictions: Any) -> dict[str, Any]:
    return {"price_components": list(components), "restrictions": restrictions}


def read_back(product: dict[str, Any]) -> dict[str, Any]:
    return tariff_of(product, ABC, TERMS, received=WHEN).value


def test_every_unit_and_fee_of_oicp_has_a_row() -> None:
    assert set(UNITS) == set(enums.REFERENCE_UNITS)
    assert set(FEES) == set(enums.ADDITIONAL_REFERENCES)


def test_a_plain_tariff_is_a_product_and_comes_back() -> None:
    mapped = products_of(PLAIN, TERMS)
    assert mapped.value == [PRODUCT]
    assert mapped.lost == ()
    assert product_ids(PLAIN, mapped) == ["AC1"]
    assert read_back(PRODUCT) == PLAIN


@pytest.mark.parametrize(
    ("before", "fees"),
    [
        (tariff(ENERGY, FLAT), {"START FEE": "1.00"}),
        (tariff(FLAT), {"FIXED FEE": "1.00"}),
        (tariff(TIME, PARKING), {"PARKING FEE": "6.00"}),
        (tariff(min_price={"before_taxes": Decimal(2)}), {"MINIMUM FEE": "2"}),
        (tariff(max_price={"before_taxes": Decimal(20)}), {"MAXIMUM FEE": "20"}),
    ],
)
def test_fees_are_told_beside_the_price(before: dict[str, Any], fees: dict[str, str]) -> None:
    (product,) = products_of(before, TERMS).value
    told = {
        fee["AdditionalReference"]: fee["PricePerAdditionalReferenceUnit"]
        for fee in product.get("AdditionalReferences", ())
    }
    assert told == {name: Decimal(amount) for name, amount in fees.items()}
    back = read_back(product)
    wanted = {c["type"]: c["price"] for e in before["elements"] for c in e["price_components"]}
    assert {c["type"]: c["price"] for c in back["elements"][0]["price_components"] if c["price"]} == wanted
    assert [back.get(name) for name in ("min_price", "max_price")] == [
        before.get(name) for name in ("min_price", "max_price")
    ]


def test_components_of_several_elements_without_conditions_are_one_product() -> None:
    (product,) = products_of({**PLAIN, "elements": [element(FLAT), element(ENERGY)]}, TERMS).value
    assert product["PricePerReferenceUnit"] == Decimal("0.39")
    assert product["AdditionalReferences"][0]["AdditionalReference"] == "START FEE"


def test_elements_at_different_times_are_a_product_each() -> None:
    day = element(ENERGY, start_time="08:00", end_time="20:00")
    night = element({**ENERGY, "price": Decimal("0.29")}, start_time="20:00", end_time="08:00")
    products = products_of({**PLAIN, "elements": [day, night]}, TERMS).value
    assert [product["ProductID"] for product in products] == ["AC1", "AC1-2"]
    assert products[1]["ProductAvailabilityTimes"] == [
        {"Periods": [{"begin": "00:00", "end": "08:00"}, {"begin": "20:00", "end": "24:00"}], "on": "Everyday"}
    ]
    assert [product["IsValid24hours"] for product in products] == [False, False]


@pytest.mark.parametrize("agreed", [None, Decimal(0)])
def test_a_product_has_the_power_of_the_strongest_evse_that_has_it_and_never_none(agreed: Decimal | None) -> None:
    terms = Terms(product_power=agreed)
    assert products_of(PLAIN, terms, Decimal("22.08")).value[0]["MaximumProductChargingPower"] == Decimal("22.08")
    for power in (None, Decimal(0)):
        with pytest.raises(NotSayable, match="power"):
            products_of(PLAIN, terms, power)
    assert products_of(PLAIN, TERMS, Decimal(50)).value[0]["MaximumProductChargingPower"] == 22


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (tariff(tax_included="YES"), "its prices are with tax"),
        (tariff(type="AD_HOC_PAYMENT"), "without a contract"),
        (tariff(ENERGY, TIME), "one price"),
        (tariff(PARKING), "needs a price"),
        (tariff(min_price={"before_taxes": Decimal(5)}, max_price={"before_taxes": Decimal(4)}), "minimum price"),
        (tariff({**ENERGY, "step_size": 1000}), "no step"),
        (tariff({**TIME, "step_size": 300}), "no step"),
        (tariff({**ENERGY, "price": Decimal(-1)}), "below nothing"),
        ({**PLAIN, "elements": [element(ENERGY, max_kwh=Decimal(10))]}, "max_kwh"),
        ({**PLAIN, "elements": [element(ENERGY, reservation="RESERVATION")]}, "reservation"),
        ({**PLAIN, "elements": [element(ENERGY, start_date="2026-01-01")]}, "start_date"),
        (
            {**PLAIN, "elements": [element(ENERGY, start_time="08:00", end_time="20:00"), element(ENERGY)]},
            "same time",
        ),
        (
            {
                **PLAIN,
                "elements": [
                    element(ENERGY, FLAT, start_time="08:00", end_time="20:00"),
                    element(ENERGY, FLAT, start_time="20:00", end_time="08:00"),
                ],
            },
            "several products",
        ),
        (
            {**PLAIN, "elements": [element(ENERGY, start_time="20:00", end_time="08:00", day_of_week=["MONDAY"])]},
            "two ways",
        ),
    ],
)
def test_what_a_product_cannot_say_is_refused_with_its_reason(refused: dict[str, Any], reason: str) -> None:
    with pytest.raises(NotSayable, match=reason):
        products_of(refused, TERMS)


@pytest.mark.parametrize(
    ("unit", "price"), [("KILOWATT_HOUR", "0.123456789"), ("HOUR", "3.33333"), ("MINUTE", "0.0333333")]
)
def test_a_price_with_more_decimals_than_ocpi_has_is_no_tariff(unit: str, price: str) -> None:
    finer = {**PRODUCT, "ReferenceUnit": unit, "PricePerReferenceUnit": Decimal(price)}
    with pytest.raises(NotSayable, match="four decimals"):
        read_back(finer)


@pytest.mark.parametrize("fee", FEES)
def test_a_fee_with_more_decimals_than_ocpi_has_is_no_tariff(fee: str) -> None:
    told = {
        "AdditionalReference": fee,
        "AdditionalReferenceUnit": "HOUR",
        "PricePerAdditionalReferenceUnit": Decimal("1.00001"),
    }
    with pytest.raises(NotSayable, match="four decimals"):
        read_back({**PRODUCT, "AdditionalReferences": [told]})


def test_a_price_for_minutes_that_is_one_for_hours_with_four_decimals_is_told() -> None:
    tree = read_back({**PRODUCT, "ReferenceUnit": "MINUTE", "PricePerReferenceUnit": Decimal("0.03333")})
    assert tree["elements"][0]["price_components"][0]["price"] == Decimal("1.9998")


def test_noughts_behind_a_price_are_no_decimals() -> None:
    tree = read_back({**PRODUCT, "PricePerReferenceUnit": Decimal("0.500000")})
    assert str(tree["elements"][0]["price_components"][0]["price"]) == "0.5000"


def test_a_minimum_fee_above_the_maximum_fee_is_no_price() -> None:
    fees = [
        {
            "AdditionalReference": name,
            "AdditionalReferenceUnit": "HOUR",
            "PricePerAdditionalReferenceUnit": Decimal(amount),
        }
        for name, amount in (("MINIMUM FEE", 5), ("MAXIMUM FEE", 4))
    ]
    with pytest.raises(NotSayable, match="above its maximum fee"):
        read_back({**PRODUCT, "AdditionalReferences": fees})


def test_prices_for_minutes_are_told_for_hours() -> None:
    per_minute = {**PRODUCT, "ReferenceUnit": "MINUTE", "PricePerReferenceUnit": Decimal("0.06")}
    assert read_back(per_minute)["elements"][0]["price_components"] == [TIME]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"ReferenceUnit": "FURLONG"}, "unit"),
        ({"ProductPriceCurrency": ""}, "currency"),
        ({"PricePerReferenceUnit": Decimal(-1)}, "below nothing"),
        ({"IsValid24hours": False, "ProductAvailabilityTimes": []}, "when it can be had"),
        (
            {"AdditionalReferences": [{"AdditionalReference": "JOY FEE", "PricePerAdditionalReferenceUnit": 1}]},
            "fee",
        ),
        (
            {"AdditionalReferences": [{"AdditionalReference": "PARKING FEE", "PricePerAdditionalReferenceUnit": 1}]},
            "unit",
        ),
    ],
)
def test_a_product_that_ocpi_cannot_price_exactly_is_no_tariff(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(NotSayable, match=reason):
        read_back({**PRODUCT, **fields})


def test_a_product_of_the_night_is_two_elements() -> None:
    night = [{"Periods": [{"begin": "22:00", "end": "06:00"}], "on": "Sunday"}]
    elements = read_back({**PRODUCT, "IsValid24hours": False, "ProductAvailabilityTimes": night})["elements"]
    assert [each["restrictions"] for each in elements] == [
        {"start_time": "00:00", "end_time": "06:00", "day_of_week": ["MONDAY"]},
        {"start_time": "22:00", "end_time": "00:00", "day_of_week": ["SUNDAY"]},
    ]


def test_a_product_for_one_provider_is_a_tariff_of_its_own() -> None:
    assert tariff_id("DC") == "DC"
    assert tariff_id("DC", "de*dcb") == "DC-DE-DCB"
    assert len(tariff_id("x" * 50)) == 36


def test_evses_have_the_products_for_everybody_and_those_for_one_provider() -> None:
    everybody = evse_pricing_of("DE*ABC*E1", ["AC1"])
    pricing = [everybody, {**everybody, "ProviderID": "DE-DCB", "EvseIDProductList": ["AC1", "DC"]}]
    assert tariff_ids_of(pricing, None) == {"DEABCE1": ["AC1"]}
    assert tariff_ids_of(pricing, Party("DE", "DCB")) == {"DEABCE1": ["AC1", "AC1-DE-DCB", "DC-DE-DCB"]}


def test_prices_are_pushed_with_the_default_price_that_was_agreed() -> None:
    with pytest.raises(NotSayable, match="default price"):
        pricing_data_of([PRODUCT], ABC, TERMS, "*")
    data = pricing_data_of([PRODUCT], ABC, Terms(default_price=Decimal("0.50")), "*")
    assert data["PricingDefaultPrice"] == Decimal("0.50")
    default = default_tariff_of(data, ABC, TERMS, received=WHEN).value
    assert default["id"] == "DEFAULT"
    assert default["elements"][0]["price_components"][0]["price"] == Decimal("0.50")


def test_no_default_price_is_made_up() -> None:
    with pytest.raises(NotSayable, match="default price"):
        default_tariff_of({"ProviderID": "*"}, ABC, TERMS, received=WHEN)


def _with_limits(drawn: dict[str, Any], limits: tuple[Decimal, Decimal]) -> dict[str, Any]:
    """With other amounts, if it has limits: prices, and the least not above the most."""
    amounts = dict(zip(("min_price", "max_price"), sorted(limits), strict=True))
    told = {name: {**drawn[name], "before_taxes": amount} for name, amount in amounts.items() if drawn.get(name)}
    return {**drawn, **told}


PRICES = st.decimals(0, 1000, places=4)
SAYABLE = st.builds(
    lambda drawn, limits, base, fees: (
        TARIFF["2.3.0"]
        .read(
            {
                **_with_limits(drawn, limits),
                "country_code": "DE",
                "party_id": "ABC",
                "type": "REGULAR",
                "tax_included": "NO",
                "elements": [{"price_components": [base, *fees]}],
            }
        )
        .tree()
    ),
    objects(TARIFF["2.3.0"].form),
    st.tuples(PRICES, PRICES),
    st.sampled_from([ENERGY, TIME]),
    st.sampled_from([(), (FLAT,), (PARKING,), (FLAT, PARKING)]),
)


@BOUNDED
@given(before=SAYABLE)
def test_every_field_of_a_tariff_comes_back_or_is_told_as_lost(before: dict[str, Any]) -> None:
    mapped = products_of(before, TERMS)
    after = tariff_of(mapped.value[0], ABC, TERMS, received=before["last_updated"]).value
    assert untold(before, after, mapped.lost) == []


@BOUNDED
@given(drawn=objects(TARIFF["2.3.0"].form))
def test_any_tariff_is_products_or_is_refused(drawn: dict[str, Any]) -> None:
    try:
        products = products_of(TARIFF["2.3.0"].read(drawn).tree(), TERMS).value
    except NotSayable:
        return
    assert all(read(PricingProductDataRecordType, product).findings == () for product in products)


@BOUNDED
@given(product=messages(PricingProductDataRecordType))
def test_any_product_is_a_valid_tariff_or_is_refused(product: dict[str, Any]) -> None:
    try:
        tree = read_back(product)
    except NotSayable:
        return
    assert TARIFF["2.3.0"].read(tree).tree() == tree
