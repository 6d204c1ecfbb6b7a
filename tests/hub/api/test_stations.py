"""Chargers over the API: registered, looked at, called. The charger is a real websocket."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.hub.house import House

CP1 = "/api/v1/stations/CP1"
ASKED = {
    "location": "LOC1",
    "evses": {"1": {"evse_uid": "E1", "connectors": {"1": "1"}}},
    "security_profile": 0,
}
BOOT = [2, "boot", "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}]


async def answering(socket: ClientConnection, answers: dict[str, Any]) -> None:
    """Answer the hub's calls from a table; to what is not in it, nothing."""
    async for text in socket:
        frame = json.loads(text)
        if frame[0] == 2 and frame[2] in answers:
            await socket.send(json.dumps([3, frame[1], answers[frame[2]]]))


def charger(house: House) -> connect:
    port = house.program.gateway.port
    return connect(f"ws://127.0.0.1:{port}/CP1", subprotocols=[Subprotocol("ocpp1.6")], proxy=None)


async def test_a_charger_is_registered_with_a_password_that_is_shown_once(house: House) -> None:
    await house.furnish()
    told = await house.ask("PUT", CP1, {**ASKED, "security_profile": 1})
    assert told.status == 200
    assert len(told.tree["password"]) >= 16
    shown = (await house.ask("GET", CP1)).tree
    assert shown["has_password"] is True
    assert "password" not in shown
    assert shown["location"] == "DE*BSB/LOC1"
    assert (await house.ask("GET", "/api/v1/stations")).tree["total"] == 1


async def test_a_charger_of_another_shape_is_refused(house: House) -> None:
    for wrong in (
        {"evses": 1},
        {"security_profile": 9},
        {"evses": {"x": {"evse_uid": "E1", "connectors": {"1": "1"}}}},
    ):
        assert (await house.ask("PUT", CP1, wrong)).status == 422, wrong
    assert (await house.ask("PUT", "/api/v1/stations/a%2Fb", ASKED)).status == 422


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"location": "NOWHERE"}, "NOWHERE"),
        ({"location": "NL*EEE/LOC1"}, "NL*EEE"),
        ({"location": ""}, "location"),
        ({"evses": {"1": {"evse_uid": "E9", "connectors": {"1": "1"}}}}, "E9"),
        ({"evses": {"1": {"evse_uid": "E1", "connectors": {"1": "9"}}}}, "connector 9"),
        ({"evses": {"1": {"evse_uid": "E1", "connectors": {"1": "1"}, "uid": "x"}}}, "uid"),
        ({"locaton": "LOC1"}, "locaton"),
        ({"switches": {"compresion": True}}, "compresion"),
    ],
)
async def test_a_place_or_field_that_does_not_exist_is_named(house: House, wrong: Any, word: str) -> None:
    await house.furnish()
    told = await house.ask("PUT", CP1, {**ASKED, **wrong})
    assert (told.status, told.code) == (422, "invalid_request")
    assert word in told.tree["error"]["message"]
    assert (await house.ask("GET", CP1)).status == 404


async def test_what_is_not_registered_is_not_found(house: House) -> None:
    for method, path in (("GET", CP1), ("DELETE", CP1), ("GET", f"{CP1}/messages"), ("POST", f"{CP1}/password")):
        assert (await house.ask(method, path)).status == 404, path
    assert (await house.ask("POST", f"{CP1}/calls", {"action": "Reset"})).code == "not_found"


async def test_a_charger_that_is_not_connected_cannot_be_called(house: House) -> None:
    await house.furnish()
    await house.ask("PUT", CP1, ASKED)
    told = await house.ask("POST", f"{CP1}/calls", {"action": "Reset", "payload": {"type": "Soft"}})
    assert (told.status, told.code) == (404, "not_connected")


async def test_a_charger_is_called_and_its_frames_are_shown(serving: House) -> None:
    await serving.furnish()
    await serving.ask("PUT", CP1, ASKED)
    async with charger(serving) as socket:
        listening = asyncio.create_task(answering(socket, {"Reset": {"status": "Accepted"}, "ClearCache": {"x": 1}}))
        await socket.send(json.dumps(BOOT))
        await until_heard(serving)
        told = await serving.ask("POST", f"{CP1}/calls", {"action": "Reset", "payload": {"type": "Soft"}})
        assert (told.status, told.tree) == (200, {"outcome": "result", "result": {"status": "Accepted"}})
        wrong = await serving.ask("POST", f"{CP1}/calls", {"action": "Reset", "payload": {"type": "Gentle"}})
        assert (wrong.status, wrong.code) == (422, "invalid_request")
        silent = await serving.ask("POST", f"{CP1}/calls", {"action": "ClearChargingProfile", "timeout_s": 0.1})
        assert (silent.status, silent.tree) == (202, {"outcome": "pending"})
        shown = (await serving.ask("GET", f"{CP1}/messages?limit=1000")).tree["items"]
        assert {"in", "out"} == {frame["direction"] for frame in shown}
        view = (await serving.ask("GET", CP1)).tree
        assert (view["connected"], view["version"], view["vendor"]) == (True, "1.6", "V")
        metrics = (await serving.http.get("/metrics")).text
        assert "busbar_stations_connected 1.0" in metrics
        listening.cancel()


async def until_heard(house: House) -> None:
    """Until the charger has booted."""
    for _ in range(1500):
        if (await house.ask("GET", CP1)).tree["booted_at"]:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the charger has not booted")


async def test_a_forgotten_charger_is_gone(serving: House) -> None:
    await serving.furnish()
    await serving.ask("PUT", CP1, ASKED)
    assert (await serving.ask("DELETE", CP1)).tree == {"deleted": "CP1"}
    assert (await serving.ask("GET", CP1)).status == 404


@pytest.mark.parametrize("ask", [{}, {"action": "Reset!"}, {"action": "Reset", "payload": []}, {"action": 1}])
async def test_a_call_of_another_shape_is_refused(house: House, ask: Any) -> None:
    await house.ask("PUT", CP1, ASKED)
    assert (await house.ask("POST", f"{CP1}/calls", ask)).status == 422


async def test_a_call_is_audited_by_its_name_alone(house: House) -> None:
    await house.furnish()
    await house.ask("PUT", CP1, ASKED)
    change = {"key": "AuthorizationKey", "value": "secret-of-the-charger"}
    await house.ask("POST", f"{CP1}/calls", {"action": "ChangeConfiguration", "payload": change})
    rows = (await house.ask("GET", "/api/v1/audit")).tree["items"]
    assert ("station.call", "CP1", "ChangeConfiguration") in {(r["action"], r["subject"], r["detail"]) for r in rows}
    assert "secret-of-the-charger" not in str(rows)
