"""A roaming partner with chargers: a CPO as a real HTTP program, for OCPI 2.1.1, 2.2.1 or 2.3.0.

    async with Cpo("2.2.1", "BE*AAA") as cpo:
        await cpo.register(versions_url, token_a)
        await cpo.put("locations", {"id": "X1", ...})
        await cpo.patch_location(("X1", "E1"), {"status": "CHARGING"})
        assert cpo.complaints.texts() == []

It is made like the eMSP (`emsp.py`) and shares its front, desk, handshake and line; `grounds` holds its places,
`counters` answers, `orders` takes commands and reports later.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.routing import Route

from partners.sandbox.acquaintances import Acquaintances
from partners.sandbox.admin import CpoAdmin
from partners.sandbox.complaints import Complaints
from partners.sandbox.connection import Connection
from partners.sandbox.counters import Counters
from partners.sandbox.desk import Desk
from partners.sandbox.front import Front
from partners.sandbox.grounds import Grounds
from partners.sandbox.handshake import Handshake
from partners.sandbox.house import House
from partners.sandbox.hubline import HubLine
from partners.sandbox.listener import Listener
from partners.sandbox.modes import Temper
from partners.sandbox.orders import Orders
from partners.sandbox.receipts import Receipts
from partners.sandbox.registration import Accounts, Registration, mint_token
from partners.sandbox.wire import RULES, Json, Party

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class Cpo:
    """One CPO on one port. Its port is bound when it is made; it listens when entered."""

    def __init__(
        self,
        version: str = "2.2.1",
        party: str = "BE*AAA",
        *,
        port: int = 0,
        mode: str = "happy",
        seed: int = 0,
        receipts: Path | None = None,
        timeout_s: float = 30.0,
    ) -> None:
        """`receipts`: a file for the receipt log, beside which `<name>.accounts` keeps what was agreed."""
        self.rules = RULES[version]
        self.party = Party.parse(party)
        self._listener = Listener(port=port)
        self.url = self._listener.url
        self.complaints = Complaints()
        self.receipts = Receipts(receipts)
        self.temper = Temper(mode, seed=seed)
        self._accounts = Accounts(receipts.with_name(f"{receipts.name}.accounts") if receipts else None)
        self._accounts.load()
        self.grounds = Grounds(self.rules, self.party, self._accounts)
        self._line = HubLine(self.rules, self.party, self.complaints, timeout_s=timeout_s)
        house = House(self.rules, "CPO", self.party, self.url, self._accounts, self.complaints, self.temper, self._line)
        self.acquaintances = Acquaintances(house)
        self.orders = Orders(house)
        self.counters = Counters(house, self.grounds, self.orders)
        self._handshake = Handshake(house)
        self._connection = Connection(house, self._handshake)
        told = self.acquaintances.handlers() if self.rules.charging_profiles else {}
        desk = Desk(house, {**self._handshake.handlers(), **self.counters.handlers(), **told})
        routes = [*CpoAdmin(self).routes(), Route("/ocpi/{rest:path}", desk.serve, methods=_METHODS)]
        self._front = Front(Starlette(routes=routes), self.receipts, self.temper)

    @property
    def registration(self) -> Registration | None:
        """What was agreed with the hub."""
        return self._accounts.registration

    async def __aenter__(self) -> Self:
        await self._listener.start(self._front)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._front.close()
        await self.orders.close()
        await self._listener.stop()
        await self._line.close()
        self.receipts.close()

    def invite(self) -> tuple[str, str]:
        """A versions URL and a one-time token, for a hub that registers with us."""
        token = mint_token()
        self._accounts.invitations.add(token)
        self._accounts.save()
        return self._handshake.versions_url, token

    async def register(self, versions_url: str, token_a: str) -> Registration:
        """Versions, details, credentials. Raises what `Connection` does, and VersionMissingError."""
        return await self._connection.register(versions_url, token_a)

    async def rotate(self) -> Registration:
        """Exchange new tokens by PUT credentials."""
        return await self._connection.rotate()

    async def unregister(self) -> None:
        """DELETE credentials."""
        await self._connection.unregister()

    async def put(
        self, module: str, given: Mapping[str, Json], *, to: Party | None = None, push: bool = True
    ) -> dict[str, Json]:
        """An object of ours, to all (`to` None: to the hub) or to one party.

        Raises: ValueError, when it breaks the specification.
        """
        tree = self.grounds.keep(module, given, private=to is not None)
        if push and module == "cdrs":
            await self._connection.send("POST", module, body=tree, to=to)
        elif push:
            await self._connection.send("PUT", module, self._own(tree["id"]), body=tree, to=to)
        return tree

    async def authorize(self, uid: str, *, type_: str = "RFID", at: Json = None) -> Json:
        """What a driver's eMSP says of a card that is shown here. `at`: LocationReferences. OCPI mod_tokens."""
        path = f"{quote(uid, safe='')}/authorize?type={type_}"
        return (await self._connection.send("POST", "tokens", path, role="SENDER", body=at, to=None)).data

    async def show_limits(self, session_id: str, profile: Mapping[str, Json]) -> None:
        """PUT an ActiveChargingProfile to who limited the session. OCPI mod_charging_profiles."""
        await self._connection.send(
            "PUT", "chargingprofiles", quote(session_id, safe=""), role="SENDER", body=profile, to=None
        )

    async def patch_location(
        self, path: tuple[str, ...], change: Mapping[str, Json], *, to: Party | None = None
    ) -> dict[str, Json]:
        """Change a location, an EVSE or a connector. Raises: KeyError, ValueError."""
        part = self.grounds.change(path, change)
        await self._connection.send("PATCH", "locations", self._own(*path), body=part, to=to)
        return part

    async def withdraw(self, tariff_id: str) -> None:
        """DELETE a tariff. Raises: KeyError."""
        self.grounds.drop(tariff_id)
        await self._connection.send("DELETE", "tariffs", self._own(tariff_id), to=None)

    def _own(self, *path: str) -> str:
        return "/".join(quote(part, safe="") for part in (self.party.country_code, self.party.party_id, *path))

    def state(self) -> dict[str, Json]:
        """For the admin route."""
        return {
            "version": self.rules.version,
            "party": str(self.party),
            "url": self.url,
            "versions_url": self._handshake.versions_url,
            "mode": self.temper.name,
            "registered": self.registration is not None,
            "complaints": self.complaints.listed(),
            "locations": self.grounds.listed("locations"),
            "tariffs": self.grounds.listed("tariffs"),
            "tokens": list(self.counters.tokens.values()),
            "commands": self.orders.taken,
            "profiles": self.orders.profiles,
            "clients": self.acquaintances.listed(),
        }
