"""EVSEs of a hub where we are an EMP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.core.errors import NotFound, PeerTimeout
from hub.core.parties import PartyRole
from modules.locations import service as locations
from partners.oicp import findings
from partners.oicp.evse_pull import SIZE
from partners.oicp.evse_table import HERE, OICP_EVSES
from partners.oicp.mapping.connectors import ASSUMED
from partners.sandbox.oicp.samples import evse
from tests.partners.oicp.bridged import Asked, Bridged, bridged

YES = {"Code": "000"}


class Hub:
    """What a hub has, in pages of two; `breaks_at`: the page at which it does not answer."""

    def __init__(self) -> None:
        self.records: list[Any] = []
        self.statuses: dict[str, str] = {}
        self.breaks_at = -1

    def __call__(self, asked: Asked) -> Any:
        if asked.operation == "PullEvseStatus":
            records = [{"EvseID": evse_id, "EvseStatus": status} for evse_id, status in self.statuses.items()]
            operators = [{"OperatorID": "FR*XYZ", "EvseStatusRecord": records}]
            return {"EvseStatuses": {"OperatorEvseStatus": operators}, "StatusCode": YES}
        page = int(asked.query["page"])
        if page == self.breaks_at:
            raise PeerTimeout
        content = self.records[page * 2 : page * 2 + 2]
        return {"content": content, "last": page * 2 + 2 >= len(self.records), "StatusCode": YES}


def record(evse_id: str, **fields: Any) -> dict[str, Any]:
    pool = evse_id.replace("*E", "*P")
    return {
        **evse({"EvseID": evse_id, "ChargingPoolID": pool}),
        "OperatorID": "FR*XYZ",
        "OperatorName": "Xyz",
        **fields,
    }


def some(*numbers: int) -> list[dict[str, Any]]:
    return [record(f"FR*XYZ*E{number}") for number in numbers]


@pytest.fixture
async def hub() -> Hub:
    return Hub()


@pytest.fixture
async def bridge(sqlite_url: str, hub: Hub) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url, partners=False) as made:
        await made.world.join("c1", "BE*AAA", PartyRole.CPO)
        await made.connect("hbs", "hub", party="DE*HBS", provider_ids=("DE-BSB",))
        made.client.script = hub
        yield made


async def _pull(bridge: Bridged, *, whole: bool = False) -> list[str]:
    """Returns: what is there then."""
    await bridge.oicp.evse_pull.pull_data("hbs", whole=whole)
    await bridge.oicp.projection.catch_up()
    return await _here(bridge)


async def _here(bridge: Bridged) -> list[str]:
    found = await bridge.world.store.select(OICP_EVSES, equal={"gone": HERE}, order="key")
    return [document.key for document in found]


def _passes(bridge: Bridged, time: timedelta) -> None:
    bridge.world.clock.passed_s += time.total_seconds()


async def test_the_first_crawl_brings_all_and_makes_locations_of_the_operators_behind(
    bridge: Bridged, hub: Hub
) -> None:
    hub.records = [*some(1, 2, 3), record("NL*ABC*E1")]
    assert await _pull(bridge) == ["FRXYZE1", "FRXYZE2", "FRXYZE3", "NLABCE1"]
    tree = await locations.get_tree(bridge.world.store, "NL*ABC/NLABCP1")
    assert tree["evses"][0]["evse_id"] == "NL*ABC*E1"
    claims = bridge.world.registry.get("hbs").claims
    assert {str(claim.party) for claim in claims if claim.role is PartyRole.CPO} == {"FR*XYZ", "NL*ABC"}
    asked = bridge.client.asked[0]
    assert (asked.id, asked.query) == ("DE-BSB", {"page": "0", "size": str(SIZE)})
    assert "LastCall" not in asked.message


async def test_the_next_brings_what_changed_since_five_minutes_before_the_first_began(
    bridge: Bridged, hub: Hub
) -> None:
    hub.records = some(1, 2)
    began = bridge.world.clock.now()
    await _pull(bridge)
    _passes(bridge, timedelta(hours=1))
    hub.records = [record("FR*XYZ*E1", deltaType="delete"), record("FR*XYZ*E3", deltaType="insert")]
    assert await _pull(bridge) == ["FRXYZE2", "FRXYZE3"]
    last_call = bridge.client.asked[-1].message["LastCall"]
    assert last_call.startswith((began - timedelta(minutes=5)).isoformat()[:19])
    tree = await locations.get_tree(bridge.world.store, "FR*XYZ/FRXYZP1")
    assert tree["evses"][0]["status"] == "REMOVED"


async def test_a_record_that_cannot_be_read_costs_nothing_but_itself(bridge: Bridged, hub: Hub) -> None:
    hub.records = [{"EvseID": "?"}, "nonsense", *some(1), record("+1*123*456")]
    assert await _pull(bridge) == ["FRXYZE1"]
    found = {line["example"]: line["reason"] for line in await findings.shown(bridge.world.store)}
    assert found.keys() == {"?", "record 2 of a page", "+1*123*456"}
    assert found["?"].startswith("it cannot be read: /")


@pytest.mark.parametrize("power", ["a lot", None, 0])
async def test_a_power_that_cannot_be_read_is_found_and_told_to_no_partner_as_nothing(
    bridge: Bridged, hub: Hub, power: Any
) -> None:
    facility = {"PowerType": "AC_3_PHASE", "Power": power}
    hub.records = [record("FR*XYZ*E1", ChargingFacilities=[facility])]
    assert await _pull(bridge) == ["FRXYZE1"]
    tree = await locations.get_tree(bridge.world.store, "FR*XYZ/FRXYZP1")
    [connector] = tree["evses"][0]["connectors"]
    assert (connector["max_voltage"], connector["max_amperage"]) == (230, 16)
    [found] = await findings.shown(bridge.world.store)
    assert (found["owner"], found["reason"], found["example"]) == ("FR*XYZ", ASSUMED, "FR*XYZ*E1 ChargingFacilities")
    lost = {(each.way, each.field) for each in await bridge.world.hub.losses.of("hbs")}
    assert ("in", "/ChargingFacilities/*/Power") in lost
    _passes(bridge, timedelta(days=8))
    hub.records = [record("FR*XYZ*E1", ChargingFacilities=[{**facility, "Power": 22}])]
    await _pull(bridge)
    assert await findings.shown(bridge.world.store) == []


async def test_evses_of_who_is_connected_by_himself_are_his_to_tell(bridge: Bridged, hub: Hub) -> None:
    hub.records = [record("BE*AAA*E1"), record("DE*BSB*E1"), *some(1)]
    assert await _pull(bridge) == ["FRXYZE1"]
    assert [line["example"] for line in await findings.shown(bridge.world.store)] == ["BE*AAA*E1"]


async def test_a_crawl_that_broke_off_goes_on_at_its_page(bridge: Bridged, hub: Hub) -> None:
    hub.records, hub.breaks_at = some(1, 2, 3, 4, 5), 1
    with pytest.raises(PeerTimeout):
        await _pull(bridge)
    hub.breaks_at = -1
    asked_before = len(bridge.client.asked)
    assert len(await _pull(bridge)) == 5
    pages = [asked.query["page"] for asked in bridge.client.asked[asked_before:]]
    assert pages == ["1", "2"]
    state = await bridge.oicp.evse_pull.state("hbs")
    assert (state.began, state.page) == ("", 0)


async def test_the_watermark_stays_until_the_last_page_is_on_disk(bridge: Bridged, hub: Hub) -> None:
    hub.records, hub.breaks_at = some(1, 2, 3), 1
    with pytest.raises(PeerTimeout):
        await _pull(bridge)
    assert (await bridge.oicp.evse_pull.state("hbs")).watermark == ""


async def test_what_a_whole_crawl_misses_is_gone(bridge: Bridged, hub: Hub) -> None:
    hub.records = some(*range(1, 11))
    await _pull(bridge)
    hub.records = some(*range(2, 11))
    _passes(bridge, timedelta(days=8))
    assert "FRXYZE1" not in await _pull(bridge)


async def test_more_than_a_fifth_is_gone_only_when_an_operator_says_so(bridge: Bridged, hub: Hub) -> None:
    hub.records = some(*range(1, 11))
    await _pull(bridge)
    hub.records = some(1)
    assert len(await _pull(bridge, whole=True)) == 10
    (held,) = await bridge.oicp.evse_pull.shown()
    assert held["reason"].startswith("9 of 10 EVSEs are missing")
    await bridge.oicp.evse_pull.confirm("hbs", actor="test")
    assert await _pull(bridge) == ["FRXYZE1"]
    assert await bridge.oicp.evse_pull.shown() == []
    with pytest.raises(NotFound):
        await bridge.oicp.evse_pull.confirm("hbs", actor="test")


async def test_status_is_written_for_evses_whose_data_are_here(bridge: Bridged, hub: Hub) -> None:
    hub.records = some(1)
    await _pull(bridge)
    hub.statuses = {"FR*XYZ*E1": "Occupied", "FR*XYZ*E9": "Available"}
    await bridge.oicp.status_pull.pull("hbs")
    await bridge.oicp.projection.catch_up()
    assert await bridge.oicp.table.states(["FRXYZE1", "FRXYZE9"]) == {"FRXYZE1": "Occupied"}
    tree = await locations.get_tree(bridge.world.store, "FR*XYZ/FRXYZP1")
    assert tree["evses"][0]["status"] == "CHARGING"


async def test_an_emp_gets_what_came_from_a_hub_and_the_hub_does_not_get_it_back(bridge: Bridged, hub: Hub) -> None:
    await bridge.connect("dcb", "emp", provider_ids=("DE-DCB",))
    hub.records = some(1)
    await _pull(bridge)
    asked = {"ProviderID": "DE-DCB", "GeoCoordinatesResponseFormat": "Google"}
    (told,) = (await bridge.ask("dcb", "PullEvseData", asked, id="DE-DCB"))["content"]
    assert {name: told[name] for name in hub.records[0]} == hub.records[0]
    partner = bridge.world.registry.get("hbs")
    assert "FR*XYZ" not in bridge.world.hub.agreements.owners(partner, "locations")


async def test_a_status_of_an_evse_that_is_not_here_lets_its_data_be_asked_for(bridge: Bridged, hub: Hub) -> None:
    hub.records = some(1)
    await _pull(bridge)
    _passes(bridge, timedelta(minutes=11))
    hub.statuses = {"FR*XYZ*E1": "Available", "FR*XYZ*E2": "Available"}
    await bridge.oicp.status_pull.pull("hbs")
    assert (await bridge.oicp.evse_pull.state("hbs")).data_at == ""
    await _pull(bridge)
    before = (await bridge.oicp.evse_pull.state("hbs")).data_at
    _passes(bridge, timedelta(minutes=11))
    await bridge.oicp.status_pull.pull("hbs")
    assert (await bridge.oicp.evse_pull.state("hbs")).data_at == before != ""


async def test_an_evse_that_moves_is_removed_where_it_was(bridge: Bridged, hub: Hub) -> None:
    hub.records = [record("FR*XYZ*E1", ChargingPoolID="FR*XYZ*P1"), *some(2, 3, 4, 5, 6)]
    await _pull(bridge)
    hub.records = [record("FR*XYZ*E1", ChargingPoolID="FR*XYZ*P7", deltaType="update")]
    await _pull(bridge)
    hub.records = [record("FR*XYZ*E1", ChargingPoolID="FR*XYZ*P8", deltaType="update")]
    await _pull(bridge)
    found = {pool: await locations.get_tree(bridge.world.store, f"FR*XYZ/FRXYZP{pool}") for pool in (1, 7, 8)}
    removed = {pool: tree["evses"][0]["status"] == "REMOVED" for pool, tree in found.items()}
    assert removed == {1: True, 7: True, 8: False}
    hub.records = [record("FR*XYZ*E1", ChargingPoolID="FR*XYZ*P8", deltaType="delete")]
    await _pull(bridge)
    last = await locations.get_tree(bridge.world.store, "FR*XYZ/FRXYZP8")
    assert last["evses"][0]["status"] == "REMOVED"


async def test_of_a_hub_that_was_disconnected_all_is_pulled_once_more(bridge: Bridged, hub: Hub) -> None:
    hub.records = some(1, 2)
    await _pull(bridge)
    connection = bridge.oicp.connections.get("hbs")
    await bridge.oicp.connections.disconnect("hbs", actor="test")
    await bridge.oicp.connections.connect(connection, actor="test")
    assert bridge.world.registry.get("hbs").parties == {"DE*HBS", "FR*XYZ"}
    await _pull(bridge)
    assert "LastCall" not in bridge.client.asked[-1].message


async def test_a_crawl_of_a_hub_without_an_end_is_over_where_it_begins_anew(bridge: Bridged, hub: Hub) -> None:
    hub.records = some(1, 2, 3)

    def endless(asked: Asked) -> Any:
        page = str(int(asked.query["page"]) % 2)
        return {**hub(replace(asked, query={"page": page})), "last": False, "totalPages": 999_999}

    bridge.client.script = endless
    assert len(await _pull(bridge)) == 3
    assert len(bridge.client.asked) == 3


async def test_a_hub_that_does_not_answer_keeps_no_other_from_being_pulled(bridge: Bridged, hub: Hub) -> None:
    await bridge.connect("fr", "hub", party="FR*HBF", provider_ids=("DE-BSB",))
    hub.records = some(1)
    silence, clock = asyncio.Event(), bridge.world.clock

    async def silent(asked: Asked) -> None:
        if asked.partner == "fr":
            await silence.wait()

    bridge.client.before = silent
    bridge.world.hub.background.start(bridge.oicp.status_pull.run(), name="pulls")
    async with asyncio.timeout(30):
        while sum((each.partner, each.operation) == ("hbs", "PullEvseStatus") for each in bridge.client.asked) < 3:
            await asyncio.sleep(0.01)
            clock.move_to(clock.passed_s + 200)
    assert len([asked for asked in bridge.client.asked if asked.partner == "fr"]) == 1


@pytest.mark.parametrize(("fails", "works"), [("PullEvseData", "PullEvseStatus"), ("PullEvseStatus", "PullEvseData")])
async def test_a_service_of_a_hub_that_fails_keeps_its_other_one_from_nothing(
    bridge: Bridged, hub: Hub, fails: str, works: str
) -> None:
    await bridge.oicp.connections.connect(
        bridge.oicp.connections.get("hbs").model_copy(update={"data_every_s": 120}), actor="test"
    )
    hub.records, clock = some(1), bridge.world.clock

    def broken(asked: Asked) -> Any:
        if asked.operation == fails:
            raise PeerTimeout
        return hub(asked)

    bridge.client.script = broken
    for run in (bridge.oicp.evse_pull.run, bridge.oicp.status_pull.run):
        bridge.world.hub.background.start(run(), name="pulls")
    async with asyncio.timeout(30):
        while sum(each.operation == works for each in bridge.client.asked) < 3:
            await asyncio.sleep(0.01)
            clock.move_to(clock.passed_s + 200)
    told = [*await bridge.oicp.evse_pull.shown(), *await bridge.oicp.status_pull.shown()]
    assert [("status" in line["reason"], line["owner"]) for line in told] == [(fails == "PullEvseStatus", "hbs")]


@pytest.mark.parametrize(("lost", "why"), [("GeoCoordinates", "its coordinates"), ("Plugs", "it has no plug")])
async def test_an_evse_that_ocpi_cannot_be_told_of_any_more_is_shown_with_the_reason(
    bridge: Bridged, hub: Hub, lost: str, why: str
) -> None:
    hub.records = [record("FR*XYZ*E1", ChargingPoolID="FR*XYZ*P2"), *some(2)]
    await _pull(bridge)
    left = {name: value for name, value in hub.records[0].items() if name != lost}
    hub.records = [{**left, "deltaType": "update"}]
    await _pull(bridge)
    (found,) = await findings.shown(bridge.world.store)
    assert (found["owner"], found["example"]) == ("FR*XYZ", "FR*XYZ*E1")
    assert found["reason"].startswith(f"not told over OCPI: {why}")
    hub.records = [record("FR*XYZ*E1", ChargingPoolID="FR*XYZ*P2", deltaType="update")]
    await _pull(bridge)
    assert await findings.shown(bridge.world.store) == []


async def test_what_a_hub_tells_is_taken_where_it_is_not_oicps_to_the_letter(bridge: Bridged, hub: Hub) -> None:
    lacking = {
        name: value for name, value in record("FR*XYZ*E1").items() if name not in ("Address", "HotlinePhoneNumber")
    }
    hub.records = [lacking, record("fr*xyz*e2", Plugs=[], AuthenticationModes=["REMOTE", "Carrier Pigeon"])]
    await bridge.connect("dcb", "emp", provider_ids=("DE-DCB",))
    await bridge.oicp.evse_pull.pull_data("hbs")
    asked = {"ProviderID": "DE-DCB", "GeoCoordinatesResponseFormat": "Google"}
    said = await bridge.ask("dcb", "PullEvseData", asked, id="DE-DCB")
    assert [each["EvseID"] for each in said["content"]] == ["FR*XYZ*E1", "FR*XYZ*E2"]
    hub.statuses = {"FR*XYZ*E1": "Faulted", "fr*xyz*e2": "Occupied"}
    await bridge.oicp.status_pull.pull("hbs")
    said = await bridge.ask("dcb", "PullEvseStatus", {"ProviderID": "DE-DCB"})
    (operator,) = said["EvseStatuses"]["OperatorEvseStatus"]
    told = {each["EvseID"]: each["EvseStatus"] for each in operator["EvseStatusRecord"]}
    assert told == {"FR*XYZ*E1": "Unknown", "FR*XYZ*E2": "Occupied"}
