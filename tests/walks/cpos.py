"""CPOs of other companies, as processes, and what they say: each in the words of its version, by the book."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from tests.walks.processes import CpoProcess
from tests.walks.site import Site, Tree

PARTIES: Final = {"2.1.1": "BE*AAA", "2.2.1": "BE*BBB", "2.3.0": "BE*CCC"}
PRICE: Final = 0.3
"""EUR for each kWh."""
_OF_A_TOKEN: Final = ("country_code", "party_id", "uid", "type", "contract_id")


class Cpo:
    """The CPO, and what a tester asks of it."""

    def __init__(self, process: CpoProcess) -> None:
        self.process, self.version = process, process.version
        self.country, self.party_id = process.party.split("*")

    def does(self, action: str, **body: object) -> Any:
        return self.process.web.ask("POST", f"/sandbox/{action}", body)

    def state(self) -> Tree:
        found: Tree = self.process.web.ask("GET", "/sandbox/state")
        return found

    def token(self, uid: str) -> Tree | None:
        """A driver's token, as it was brought here."""
        return next((token for token in self.state()["tokens"] if token["uid"] == uid), None)

    def complaints(self) -> list[str]:
        found = self.process.web.ask("GET", "/sandbox/complaints")
        return [f"{each['where']}: {each['what']}" for each in found]


@contextmanager
def joined(site: Site, version: str, directory: Path) -> Iterator[Cpo]:
    """A CPO that registers, with a tariff and a location it had before, and is gone again afterwards."""
    process = CpoProcess(version, PARTIES[version], directory)
    process.start()
    try:
        process.wait()
        cpo = Cpo(process)
        cpo.does("objects", module="tariffs", object=tariff(version, "OLD"), push=False)
        cpo.does("objects", module="locations", object=location(version, "OLD1"), push=False)
        invited = site.invite(process)
        url = invited["versions_url_2_1_1" if version == "2.1.1" else "versions_url"]
        cpo.does("register", versions_url=url, token=invited["token_a"])
        yield cpo
        site.hub.web.ask("DELETE", f"/api/v1/partners/{process.name}")
    finally:
        process.close()


def location(version: str, location_id: str, **fields: object) -> Tree:
    """Two EVSEs, `<id>-1` and `<id>-2`."""
    electric = {"format": "SOCKET", "power_type": "AC_3_PHASE", "standard": "IEC_62196_T2"}
    old = version == "2.1.1"
    limits = {"voltage": 230, "amperage": 16} if old else {"max_voltage": 230, "max_amperage": 16}
    price = {"tariff_id": "DAY"} if old else {"tariff_ids": ["DAY"]}
    evses = [
        {
            "uid": f"{location_id}-{n}",
            "evse_id": f"BE*AAA*E{n}",
            "status": "AVAILABLE",
            "connectors": [{"id": "1", **electric, **limits, **price}],
        }
        for n in (1, 2)
    ]
    kind = {"type": "ON_STREET"} if old else {"parking_type": "ON_STREET", "publish": True}
    place = {"address": "Grote Markt 1", "city": "Gent", "postal_code": "9000", "country": "BEL"}
    where = {"coordinates": {"latitude": "51.047599", "longitude": "3.729944"}, "time_zone": "Europe/Brussels"}
    return {"id": location_id, "name": "Markt", **kind, **place, **where, "evses": evses, **fields}


def tariff(version: str, tariff_id: str, price: float = PRICE) -> Tree:
    included = {"tax_included": "NO"} if version == "2.3.0" else {}
    element = {"price_components": [{"type": "ENERGY", "price": price, "step_size": 1}]}
    return {"id": tariff_id, "currency": "EUR", "elements": [element], **included}


class Charge:
    """A charge by a driver's `token` at the first EVSE of a location, two minutes long, 1 kWh."""

    def __init__(self, cpo: Cpo, token: Tree, place: Tree, priced: Tree, *, reference: str | None) -> None:
        """`place` and `priced`: the location and the tariff, as the CPO keeps them."""
        self.old = cpo.version == "2.1.1"
        self.newest = cpo.version == "2.3.0"
        self.place, self.priced, self.token = place, priced, token
        self.id = f"S-{token['uid']}"
        self.end = datetime.now(UTC)
        self.start = self.end - timedelta(minutes=2)
        self.reference = {"authorization_reference": reference} if reference else {}

    def session(self, status: str, kwh: float) -> Tree:
        """As it is told while it goes on, and at its end."""
        begun, ended = ("start_datetime", "end_datetime") if self.old else ("start_date_time", "end_date_time")
        over = {ended: _text(self.end)} if status == "COMPLETED" else {}
        where = {"location": self.place} if self.old else self._spot()
        told = {"id": self.id, begun: _text(self.start), **over, "kwh": kwh, "currency": "EUR", "status": status}
        return {**told, **where, **self._driver(), "charging_periods": [self._period(kwh)]}

    def cdr(self) -> Tree:
        """The bill: 1 kWh."""
        times = {
            "start_date_time": _text(self.start),
            "stop_date_time" if self.old else "end_date_time": _text(self.end),
        }
        cost: Any = PRICE if self.old else {"before_taxes" if self.newest else "excl_vat": PRICE}
        figures = {"currency": "EUR", "total_cost": cost, "total_energy": 1, "total_time": round(2 / 60, 4)}
        where = {"location": self.place} if self.old else {"cdr_location": self._cdr_location(), "session_id": self.id}
        listed = {"tariffs": [self.priced], "charging_periods": [self._period(1)]}
        return {"id": f"C-{self.token['uid']}", **times, **self._driver(), **where, **listed, **figures}

    def _driver(self) -> Tree:
        if self.old:
            return {"auth_id": self.token["auth_id"], "auth_method": "AUTH_REQUEST"}
        token = {name: self.token[name] for name in _OF_A_TOKEN}
        return {"cdr_token": token, "auth_method": "COMMAND", **self.reference}

    def _period(self, kwh: float) -> Tree:
        return {"start_date_time": _text(self.start), "dimensions": [{"type": "ENERGY", "volume": kwh}]}

    def _spot(self) -> Tree:
        evse = self.place["evses"][0]
        return {"location_id": self.place["id"], "evse_uid": evse["uid"], "connector_id": "1"}

    def _cdr_location(self) -> Tree:
        evse = self.place["evses"][0]
        named = {name: self.place[name] for name in ("id", "name", "address", "city", "postal_code", "country")}
        plug = {f"connector_{name}": evse["connectors"][0][name] for name in ("standard", "format", "power_type")}
        spot = {"evse_uid": evse["uid"], "evse_id": evse["evse_id"], "connector_id": "1"}
        return {**named, "coordinates": self.place["coordinates"], **spot, **plug}


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
