"""Walks with partners that speak OICP, over TLS with client certificates: what a driver does, and who is billed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.databases import PostgresServer
from tests.walks.oicp_site import CONTRACT, OicpSite
from tests.walks.site import Place, until


@pytest.fixture(autouse=True)
def _all_is_well() -> None:
    """These walks have a site of their own."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def oicp(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OicpSite]:
    """A hub with partners of OICP and OCPI, as processes."""
    directory = tmp_path_factory.mktemp(f"oicp-{request.param}")
    database_url = f"sqlite:///{directory}/busbar.db"
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        database_url = server.create_database()
    opened = OicpSite.open(database_url, directory)
    yield opened
    opened.close()


async def _pulled(oicp: OicpSite, place: Place) -> str:
    """The EvseID of a charger of ours, once the EMP has it."""

    def there() -> str:
        oicp.emp.do("pull")
        evses = oicp.emp.web.ask("GET", "/sandbox/state")["evses"]
        return next((each["EvseID"] for each in evses if each["EvseID"].endswith(f"*{place.evse}")), "")

    return await until(there, why=f"{place.evse} at the EMP")


async def test_a_driver_of_an_oicp_emp_taps_at_our_charger_and_is_billed(oicp: OicpSite) -> None:
    site, uid = oicp.site, "0102030405060708090A"
    place = site.place()
    oicp.emp.do("cards", evco_id=CONTRACT, uid=uid)
    async with site.charger(place) as charger:
        await charger.boot()
        await charger.plug_in()
        assert await charger.tap(uid) == "Accepted"
        await charger.charge(kwh=10, minutes=60)
        await charger.unplug()
        await charger.settled()
    [record] = await until(oicp.records, why="the record")
    assert (record["ConsumedEnergy"], record["Identification"]) == (
        10,
        {"RFIDMifareFamilyIdentification": {"UID": uid}},
    )
    assert oicp.notifications(record["SessionID"])[-1] == "End"
    oicp.nobody_complains()


async def test_an_oicp_emp_starts_and_stops_our_charger_from_afar(oicp: OicpSite) -> None:
    site = oicp.site
    place = site.place()
    async with site.charger(place) as charger:
        await charger.boot()
        await charger.plug_in()
        evse_id = await _pulled(oicp, place)
        begun = await asyncio.to_thread(oicp.emp.do, "remote", doing="start", EvseID=evse_id, evco_id=CONTRACT)
        assert begun["code"] == "000", begun
        session = begun["answer"]["SessionID"]
        await charger.charge(kwh=5, minutes=30)
        stop: dict[str, Any] = {"doing": "stop", "EvseID": evse_id, "SessionID": session}
        assert (await asyncio.to_thread(oicp.emp.do, "remote", **stop))["code"] == "000"
        await charger.unplug()
        await charger.settled()
    [record] = await until(lambda: oicp.records(session), why="the record")
    assert record["ConsumedEnergy"] == 5
    oicp.nobody_complains()
