"""busbar template: sandbox chargers over real websockets are held against a template, and brought to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from hub.cli.failures import Code
from partners.sandbox.charger2 import speaking
from tests.hub.house import House
from tests.hub.test_cli import Shell, a_background


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Shell]:
    with a_background(tmp_path) as background:
        yield Shell(background, tmp_path)


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


def kept(hub: Shell, name: str, tree: Any) -> str:
    """A template on record. Returns: its name."""
    hub.ok("template", "put", name, hub.file(f"{name}.json", tree))
    return name


def test_a_charger_is_brought_to_its_template_and_what_it_refuses_is_told(chargers: Shell) -> None:
    values = {"HeartbeatInterval": 60, "LocalPreAuthorize": True, "WebSocketPingInterval": 9, "Colour": "red"}
    name = kept(chargers, "m16", {"model": "m1.6", "values": values})
    assert chargers.ok("template", "show", name)["stations"] == ["CP1"]
    ran = chargers.run("template", "drift", name, "--json")
    assert ran.code == Code.FAILED
    assert ("CP1", "LocalPreAuthorize", "true", "false", "differs") in states(ran.tree)
    assert ("CP1", "Colour", "red", None, "not told") in states(ran.tree)
    ran = chargers.run("template", "apply", name, "CP1", "--json")
    assert ran.code == Code.FAILED
    assert {row["name"]: row["state"] for row in ran.tree["items"]} == {
        "HeartbeatInterval": "set",
        "LocalPreAuthorize": "set",
        "WebSocketPingInterval": "restart needed",
        "Colour": "NotSupported",
    }
    assert "Takes effect when these restart: CP1" in ran.err
    mended = kept(chargers, "m16", {"model": "m1.6", "values": {"HeartbeatInterval": 60}})
    assert chargers.ok("template", "drift", mended) == {"items": [], "total": 0}
    assert chargers.ok("template", "apply", mended) == {"items": [], "total": 0}


def test_a_name_of_another_version_stops_nothing_else(chargers: Shell) -> None:
    values = {"OCPPCommCtrlr.HeartbeatInterval": 61, "MeterValueSampleInterval": 60}
    mixed = kept(chargers, "mixed", {"model": "M*", "values": values})
    told = {row["name"]: row["state"] for row in chargers.ok("template", "apply", mixed, "CP2")["items"]}
    assert told == {
        "OCPPCommCtrlr.HeartbeatInterval": "set",
        "MeterValueSampleInterval": "not a name of its version",
    }


def test_a_charger_that_is_away_is_said_to_be_and_not_to_agree(chargers: Shell) -> None:
    name = kept(chargers, "all", {"model": "*", "values": {"HeartbeatInterval": 60}})
    for verb in ("drift", "apply"):
        ran = chargers.run("template", verb, name, "CP3", "--json")
        assert (ran.code, states(ran.tree)) == (Code.FAILED, [("CP3", "", "", None, "not connected")])


def test_a_charger_of_another_model_is_not_touched(chargers: Shell) -> None:
    name = kept(chargers, "other", {"model": "M2*", "values": {"OCPPCommCtrlr.HeartbeatInterval": 60}})
    ran = chargers.run("template", "apply", name, "CP1")
    assert ran.code == Code.FAILED
    assert "is not for CP1" in ran.err
    assert chargers.run("template", "drift", name, "CP99").code == Code.NOT_FOUND


def test_templates_are_kept_shown_and_removed_and_hold_no_secret(chargers: Shell) -> None:
    kept(chargers, "m2", {"model": "M2*", "values": {"OCPPCommCtrlr.HeartbeatInterval": 60}, "apply": "on_boot"})
    (row,) = chargers.ok("template", "list")["items"]
    assert (row["name"], row["model"], row["apply"]) == ("m2", "M2*", "on_boot")
    shown = chargers.ok("template", "show", "m2")
    assert shown["values"] == {"OCPPCommCtrlr.HeartbeatInterval": "60"}
    again = {name: value for name, value in shown.items() if name != "stations"}
    assert chargers.ok("template", "put", "m2", chargers.file("again.json", again))["values"] == shown["values"]
    secret = chargers.file("secret.json", {"model": "*", "values": {"AuthorizationKey": "hush"}})
    ran = chargers.run("template", "put", "secret", secret)
    assert (ran.code, "hush" in ran.err) == (Code.FAILED, False)
    assert chargers.ok("template", "remove", "m2") == {"deleted": "m2"}
    for words in (("show", "m2"), ("remove", "m2"), ("drift", "m2"), ("apply", "m2", "CP1")):
        assert chargers.run("template", *words).code == Code.NOT_FOUND


@pytest.mark.parametrize(("identity", "version"), [("CP1", "1.6"), ("CP2", "2.0.1")])
def test_a_charger_that_boots_is_set_to_what_templates_that_are_applied_then_want(
    hub: Shell, identity: str, version: str
) -> None:
    name = "HeartbeatInterval" if version == "1.6" else "OCPPCommCtrlr.HeartbeatInterval"
    kept(hub, "general", {"model": "*", "values": {name: 111}, "apply": "on_boot"})
    kept(hub, "particular", {"model": f"M{version}", "values": {name: 77}, "apply": "on_boot"})
    kept(hub, "shown", {"model": f"M{version}*", "vendor": "Busbar", "values": {"AuthCtrlr.Enabled": "false"}})
    stack = AsyncExitStack()
    hub.background.do(connected(hub.house, stack))
    until_so(lambda: hub.run("station", "report", identity, "template", "--json").tree["items"])
    (row,) = hub.ok("station", "report", identity, "template")["items"]
    assert (row["name"], row["desired"], row["actual"], row["state"]) == (name, "77", "77", "set")
    assert hub.ok("template", "drift", "particular", identity)["items"] == []
    hub.background.do(stack.aclose())


def until_so(is_so: Callable[[], Any]) -> None:
    until = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.1)
