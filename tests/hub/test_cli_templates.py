"""busbar template: sandbox chargers over real websockets are held against a template, and brought to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import structlog

from hub.cli.failures import Code
from partners.sandbox.charger2 import speaking
from tests.hub.house import House
from tests.hub.test_cli import Background, Shell


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Shell]:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # not into what a command prints
    background = Background(tmp_path)
    yield Shell(background, tmp_path)
    background.end()
    structlog.reset_defaults()


@pytest.fixture
def chargers(hub: Shell) -> Iterator[Shell]:
    """CP1 of 1.6 and CP2 of 2.0.1 are connected, and CP3 is away."""
    stack = AsyncExitStack()
    hub.background.do(connected(hub.house, stack))
    yield hub
    hub.background.do(stack.aclose())


async def connected(house: House, stack: AsyncExitStack) -> None:
    await house.furnish()
    url = f"ws://127.0.0.1:{house.program.gateway.port}"
    await house.ask("PUT", "/api/v1/stations/CP3", {"evses": {}, "security_profile": 0})
    for identity, version, evse in (("CP1", "1.6", "E1"), ("CP2", "2.0.1", "E2")):
        place = {"location": "LOC1", "evses": {"1": {"evse_uid": evse, "connectors": {"1": "1"}}}}
        asked = {**place, "security_profile": 0, "protocol": f"ocpp{version}"}
        assert (await house.ask("PUT", f"/api/v1/stations/{identity}", asked)).status == 200
        charger = speaking(version, url, identity, vendor="Busbar", model=f"M{version}")
        await (await stack.enter_async_context(charger)).boot()


def states(tree: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in tree["items"]]


def test_a_charger_is_brought_to_its_template_and_what_it_refuses_is_told(chargers: Shell) -> None:
    values = {"HeartbeatInterval": 60, "LocalPreAuthorize": True, "WebSocketPingInterval": 9, "Colour": "red"}
    file = chargers.file("m16.json", {"model": "m1.6", "values": values})
    ran = chargers.run("template", "drift", file, "--json")
    assert ran.code == Code.FAILED
    assert ("CP1", "LocalPreAuthorize", "true", "false", "differs") in states(ran.tree)
    assert ("CP1", "Colour", "red", None, "not told") in states(ran.tree)
    ran = chargers.run("template", "apply", file, "CP1", "--json")
    assert ran.code == Code.FAILED
    assert {row["name"]: row["state"] for row in ran.tree["items"]} == {
        "HeartbeatInterval": "set",
        "LocalPreAuthorize": "set",
        "WebSocketPingInterval": "restart needed",
        "Colour": "NotSupported",
    }
    assert "Takes effect when these restart: CP1" in ran.err
    mended = chargers.file("m16.json", {"model": "m1.6", "values": {"HeartbeatInterval": 60}})
    assert chargers.ok("template", "drift", mended) == {"items": [], "total": 0}
    assert chargers.ok("template", "apply", mended) == {"items": [], "total": 0}


def test_a_charger_that_tells_nothing_is_not_said_to_agree(chargers: Shell) -> None:
    file = chargers.file("all.json", {"model": "*", "values": {"HeartbeatInterval": 60}})
    for verb in ("drift", "apply"):
        ran = chargers.run("template", verb, file, "CP3", "--json")
        assert (ran.code, states(ran.tree)) == (Code.FAILED, [("CP3", "", "", None, "unread")])


def test_a_charger_of_another_model_is_not_touched(chargers: Shell) -> None:
    file = chargers.file("other.json", {"model": "M2*", "values": {"OCPPCommCtrlr.HeartbeatInterval": 60}})
    ran = chargers.run("template", "apply", file, "CP1")
    assert ran.code == Code.FAILED
    assert "is not for CP1" in ran.err
    assert chargers.run("template", "drift", file, "CP99").code == Code.NOT_FOUND
    secret = chargers.file("secret.json", {"model": "*", "values": {"AuthorizationKey": "hush"}})
    ran = chargers.run("template", "apply", secret)
    assert (ran.code, "hush" in ran.err) == (Code.FAILED, False)
