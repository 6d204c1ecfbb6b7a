"""Prices that CPOs push to us, as EMPs pull them and as partners of OCPI have them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from hub.core.inbound import parse
from modules.locations import service as locations
from modules.tariffs.store import TARIFFS
from partners.oicp import findings
from partners.oicp.answers import Code, Refused
from partners.oicp.wire import ANSWERS, write
from partners.sandbox.oicp.samples import evse, prices, product
from tests.partners.oicp.bridged import Bridged, bridged


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url, partners=False) as made:
        await made.connect("abc", "cpo", operator_ids=("DE*ABC",))
        await made.connect("dcb", "emp", provider_ids=("DE-DCB",))
        await made.connect("xyz", "emp", provider_ids=("DE-XYZ",))
        records = [evse({"EvseID": f"DE*ABC*E{number}", "ChargingPoolID": "DE*ABC*P1"}) for number in (1, 2)]
        data = {"OperatorID": "DE*ABC", "OperatorName": "Abc", "EvseDataRecord": records}
        await made.ask("abc", "PushEvseData", {"ActionType": "fullLoad", "OperatorEvseData": data}, id="DE*ABC")
        await _settle(made)
        yield made


async def _settle(bridge: Bridged) -> None:
    await bridge.oicp.price_tariffs.catch_up()
    await bridge.oicp.projection.catch_up()


async def push(bridge: Bridged, action: str, *products: Mapping[str, Any], provider: str = "*", **fields: Any) -> None:
    data = prices({"OperatorID": "DE*ABC", "ProviderID": provider, "PricingProductDataRecords": [{}], **fields})
    data["PricingProductDataRecords"] = [product(each) for each in products]
    bridge.world.clock.passed_s += 1
    message = {"ActionType": action, "PricingProductData": data}
    await bridge.ask("abc", "PushPricingProductData", message, id="DE*ABC")
    await _settle(bridge)


async def push_evses(bridge: Bridged, action: str, pricing: Mapping[str, list[str]], provider: str = "*") -> None:
    records = [
        {"EvseID": f"DE*ABC*{name}", "ProviderID": provider, "EvseIDProductList": products}
        for name, products in pricing.items()
    ]
    bridge.world.clock.passed_s += 1
    await bridge.ask("abc", "PushEVSEPricing", {"ActionType": action, "EVSEPricing": records}, id="DE*ABC")
    await _settle(bridge)


async def tariffs(bridge: Bridged) -> dict[str, Any]:
    found = await bridge.world.store.select(TARIFFS, equal={"owner": "DE*ABC"})
    return {document.key: parse(document.body, limit=2**20) for document in found}


async def tariff_ids(bridge: Bridged) -> list[list[str]]:
    tree = await locations.get_tree(bridge.world.store, "DE*ABC/DEABCP1")
    return [each["connectors"][0].get("tariff_ids", []) for each in tree["evses"]]


async def pulled(bridge: Bridged, by: str = "dcb", **fields: Any) -> dict[str, list[str]]:
    """By ProviderID, the products."""
    asked = {"OperatorIDs": ["DE*ABC", "FR*NIX"], **fields}
    said = await bridge.ask(by, "PullPricingProductData", asked, id=f"DE-{by.upper()}")
    write(ANSWERS["PullPricingProductData"], said)
    found: dict[str, list[str]] = {}
    for data in said["PricingProductData"]:
        found[data["ProviderID"]] = [each["ProductID"] for each in data["PricingProductDataRecords"]]
    return found


async def test_a_product_is_a_tariff_of_its_operator(bridge: Bridged) -> None:
    await push(bridge, "fullLoad", {"ProductID": "AC3", "PricePerReferenceUnit": Decimal("0.49")})
    tree = (await tariffs(bridge))["DE*ABC/AC3"]
    (component,) = tree["elements"][0]["price_components"]
    assert (component["type"], component["price"], tree["tax_included"]) == ("ENERGY", Decimal("0.49"), "NO")
    assert await pulled(bridge) == {"*": ["AC3"]}


async def test_evses_have_the_products_that_they_are_told_else_the_default_price(bridge: Bridged) -> None:
    await push(bridge, "fullLoad", {"ProductID": "AC3"})
    assert await tariff_ids(bridge) == [["DEFAULT"], ["DEFAULT"]]
    await push_evses(bridge, "fullLoad", {"E1": ["AC3"]})
    assert await tariff_ids(bridge) == [["AC3"], ["DEFAULT"]]
    await push_evses(bridge, "fullLoad", {})
    assert await tariff_ids(bridge) == [["DEFAULT"], ["DEFAULT"]]


async def test_a_price_for_one_provider_is_shown_to_that_one_alone(bridge: Bridged) -> None:
    await push(bridge, "insert", {"ProductID": "AC3"}, provider="DE-DCB")
    await push_evses(bridge, "insert", {"E1": ["AC3"]}, provider="DE-DCB")
    assert await pulled(bridge) == {"DE-DCB": ["AC3"]}
    assert await pulled(bridge, by="xyz") == {}
    assert all(key.startswith("DE*ABC>DE*DCB/") for key in await tariffs(bridge))
    asked = {"ProviderID": "DE-XYZ", "OperatorIDs": ["DE*ABC"]}
    assert (await bridge.ask("xyz", "PullEVSEPricing", asked, id="DE-XYZ"))["EVSEPricing"] == []
    asked = {"ProviderID": "DE-DCB", "OperatorIDs": ["DE*ABC"]}
    said = await bridge.ask("dcb", "PullEVSEPricing", asked, id="DE-DCB")
    assert said["EVSEPricing"][0]["EVSEPricing"] == [
        {"EvseID": "DE*ABC*E1", "ProviderID": "DE-DCB", "EvseIDProductList": ["AC3"]}
    ]


async def test_a_product_that_is_gone_is_no_tariff_any_more(bridge: Bridged) -> None:
    await push(bridge, "insert", {"ProductID": "AC3"}, {"ProductID": "DC"})
    await push(bridge, "delete", {"ProductID": "AC3"})
    assert sorted(await tariffs(bridge)) == ["DE*ABC/DC", "DE*ABC/DEFAULT"]
    await push(bridge, "fullLoad", {"ProductID": "AC3"})
    assert sorted(await tariffs(bridge)) == ["DE*ABC/AC3", "DE*ABC/DEFAULT"]
    assert await pulled(bridge) == {"*": ["AC3"]}


async def test_since_the_last_call_only_changed_products_come(bridge: Bridged) -> None:
    await push(bridge, "insert", {"ProductID": "AC3"}, {"ProductID": "DC"})
    bridge.world.clock.passed_s += 60
    last_call = bridge.world.clock.now().isoformat()
    assert await pulled(bridge, LastCall=last_call) == {}
    await push(bridge, "update", {"ProductID": "DC", "PricePerReferenceUnit": 2})
    assert await pulled(bridge, LastCall=last_call) == {"*": ["DC"]}


@pytest.mark.parametrize(("action", "names"), [("insert", ["DC", "AC3"]), ("update", ["DC"]), ("delete", ["DC"])])
async def test_a_push_of_products_is_taken_whole_or_not_at_all(bridge: Bridged, action: str, names: list[str]) -> None:
    await push(bridge, "insert", {"ProductID": "AC3"})
    with pytest.raises(Refused) as refused:
        await push(bridge, action, *({"ProductID": name} for name in names))
    assert refused.value.code is Code.DATA_TRANSACTION
    assert await pulled(bridge) == {"*": ["AC3"]}


async def test_prices_of_somebody_elses_evse_are_refused(bridge: Bridged) -> None:
    pricing = [{"EvseID": "FR*XYZ*E1", "ProviderID": "*", "EvseIDProductList": ["AC3"]}]
    with pytest.raises(Refused) as refused:
        await bridge.ask("abc", "PushEVSEPricing", {"ActionType": "insert", "EVSEPricing": pricing}, id="DE*ABC")
    assert refused.value.code is Code.FOREIGN_EVSE


async def test_a_price_that_ocpi_cannot_say_is_no_tariff_but_a_finding(bridge: Bridged) -> None:
    fee = {
        "AdditionalReference": "PARKING FEE",
        "AdditionalReferenceUnit": "KILOWATT_HOUR",
        "PricePerAdditionalReferenceUnit": 1,
    }
    await push(bridge, "insert", {"ProductID": "AC3", "AdditionalReferences": [fee]})
    assert "DE*ABC/AC3" not in await tariffs(bridge)
    (found,) = await findings.shown(bridge.world.store)
    assert (found["owner"], found["example"]) == ("DE*ABC", "AC3")
    assert await pulled(bridge) == {"*": ["AC3"]}
