"""What the walks walk through: a hub with a tariff, a partner of each OCPI version, and as many chargers as asked."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, Final, TypeVar

from partners.sandbox.charger import Charger
from partners.sandbox.charger2 import speaking
from partners.sandbox.point.clock import StepClock
from tests.walks.processes import EmspProcess, HubProcess, PartnerProcess

Tree = dict[str, Any]
T = TypeVar("T")

VERSIONS: Final = ("2.1.1", "2.2.1", "2.3.0")
PARTIES: Final = {"2.1.1": "NL*EEE", "2.2.1": "NL*FFF", "2.3.0": "NL*GGG"}
OWN_PARTY: Final = ("DE", "BSB")
PROCESSED: Final = ("answered", "lost")
"""Outcomes of a receipt after which the partner has acted on the request."""

PER_KWH: Final = Decimal("0.50")
START_FEE: Final = Decimal("1.00")
TARIFF: Final = {
    "currency": "EUR",
    "tax_included": "NO",
    "elements": [
        {
            "price_components": [
                {"type": "ENERGY", "price": 0.5, "vat": 19, "step_size": 1},
                {"type": "FLAT", "price": 1, "vat": 19, "step_size": 1},
            ]
        }
    ],
}
SETTINGS: Final = {
    "authorize_timeout_s": 1,
    "command_timeout_s": 2,
    "lane_first_s": 0.2,
    "lane_cap_s": 1,
    "ocpp_settle_s": 0.3,
    "outbound_timeout_s": 2,
    "ocpp_status_debounce_s": 0.1,
    "pull_check_s": 0.2,
    "relay_timeout_s": 4,
}


def cost(kwh: str | Decimal) -> Decimal:
    """What a charge of so much energy costs, without taxes."""
    return (Decimal(kwh) * PER_KWH + START_FEE).quantize(Decimal("0.0001"))


@dataclass
class Emsp:
    """A partner, and what a tester asks it and reads of it."""

    process: EmspProcess
    complained: int = 0

    @property
    def version(self) -> str:
        return self.process.version

    @property
    def contract_field(self) -> str:
        return "auth_id" if self.version == "2.1.1" else "contract_id"

    def post(self, action: str, body: object = None) -> Any:
        return self.process.web.ask("POST", f"/sandbox/{action}", body or {})

    def mode(self, name: str, *, seed: int = 1) -> None:
        """Take on a temper of the sandbox."""
        self.process.web.ask("PUT", "/sandbox/mode", {"mode": name, "seed": seed})

    def decides(self, **verdicts: object) -> None:
        """What real-time authorizations of these uids are answered; `delay` in seconds for all."""
        self.process.web.ask("PUT", "/sandbox/authorize", verdicts)

    def push_token(self, uid: str, **token: object) -> Tree:
        """A driver's token, at the hub when this returns."""
        pushed: Tree = self.post("tokens", {"uid": uid, **token})
        return pushed

    def push_until_taken(self, uid: str) -> Tree:
        """The same while the hub comes and goes."""
        for _ in range(100):
            status, pushed = self.process.web.answer("POST", "/sandbox/tokens", {"uid": uid, "whitelist": "ALLOWED"})
            if status == 200:
                return dict(pushed)
            time.sleep(0.1)
        raise AssertionError("the token was not taken")

    async def command(self, command: str, body: Mapping[str, object]) -> Tree:
        """Send one and wait for its result: `{answer, result}`."""
        ask = {"command": command, "body": dict(body)}
        outcome: Tree = await asyncio.to_thread(self.post, "commands", ask)
        return outcome

    def state(self) -> Tree:
        found: Tree = self.process.web.ask("GET", "/sandbox/state")
        return found

    def receipts(self) -> list[Tree]:
        """The receipt log, from its file: the ground truth, whoever was killed."""
        text = self.process.receipts.read_text() if self.process.receipts.exists() else ""
        return [json.loads(line) for line in text.splitlines() if line.endswith("}")]

    def held(self, module: str, **fields: object) -> list[Tree]:
        """The objects of a module that the partner holds, all or those with these values."""
        found: list[Tree] = self.post("held", {"module": module, **fields})
        return found

    def of_token(self, module: str, token: Tree) -> list[Tree]:
        """The sessions or CDRs of this token that the partner holds."""
        return self.held(module, **({"auth_id": token["auth_id"]} if "auth_id" in token else {"uid": token["uid"]}))

    def cdr_posts(self, token: Tree) -> list[Tree]:
        """Receipts of CDRs of this token that the partner processed."""
        posts = [r for r in self.receipts() if r["method"] == "POST" and r["path"].endswith("/cdrs")]
        return [r for r in posts if r["outcome"] in PROCESSED and _names(json.loads(r["body"]), token)]

    def new_complaints(self) -> list[str]:
        """What it found wrong since it was last asked."""
        found = self.process.web.ask("GET", "/sandbox/complaints")
        listed = [f"{each['where']}: {each['what']}" for each in found]
        fresh, self.complained = listed[self.complained :], len(listed)
        return fresh


@dataclass
class Place:
    """A charger's place in the hub: location, EVSE and station go by one number."""

    number: int
    ocpp: str = "1.6"

    @property
    def location(self) -> str:
        return f"LOC{self.number}"

    @property
    def evse(self) -> str:
        return f"E{self.number}"

    @property
    def station(self) -> str:
        return f"CP{self.number}"


@dataclass
class Site:
    """All of it, running."""

    hub: HubProcess
    emsps: dict[str, Emsp]
    numbers: count[int] = field(default_factory=lambda: count(1))

    @classmethod
    def open(
        cls,
        database_url: str,
        directory: Path,
        versions: tuple[str, ...] = VERSIONS,
        *,
        hub: type[HubProcess] = HubProcess,
        settings: Mapping[str, object] | None = None,
    ) -> Site:
        """Start the processes, register the partners, keep the tariff. `settings`: beside `SETTINGS`."""
        emsps = {version: Emsp(EmspProcess(version, PARTIES[version], directory)) for version in versions}
        for emsp in emsps.values():
            emsp.process.start()
        site = cls(hub(database_url, directory, **SETTINGS, **(settings or {})), emsps)
        try:
            site.hub.start()
            site.hub.web.ask("PUT", "/api/v1/tariffs/DE/BSB/T1", TARIFF)
            for emsp in emsps.values():
                emsp.process.wait()
                site.register(emsp)
        except BaseException:
            site.close()
            raise
        return site

    def close(self) -> None:
        self.hub.close()
        for emsp in self.emsps.values():
            emsp.process.close()

    def mend(self) -> None:
        """Start again what a walk that failed left dead, and cheer up the partners."""
        for emsp in self.emsps.values():
            if not emsp.process.process.is_running:
                emsp.process.start()
                emsp.process.wait()
                emsp.complained = 0
            emsp.mode("happy")
        if not self.hub.process.is_running:
            self.hub.start()

    def invite(self, process: PartnerProcess) -> Tree:
        """An invitation by the management API: where to begin, and token A."""
        country_code, party_id = process.party.split("*")
        role = {"role": process.kind.upper(), "country_code": country_code, "party_id": party_id}
        invited: Tree = self.hub.web.ask("POST", "/api/v1/partners", {"name": process.name, "roles": [role]})
        return invited

    def register(self, emsp: Emsp) -> Tree:
        """From invitation to connection. Returns: what the partner was given for it."""
        invited = self.invite(emsp.process)
        url = invited["versions_url_2_1_1" if emsp.version == "2.1.1" else "versions_url"]
        given = {"versions_url": url, "token": invited["token_a"]}
        emsp.post("register", given)
        return given

    def uid(self) -> str:
        """A card that nobody used before."""
        return f"0A{next(self.numbers):08X}"

    def place(self, ocpp: str = "1.6") -> Place:
        """A new charger with a location of its own, as the operator registers it."""
        place = Place(next(self.numbers), ocpp)
        self.hub.web.ask("PUT", f"/api/v1/locations/DE/BSB/{place.location}", _location(place))
        station = {
            "location": place.location,
            "evses": {"1": {"evse_uid": place.evse, "connectors": {"1": "1"}}},
            "protocol": f"ocpp{ocpp}",
            "security_profile": 0,
        }
        self.hub.web.ask("PUT", f"/api/v1/stations/{place.station}", station)
        return place

    def charger(self, place: Place, **options: Any) -> Charger:
        """The charge point that stands there. Its clock is three hours behind, so that charges are over now."""
        clock = StepClock(start=datetime.now(UTC) - timedelta(hours=3))
        given = {"clock": clock, "backoff_s": (0.05, 0.3), **options}
        return speaking(place.ocpp, self.hub.chargers_url, place.station, **given)

    def transactions(self, place: Place) -> list[Tree]:
        found: list[Tree] = self.hub.web.ask("GET", f"/api/v1/transactions?station={place.station}")["items"]
        return found

    def partner(self, emsp: Emsp) -> Tree:
        """The partner as the management API shows it."""
        found: Tree = self.hub.web.ask("GET", f"/api/v1/partners/{emsp.process.name}")
        return found

    def is_idle(self, emsp: Emsp) -> bool:
        """Has its lane nothing to send, and nothing under way?"""
        before = self.partner(emsp)["lane"]
        time.sleep(0.25)
        lane = self.partner(emsp)["lane"]
        return bool(lane["waiting"] == 0 and lane["delivered"] == before["delivered"])

    def refused(self, emsp: Emsp) -> list[Tree]:
        """What the partner refused for its content."""
        found: list[Tree] = self.hub.web.ask("GET", f"/api/v1/partners/{emsp.process.name}/refused")["items"]
        return found

    def journeys_of(self, session_id: str) -> set[str]:
        """The correlation ids under which a session changed."""
        changes = self.hub.web.ask("GET", "/api/v1/changes?module=sessions&limit=200")["items"]
        return {change["correlation_id"] for change in changes if change["key"].endswith(f"/{session_id.upper()}")}


async def until(look: Callable[[], T], *, timeout_s: float = 40.0, why: str = "") -> T:
    """The first value that is not empty, asked for again and again. Raises: AssertionError."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = await asyncio.to_thread(look)
        if found:
            return found
        assert time.monotonic() < deadline, f"not in {timeout_s} s: {why or look}"
        await asyncio.sleep(0.05)


def _names(tree: Tree, token: Tree) -> bool:
    """Is this Session or CDR about the token? 2.1.1 names the contract."""
    if "cdr_token" in tree:
        return bool(tree["cdr_token"]["uid"] == token["uid"])
    return bool(tree["auth_id"] == token["auth_id"])


def _location(place: Place) -> Tree:
    connector = {
        "id": "1",
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_3_PHASE",
        "max_voltage": 230,
        "max_amperage": 32,
        "tariff_ids": ["T1"],
    }
    evse = {
        "uid": place.evse,
        "evse_id": f"DE*BSB*{place.evse}",
        "status": "AVAILABLE",
        "capabilities": ["RFID_READER", "REMOTE_START_STOP_CAPABLE", "RESERVABLE", "UNLOCK_CAPABLE"],
        "connectors": [connector],
    }
    return {
        "publish": True,
        "name": place.location,
        "address": "Main street 1",
        "city": "Berlin",
        "postal_code": "10115",
        "country": "DEU",
        "coordinates": {"latitude": "52.520008", "longitude": "13.404954"},
        "time_zone": "Europe/Berlin",
        "evses": [evse],
    }
