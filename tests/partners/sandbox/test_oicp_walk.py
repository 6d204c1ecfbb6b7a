"""The OICP partners with each other, over TLS: a card abroad, a start from afar, a reservation; data and prices."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from partners.sandbox.oicp.call import Refused
from partners.sandbox.oicp.cards import Card
from tests.partners.sandbox.oicp_yard import CARD, EVCO_ID, EVSE, UID, Yard, a_yard
from tests.world import until


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    async with a_yard(tmp_path) as made:
        await made.furnish()
        yield made
        assert made.complaints() == []


async def test_a_card_charges_abroad_and_its_emp_gets_the_record(yard: Yard) -> None:
    charge = await yard.cpo.tap(UID, EVSE, product="AC3")
    assert (await yard.cpo.authorize_stop(charge.session)).is_yes
    assert (await yard.cpo.charges.whole(charge, kwh=12, minutes=40)).is_yes
    await until(lambda: yard.emp.counter.records and len(yard.emp.counter.notifications) >= 3)
    (record,) = yard.emp.counter.records.values()
    assert (record["SessionID"], record["ConsumedEnergy"], record["PartnerProductID"]) == (charge.session, 12, "AC3")
    assert [told["Type"] for told in yard.emp.counter.notifications] == ["Start", "Progress", "End"]
    await until(lambda: yard.hub.ledger.kept[charge.session].outcome)
    assert yard.hub.ledger.listed()["records"][0]["outcome"] == "delivered"


@pytest.mark.parametrize(("verdict", "code"), [("blocked", "200"), ("refuse", "103"), ("unknown", "102")])
async def test_who_may_not_charge_is_told_why(yard: Yard, verdict: str, code: str) -> None:
    yard.emp.counter.cards.add(Card(EVCO_ID, UID, verdict))
    with pytest.raises(Refused, match=code):
        await yard.cpo.tap(UID, EVSE)
    assert yard.cpo.charges.all == {}


async def test_a_card_that_nobody_knows_is_refused_by_the_hub(yard: Yard) -> None:
    with pytest.raises(Refused, match="102"):
        await yard.cpo.tap("0BADCAFE", EVSE)


async def test_the_hubs_own_list_of_cards_answers_for_absent_emps(yard: Yard) -> None:
    yard.hub.authorizing.cards.add(Card("NL-TNM-C00122045-K", "04FFEE01"))
    charge = await yard.cpo.tap("04FFEE01", EVSE)
    assert yard.hub.ledger.sessions[charge.session].emp == "NL-TNM"
    assert (await yard.cpo.authorize_stop(charge.session, CARD)).code == "102"
    assert (await yard.cpo.charges.record(charge)).is_yes
    assert yard.hub.ledger.kept[charge.session].outcome in (None, "offline")


async def test_an_emp_starts_and_stops_from_afar(yard: Yard) -> None:
    started = await yard.emp.errands.remote("start", EvseID=EVSE, evco_id=EVCO_ID, PartnerProductID="AC3")
    session = started.tree["SessionID"]
    assert started.is_yes
    await until(lambda: yard.emp.counter.notifications)
    assert (await yard.emp.errands.remote("start", EvseID=EVSE, evco_id=EVCO_ID)).code == "602"
    assert (await yard.emp.errands.remote("stop", EvseID=EVSE, SessionID=session)).is_yes
    await until(lambda: session in yard.emp.counter.records)
    assert (await yard.emp.errands.remote("stop", EvseID=EVSE, SessionID=session)).code == "400"


async def test_a_reservation_ends_in_a_record_of_nothing(yard: Yard) -> None:
    reserved = await yard.emp.errands.remote("reserve", EvseID=EVSE, evco_id=EVCO_ID, Duration=20)
    session = reserved.tree["SessionID"]
    assert (await yard.emp.errands.remote("start", EvseID=EVSE, evco_id="DE-EEE-C00000002-6")).code == "601"
    assert (await yard.emp.errands.remote("release", EvseID=EVSE, SessionID=session)).is_yes
    await until(lambda: session in yard.emp.counter.records)
    assert yard.emp.counter.records[session]["ConsumedEnergy"] == 0


async def test_a_cpo_says_why_it_does_not_start(yard: Yard) -> None:
    assert (await yard.emp.errands.remote("start", EvseID="DE*ABC*E9", evco_id=EVCO_ID)).code == "603"
    await yard.cpo.grounds.push_status("update", {EVSE: "OutOfService"})
    assert (await yard.emp.errands.remote("start", EvseID=EVSE, evco_id=EVCO_ID)).code == "700"
    yard.cpo.counter.manners.code = "510"
    refused = await yard.emp.errands.remote("start", EvseID=EVSE, evco_id=EVCO_ID)
    assert (refused.code, refused.tree.get("SessionID")) == ("510", None)
    assert (await yard.emp.errands.remote("start", EvseID="FR*XYZ*E1", evco_id=EVCO_ID)).http == 404


async def test_an_emp_sees_what_changed_since_it_last_asked(yard: Yard) -> None:
    await yard.emp.errands.pull_data()
    assert [record["EvseID"] for record in yard.emp.errands.places.listed()] == [EVSE]
    assert (await yard.emp.errands.pull_data(changes=True)).tree["totalElements"] == 0
    await yard.cpo.grounds.push("insert", [{"EvseID": "DE*ABC*E2"}, {"EvseID": "DE*ABC*E3"}])
    await yard.cpo.grounds.push("update", [{"EvseID": EVSE, "IsOpen24Hours": True, "RenewableEnergy": False}])
    await yard.cpo.grounds.push("delete", [{"EvseID": "DE*ABC*E3"}])
    changes = await yard.emp.errands.pull_data(changes=True, size=1)
    assert changes.tree["totalPages"] == 2
    known = {record["EvseID"]: record["deltaType"] for record in yard.emp.errands.places.listed()}
    assert known == {EVSE: "update", "DE*ABC*E2": "insert"}


async def test_an_emp_pulls_status_in_three_ways(yard: Yard) -> None:
    await yard.cpo.grounds.push_status("update", {EVSE: "Occupied"})
    for how in ({}, {"operators": ["DE*ABC"]}, {"evses": [EVSE, "DE*ABC*E404"]}):
        assert (await yard.emp.errands.pull_status(**how)).is_yes
    assert yard.emp.errands.places.statuses == {EVSE: "Occupied", "DE*ABC*E404": "EvseNotFound"}


async def test_prices_go_from_a_cpo_to_an_emp(yard: Yard) -> None:
    assert (await yard.cpo.grounds.push_prices({"PricingProductDataRecords": [{"ProductID": "AC3"}]})).is_yes
    assert (await yard.cpo.grounds.push_evse_prices({EVSE: ["AC3"]})).is_yes
    products, evses = await yard.emp.errands.pull_prices(["DE*ABC"])
    assert products.tree["PricingProductData"][0]["PricingProductDataRecords"][0]["ProductID"] == "AC3"
    assert evses.tree["EVSEPricing"][0]["EVSEPricing"][0]["EvseIDProductList"] == ["AC3"]


async def test_an_emp_that_is_offline_uploads_its_cards_and_asks_for_its_records(yard: Yard) -> None:
    assert (await yard.emp.errands.push_cards()).is_yes
    yard.join("EMP", "DE-EEE", yard.emp.papers)
    charge = await yard.cpo.tap(UID, EVSE)
    assert (await yard.cpo.charges.record(charge)).is_yes
    await until(lambda: yard.hub.ledger.kept[charge.session].outcome)
    answer, records = await yard.emp.errands.records(CDRForwarded=False)
    assert answer.is_yes
    assert [record["SessionID"] for record in records] == [charge.session]
    assert yard.emp.counter.records == {}
