"""The table of EVSEs follows the locations on record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.core.parties import Party, PartyRole
from hub.core.units import Unit
from modules.locations import foreign
from partners.oicp import findings
from partners.oicp.evse_table import OICP_EVSES, EvseRow, read
from partners.oicp.made_ids import made_id, spare
from tests.partners.oicp.bridged import Bridged, bridged
from tests.world import their_location

AAA = Party("BE", "AAA")


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url, partners=False) as made:
        await made.world.join("c1", "BE*AAA", PartyRole.CPO)
        await made.connect("dcb", "emp", provider_ids=("DE-DCB",))
        await made.oicp.operators.say(AAA, {"hotline": "+3212345678"}, actor="test")
        yield made


def location(location_id: str = "LOC1", **fields: Any) -> dict[str, Any]:
    return their_location("2.3.0", location_id=location_id, **fields)


async def _keep(bridge: Bridged, tree: dict[str, Any]) -> None:
    """BE*AAA has this location."""
    await foreign.put(bridge.world.hub, foreign.Spot(AAA, tree["id"]), tree)
    await bridge.oicp.follower.catch_up()


def _at(tree: dict[str, Any], moment: str, **evse: Any) -> dict[str, Any]:
    """The location as it is later, its first EVSE changed."""
    evses = [{**tree["evses"][0], **evse, "last_updated": moment}, *tree["evses"][1:]]
    return {**tree, "evses": evses, "last_updated": moment}


async def _rows(bridge: Bridged) -> dict[str, EvseRow]:
    found = await bridge.world.store.select(OICP_EVSES, equal={"owner": "BE*AAA"})
    return {document.key: read(document) for document in found}


async def test_each_evse_that_oicp_can_name_has_a_row_with_its_record(bridge: Bridged) -> None:
    await _keep(bridge, location())
    rows = await _rows(bridge)
    assert sorted(rows) == ["BEAAAEE1", "BEAAAEE2"]
    record = rows["BEAAAEE1"].record
    assert (record["EvseID"], record["OperatorID"]) == ("BE*AAA*EE1", "BE*AAA")
    assert record["HotlinePhoneNumber"] == "+3212345678"
    assert (await bridge.oicp.bridge.places.find("be*aaa*ee1")) == rows["BEAAAEE1"].place
    assert await bridge.oicp.table.states(rows) == {"BEAAAEE1": "Available", "BEAAAEE2": "Available"}


async def test_locations_that_were_there_before_the_first_connection_are_looked_at_once(sqlite_url: str) -> None:
    async with bridged(sqlite_url, partners=False) as bridge:
        await bridge.world.join("c1", "BE*AAA", PartyRole.CPO)
        await bridge.oicp.operators.say(AAA, {"hotline": "+3212345678"}, actor="test")
        await _keep(bridge, location())
        assert await _rows(bridge) == {}
        await bridge.connect("dcb", "emp", provider_ids=("DE-DCB",))
        await bridge.oicp.follower.catch_up()
        assert len(await _rows(bridge)) == 2


async def test_only_the_rows_that_differ_are_written(bridge: Bridged) -> None:
    tree = location()
    await _keep(bridge, tree)
    before = await _rows(bridge)
    bridge.world.clock.passed_s += 60
    await _keep(bridge, _at(tree, "2026-05-04T10:01:00Z", floor_level="2"))
    after = await _rows(bridge)
    assert after["BEAAAEE1"].record["Address"]["Floor"] == "2"
    assert after["BEAAAEE1"].changed > before["BEAAAEE1"].changed
    assert after["BEAAAEE2"] == before["BEAAAEE2"]


async def test_a_change_of_status_leaves_the_row_as_it_is(bridge: Bridged) -> None:
    tree = location()
    await _keep(bridge, tree)
    before = await _rows(bridge)
    await _keep(bridge, _at(tree, "2026-05-04T10:01:00Z", status="CHARGING"))
    assert await _rows(bridge) == before
    assert (await bridge.oicp.table.states(["BEAAAEE1"])) == {"BEAAAEE1": "Occupied"}


@pytest.mark.parametrize("gone", [{"status": "REMOVED"}, {"status": "PLANNED"}])
async def test_an_evse_that_is_gone_leaves_a_tombstone(bridge: Bridged, gone: dict[str, str]) -> None:
    tree = location()
    await _keep(bridge, tree)
    await _keep(bridge, _at(tree, "2026-05-04T10:01:00Z", **gone))
    row = (await _rows(bridge))["BEAAAEE1"]
    assert (row.gone, row.record["EvseID"]) == (True, "BE*AAA*EE1")
    assert await bridge.oicp.bridge.places.find("BE*AAA*EE1") is None
    assert await bridge.oicp.table.states(["BEAAAEE1"]) == {}


async def test_a_location_that_is_not_to_be_published_is_nobodys_concern(bridge: Bridged) -> None:
    tree = location()
    await _keep(bridge, tree)
    await _keep(bridge, {**tree, "publish": False, "last_updated": "2026-05-04T10:01:00Z"})
    assert all(row.gone for row in (await _rows(bridge)).values())
    assert await findings.shown(bridge.world.store) == []


async def test_what_it_missed_of_a_log_that_was_cut_is_found_among_the_locations(bridge: Bridged) -> None:
    await _keep(bridge, location("LOC1", evses=("E1",)))
    hub = bridge.world.hub
    for name, evse in (("LOC2", "E2"), ("LOC3", "E3")):
        await foreign.put(hub, foreign.Spot(AAA, name), location(name, evses=(evse,)))
    await hub.store.commit(Unit(cut=await hub.store.last_change() - 1))
    await bridge.oicp.follower.catch_up()
    assert sorted(await _rows(bridge)) == ["BEAAAEE1", "BEAAAEE2", "BEAAAEE3"]


async def test_an_operator_without_a_hotline_is_one_finding_until_he_has_one(bridge: Bridged) -> None:
    await bridge.oicp.operators.say(AAA, {"hotline": None}, actor="test")
    await _keep(bridge, location())
    assert await _rows(bridge) == {}
    (found,) = [line for line in await findings.shown(bridge.world.store) if line["owner"] == "BE*AAA"]
    assert (found["things"], found["example"]) == (2, "E1")
    assert "phone number" in found["reason"]
    await bridge.oicp.operators.say(AAA, {"hotline": "+3212345678"}, actor="test")
    await bridge.oicp.follower.catch_up()
    assert len(await _rows(bridge)) == 2
    assert [line for line in await findings.shown(bridge.world.store) if line["owner"] == "BE*AAA"] == []


async def test_an_evse_without_an_id_gets_one_that_gives_way_to_a_real_one(bridge: Bridged) -> None:
    real = location("LOC1", evses=("X",))
    real["evses"][0]["evse_id"] = "BE*AAA*E7"
    await _keep(bridge, real)
    await _keep(bridge, location("LOC2", evses=("7",)))
    rows = await _rows(bridge)
    assert rows["BEAAAE7"].place.evse_uid == "X"
    assert {row.place.evse_id for row in rows.values()} == {"BE*AAA*E7", spare("BE*AAA", "7")}


def test_made_ids_never_meet() -> None:
    uids = ["7", "A7", "A-7", "A/7", "a7x", "A" * 29, "A" * 30, "A" * 36, "-" * 36, "0" * 30]
    made = [made_id("DE*ABC", uid) for uid in uids]
    assert len(set(made)) == len(uids)
    assert made[0] == "DE*ABC*E7"
    assert made_id("DE*ABC", "de*abc*e99") == "DE*ABC*E99"
    assert made_id("DE*ABC", "NL*XYZ*E99") != "NL*XYZ*E99"


async def test_an_evse_that_comes_to_be_by_a_change_of_status_gets_its_row(bridge: Bridged) -> None:
    tree = location()
    tree["evses"][0]["status"] = "PLANNED"
    await _keep(bridge, tree)
    assert sorted(await _rows(bridge)) == ["BEAAAEE2"]
    part = {"status": "AVAILABLE", "last_updated": "2026-05-04T10:01:00Z"}
    await foreign.patch(bridge.world.hub, foreign.Spot(AAA, "LOC1"), ("E1",), part)
    await bridge.oicp.follower.catch_up()
    assert sorted(await _rows(bridge)) == ["BEAAAEE1", "BEAAAEE2"]


async def test_a_change_of_status_alone_writes_the_state_alone(bridge: Bridged) -> None:
    await _keep(bridge, location())
    before = await _rows(bridge)
    part = {"status": "CHARGING", "last_updated": "2026-05-04T10:01:00Z"}
    await foreign.patch(bridge.world.hub, foreign.Spot(AAA, "LOC1"), ("E1",), part)
    await bridge.oicp.follower.catch_up()
    assert await bridge.oicp.table.states(before) == {"BEAAAEE1": "Occupied", "BEAAAEE2": "Available"}
    assert await _rows(bridge) == before
