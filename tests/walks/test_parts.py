"""Walk (b) through a hub of three processes: HTTP, chargers and lanes, with nothing in common but PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.databases import PostgresServer
from tests.walks.processes import HubInParts
from tests.walks.site import Site, Tree, until
from tests.walks.test_commands import charge_by_app, results, start_at
from tests.walks.test_sites import ask_for_less
from tests.walks.test_taps import assert_nobody_complains

VERSION = "2.2.1"


@pytest.fixture(scope="module")
def site(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A hub in parts, with one partner."""
    directory = tmp_path_factory.mktemp("site-in-parts")
    opened = Site.open(postgres_server.create_database(), directory, (VERSION,), hub=HubInParts)
    yield opened
    opened.close()


def shown(site: Site, station: str) -> Tree:
    found: Tree = site.hub.web.ask("GET", f"/api/v1/stations/{station}")
    return found


def is_listed_as_connected(site: Site, station: str) -> bool:
    items = site.hub.web.ask("GET", "/api/v1/stations")["items"]
    return any(item["identity"] == station and item["connected"] for item in items)


async def test_an_app_starts_and_stops_a_charge_at_a_charger_of_another_process(site: Site) -> None:
    place = site.place()
    _, cdr, session = await charge_by_app(
        site, site.emsps[VERSION], place, is_known=lambda: is_listed_as_connected(site, place.station)
    )
    assert (cdr["auth_method"], session["auth_method"]) == ("COMMAND", "COMMAND")
    assert site.journeys_of(session["id"]) != set()
    assert len(site.journeys_of(session["id"])) == 1, "one journey, through three processes"
    assert_nobody_complains(site)


async def test_an_operator_calls_a_charger_of_another_process(site: Site) -> None:
    place = site.place()
    path = f"/api/v1/stations/{place.station}"
    async with site.charger(place) as charger:
        await charger.boot()
        await until(lambda: is_listed_as_connected(site, place.station))
        view = await asyncio.to_thread(shown, site, place.station)
        assert (view["connected"], view["version"], view["counts"] != {}) == (True, "1.6", True)
        ask = {"action": "GetConfiguration", "payload": {"key": ["HeartbeatInterval"]}}
        status, called = await asyncio.to_thread(site.hub.web.answer, "POST", f"{path}/calls", ask)
        assert (status, called["outcome"]) == (200, "result")
        assert [entry["key"] for entry in called["result"]["configurationKey"]] == ["HeartbeatInterval"]
        wrong = {"action": "GetConfiguration", "payload": {"keys": 1}}
        status, _ = await asyncio.to_thread(site.hub.web.answer, "POST", f"{path}/calls", wrong)
        assert status == 422
        items = (await asyncio.to_thread(site.hub.web.ask, "GET", f"{path}/messages"))["items"]
        assert any("GetConfiguration" in str(item) for item in items)
    await until(lambda: not is_listed_as_connected(site, place.station))
    status, _ = await asyncio.to_thread(site.hub.web.answer, "POST", f"{path}/calls", ask)
    assert status == 404


async def test_a_site_is_steered_where_the_sockets_are_by_what_was_said_elsewhere(site: Site) -> None:
    await ask_for_less(site, site.emsps[VERSION])


async def test_an_operator_pushes_to_a_partner_whose_lane_is_in_another_process(site: Site) -> None:
    emsp = site.emsps[VERSION]

    def tariffs() -> int:
        return len([r for r in emsp.receipts() if r["method"] == "PUT" and "/tariffs/" in r["path"]])

    before = tariffs()
    pushed = await asyncio.to_thread(site.hub.web.ask, "POST", f"/api/v1/partners/{emsp.process.name}/push")
    assert pushed["waiting"] > 0
    await until(lambda: tariffs() > before)


async def test_what_a_killed_gateway_held_is_not_connected_once_it_is_back(site: Site) -> None:
    emsp, place = site.emsps[VERSION], site.place()
    assert isinstance(site.hub, HubInParts)
    async with site.charger(place, backoff_s=(30, 60)) as charger:
        await charger.boot()
        await until(lambda: is_listed_as_connected(site, place.station))
        site.hub.ocpp.kill()
        await asyncio.to_thread(site.hub.start)
        outcome = await emsp.command("START_SESSION", start_at(place, site.uid()))
        assert results(outcome) == ("REJECTED", None)
    assert_nobody_complains(site)
