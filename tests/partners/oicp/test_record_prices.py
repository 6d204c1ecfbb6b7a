"""Which price a charge at an EVSE of OICP has."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from partners.oicp import former_prices
from partners.oicp.former_prices import OICP_FORMER_PRICES
from partners.oicp.ledger import OicpSession
from partners.oicp.record_store import DELIVERED, HELD
from partners.sandbox.oicp.samples import evse
from tests.partners.oicp.bridged import Bridged, bridged
from tests.partners.oicp.charges import a_record, a_row, cdrs_at_e1, record_is
from tests.partners.oicp.test_prices import push, push_evses

FEE = {
    "AdditionalReference": "START FEE",
    "AdditionalReferenceUnit": "HOUR",
    "PricePerAdditionalReferenceUnit": Decimal("1.00"),
}
AC22 = {"ProductID": "AC22", "PricePerReferenceUnit": Decimal("0.37"), "AdditionalReferences": [FEE]}
ECO = {"ProductID": "ECO", "PricePerReferenceUnit": Decimal("0.20")}


def _day(begin: str, end: str = "20:00", **fields: Any) -> dict[str, Any]:
    times = {"Periods": [{"begin": begin, "end": end}], "on": "Everyday"}
    named = {"ProductID": "DAY", "PricePerReferenceUnit": Decimal("0.60"), "IsValid24hours": False}
    return {**named, "ProductAvailabilityTimes": [times], **fields}


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    """A CPO with two products, at one EVSE in one order and at the other in the other; the third has no product."""
    async with bridged(sqlite_url) as made:
        await made.connect("abc", "cpo", operator_ids=("DE*ABC",))
        records = [evse({"EvseID": f"DE*ABC*E{number}", "ChargingPoolID": "DE*ABC*P1"}) for number in (1, 2, 3)]
        data = {"OperatorID": "DE*ABC", "OperatorName": "Abc", "EvseDataRecord": records}
        await made.ask("abc", "PushEvseData", {"ActionType": "fullLoad", "OperatorEvseData": data}, id="DE*ABC")
        await push(made, "fullLoad", AC22, ECO)
        await push_evses(made, "fullLoad", {"E1": ["AC22", "ECO"], "E2": ["ECO", "AC22"]})
        yield made


async def _brought(bridge: Bridged, evse_name: str = "E1", *, row: OicpSession | None = None, **fields: Any) -> Any:
    """The row of a charge of 10 kWh whose record has come."""
    evse_id = f"DE*ABC*{evse_name}"
    row = row or await a_row(bridge, evse_id=evse_id)
    record = a_record(row, **{"EvseID": evse_id, "ConsumedEnergy": Decimal(10), **fields})
    await bridge.ask("abc", "ChargeDetailRecord", record, id="DE*ABC")
    return row


async def _cost(bridge: Bridged, row: OicpSession) -> Any:
    await record_is(bridge, row, DELIVERED)
    [cdr] = [each for each in await cdrs_at_e1(bridge) if each["id"] == row.id]
    return cdr["total_cost"]["before_taxes"]


@pytest.mark.parametrize(
    ("evse_name", "product", "cost"),
    [("E1", "ECO", 2.0), ("E1", "AC22", 4.7), ("E2", "AC22", 4.7), ("E2", "ECO", 2.0), ("E1", "eco", 2.0)],
)
async def test_the_product_that_a_record_names_is_its_price(
    bridge: Bridged, evse_name: str, product: str, cost: float
) -> None:
    row = await _brought(bridge, evse_name, PartnerProductID=product)
    assert await _cost(bridge, row) == pytest.approx(cost)


async def test_the_product_that_was_allowed_is_the_price_of_a_record_that_names_none(bridge: Bridged) -> None:
    row = await _brought(bridge, row=await a_row(bridge, product="ECO"))
    assert await _cost(bridge, row) == pytest.approx(2.0)


async def test_a_record_with_a_product_that_nobody_told_of_is_held(bridge: Bridged) -> None:
    row = await _brought(bridge, PartnerProductID="TURBO")
    await record_is(bridge, row, HELD)
    assert await cdrs_at_e1(bridge) == []


async def test_at_an_evse_without_products_the_default_price_holds_whatever_a_record_names(bridge: Bridged) -> None:
    row = await _brought(bridge, "E3", PartnerProductID="AC1")
    assert await _cost(bridge, row) == pytest.approx(10.0)


async def test_the_price_for_one_provider_is_that_of_its_drivers_alone(bridge: Bridged) -> None:
    await push(bridge, "insert", {**ECO, "PricePerReferenceUnit": Decimal("0.10")}, provider="NL-EEE")
    assert await _cost(bridge, await _brought(bridge, PartnerProductID="ECO")) == pytest.approx(1.0)
    await push(bridge, "insert", {**AC22, "PricePerReferenceUnit": Decimal("0.01")}, provider="DE-DCB")
    assert await _cost(bridge, await _brought(bridge, PartnerProductID="AC22")) == pytest.approx(4.7)


async def test_a_record_without_a_product_has_the_products_that_the_evse_has_for_its_provider_alone(
    bridge: Bridged,
) -> None:
    await push(bridge, "insert", {**AC22, "PricePerReferenceUnit": Decimal("0.07")}, provider="NL-EEE")
    await push_evses(bridge, "insert", {"E2": ["AC22"]}, provider="NL-EEE")
    await push_evses(bridge, "insert", {"E1": ["ECO"]}, provider="DE-DCB")
    await push_evses(bridge, "update", {"E1": ["AC22"]})
    assert await _cost(bridge, await _brought(bridge, "E2")) == pytest.approx(1.7)
    assert await _cost(bridge, await _brought(bridge, "E1")) == pytest.approx(1.7)


async def test_an_evse_with_products_for_a_provider_alone_has_no_other_product_for_it(bridge: Bridged) -> None:
    await push_evses(bridge, "insert", {"E3": ["ECO"]}, provider="NL-EEE")
    assert await _cost(bridge, await _brought(bridge, "E3")) == pytest.approx(2.0)
    row = await _brought(bridge, "E3", PartnerProductID="TURBO")
    await record_is(bridge, row, HELD)


async def test_the_default_price_for_one_provider_is_that_of_its_drivers_alone(bridge: Bridged) -> None:
    await push(bridge, "fullLoad", provider="NL-EEE", PricingDefaultPrice=Decimal("0.30"))
    await push(bridge, "fullLoad", provider="DE-DCB", PricingDefaultPrice=Decimal("0.01"))
    assert await _cost(bridge, await _brought(bridge, "E3")) == pytest.approx(3.0)


async def test_where_the_first_price_of_an_evse_is_no_tariff_the_second_does_not_stand_for_it(bridge: Bridged) -> None:
    await push_evses(bridge, "update", {"E1": ["LOST", "ECO"]})
    row = await _brought(bridge)
    await record_is(bridge, row, HELD)
    assert await cdrs_at_e1(bridge) == []


async def test_a_reservation_that_became_no_charge_costs_nothing(bridge: Bridged) -> None:
    reserved = await a_row(bridge, origin="reservation")
    row = await _brought(bridge, row=reserved, ConsumedEnergy=Decimal(0), PartnerProductID="AC22")
    assert await _cost(bridge, row) == 0
    [cdr] = await cdrs_at_e1(bridge)
    assert (cdr["currency"], cdr["total_energy"]) == ("EUR", 0)


async def test_a_charge_that_began_as_a_reservation_has_its_price(bridge: Bridged) -> None:
    row = await _brought(bridge, row=await a_row(bridge, origin="reservation"), PartnerProductID="AC22")
    assert await _cost(bridge, row) == pytest.approx(4.7)


@pytest.mark.parametrize(("named", "product"), [({"PartnerProductID": "AC22"}, "AC22"), ({}, "")])
async def test_a_price_that_changes_during_a_charge_is_none_of_it(
    bridge: Bridged, named: dict[str, Any], product: str
) -> None:
    await push_evses(bridge, "update", {"E1": ["AC22"]})
    charge = await a_row(bridge, product=product)
    for price in ("0.99", "1.20"):
        await push(bridge, "update", {**AC22, "PricePerReferenceUnit": Decimal(price)})
    later = await a_row(bridge, product=product)
    assert await _cost(bridge, await _brought(bridge, row=charge, **named)) == pytest.approx(4.7)
    assert await _cost(bridge, await _brought(bridge, row=later, **named)) == pytest.approx(13.0)


async def test_a_product_that_is_withdrawn_during_a_charge_is_its_price_all_the_same(bridge: Bridged) -> None:
    charge = await a_row(bridge)
    await push(bridge, "delete", AC22)
    assert await _cost(bridge, await _brought(bridge, row=charge, PartnerProductID="AC22")) == pytest.approx(4.7)


async def test_a_product_that_becomes_one_that_ocpi_cannot_say_is_no_price_of_later_charges(bridge: Bridged) -> None:
    earlier = await a_row(bridge)
    odd = {**FEE, "AdditionalReference": "PARKING FEE", "AdditionalReferenceUnit": "KILOWATT_HOUR"}
    await push(bridge, "update", {**ECO, "AdditionalReferences": [odd]})
    later = await a_row(bridge)
    assert await _cost(bridge, await _brought(bridge, row=earlier, PartnerProductID="ECO")) == pytest.approx(2.0)
    await record_is(bridge, await _brought(bridge, row=later, PartnerProductID="ECO"), HELD)


async def test_the_default_price_of_a_charge_is_that_of_its_beginning(bridge: Bridged) -> None:
    charge = await a_row(bridge, evse_id="DE*ABC*E3")
    await push(bridge, "update", AC22, PricingDefaultPrice=Decimal("9.00"))
    assert await _cost(bridge, await _brought(bridge, "E3", row=charge)) == pytest.approx(10.0)


async def test_the_same_price_told_again_is_kept_once_and_a_former_one_is_forgotten_in_time(bridge: Bridged) -> None:
    await push(bridge, "update", AC22)
    assert await bridge.world.store.select(OICP_FORMER_PRICES) == []
    await push(bridge, "update", {**AC22, "PricePerReferenceUnit": Decimal("0.99")})
    for days, known in ((399, 1), (401, 0)):
        bridge.world.clock.move_to(days * 86_400)
        await former_prices.forget(bridge.world.hub)
        assert len(await bridge.world.store.select(OICP_FORMER_PRICES)) == known


@pytest.mark.parametrize(
    ("begin", "end"),
    [("12:00", "20:00"), ("11:10", "20:00"), ("08:00", "11:10"), ("08:00", "11:00")],
    ids=["all before", "half before", "half after", "all after"],
)
@pytest.mark.parametrize("named", [{"PartnerProductID": "DAY"}, {}], ids=["named", "of its EVSE"])
async def test_a_charge_that_is_partly_outside_the_hours_of_its_product_is_held(
    bridge: Bridged, begin: str, end: str, named: dict[str, Any]
) -> None:
    await push(bridge, "insert", _day(begin, end))
    await push_evses(bridge, "update", {"E1": ["DAY"]})
    row = await _brought(bridge, **named)
    await record_is(bridge, row, HELD)
    held = await bridge.oicp.records.store.find(row.id)
    assert held is not None
    assert held.why.startswith("DAY has no price for ENERGY at 2026-05-04T11:")
    assert await cdrs_at_e1(bridge) == []


async def test_a_charge_within_the_hours_of_its_product_has_its_price_though_the_car_stood_there_before(
    bridge: Bridged,
) -> None:
    await push(bridge, "insert", _day("11:02", "11:32", AdditionalReferences=[FEE]))
    row = await _brought(bridge, PartnerProductID="DAY")
    assert await _cost(bridge, row) == pytest.approx(7.0)


async def test_a_charge_of_nothing_outside_the_hours_of_a_product_with_a_fee_is_held(bridge: Bridged) -> None:
    await push(bridge, "insert", _day("12:00", AdditionalReferences=[FEE]))
    row = await _brought(bridge, PartnerProductID="DAY", ConsumedEnergy=Decimal(0))
    await record_is(bridge, row, HELD)


async def test_products_of_an_evse_that_differ_in_price_bill_no_record_that_names_none(bridge: Bridged) -> None:
    rows = [await _brought(bridge, evse_name) for evse_name in ("E1", "E2")]
    for row, names in zip(rows, ("AC22, ECO", "ECO, AC22"), strict=True):
        await record_is(bridge, row, HELD)
        held = await bridge.oicp.records.store.find(row.id)
        assert held is not None
        assert held.why == f"no product is named, and those of its EVSE differ in price: {names}"


async def test_products_of_an_evse_that_come_to_the_same_price_bill_a_record_that_names_none(bridge: Bridged) -> None:
    same = {"ProductID": "SAME", "PricePerReferenceUnit": Decimal("0.20")}
    await push(bridge, "insert", same)
    await push_evses(bridge, "update", {"E1": ["ECO", "SAME"]})
    assert await _cost(bridge, await _brought(bridge)) == pytest.approx(2.0)


async def test_a_tariff_that_was_agreed_is_read_as_ocpi_reads_it(bridge: Bridged) -> None:
    await push(bridge, "fullLoad")
    by_day = {"price_components": [{"type": "PARKING_TIME", "price": 6, "step_size": 1}]}
    priced = {
        "country_code": "DE",
        "party_id": "ABC",
        "id": "TURBO",
        "currency": "EUR",
        "tax_included": "NO",
        "elements": [
            {"price_components": [{"type": "ENERGY", "price": 0.5, "step_size": 1}]},
            {**by_day, "restrictions": {"start_time": "11:30", "end_time": "20:00"}},
        ],
        "last_updated": "2026-05-04T09:00:00Z",
    }
    await bridge.connect("abc", "cpo", operator_ids=("DE*ABC",), prices=(json.dumps(priced),))
    row = await _brought(bridge, "E3", PartnerProductID="TURBO")
    assert await _cost(bridge, row) == pytest.approx(5.8)
