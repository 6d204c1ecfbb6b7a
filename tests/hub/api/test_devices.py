"""What a charger can be told of itself, over the API: the charger is a real websocket, of 1.6 or 2.x."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from hub.cli.devices import REPORTED
from hub.control.devices import SUBJECTS
from hub.core.units import Unit
from partners.ocpp import reported, schemas
from tests.hub.house import House
from tests.partners.ocpp.example_payloads import example

CP1 = "/api/v1/stations/CP1"
ASKED = {"location": "LOC1", "evses": {"1": {"evse_uid": "E1", "connectors": {"1": "1"}}}, "security_profile": 0}
RATE = {"component": {"name": "SmartChargingCtrlr"}, "variable": {"name": "RateUnit"}}
Answers = Mapping[str, Any]


@asynccontextmanager
async def a_charger(house: House, version: str, answers: Answers) -> AsyncIterator[list[tuple[str, Any]]]:
    """A charger that answers from a table; gives what it was asked, all of it valid by the schemas."""
    await house.furnish()
    await house.ask("PUT", CP1, {**ASKED, "protocol": f"ocpp{version}"})
    asked: list[tuple[str, Any]] = []
    url = f"ws://127.0.0.1:{house.program.gateway.port}/CP1"
    async with connect(url, subprotocols=[Subprotocol(f"ocpp{version}")], proxy=None) as socket:
        listening = asyncio.create_task(_answering(socket, answers, asked))
        await until_connected(house)
        yield asked
        listening.cancel()
    for action, payload in asked:
        assert schemas.check(version, action, payload, strict=True) is None, action


async def _answering(socket: Any, answers: Answers, asked: list[tuple[str, Any]]) -> None:
    async for text in socket:
        _, message_id, action, payload = json.loads(text)
        asked.append((action, payload))
        await socket.send(json.dumps([3, message_id, answers[action]]))


async def until_connected(house: House) -> None:
    for _ in range(1500):
        if (await house.ask("GET", CP1)).tree["connected"]:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the charger has not connected")


def kept(status: str, value: str) -> Answers:
    """A charger of 2.x that answers so, and has that value then."""
    return {
        "SetVariables": {"setVariableResult": [{"attributeStatus": status, **RATE}]},
        "GetVariables": {"getVariableResult": [{"attributeStatus": "Accepted", "attributeValue": value, **RATE}]},
    }


async def test_a_variable_is_set_and_read_back(serving: House) -> None:
    name = "SmartChargingCtrlr.RateUnit"
    async with a_charger(serving, "2.0.1", kept("RebootRequired", "A")) as asked:
        told = await serving.ask("POST", f"{CP1}/variables", {"name": name, "value": "A"})
        expected = {"name": name, "status": "RebootRequired", "value": "A", "verified": True, "reboot_required": True}
        assert (told.status, told.tree) == (200, expected)
        assert asked == [
            ("SetVariables", {"setVariableData": [{"attributeValue": "A", **RATE}]}),
            ("GetVariables", {"getVariableData": [RATE]}),
        ]
        shown = (await serving.ask("GET", f"{CP1}/variables?filter=rateunit")).tree
        assert shown == {"items": [{"name": name, "values": {"Actual": "A"}}], "total": 1}
        assert (await serving.ask("GET", f"{CP1}/variables?filter=nothing")).tree["total"] == 0


async def test_a_value_that_a_charger_did_not_keep_is_not_verified(serving: House) -> None:
    async with a_charger(serving, "2.1", kept("Accepted", "W")):
        told = await serving.ask("POST", f"{CP1}/variables", {"name": "SmartChargingCtrlr.RateUnit", "value": "A"})
        assert (told.tree["verified"], told.tree["value"]) == (False, "W")


async def test_a_refused_value_is_not_read_back(serving: House) -> None:
    async with a_charger(serving, "2.1", kept("Rejected", "W")) as asked:
        told = await serving.ask("POST", f"{CP1}/variables", {"name": "SmartChargingCtrlr.RateUnit", "value": "A"})
        assert (told.tree["status"], told.tree["value"], len(asked)) == ("Rejected", None, 1)


async def test_a_configuration_key_of_16_is_set_and_read_back(serving: House) -> None:
    keys = [{"key": "HeartbeatInterval", "readonly": False, "value": "60"}]
    answers = {"ChangeConfiguration": {"status": "Accepted"}, "GetConfiguration": {"configurationKey": keys}}
    async with a_charger(serving, "1.6", answers) as asked:
        told = await serving.ask("POST", f"{CP1}/variables", {"name": "HeartbeatInterval", "value": "60"})
        assert (told.tree["status"], told.tree["verified"]) == ("Accepted", True)
        assert asked[1] == ("GetConfiguration", {"key": ["HeartbeatInterval"]})
        shown = (await serving.ask("GET", f"{CP1}/variables")).tree["items"]
        assert shown == [{"name": "HeartbeatInterval", "values": {"Actual": "60"}, "mutability": "ReadWrite"}]


async def test_what_cannot_be_set_so_is_told(serving: House) -> None:
    async with a_charger(serving, "2.0.1", {}):
        for name in ("RateUnit", "SecurityCtrlr.BasicAuthPassword", "a.b:Nonsense"):
            told = await serving.ask("POST", f"{CP1}/variables", {"name": name, "value": "x"})
            assert (told.status, told.code) == (422, "invalid_request"), name
    assert (await serving.ask("POST", "/api/v1/stations/NO/variables", {"name": "a.b", "value": "x"})).status == 404


async def test_a_charger_that_is_away_cannot_be_set(house: House) -> None:
    await house.furnish()
    await house.ask("PUT", CP1, {**ASKED, "protocol": "ocpp2.1"})
    told = await house.ask("POST", f"{CP1}/variables", {"name": "a.b", "value": "x"})
    assert (told.status, told.code) == (404, "not_connected")


async def test_a_monitor_is_set_listed_and_taken_away(serving: House) -> None:
    temperature = {"component": {"name": "Cable"}, "variable": {"name": "Temperature"}}
    result = {"status": "Accepted", "id": 3, "type": "UpperThreshold", "severity": 2, **temperature}
    answers = {
        "SetVariableMonitoring": {"setMonitoringResult": [result]},
        "ClearVariableMonitoring": {"clearMonitoringResult": [{"status": "Accepted", "id": 3}]},
    }
    async with a_charger(serving, "2.1", answers):
        ask = {"name": "Cable.Temperature", "type": "UpperThreshold", "value": 70.5, "severity": 2}
        told = await serving.ask("POST", f"{CP1}/monitors", ask)
        assert told.tree == {"name": "Cable.Temperature", "status": "Accepted", "id": 3}
        (row,) = (await serving.ask("GET", f"{CP1}/monitors")).tree["items"]
        assert (row["id"], row["name"], row["severity"]) == (3, "Cable.Temperature", 2)
        assert (await serving.ask("DELETE", f"{CP1}/monitors/3")).tree == {"id": 3, "status": "Accepted"}
        assert (await serving.ask("GET", f"{CP1}/monitors")).tree["total"] == 0


async def test_what_a_charger_reported_is_shown_by_subject(serving: House) -> None:
    live_limit = {"evse": 1, "source": "SO", "schedules": None}
    async with a_charger(serving, "2.1", {}):
        put = reported.put_of("CP1", "limits", {"rows": {"1/SO": live_limit}}, serving.program.hub.clock.now())
        await serving.program.store.commit(Unit().put(put))
        shown = (await serving.ask("GET", f"{CP1}/reports/limits")).tree
        assert (shown["items"], shown["total"]) == ([{"key": "1/SO", **live_limit}], 1)
        assert (await serving.ask("GET", f"{CP1}/reports/display-messages")).tree["total"] == 0
        assert (await serving.ask("GET", f"{CP1}/reports/nonsense")).code == "invalid_request"


async def test_a_charger_of_16_has_no_monitors(serving: House) -> None:
    async with a_charger(serving, "1.6", {}):
        ask = {"name": "Cable.Temperature", "type": "Delta", "value": 1}
        assert (await serving.ask("POST", f"{CP1}/monitors", ask)).status >= 400
        assert (await serving.ask("GET", f"{CP1}/monitors")).tree["total"] == 0


@pytest.mark.parametrize(("version", "count"), [("2.0.1", 64), ("2.1", 90)])
async def test_every_action_of_a_version_can_be_sent_and_its_answer_is_read(
    serving: House, version: str, count: int
) -> None:
    actions = sorted(schemas.actions(version) - schemas.sends(version))
    assert len(actions) == count
    answers = {action: example(version, action, "response") for action in actions}
    async with a_charger(serving, version, answers) as asked:
        for action in actions:
            told = await serving.ask("POST", f"{CP1}/calls", {"action": action, "payload": example(version, action)})
            assert (told.status, told.tree) == (200, {"outcome": "result", "result": answers[action]}), action
        assert [action for action, _ in asked] == actions


async def test_what_only_a_charger_sends_is_not_called(serving: House) -> None:
    async with a_charger(serving, "2.1", {}):
        action = "NotifyPeriodicEventStream"
        told = await serving.ask("POST", f"{CP1}/calls", {"action": action, "payload": example("2.1", action)})
        assert (told.status, told.code) == (422, "invalid_request")


async def test_a_new_password_is_a_variable_over_2x_and_no_log_shows_it(serving: House) -> None:
    about = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    answers = {"SetVariables": {"setVariableResult": [{"attributeStatus": "Accepted", **about}]}}
    async with a_charger(serving, "2.0.1", answers) as asked:
        told = await serving.ask("POST", f"{CP1}/password")
        assert told.tree["outcome"] == "result"
        (data,) = asked[0][1]["setVariableData"]
        secret = data["attributeValue"]
        assert (len(secret), data) == (40, {"attributeValue": secret, **about})
        assert secret not in str((await serving.ask("GET", f"{CP1}/messages")).tree)
        assert (await serving.ask("GET", CP1)).tree["has_password"] is True


def test_the_help_of_a_report_names_every_subject() -> None:
    assert REPORTED == SUBJECTS
