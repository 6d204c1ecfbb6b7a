"""Our tariffs and those of CPOs of OCPI, as EMPs of OICP pull them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.core.agreements import Agreement
from hub.core.clock import timestamp
from hub.core.parties import Party, PartyRole
from modules.locations import foreign as foreign_locations
from modules.locations import service as locations
from modules.tariffs import foreign as foreign_tariffs
from modules.tariffs import service as tariffs
from partners.oicp import findings
from partners.oicp.wire import ANSWERS, write
from tests.partners.oicp.bridged import Bridged, bridged
from tests.world import OURS, location, tariff, their_location, their_tariff

AAA = Party("BE", "AAA")


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url, partners=False) as made:
        await made.world.join("c1", str(AAA), PartyRole.CPO)
        await made.connect("dcb", "emp", provider_ids=("DE-DCB",))
        for party in (OURS, AAA):
            said = {"hotline": "+4912345678", "default_price": "0.60"}
            await made.oicp.operators.say(party, said, actor="test")
        yield made


async def _ours(bridge: Bridged, *trees: dict[str, Any], **fields: Any) -> None:
    """Our tariffs, and LOC1, whose EVSEs have T1."""
    now = bridge.world.clock.now()
    for tree in trees or (tariff(),):
        await tariffs.put(bridge.world.store, OURS, tree["id"], tree, now=now)
    await locations.put(bridge.world.store, OURS, "LOC1", location(**fields), now=now)
    await _later(bridge)


async def _theirs(bridge: Bridged) -> None:
    """T9 of BE*AAA, and X1, whose EVSE has it."""
    tree = their_location("2.3.0", evses=("U1",))
    tree["evses"][0]["connectors"][0]["tariff_ids"] = ["t9"]
    await foreign_tariffs.put(bridge.world.hub, foreign_tariffs.Spot(AAA, "T9"), their_tariff("2.3.0"))
    await foreign_locations.put(bridge.world.hub, foreign_locations.Spot(AAA, "X1"), tree)
    await _later(bridge)


async def _later(bridge: Bridged) -> None:
    """An operator is looked at once a minute."""
    bridge.world.clock.passed_s += 61
    await bridge.oicp.follower.catch_up()


async def products(bridge: Bridged, *operators: str, **fields: Any) -> dict[str, dict[str, Any]]:
    """By operator, its products by name."""
    asked = {"OperatorIDs": list(operators or ("DE*BSB", "BE*AAA")), **fields}
    said = await bridge.ask("dcb", "PullPricingProductData", asked, id="DE-DCB")
    write(ANSWERS["PullPricingProductData"], said)
    told = said["PricingProductData"]
    return {each["OperatorID"]: {one["ProductID"]: one for one in each["PricingProductDataRecords"]} for each in told}


async def evses(bridge: Bridged) -> dict[str, list[str]]:
    """By EvseID, its products."""
    asked = {"ProviderID": "DE-DCB", "OperatorIDs": ["DE*BSB", "BE*AAA"]}
    said = await bridge.ask("dcb", "PullEVSEPricing", asked, id="DE-DCB")
    write(ANSWERS["PullEVSEPricing"], said)
    told = [each for operator in said["EVSEPricing"] for each in operator["EVSEPricing"]]
    return {each["EvseID"]: each["EvseIDProductList"] for each in told}


async def _lost(bridge: Bridged) -> dict[tuple[str, str], int]:
    found = await bridge.world.hub.losses.of("dcb")
    return {(lost.module, lost.field): times for lost, times in found.items() if lost.way == "out"}


async def test_an_emp_pulls_our_tariffs_and_those_of_an_ocpi_cpo_as_products(bridge: Bridged) -> None:
    await _ours(bridge)
    await _theirs(bridge)
    told = await products(bridge)
    assert {operator: list(each) for operator, each in told.items()} == {"DE*BSB": ["T1"], "BE*AAA": ["T9"]}
    product = told["BE*AAA"]["T9"]
    assert (product["ReferenceUnit"], product["PricePerReferenceUnit"]) == ("KILOWATT_HOUR", Decimal("0.40"))
    assert await evses(bridge) == {"DE*BSB*EE1": ["T1"], "DE*BSB*EE2": ["T1"], "BE*AAA*EU1": ["T9"]}


async def test_what_a_product_does_not_say_exactly_is_not_told_and_counts_as_lost_once(bridge: Bridged) -> None:
    tree = tariff()
    tree["elements"][0]["restrictions"] = {"max_kwh": Decimal(20)}
    await _ours(bridge, tree)
    assert await products(bridge) == {}
    assert await evses(bridge) == {}
    await _later(bridge)
    await products(bridge)
    assert await _lost(bridge) == {("tariffs", "/elements"): 1}
    (found,) = await findings.shown(bridge.world.store)
    assert (found["owner"], found["example"], "max_kwh" in found["reason"]) == (str(OURS), "T1", True)
    await _ours(bridge)
    assert list((await products(bridge))["DE*BSB"]) == ["T1"]
    assert await findings.shown(bridge.world.store) == []


async def test_a_tariff_that_holds_only_later_is_a_product_only_then(bridge: Bridged) -> None:
    begins = bridge.world.clock.now() + timedelta(hours=1)
    await _ours(bridge, {**tariff(), "start_date_time": timestamp(begins)})
    assert (await products(bridge), await evses(bridge)) == ({}, {})
    bridge.world.clock.passed_s += 3600
    assert list((await products(bridge))["DE*BSB"]) == ["T1"]


async def test_an_evse_with_a_tariff_that_is_no_product_has_none(bridge: Bridged) -> None:
    other = {**tariff("T2"), "tax_included": "YES"}
    place = location()
    place["evses"][0]["connectors"][0]["tariff_ids"] = ["T1", "T2"]
    await _ours(bridge, tariff(), other, evses=())
    await locations.put(bridge.world.store, OURS, "LOC2", {**place, "id": "LOC2"}, now=bridge.world.clock.now())
    await _later(bridge)
    assert await evses(bridge) == {"DE*BSB*EE2": ["T1"]}


async def test_without_a_default_price_an_operator_has_no_products(bridge: Bridged) -> None:
    await _ours(bridge)
    await bridge.oicp.operators.say(OURS, {"default_price": None}, actor="test")
    assert await products(bridge) == {}
    assert any("default price" in line["reason"] for line in await findings.shown(bridge.world.store))
    await bridge.oicp.operators.say(OURS, {"default_price": "0.70", "default_currency": "CHF"}, actor="test")
    said = await bridge.ask("dcb", "PullPricingProductData", {"OperatorIDs": ["DE*BSB"]}, id="DE-DCB")
    (data,) = said["PricingProductData"]
    assert (data["PricingDefaultPrice"], data["PricingDefaultPriceCurrency"]) == (Decimal("0.70"), "CHF")


async def test_prices_go_to_emps_that_agreements_let_have_them(bridge: Bridged) -> None:
    await _ours(bridge)
    await _theirs(bridge)
    await bridge.world.hub.agreements.put(Agreement("dcb", str(AAA), "tariffs", allow=False), actor="test")
    assert list(await products(bridge)) == ["DE*BSB"]
    assert "BE*AAA*EU1" not in await evses(bridge)


async def test_a_tariff_that_does_not_hold_is_no_product(bridge: Bridged) -> None:
    await _ours(bridge, {**tariff(), "end_date_time": "2026-05-04T10:30:00Z"})
    assert list(await products(bridge)) == ["DE*BSB"]
    bridge.world.clock.passed_s += 3600
    assert await products(bridge) == {}
    assert await findings.shown(bridge.world.store) == []


async def test_since_the_last_call_an_operator_of_ocpi_tells_all_of_its_prices(bridge: Bridged) -> None:
    await _ours(bridge)
    last_call = bridge.world.clock.now().isoformat()
    assert list(await products(bridge, LastCall=last_call)) == ["DE*BSB"]


async def test_a_product_is_named_once(bridge: Bridged) -> None:
    """The second product of a tariff may be called as another tariff is: then that one is none."""
    parts = tariff("T1")
    parts["elements"] = [
        {**parts["elements"][0], "restrictions": {"start_time": "08:00", "end_time": "20:00"}},
        {"price_components": [{"type": "ENERGY", "price": Decimal("0.30"), "step_size": 1}]},
    ]
    parts["elements"][1]["restrictions"] = {"start_time": "20:00", "end_time": "00:00"}
    await bridge.oicp.operators.say(OURS, {"product_power": "22"}, actor="test")
    await _ours(bridge, parts, tariff("T1-2"))
    assert list((await products(bridge))["DE*BSB"]) == ["T1", "T1-2"]
    (found,) = await findings.shown(bridge.world.store)
    assert (found["example"], "name" in found["reason"]) == ("T1-2", True)


async def test_a_product_has_the_power_of_the_strongest_evse_that_has_it(bridge: Bridged) -> None:
    place = location(evses=("E1", "E2"))
    place["evses"][1]["connectors"][0]["max_electric_power"] = 150_000
    await _ours(bridge, tariff(), tariff("T2"))
    await locations.put(bridge.world.store, OURS, "LOC1", place, now=bridge.world.clock.now())
    await _later(bridge)
    told = (await products(bridge))["DE*BSB"]
    assert {name: product["MaximumProductChargingPower"] for name, product in told.items()} == {"T1": Decimal(150)}
    (found,) = await findings.shown(bridge.world.store)
    assert (found["example"], "power" in found["reason"]) == ("T2", True)
    await bridge.oicp.operators.say(OURS, {"product_power": "22"}, actor="test")
    told = (await products(bridge))["DE*BSB"]
    assert {product["MaximumProductChargingPower"] for product in told.values()} == {Decimal(22)}
    assert sorted(told) == ["T1", "T2"]


async def test_an_evse_that_was_removed_gives_no_power(bridge: Bridged) -> None:
    place = location(evses=("E1",))
    place["evses"][0]["status"] = "REMOVED"
    await _ours(bridge)
    await locations.put(bridge.world.store, OURS, "LOC1", place, now=bridge.world.clock.now())
    await _later(bridge)
    assert await products(bridge) == {}
