"""A CPO that was behind a hub of OICP, and is connected by itself from now on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hub.core.inbound import parse
from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim
from modules.locations import foreign
from modules.locations import service as locations
from modules.locations.store import LOCATIONS
from partners.oicp.answers import Code, Refused
from partners.oicp.price_pushes import evses_told
from partners.oicp.prices import EVSE
from partners.sandbox.oicp.samples import evse
from tests.partners.oicp.bridged import Bridged, bridged
from tests.partners.oicp.test_evse_pull import Hub, some
from tests.world import their_location

XYZ = Party("FR", "XYZ")


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    """FR*XYZ has three EVSEs, which a hub has told of."""
    async with bridged(sqlite_url, partners=False) as made:
        await made.connect("hbs", "hub", party="DE*HBS", provider_ids=("DE-BSB",))
        hub = made.client.script = Hub()
        hub.records = some(1, 2, 3)
        await made.oicp.evse_pull.pull_data("hbs")
        await made.oicp.projection.catch_up()
        yield made


async def _living(bridge: Bridged) -> dict[str, list[str]]:
    """By EvseID, at which locations of OCPI there is such an EVSE."""
    found: dict[str, list[str]] = {}
    for document in await bridge.world.store.select(LOCATIONS, equal={"owner": str(XYZ)}):
        for each in parse(document.body, limit=2**20).get("evses") or ():
            if each["status"] != "REMOVED":
                found.setdefault(each["evse_id"], []).append(document.key)
    return found


async def _pushed(bridge: Bridged, action: str, *numbers: int) -> None:
    records = [evse({"EvseID": f"FR*XYZ*E{number}", "ChargingPoolID": f"FR*XYZ*P{number}"}) for number in numbers]
    data = {"OperatorID": "FR*XYZ", "OperatorName": "Xyz", "EvseDataRecord": records}
    bridge.world.clock.passed_s += 1
    await bridge.ask("xyz", "PushEvseData", {"ActionType": action, "OperatorEvseData": data}, id="FR*XYZ")
    await bridge.oicp.projection.catch_up()


def _ids(*numbers: int) -> list[str]:
    return [f"FR*XYZ*E{number}" for number in numbers]


@pytest.mark.parametrize("action", ["insert", "fullLoad"])
async def test_the_first_push_of_its_own_takes_the_place_of_what_the_hub_told(bridge: Bridged, action: str) -> None:
    await bridge.connect("xyz", "cpo", operator_ids=("FR*XYZ",))
    assert sorted(await _living(bridge)) == _ids(1, 2, 3)
    await _pushed(bridge, action, 1)
    assert sorted(await _living(bridge)) == _ids(1)
    row = (await bridge.oicp.table.get_many(["FRXYZE1"]))["FRXYZE1"]
    assert row.source == "xyz/FRXYZ"
    await _pushed(bridge, "insert", 2)
    assert sorted(await _living(bridge)) == _ids(1, 2)


async def test_the_prices_that_the_hub_told_are_none_of_its_own_evses(bridge: Bridged) -> None:
    async def priced(partner: str, product: str) -> list[str]:
        pricing = [{"EvseID": "FR*XYZ*E1", "ProviderID": "*", "EvseIDProductList": [product]}]
        told = evses_told(f"{partner}/FRXYZ", str(XYZ), pricing)
        await bridge.oicp.price_pushes.write(f"{partner}/FRXYZ", "fullLoad", told, what=EVSE, provider="")
        await bridge.oicp.price_tariffs.catch_up()
        await bridge.oicp.projection.catch_up()
        tree = await locations.get_tree(bridge.world.store, "FR*XYZ/FRXYZP1")
        return list(tree["evses"][0]["connectors"][0].get("tariff_ids", []))

    assert await priced("hbs", "AC1") == ["AC1"]
    await bridge.connect("xyz", "cpo", operator_ids=("FR*XYZ",))
    await _pushed(bridge, "fullLoad", 1)
    assert await priced("xyz", "AC9") == ["AC9"]


async def test_a_push_that_is_refused_ends_nothing(bridge: Bridged) -> None:
    await bridge.connect("xyz", "cpo", operator_ids=("FR*XYZ",))
    with pytest.raises(Refused) as refused:
        await _pushed(bridge, "update", 1)
    assert refused.value.code is Code.DATA_TRANSACTION
    assert sorted(await _living(bridge)) == _ids(1, 2, 3)


async def _told_in_ocpi(bridge: Bridged, name: str) -> None:
    bridge.world.clock.passed_s += 1
    tree = their_location("2.3.0", "FR*XYZ", location_id=name, evses=("U1",), at=bridge.world.clock.now())
    tree["evses"][0]["evse_id"] = "FR*XYZ*E1"
    await foreign.put(bridge.world.hub, foreign.Spot(XYZ, name), tree)


@pytest.mark.parametrize("began_before", [True, False])
@pytest.mark.parametrize("name", ["X1", "FRXYZP1"])
async def test_a_location_of_ocpi_takes_the_place_of_what_the_hub_told(
    bridge: Bridged, began_before: bool, name: str
) -> None:
    if began_before:
        await bridge.oicp.follower.catch_up()
    claim = Claim(role=PartyRole.CPO, party=XYZ)
    await bridge.oicp.connections.release((claim,), to="x1", actor="test")
    assert sorted(await _living(bridge)) == _ids(1, 2, 3)
    await bridge.world.join("x1", "FR*XYZ", PartyRole.CPO)
    await bridge.oicp.operators.say(XYZ, {"hotline": "+33123456789"}, actor="test")
    await _told_in_ocpi(bridge, name)
    for _ in range(2):
        await bridge.oicp.follower.catch_up()
        await bridge.oicp.projection.catch_up()
    assert await _living(bridge) == {"FR*XYZ*E1": [f"FR*XYZ/{name}"]}
    place = await bridge.oicp.bridge.places.find("FR*XYZ*E1")
    assert place is not None
    assert (place.location_id, place.evse_uid) == (name, "U1")
    assert await bridge.oicp.bridge.places.find("FR*XYZ*E2") is None
