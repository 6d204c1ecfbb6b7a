"""EVSEs and their status, as CPOs push them to us and EMPs pull them from us."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from hub.core.agreements import Agreement
from hub.core.errors import InvalidRequest
from modules.locations import service as locations
from partners.oicp.answers import Code, Refused
from partners.oicp.wire import ANSWERS, Unfit, write
from partners.sandbox.oicp.samples import evse
from tests.partners.oicp.bridged import Bridged, bridged

ALL = {"ProviderID": "DE-DCB", "GeoCoordinatesResponseFormat": "Google"}


@pytest.fixture
async def bridge(sqlite_url: str) -> AsyncIterator[Bridged]:
    async with bridged(sqlite_url, partners=False) as made:
        await made.connect("abc", "cpo", operator_ids=("DE*ABC",))
        await made.connect("dcb", "emp", provider_ids=("DE-DCB",))
        yield made


def _pool(number: int, **fields: Any) -> dict[str, Any]:
    """An EVSE of a pool of its own."""
    return dict(evse({"EvseID": f"DE*ABC*E{number}", "ChargingPoolID": f"DE*ABC*P{number}", **fields}))


async def push(bridge: Bridged, action: str, *records: Mapping[str, Any], name: str = "abc") -> Mapping[str, Any]:
    operator = bridge.oicp.connections.get(name).operator_ids[0]
    set_ = {"OperatorID": operator, "OperatorName": "Abc", "EvseDataRecord": list(records)}
    said = await bridge.ask(name, "PushEvseData", {"ActionType": action, "OperatorEvseData": set_}, id=operator)
    await bridge.oicp.projection.catch_up()
    return said


async def push_status(bridge: Bridged, action: str, **statuses: str) -> Mapping[str, Any]:
    records = [{"EvseID": f"DE*ABC*{name}", "EvseStatus": status} for name, status in statuses.items()]
    set_ = {"OperatorID": "DE*ABC", "EvseStatusRecord": records}
    said = await bridge.ask("abc", "PushEvseStatus", {"ActionType": action, "OperatorEvseStatus": set_}, id="DE*ABC")
    await bridge.oicp.projection.catch_up()
    return said


async def pull(
    bridge: Bridged, *, page: int = 0, size: int = 2000, by: str = "dcb", **filters: Any
) -> Mapping[str, Any]:
    said = await bridge.ask(
        by, "PullEvseData", {**ALL, **filters}, id="DE-DCB", query={"page": str(page), "size": str(size)}
    )
    write(ANSWERS["PullEvseData"], {**said, "content": [_without_nulls(each) for each in said["content"]]})
    return said


def _without_nulls(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if value is not None}


def _ids(said: Mapping[str, Any]) -> list[str]:
    return [record["EvseID"] for record in said["content"]]


async def _refused(asked: Any) -> Code:
    with pytest.raises(Refused) as refused:
        await asked
    return refused.value.code


async def test_what_a_cpo_pushes_an_emp_pulls_as_it_came(bridge: Bridged) -> None:
    record = _pool(1, xVendor={"kept": [1, "a"]})
    assert (await push(bridge, "fullLoad", record))["Result"] is True
    (pulled,) = (await pull(bridge))["content"]
    assert (pulled["OperatorID"], pulled["OperatorName"]) == ("DE*ABC", "Abc")
    assert {name: pulled[name] for name in record} == record


async def test_what_a_cpo_pushes_is_a_location_for_partners_of_ocpi(bridge: Bridged) -> None:
    await push(bridge, "insert", _pool(1), _pool(2, ChargingPoolID="DE*ABC*P1"))
    tree = await locations.get_tree(bridge.world.store, "DE*ABC/DEABCP1")
    assert [each["evse_id"] for each in tree["evses"]] == ["DE*ABC*E1", "DE*ABC*E2"]
    await bridge.oicp.follower.catch_up()
    assert len((await pull(bridge))["content"]) == 2


async def test_a_status_is_a_change_of_status_alone_in_ocpi(bridge: Bridged) -> None:
    await push(bridge, "insert", _pool(1))
    told = await bridge.world.store.last_change()
    bridge.world.clock.passed_s += 5
    await push_status(bridge, "insert", E1="Occupied")
    (change,) = await bridge.world.store.changes(after=told, limit=10)
    assert (change.change.key, change.change.what) == ("DE*ABC/DEABCP1", "status/DEABCE1")
    tree = await locations.get_tree(bridge.world.store, "DE*ABC/DEABCP1")
    assert tree["evses"][0]["status"] == "CHARGING"


async def test_a_status_is_inserted_once_then_updated_and_deleted_once_and_else_nothing_changes(
    bridge: Bridged,
) -> None:
    await push(bridge, "insert", _pool(1), _pool(2))
    for action in ("update", "delete"):
        assert await _refused(push_status(bridge, action, E1="Occupied")) is Code.DATA_TRANSACTION
    await push_status(bridge, "insert", E1="Available")
    for action, told in (
        ("insert", {"E2": "Occupied", "E1": "Occupied"}),
        ("update", {"E1": "Occupied", "E2": "Occupied"}),
    ):
        assert await _refused(push_status(bridge, action, **told)) is Code.DATA_TRANSACTION
        assert await bridge.oicp.table.states(["DEABCE1", "DEABCE2"]) == {"DEABCE1": "Available"}
    await push_status(bridge, "update", E1="Occupied")
    await push_status(bridge, "delete", E1="Occupied")
    assert await _refused(push_status(bridge, "delete", E1="Occupied")) is Code.DATA_TRANSACTION
    await push_status(bridge, "insert", E1="Available")


async def test_an_insert_of_what_is_there_changes_nothing(bridge: Bridged) -> None:
    await push(bridge, "insert", _pool(1))
    assert await _refused(push(bridge, "insert", _pool(2), _pool(1))) is Code.DATA_TRANSACTION
    assert _ids(await pull(bridge)) == ["DE*ABC*E1"]


@pytest.mark.parametrize("action", ["update", "delete"])
async def test_a_change_of_what_is_not_there_changes_nothing(bridge: Bridged, action: str) -> None:
    await push(bridge, "insert", _pool(1, HotlinePhoneNumber="+49111111"))
    assert await _refused(push(bridge, action, _pool(1), _pool(2))) is Code.DATA_TRANSACTION
    assert (await pull(bridge))["content"][0]["HotlinePhoneNumber"] == "+49111111"


async def test_a_full_load_is_the_whole_set_and_an_empty_one_clears_it(bridge: Bridged) -> None:
    await push(bridge, "insert", _pool(1), _pool(2))
    await push(bridge, "fullLoad", _pool(2), _pool(3))
    assert _ids(await pull(bridge)) == ["DE*ABC*E2", "DE*ABC*E3"]
    await push(bridge, "fullLoad")
    assert _ids(await pull(bridge)) == []
    tree = await locations.get_tree(bridge.world.store, "DE*ABC/DEABCP2")
    assert [each["status"] for each in tree["evses"]] == ["REMOVED"]


async def test_an_evse_that_was_deleted_may_come_again(bridge: Bridged) -> None:
    await push(bridge, "insert", _pool(1))
    await push(bridge, "delete", {"EvseID": "DE*ABC*E1"})
    assert _ids(await pull(bridge)) == []
    bridge.world.clock.passed_s += 5
    await push(bridge, "insert", _pool(1))
    assert _ids(await pull(bridge)) == ["DE*ABC*E1"]
    tree = await locations.get_tree(bridge.world.store, "DE*ABC/DEABCP1")
    assert [each["status"] for each in tree["evses"]] == ["UNKNOWN"]


async def test_the_same_evse_twice_is_refused_in_whatever_spelling(bridge: Bridged) -> None:
    assert await _refused(push(bridge, "insert", _pool(1), _pool(1, EvseID="deabce1"))) is Code.DATA_TRANSACTION


async def test_an_evse_of_somebody_else_is_refused(bridge: Bridged) -> None:
    assert await _refused(push(bridge, "insert", _pool(1), _pool(2, EvseID="DE*XYZ*E2"))) is Code.FOREIGN_EVSE
    assert _ids(await pull(bridge)) == []


async def test_a_push_while_another_runs_is_refused(bridge: Bridged) -> None:
    both = await asyncio.gather(
        *(push(bridge, "insert", _pool(1)), push(bridge, "insert", _pool(2))), return_exceptions=True
    )
    assert [isinstance(each, Refused) and each.code is Code.DATA_TRANSACTION for each in both] == [False, True]


async def test_a_record_that_cannot_be_read_refuses_the_push_and_is_named(bridge: Bridged) -> None:
    with pytest.raises(Unfit) as unfit:
        await push(bridge, "insert", _pool(1), {"EvseID": "?"})
    assert unfit.value.faults[0].pointer == "/OperatorEvseData/EvseDataRecord/1/EvseID"


async def test_a_status_without_data_is_refused(bridge: Bridged) -> None:
    await push(bridge, "insert", _pool(1))
    assert await _refused(push_status(bridge, "insert", E1="Available", E2="Available")) is Code.DATA_TRANSACTION


async def test_pages_of_one_crawl_skip_nothing_while_the_set_is_replaced(bridge: Bridged) -> None:
    await push(bridge, "fullLoad", *(_pool(number) for number in range(1, 7)))
    first = await pull(bridge, page=0, size=2)
    assert (first["totalElements"], first["totalPages"], first["first"], first["last"]) == (6, 3, True, False)
    await push(bridge, "fullLoad", *(_pool(number) for number in range(2, 9)))
    rest = [await pull(bridge, page=page, size=2) for page in (1, 2)]
    assert [_ids(first), *map(_ids, rest)] == [
        ["DE*ABC*E1", "DE*ABC*E2"],
        ["DE*ABC*E3", "DE*ABC*E4"],
        ["DE*ABC*E5", "DE*ABC*E6"],
    ]
    assert rest[-1]["last"] is True


async def test_since_the_last_call_only_changes_come_with_their_kind(bridge: Bridged) -> None:
    await push(bridge, "insert", _pool(1), _pool(2), _pool(3))
    bridge.world.clock.passed_s += 60
    last_call = bridge.world.clock.now().isoformat()
    bridge.world.clock.passed_s += 60
    await push(bridge, "insert", _pool(4), _pool(5))
    await push(bridge, "update", _pool(2, HotlinePhoneNumber="+49111111"), _pool(3))
    await push(bridge, "delete", {"EvseID": "DE*ABC*E1"}, {"EvseID": "DE*ABC*E5"})
    said = await pull(bridge, LastCall=last_call)
    kinds = {record["EvseID"]: record["deltaType"] for record in said["content"]}
    assert kinds == {"DE*ABC*E1": "delete", "DE*ABC*E2": "update", "DE*ABC*E4": "insert"}
    assert {record["deltaType"] for record in (await pull(bridge))["content"]} == {None}


@pytest.mark.parametrize(
    "filters",
    [
        {"CountryCodes": ["FRA"]},
        {"OperatorIds": ["DE*XYZ"]},
        {"AuthenticationModes": ["PnC"]},
        {"Accessibility": ["Restricted access"]},
        {"CalibrationLawDataAvailability": ["External"]},
        {"RenewableEnergy": False},
        {"IsHubjectCompatible": False},
        {"IsOpen24Hours": False},
        {"SearchCenter": {"GeoCoordinates": {"Google": {"Coordinates": "53.643611 9.988889"}}, "Radius": 11}},
    ],
)
async def test_each_filter_chooses(bridge: Bridged, filters: dict[str, Any]) -> None:
    other = _pool(
        2,
        Address={"Country": "FRA", "City": "Lyon", "Street": "Rue", "PostalCode": "69001", "HouseNum": "1"},
        GeoCoordinates={"Google": {"Coordinates": "53.643611 9.988889"}},
        AuthenticationModes=["PnC"],
        Accessibility="Restricted access",
        CalibrationLawDataAvailability="External",
        RenewableEnergy=False,
        IsHubjectCompatible=False,
        IsOpen24Hours=False,
        EvseID="DE*ABC*E2",
    )
    await push(bridge, "insert", _pool(1))
    if "OperatorIds" in filters:
        await bridge.connect("xyz", "cpo", operator_ids=("DE*XYZ",))
        await push(bridge, "insert", {**other, "EvseID": "DE*XYZ*E2"}, name="xyz")
    else:
        await push(bridge, "insert", other)
    assert len(_ids(await pull(bridge))) == 2
    assert len(_ids(await pull(bridge, **filters))) == 1


async def test_the_last_call_excludes_filters_of_place_and_operator(bridge: Bridged) -> None:
    asked = pull(bridge, LastCall="2026-05-04T10:00:00Z", CountryCodes=["DEU"])
    assert await _refused(asked) is Code.DATA_ERROR


async def test_points_come_in_the_form_that_was_asked_for(bridge: Bridged) -> None:
    await push(bridge, "insert", _pool(1))
    (record,) = (await pull(bridge, GeoCoordinatesResponseFormat="DecimalDegree"))["content"]
    assert record["GeoCoordinates"] == {"DecimalDegree": {"Longitude": "9.988889", "Latitude": "53.543611"}}


async def test_an_emp_gets_nothing_that_agreements_forbid(bridge: Bridged) -> None:
    await push(bridge, "insert", _pool(1))
    rule = Agreement("dcb", "DE*ABC", "locations", allow=False)
    await bridge.world.hub.agreements.put(rule, actor="test")
    assert _ids(await pull(bridge)) == []


@pytest.mark.parametrize("query", [{"page": "-1"}, {"page": "x"}, {"size": "0"}])
async def test_a_page_that_is_none_is_refused(bridge: Bridged, query: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        await bridge.ask("dcb", "PullEvseData", ALL, id="DE-DCB", query=query)


async def test_twenty_are_on_a_page_where_nobody_says_how_many(bridge: Bridged) -> None:
    await push(bridge, "insert", *(_pool(number) for number in range(1, 23)))
    said = await bridge.ask("dcb", "PullEvseData", ALL, id="DE-DCB")
    assert (said["size"], said["numberOfElements"], said["totalPages"]) == (20, 20, 2)


async def test_status_is_pulled_in_three_ways(bridge: Bridged) -> None:
    await push(bridge, "insert", _pool(1), _pool(2))
    await push_status(bridge, "insert", E1="Occupied", E2="Available")
    said = await bridge.ask("dcb", "PullEvseStatus", {"ProviderID": "DE-DCB", "EvseStatus": "Occupied"})
    (operator,) = said["EvseStatuses"]["OperatorEvseStatus"]
    assert operator["EvseStatusRecord"] == [{"EvseID": "DE*ABC*E1", "EvseStatus": "Occupied"}]
    of = {"ProviderID": "DE-DCB", "OperatorID": ["DE*ABC", "DE*XYZ"]}
    said = await bridge.ask("dcb", "PullEvseStatusByOperatorID", of)
    assert len(said["EvseStatuses"]["OperatorEvseStatus"][0]["EvseStatusRecord"]) == 2
    asked = {"ProviderID": "DE-DCB", "EvseID": ["DE*ABC*E2", "DE*ABC*E9"]}
    said = await bridge.ask("dcb", "PullEvseStatusByID", asked)
    assert said["EVSEStatusRecords"]["EvseStatusRecord"] == [
        {"EvseID": "DE*ABC*E2", "EvseStatus": "Available"},
        {"EvseID": "DE*ABC*E9", "EvseStatus": "EvseNotFound"},
    ]


async def test_no_more_than_a_hundred_may_be_asked_for_by_id(bridge: Bridged) -> None:
    asked = {"ProviderID": "DE-DCB", "EvseID": [f"DE*ABC*E{number}" for number in range(101)]}
    assert await _refused(bridge.ask("dcb", "PullEvseStatusByID", asked)) is Code.DATA_ERROR


@pytest.mark.parametrize("action", ["replaceAll", "remove", "upsert"])
async def test_an_action_that_oicp_does_not_know_changes_nothing(bridge: Bridged, action: str) -> None:
    await push(bridge, "insert", _pool(1))
    with pytest.raises(Unfit, match="/ActionType"):
        await push(bridge, action, _pool(2))
    with pytest.raises(Unfit, match="/ActionType"):
        await push_status(bridge, action, E1="Occupied")
    assert _ids(await pull(bridge)) == ["DE*ABC*E1"]


HARBOUR: dict[str, Any] = {"GeoCoordinates": {"Google": {"Coordinates": "53.543611 9.988889"}}}


async def test_a_circle_with_a_radius_below_nothing_is_refused(bridge: Bridged) -> None:
    await push(bridge, "insert", _pool(1))
    with pytest.raises(Refused) as refused:
        await pull(bridge, SearchCenter={**HARBOUR, "Radius": -5})
    assert refused.value.code is Code.DATA_ERROR


@pytest.mark.parametrize(
    "filters",
    [
        {"LastCall": "yesterday"},
        {"OperatorIds": ["*"]},
        {"SearchCenter": {}},
        {"SearchCenter": HARBOUR},
        {"SearchCenter": {"Radius": 5}},
        {"GeoCoordinatesResponseFormat": "Weird"},
    ],
)
async def test_a_filter_that_cannot_be_read_is_refused_and_not_taken_for_none(
    bridge: Bridged, filters: dict[str, Any]
) -> None:
    await push(bridge, "insert", _pool(1))
    with pytest.raises(Unfit, match=f"/{next(iter(filters))}"):
        await pull(bridge, **filters)
