"""Walks behind another hub of OICP: we are a CPO and an EMP there, and whoever is behind it roams with ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from partners.sandbox.oicp.authority import Authority
from tests.databases import a_database
from tests.ports import Port
from tests.walks.oicp_partners import OicpCpo, OicpHub
from tests.walks.oicp_site import PRICE
from tests.walks.site import Emsp, Site, Tree, until

VERSION = "2.2.1"
UID = "0A0B0C0D0E0F01"


class Behind:
    """A hub of OICP with a CPO behind it, and ours, which is both CPO and EMP there."""

    def __init__(self, database_url: str, directory: Path) -> None:
        authority = Authority(directory / "papers")
        served, hubs, cpos = (authority.issue(name) for name in ("port", "hbs", "abc"))
        self.port = Port()
        settings = {
            "ask_unknown_tokens": "listless",
            "oicp_port": self.port.number,
            "oicp_certificate": served.certificate,
            "oicp_key": served.key,
            "oicp_client_ca": authority.root,
        }
        self.hub = OicpHub("DE*HBS", hubs, directory)
        self.cpo = OicpCpo("DE*ABC", cpos, directory, hub=self.hub.url)
        self.site = Site.open(database_url, directory, (VERSION,), settings=settings)
        web = self.site.hub.web
        asked = web.ask("POST", "/api/v1/oicp/certificates", {"name": "ours", "common_name": "hub.example"})
        signed = authority.sign(asked["csr"])
        web.ask("PUT", "/api/v1/oicp/certificates/ours", {"certificate": signed})
        for process in (self.hub, self.cpo):
            process.start()
            process.wait()
        url = f"https://127.0.0.1:{self.port.number}"
        for role, party in (("CPO", "DE*BSB"), ("EMP", "DE-BSB")):
            self.hub.do("members", role=role, party=party, certificate=signed, url=url, takes=["*"])
        self.hub.join("CPO", "DE*ABC", cpos, url=self.cpo.url)
        web.ask("PATCH", "/api/v1/oicp/operators/DE*BSB", {"hotline": "+4930123456"})
        connection: Tree = {
            "kind": "hub",
            "party": "DE*HBS",
            "base_url": self.hub.url,
            "operator_ids": ["DE*BSB"],
            "provider_ids": ["DE-BSB"],
            "certificates": [hubs.certificate.read_text()],
            "client_certificate": "ours",
            "server_ca": authority.root.read_text(),
            "data_every_s": 10,
            "status_every_s": 10,
            "prices": [{"id": "CONTRACT", **PRICE}],
        }
        self.connection = connection
        web.ask("PUT", "/api/v1/oicp/connections/hbs", connection)

    @property
    def emsp(self) -> Emsp:
        """The eMSP of OCPI that is ours."""
        return self.site.emsps[VERSION]

    def state(self) -> Tree:
        """What the hub of OICP has."""
        found: Tree = self.hub.web.ask("GET", "/sandbox/state")
        return found

    def close(self) -> None:
        """The end of all of it."""
        self.site.close()
        self.hub.close()
        self.cpo.close()
        self.port.release()


@pytest.fixture(autouse=True)
def _all_is_well() -> None:
    """These walks have a site of their own."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def behind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    """The processes, connected."""
    directory = tmp_path_factory.mktemp(f"behind-{request.param}")
    database_url = a_database(request, directory)
    opened = Behind(database_url, directory)
    yield opened
    opened.close()


async def test_our_chargers_are_told_to_the_hub_and_its_drivers_charge_at_them(behind: Behind) -> None:
    site = behind.site
    place = site.place()
    evse_id = f"DE*BSB*{place.evse}"

    def there() -> bool:
        return evse_id in str(behind.state()["evses"])

    await until(there, why="our EVSE at the hub")
    behind.hub.do("cards", evco_id="DE-8EO-CAET5E4XY-3", uid=UID)
    async with site.charger(place) as charger:
        await charger.boot()
        await charger.plug_in()
        assert await charger.tap(UID) == "Accepted"
        await charger.charge(kwh=9, minutes=60)
        await charger.unplug()
        await charger.settled()

    def record() -> Tree:
        return next((each for each in behind.state()["records"] if UID in str(each)), {})

    found = await until(record, why="the record at the hub")
    assert "9" in str(found)
    assert behind.hub.complaints() == []


async def test_a_cpo_behind_the_hub_is_known_to_our_emsps_and_its_charge_is_billed(behind: Behind) -> None:
    emsp, evse_id = behind.emsp, "DE*ABC*E77"
    assert behind.cpo.do("evses", action="insert", evses=[{"EvseID": evse_id}])["code"] == "000"
    assert behind.cpo.do("statuses", action="insert", statuses={evse_id: "Available"})["code"] == "000"

    def there() -> Tree:
        locations = emsp.held("locations")
        return next((each for each in locations if evse_id in str(each)), {})

    location = await until(there, why="the EVSE at the eMSP")
    evse = next(each for each in location["evses"] if each["evse_id"] == evse_id)
    token = emsp.push_token(behind.site.uid(), contract_id="NL-FFF-C00000771")
    outcome = await emsp.command(
        "START_SESSION", {"token": token, "location_id": location["id"], "evse_uid": evse["uid"]}
    )
    assert outcome["result"]["result"] == "ACCEPTED", outcome
    session = (await until(lambda: emsp.of_token("sessions", token), why="the session"))[0]
    stopped = await emsp.command("STOP_SESSION", {"session_id": session["id"]})
    assert stopped["result"]["result"] == "ACCEPTED", stopped
    [cdr] = await until(lambda: emsp.of_token("cdrs", token), why="the CDR")
    assert cdr["total_energy"] == 10
    assert behind.hub.complaints() == []
