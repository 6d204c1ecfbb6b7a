"""busbar station commission: a sandbox charger is led from its address into service, over a real websocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from hub.cli.failures import Code
from hub.core.inbound import parse
from modules.locations import withheld
from modules.locations.store import LOCATIONS
from partners.sandbox.charger import Charger
from partners.sandbox.charger2 import speaking
from partners.sandbox.point.clock import StepClock
from partners.sandbox.point.link import Security
from tests.hub.house import OPERATOR_TOKEN, House
from tests.hub.test_cli import Shell, a_background
from tests.world import location

CARD = "04C0FFEE01"
EVSE = {**location()["evses"][0], "uid": "E7", "evse_id": "DE*BSB*E7"}
VERSIONS = ("1.6", "2.0.1")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Shell]:
    """A hub with a location, and a card of its own drivers."""
    with a_background(tmp_path) as background:
        shell = Shell(background, tmp_path)
        background.do(shell.house.furnish())
        shell.ok("token", "add", CARD, "--contract", "DE-BSB-C1")
        yield shell


@pytest.fixture
def car(hub: Shell) -> Iterator[Driver]:
    driver = Driver(hub)
    yield driver
    hub.background.do(driver.leaves())


class Driver:
    """Whoever stands before the new charger."""

    def __init__(self, hub: Shell) -> None:
        self._hub = hub
        self.stack = AsyncExitStack()
        self._tasks: set[asyncio.Task[None]] = set()

    def installs(self, version: str, password: str = "", *, stays: bool = False, **options: Any) -> Charger:
        """The charger is switched on, and a car is plugged in; it `stays` until the charge is ended for it."""
        return self._hub.background.do(self._installed(version, password, stays, options))

    async def _installed(self, version: str, password: str, stays: bool, options: dict[str, Any]) -> Charger:
        url = f"ws://127.0.0.1:{self._hub.house.program.gateway.port}"
        made = {"clock": StepClock(speed=100), "security": Security(password or None), **options}
        charger = await self.stack.enter_async_context(speaking(version, url, "CP7", **made))
        await charger.boot()
        await charger.plug_in()
        self._tasks.add(asyncio.create_task(self._charged(charger, stays)))
        return charger

    async def leaves(self) -> None:
        """He is gone, and so is the charger."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.stack.aclose()

    async def _charged(self, charger: Charger, stays: bool) -> None:
        while charger.connectors[1].transaction is None:  # noqa: ASYNC110 - it is started by the command
            await asyncio.sleep(0.02)
        await charger.charge(kwh=0.1, minutes=0.5)
        if not stays:
            await charger.unplug()


def given(hub: Shell, version: str, *more: str) -> list[str]:
    place = hub.file("place.json", {"evses": [EVSE]})
    words = ["station", "commission", "CP7", "--location", "LOC1", "--evse", "1=E7/1", "--place", place]
    return [*words, "--ocpp", version, *more]


def states(tree: Any) -> dict[str, str]:
    return {step["step"]: step["state"] for step in tree["steps"]}


def published(hub: Shell) -> list[str]:
    """The EVSEs that partners can have."""

    async def evses(house: House) -> list[str]:
        document = await house.program.store.get(LOCATIONS, "DE*BSB/LOC1")
        assert document is not None
        return [evse["uid"] for evse in parse(document.body, limit=2**20)["evses"]]

    return hub.background.do(evses(hub.house))


def ask(hub: Shell, method: str, tree: Any = None) -> Any:
    path = "/api/v1/stations/CP7/commissioning"
    return hub.background.do(hub.house.ask(method, path, tree, token=OPERATOR_TOKEN))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_new_charger_is_led_from_its_address_to_its_first_charge_and_into_service(
    hub: Shell, car: Driver, version: str
) -> None:
    begun = hub.run(*given(hub, version, "--wait", "0"))
    assert begun.code == Code.FAILED
    assert "Go on with: busbar station commission CP7" in begun.err
    password = next(line.split()[1] for line in begun.out.splitlines() if line.startswith("password"))
    assert "/CP7" in next(line for line in begun.out.splitlines() if line.startswith("address"))
    assert published(hub) == ["E1", "E2"]
    car.installs(version, password)
    ran = hub.run("station", "commission", "CP7", "--card", CARD, "--yes", "--wait", "60")
    assert ran.code == 0, ran
    assert "0.100 kWh at" in ran.out
    assert "meter value" in ran.out
    assert published(hub) == ["E1", "E2", "E7"]
    tree = hub.ok("station", "commission", "CP7", "--look")
    assert (tree["state"], tree["next"]) == ("done", None)
    assert set(states(tree).values()) == {"ok"}
    charge = next(step for step in tree["steps"] if step["step"] == "charge")
    assert "EUR" in charge["found"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_test_charge_is_stopped_from_here_with_the_first_energy_that_is_metered(
    hub: Shell, car: Driver, version: str
) -> None:
    begun = hub.run(*given(hub, version, "--security-profile", "0", "--wait", "0"))
    assert begun.code == Code.FAILED
    car.installs(version, stays=True)
    ran = hub.run("station", "commission", "CP7", "--card", CARD, "--yes", "--wait", "30")
    assert ran.code == 0, ran
    assert "It is stopped from here once its meter has counted." in ran.out
    assert "charging: 0.100 kWh" in ran.out
    assert "It is told to stop." in ran.out
    assert "It ends at the charger" not in ran.out


def test_a_new_charger_without_a_place_is_led_to_options_that_there_are(hub: Shell) -> None:
    ran = hub.run("station", "commission", "CP7")
    assert ran.code == Code.USAGE
    assert "--location LOC1 --evse 1=E1/1" in ran.err
    assert "busbar station add --file" in ran.err


def test_a_script_does_without_a_charge_and_gets_nothing_but_json(hub: Shell, car: Driver) -> None:
    hub.ok("station", "add", "CP7", "--location", "LOC1", "--evse", "1=E1/1", "--security-profile", "0")
    car.installs("1.6")
    tree = hub.ok("station", "commission", "CP7", "--skip-charge", "--yes", "--wait", "30")
    assert (tree["state"], states(tree)["charge"]) == ("done", "skipped")


def test_its_template_is_applied_and_what_it_refuses_keeps_it_out_of_service(hub: Shell, car: Driver) -> None:
    hub.ok("station", "add", "CP7", "--location", "LOC1", "--evse", "1=E1/1", "--security-profile", "0")
    values = {"HeartbeatInterval": 66, "Colour": "red"}
    hub.ok("template", "put", "m", hub.file("m.json", {"model": "Sandbox*", "values": values}))
    car.installs("1.6")
    ran = hub.run("station", "commission", "CP7", "--skip-charge", "--yes", "--wait", "30")
    assert ran.code == Code.FAILED
    assert "not as m wants it: Colour is None: NotSupported" in ran.err
    hub.ok("template", "put", "m", hub.file("m.json", {"model": "Sandbox*", "values": {"HeartbeatInterval": 67}}))
    tree = hub.ok("station", "commission", "CP7", "--skip-charge", "--yes", "--wait", "30")
    template = next(step for step in tree["steps"] if step["step"] == "template")
    assert (tree["state"], template["found"]) == ("done", "as m wants it, 1 value(s) set")


def test_nothing_goes_into_service_that_nobody_said_yes_to(hub: Shell, car: Driver) -> None:
    hub.ok("station", "add", "CP7", "--location", "LOC1", "--evse", "1=E1/1", "--security-profile", "0")
    car.installs("1.6")
    ran = hub.run("station", "commission", "CP7", "--skip-charge", "--wait", "30", "--json")
    assert (ran.code, ran.tree["state"]) == (Code.FAILED, "under way")
    assert "nobody said" in ran.err


def test_what_the_charger_has_is_held_against_what_was_planned(hub: Shell, car: Driver) -> None:
    begun = hub.run(*given(hub, "1.6", "--security-profile", "0", "--wait", "0"))
    assert begun.code == Code.FAILED
    car.installs("1.6", connectors=2)
    ran = hub.run("station", "commission", "CP7", "--yes", "--wait", "30")
    assert ran.code == Code.FAILED
    assert "connectors that are on no EVSE: connector 2" in ran.err
    assert hub.run("station", "commission", "CP7", "--force").code == 0
    assert published(hub) == ["E1", "E2", "E7"]
    rows = hub.ok("audit", "list")["items"]
    assert any(row["action"] == "station.published" and "although: connectors failed" in row["detail"] for row in rows)


def test_an_evse_that_waits_is_seen_by_no_partner_and_its_charger_serves_only_our_own(hub: Shell, car: Driver) -> None:
    hub.background.do(hub.house.admit(hub.background.emsp))
    hub.background.do(hub.background.emsp.push_token({"uid": "04AA"}))
    hub.run(*given(hub, "1.6", "--security-profile", "0", "--wait", "0"))
    charger = car.installs("1.6")
    assert hub.background.do(charger.authorize("04AA")) == "Invalid"
    assert hub.background.do(charger.authorize(CARD)) == "Accepted"
    again = hub.run("location", "add", hub.file("whole.json", {**location(), "evses": [EVSE]}))
    assert "waits for the commissioning" in again.err
    assert hub.ok("station", "commission", "CP7", "--abandon") == {"deleted": "CP7"}
    assert published(hub) == ["E1", "E2"]
    assert hub.run("station", "commission", "CP7", "--look", "--json").tree["state"] == "not begun"


def test_a_step_by_the_api_says_what_it_needs_and_changes_nothing_else(hub: Shell, car: Driver) -> None:
    assert ask(hub, "GET").status == 404
    assert ask(hub, "PUT", {"evses": [EVSE]}).status == 422
    station = {"location": "LOC1", "evses": {"1": {"evse_uid": "E7", "connectors": {"1": "1"}}}, "security_profile": 0}
    astray = {**station, "protocol": "ocpp9"}
    assert ask(hub, "PUT", {"station": astray, "evses": [EVSE]}).status == 422
    assert withheld_evses(hub) == []
    for wrong in ([{"uid": "E7"}], [{**EVSE, "uid": "e1"}], [EVSE, EVSE]):
        assert ask(hub, "PUT", {"station": station, "evses": wrong}).status == 422
    assert ask(hub, "GET").status == 404
    assert ask(hub, "PUT", {"station": station, "evses": [EVSE]}).tree["withheld"] == ["E7"]
    for wrong_step in (
        {"do": "start"},
        {"do": "stop"},
        {"do": "skip", "step": "boot"},
        {"do": "publish"},
        {"do": "no"},
    ):
        assert ask(hub, "POST", wrong_step).status == 422
    car.installs("1.6")
    assert ask(hub, "POST", {"do": "start", "token": CARD}).tree["outcome"] == "ACCEPTED"
    hub.background.do(going_on(hub))
    stopped = ask(hub, "POST", {"do": "stop"})
    assert stopped.tree["outcome"] == "ACCEPTED"
    assert json.dumps(stopped.tree, default=str)


async def going_on(hub: Shell) -> None:
    path = "/api/v1/stations/CP7/commissioning"
    while (await hub.house.ask("GET", path)).tree["charge"] is None:  # noqa: ASYNC110 - another process would too
        await asyncio.sleep(0.02)


def withheld_evses(hub: Shell) -> list[Any]:
    return hub.background.do(withheld.evses_at(hub.house.program.store, "DE*BSB/LOC1"))
