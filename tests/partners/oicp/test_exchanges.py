"""Our cards and prices at another hub, and its prices here: only where its connection says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from hub.core.errors import NotFound, PeerRefused
from hub.core.parties import PartyRole
from hub.core.units import Delete, Unit
from modules.locations import service as locations
from modules.tariffs import service as tariffs
from modules.tariffs.store import TARIFFS
from modules.tokens import service as tokens
from modules.tokens.store import TOKENS
from modules.tokens.wire import TOKEN
from partners.oicp import findings
from partners.oicp.answers import Code, Refused
from partners.oicp.ledger import CLOSED, new_session_id
from partners.sandbox.oicp.samples import evse, prices, product
from tests.partners.oicp.bridged import Asked, Bridged, bridged
from tests.partners.oicp.charges import a_record, a_row
from tests.partners.oicp.scripted_hub import ScriptedHub
from tests.world import OURS, location, stored_token, tariff, until

CARDS, PRODUCTS, EVSES = "PushAuthenticationData", "PushPricingProductData", "PushEVSEPricing"


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url, partners=False) as made:
        yield made


async def _connect(bridge: Bridged, **fields: Any) -> ScriptedHub:
    ids = {"party": "DE*HBS", "operator_ids": ("DE*BSB",), "provider_ids": ("DE-BSB",)}
    await bridge.connect("hbs", "hub", **{**ids, **fields})
    hub = bridge.client.script = ScriptedHub()
    return hub


async def _token(bridge: Bridged, uid: str, **fields: Any) -> None:
    bridge.world.clock.passed_s += 1
    moment = bridge.world.clock.now().isoformat()
    tree = {**stored_token(str(OURS), uid), "contract_id": "DE-BSB-C12345678", "last_updated": moment, **fields}
    await tokens.put(bridge.world.store, OURS, uid, TOKEN["2.3.0"].read(tree), now=bridge.world.clock.now())


async def _push(bridge: Bridged, hub: ScriptedHub) -> list[tuple[str, str, int]]:
    hub.forget_pushes()
    await bridge.oicp.exchanges.push("hbs")
    return list(hub.pushes)


async def test_cards_are_left_with_a_hub_only_where_that_is_said(bridge: Bridged) -> None:
    hub = await _connect(bridge)
    await _token(bridge, "01020304")
    assert await _push(bridge, hub) == []
    hub = await _connect(bridge, leaves_cards=True)
    assert await _push(bridge, hub) == [(CARDS, "insert", 1)]
    card = hub.sets[CARDS]["01020304"]["Identification"]["RFIDIdentification"]
    assert card["EvcoID"].startswith("DE-BSB-C12345678-")


async def test_only_cards_that_changed_are_told_again(bridge: Bridged) -> None:
    hub = await _connect(bridge, leaves_cards=True)
    for number in range(10):
        await _token(bridge, f"0102030{number}")
    await _push(bridge, hub)
    assert await _push(bridge, hub) == []
    await _token(bridge, "01020300", visual_number="1 2 3")
    await _token(bridge, "01020301", valid=False)
    assert await _push(bridge, hub) == [(CARDS, "update", 1), (CARDS, "delete", 1)]
    assert len(hub.sets[CARDS]) == 9


async def test_a_blocked_card_is_taken_back_at_once(bridge: Bridged) -> None:
    hub = await _connect(bridge, leaves_cards=True)
    for number in range(4):
        await _token(bridge, f"0102030{number}")
    await _push(bridge, hub)
    await _token(bridge, "01020301", valid=False)
    await _token(bridge, "01020302", valid=False)
    assert await _push(bridge, hub) == [(CARDS, "delete", 2)]
    assert await bridge.oicp.exchanges.sets.shown() == []


async def test_more_than_a_fifth_of_the_cards_is_missed_only_when_an_operator_says_so(bridge: Bridged) -> None:
    hub = await _connect(bridge, leaves_cards=True)
    for number in range(4):
        await _token(bridge, f"0102030{number}")
    await _push(bridge, hub)
    await bridge.world.store.commit(Unit().delete(Delete(TOKENS, (await _keys(bridge))[0])))
    assert await _push(bridge, hub) == []
    (held,) = await bridge.oicp.exchanges.sets.shown()
    assert held["reason"].startswith("1 of 4 cards")
    await bridge.oicp.exchanges.sets.confirm("hbs", "cards", actor="test")
    assert await _push(bridge, hub) == [(CARDS, "delete", 1)]
    with pytest.raises(NotFound):
        await bridge.oicp.exchanges.sets.confirm("hbs", "cards", actor="test")


async def _keys(bridge: Bridged) -> list[str]:
    return [document.key for document in await bridge.world.store.select(TOKENS)]


async def _offer(bridge: Bridged) -> None:
    await bridge.oicp.operators.say(OURS, {"hotline": "+4912345678"}, actor="test")
    now = bridge.world.clock.now()
    await tariffs.put(bridge.world.store, OURS, "T1", tariff(), now=now)
    timed = tariff("T2")
    timed["elements"][0]["restrictions"] = {"max_kwh": Decimal(20)}
    await tariffs.put(bridge.world.store, OURS, "T2", timed, now=now)
    await locations.put(bridge.world.store, OURS, "LOC1", location(), now=now)
    await bridge.oicp.follower.catch_up()


async def test_tariffs_that_a_product_says_exactly_are_told_with_the_evses_that_have_them(bridge: Bridged) -> None:
    hub = await _connect(bridge, pushes_prices=True, terms={"default_price": "0.60"})
    await _offer(bridge)
    assert await _push(bridge, hub) == [(PRODUCTS, "insert", 1), (EVSES, "insert", 2)]
    assert hub.sets[PRODUCTS]["DE*BSB/T1"]["PricePerReferenceUnit"] == Decimal("0.50")
    assert hub.sets[EVSES]["DE*BSB*EE1"]["EvseIDProductList"] == ["T1"]
    (found,) = await findings.shown(bridge.world.store)
    assert (found["example"], "max_kwh" in found["reason"]) == ("T2", True)
    assert await _push(bridge, hub) == []


async def _two_operators(bridge: Bridged) -> ScriptedHub:
    """Of our EVSEs one is DE*BSB's and one DE*XYZ's, and both are operators of ours at the hub."""
    operators = ("DE*XYZ", "DE*BSB")
    hub = await _connect(bridge, operator_ids=operators, pushes_prices=True, terms={"default_price": "0.60"})
    await _offer(bridge)
    await tariffs.put(bridge.world.store, OURS, "T3", tariff("T3"), now=bridge.world.clock.now())
    place = location()
    place["evses"][1]["evse_id"] = "DE*XYZ*EE2"
    bridge.world.clock.passed_s += 1
    place["evses"][0]["connectors"][0]["tariff_ids"] = ["T3"]
    await locations.put(bridge.world.store, OURS, "LOC1", place, now=bridge.world.clock.now())
    await bridge.oicp.follower.catch_up()
    return hub


def _told(bridge: Bridged) -> list[tuple[str, str, list[str]]]:
    """By which OperatorID what was told."""
    found = []
    for asked in bridge.client.asked:
        if asked.operation == PRODUCTS:
            data = asked.message["PricingProductData"]
            assert data["OperatorID"] == asked.id
            found.append(
                (asked.id, asked.message["ActionType"], [p["ProductID"] for p in data["PricingProductDataRecords"]])
            )
        elif asked.operation == EVSES:
            found.append((asked.id, asked.message["ActionType"], [e["EvseID"] for e in asked.message["EVSEPricing"]]))
    return found


async def test_prices_go_under_the_operator_whose_evses_they_are_of(bridge: Bridged) -> None:
    hub = await _two_operators(bridge)
    await _push(bridge, hub)
    assert _told(bridge) == [
        ("DE*XYZ", "insert", ["T1"]),
        ("DE*XYZ", "insert", ["DE*XYZ*EE2"]),
        ("DE*BSB", "insert", ["T1", "T3"]),
        ("DE*BSB", "insert", ["DE*BSB*EE1"]),
    ]
    assert await _push(bridge, hub) == []


async def test_what_one_operator_has_no_more_waits_by_itself_for_the_word_of_a_person(bridge: Bridged) -> None:
    hub = await _two_operators(bridge)
    await _push(bridge, hub)
    await tariffs.delete(bridge.world.store, OURS, "T3")
    bridge.client.asked.clear()
    await _push(bridge, hub)
    held = await bridge.oicp.exchanges.sets.held("hbs")
    assert sorted(held) == ["evse-prices-DE*BSB", "products-DE*BSB"]
    await bridge.oicp.exchanges.sets.confirm("hbs", "products-DE*BSB", actor="test")
    await _push(bridge, hub)
    assert _told(bridge) == [("DE*BSB", "delete", ["T3"])]


async def test_what_is_said_of_us_holds_towards_a_hub_and_what_its_connection_says_goes_before_it(
    bridge: Bridged,
) -> None:
    said = {"default_price": "0.60", "default_currency": "CHF", "default_unit": "MINUTE"}
    await bridge.oicp.operators.say(OURS, said, actor="test")
    await _connect(bridge, pushes_prices=True, terms={"default_currency": "EUR"})
    await _offer(bridge)
    await bridge.oicp.exchanges.push("hbs")
    (pushed,) = [asked.message["PricingProductData"] for asked in bridge.client.asked if asked.operation == PRODUCTS]
    told = [str(pushed[f"PricingDefault{name}"]) for name in ("Price", "PriceCurrency", "ReferenceUnit")]
    assert told == ["0.60", "EUR", "MINUTE"]


async def test_without_a_default_price_no_price_is_told(bridge: Bridged) -> None:
    hub = await _connect(bridge, pushes_prices=True)
    await _offer(bridge)
    assert await _push(bridge, hub) == []
    assert any("default price" in line["reason"] for line in await findings.shown(bridge.world.store))


async def test_a_product_of_no_power_is_a_tariff_and_is_not_told_over_oicp(bridge: Bridged) -> None:
    await _connect(bridge, pulls_prices=True)
    await bridge.connect("dcb", "emp", provider_ids=("DE-DCB",))
    powers = {"AC1": 22, "AC2": 0, "AC3": -1, "AC4": None}
    records = [product({"ProductID": name, "MaximumProductChargingPower": power}) for name, power in powers.items()]
    pricing = {"E1": ["AC1"], "E2": ["AC1", "AC2"], "E3": ["AC4"]}

    def says(asked: Asked) -> Any:
        yes = {"Code": "000"}
        if asked.operation == "PullEvseData":
            operator = {"OperatorID": "FR*XYZ", "OperatorName": "Xyz"}
            content = [{**evse({"EvseID": f"FR*XYZ*{name}"}), **operator} for name in pricing]
            return {"content": content, "last": True, "StatusCode": yes}
        if asked.operation == "PullPricingProductData":
            data = {**prices({"OperatorID": "FR*XYZ"}), "PricingProductDataRecords": records}
            return {"PricingProductData": [data], "StatusCode": yes}
        named = [
            {"EvseID": f"FR*XYZ*{name}", "ProviderID": "*", "EvseIDProductList": each} for name, each in pricing.items()
        ]
        return {"EVSEPricing": [{"OperatorID": "FR*XYZ", "EVSEPricing": named}], "StatusCode": yes}

    bridge.client.script = says
    await bridge.oicp.evse_pull.pull_data("hbs")
    await bridge.oicp.exchanges.prices.pull("hbs")
    await bridge.oicp.price_tariffs.catch_up()
    found = await bridge.world.store.select(TARIFFS, equal={"owner": "FR*XYZ"})
    assert sorted(each.key for each in found) == [f"FR*XYZ/{name}" for name in (*powers, "DEFAULT")]
    said = await bridge.ask("dcb", "PullPricingProductData", {"OperatorIDs": ["FR*XYZ"]}, id="DE-DCB")
    (data,) = said["PricingProductData"]
    assert [each["ProductID"] for each in data["PricingProductDataRecords"]] == ["AC1"]
    asked = {"ProviderID": "DE-DCB", "OperatorIDs": ["FR*XYZ"]}
    (operator,) = (await bridge.ask("dcb", "PullEVSEPricing", asked, id="DE-DCB"))["EVSEPricing"]
    assert [each["EvseID"] for each in operator["EVSEPricing"]] == ["FR*XYZ*E1"]
    (line,) = await findings.shown(bridge.world.store)
    assert (line["things"], "power" in line["reason"]) == (3, True)


async def test_prices_of_operators_behind_a_hub_are_taken_as_tariffs(bridge: Bridged) -> None:
    await _connect(bridge, pulls_prices=True)

    def says(asked: Asked) -> Any:
        yes = {"Code": "000"}
        if asked.operation == "PullEvseData":
            record = {**evse({"EvseID": "FR*XYZ*E1"}), "OperatorID": "FR*XYZ", "OperatorName": "Xyz"}
            return {"content": [record], "last": True, "StatusCode": yes}
        if asked.operation == "PullPricingProductData":
            assert asked.message["OperatorIDs"] == ["FR*XYZ"]
            data = prices({"OperatorID": "FR*XYZ", "PricingProductDataRecords": [product({"ProductID": "AC1"})]})
            return {"PricingProductData": [data], "StatusCode": yes}
        pricing = [{"EvseID": "FR*XYZ*E1", "ProviderID": "*", "EvseIDProductList": ["AC1"]}]
        return {"EVSEPricing": [{"OperatorID": "FR*XYZ", "EVSEPricing": pricing}], "StatusCode": yes}

    bridge.client.script = says
    await bridge.oicp.evse_pull.pull_data("hbs")
    await bridge.oicp.exchanges.prices.pull("hbs")
    await bridge.oicp.price_tariffs.catch_up()
    await bridge.oicp.projection.catch_up()
    found = await bridge.world.store.select(TARIFFS, equal={"owner": "FR*XYZ"})
    assert sorted(each.key for each in found) == ["FR*XYZ/AC1", "FR*XYZ/DEFAULT"]
    row = (await bridge.oicp.table.get_many(["FRXYZE1"]))["FRXYZE1"]
    tree = await locations.get_tree(bridge.world.store, row.place.location)
    assert tree["evses"][0]["connectors"][0]["tariff_ids"] == ["AC1"]
    assert PartyRole.CPO in {claim.role for claim in bridge.world.registry.get("hbs").claims}


@pytest.mark.parametrize(
    "driver",
    [
        {"RFIDMifareFamilyIdentification": {"UID": "01020304"}},
        {"RemoteIdentification": {"EvcoID": "DE-BSB-C12345678-X"}},
    ],
)
async def test_a_hub_brings_the_record_of_a_card_that_we_left_with_it(bridge: Bridged, driver: dict[str, Any]) -> None:
    await _connect(bridge, leaves_cards=True)
    await _token(bridge, "01020304")
    row = await a_row(bridge)
    unheard = a_record(replace(row, id=new_session_id()), Identification=driver)
    assert (await bridge.ask("hbs", "ChargeDetailRecord", unheard))["Result"] is True
    session = await bridge.oicp.bridge.ledger.get(unheard["SessionID"])
    assert (session.state, session.cpo_party, session.emp_party) == (CLOSED, "DE*ABC", str(OURS))
    assert session.token["uid"] == "01020304"


@pytest.mark.parametrize("evse_id", ["DE*BSB*E1", "DEBSBE1", "DE*ABC*E1"])
async def test_the_record_of_a_left_card_at_an_evse_that_is_not_behind_the_hub_is_refused_and_not_kept(
    bridge: Bridged, evse_id: str
) -> None:
    await _connect(bridge, leaves_cards=True)
    await bridge.connect("abc", "cpo", operator_ids=("DE*ABC",))
    await _token(bridge, "01020304")
    driver = {"RFIDMifareFamilyIdentification": {"UID": "01020304"}}
    row = replace(await a_row(bridge), id=new_session_id())
    with pytest.raises(Refused) as refused:
        await bridge.ask("hbs", "ChargeDetailRecord", a_record(row, Identification=driver, EvseID=evse_id))
    assert refused.value.code is Code.FOREIGN_EVSE
    assert await bridge.oicp.bridge.ledger.find(row.id) is None
    assert await bridge.oicp.records.store.find(row.id) is None


async def test_the_record_of_a_card_that_we_left_nowhere_is_of_no_session(bridge: Bridged) -> None:
    await _connect(bridge, leaves_cards=True)
    unheard = a_record(replace(await a_row(bridge), id=new_session_id()))
    with pytest.raises(Refused) as refused:
        await bridge.ask("hbs", "ChargeDetailRecord", unheard)
    assert refused.value.code is Code.SESSION_INVALID


async def test_a_hub_that_does_not_answer_keeps_no_other_from_its_cards(bridge: Bridged) -> None:
    hub = await _connect(bridge, leaves_cards=True)
    await bridge.connect("fr", "hub", party="FR*HBF", provider_ids=("DE-BSB",), leaves_cards=True)
    await _token(bridge, "01020304")
    silence, is_told = asyncio.Event(), asyncio.Event()

    async def silent(asked: Asked) -> None:
        if asked.partner == "fr":
            await silence.wait()
        is_told.set()

    bridge.client.before = silent
    bridge.world.hub.background.start(bridge.oicp.exchanges.run(), name="exchanges")
    await asyncio.sleep(0)
    bridge.world.clock.move_to(bridge.world.clock.passed_s + 61)
    await asyncio.wait_for(is_told.wait(), 10)
    await asyncio.sleep(0)
    assert list(hub.sets[CARDS]) == ["01020304"]


async def test_a_hub_that_says_when_to_come_again_is_tried_again_then(bridge: Bridged) -> None:
    hub = await _connect(bridge, leaves_cards=True)
    await _token(bridge, "01020304")
    hub.fault = PeerRefused("often", http=429, retry_after_s=90)
    clock, since = bridge.world.clock, bridge.world.clock.passed_s
    bridge.world.hub.background.start(bridge.oicp.exchanges.run(), name="exchanges")
    while True:
        next_look_at = await until(lambda: not bridge.oicp.exchanges._apart._under_way and clock.wakes_at)
        if hub.pushes:
            break
        if bridge.client.of(CARDS):
            hub.fault = None
        clock.move_to(next_look_at)
    assert hub.pushes == [(CARDS, "insert", 1)]
    assert clock.passed_s - since < bridge.world.hub.settings.lane_cap_s
