"""A roaming partner that sells charging: an eMSP as a real HTTP program, for OCPI 2.1.1, 2.2.1 or 2.3.0.

    async with Emsp("2.2.1", "NL*EEE") as emsp:
        await emsp.register(versions_url, token_a)
        await emsp.push_token({"uid": "012345678"})
        outcome = await emsp.command("START_SESSION", {"token": "012345678", "location_id": "LOC1"})
        assert emsp.complaints.texts() == []

The parts: `front` keeps the receipt log and applies the mode, `desk` knows who is asking, `handshake`
and `receivers` answer, `dealings` asks, `mirror` remembers, `complaints` lists what was wrong. This file
joins them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from starlette.applications import Starlette
from starlette.routing import Route

from partners.sandbox.acquaintances import Acquaintances
from partners.sandbox.admin import EmspAdmin
from partners.sandbox.complaints import Complaints
from partners.sandbox.dealings import CommandOutcome, Dealings
from partners.sandbox.desk import Desk
from partners.sandbox.drivers import Drivers
from partners.sandbox.front import Front
from partners.sandbox.handshake import Handshake
from partners.sandbox.house import House
from partners.sandbox.hubline import HubLine
from partners.sandbox.listener import Listener
from partners.sandbox.mirror import Mirror
from partners.sandbox.modes import Temper
from partners.sandbox.receipts import Receipts
from partners.sandbox.receivers import Receivers
from partners.sandbox.registration import Accounts, Registration, mint_token
from partners.sandbox.replay import replay
from partners.sandbox.wire import RULES, Json, Party

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class Emsp:
    """One eMSP on one port. Its port is bound when it is made; it listens when entered."""

    def __init__(
        self,
        version: str = "2.2.1",
        party: str = "NL*EEE",
        *,
        port: int = 0,
        mode: str = "happy",
        seed: int = 0,
        slow_s: tuple[float, float] | None = None,
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
        self.temper = Temper(mode, seed=seed, slow_s=slow_s)
        self.mirror = Mirror(self.rules, self.complaints)
        replay(self.receipts.all(), self.mirror)
        self._accounts = Accounts(receipts.with_name(f"{receipts.name}.accounts") if receipts else None)
        self._accounts.load()
        self.drivers = Drivers(self.rules, self.party, self._accounts)
        self._line = HubLine(self.rules, self.party, self.complaints, timeout_s=timeout_s)
        self._join()

    def _join(self) -> None:
        house = House(
            self.rules, "EMSP", self.party, self.url, self._accounts, self.complaints, self.temper, self._line
        )
        self.acquaintances = Acquaintances(house)
        self._handshake, self._receivers = Handshake(house), Receivers(house, self.mirror, self.drivers)
        self._dealings = Dealings(house, self._handshake, self._receivers, self.mirror, self.drivers)
        told = self.acquaintances.handlers() if self.rules.charging_profiles else {}
        desk = Desk(house, {**self._handshake.handlers(), **self._receivers.handlers(), **told})
        routes = [*EmspAdmin(self).routes(), Route("/ocpi/{rest:path}", desk.serve, methods=_METHODS)]
        self._front = Front(Starlette(routes=routes), self.receipts, self.temper)

    @property
    def app(self) -> Front:
        """The ASGI application, for those who bring their own server."""
        return self._front

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
        await self._listener.stop()
        await self._line.close()
        self.receipts.close()

    def invite(self) -> tuple[str, str]:
        """A versions URL and a one-time token, for a hub that registers with us."""
        token = mint_token()
        self._accounts.invitations.add(token)
        self._accounts.save()
        return self._handshake.versions_url, token

    def add_token(self, given: Mapping[str, Json]) -> dict[str, Json]:
        """A driver's token that is kept here but not pushed."""
        token = self.drivers.token(given)
        self.drivers.keep(token)
        return token

    async def register(self, versions_url: str, token_a: str) -> Registration:
        """Versions, details, credentials. Raises what `Dealings` does, and VersionMissingError."""
        return await self._dealings.register(versions_url, token_a)

    async def rotate(self) -> Registration:
        """Exchange new tokens by PUT credentials."""
        return await self._dealings.rotate()

    async def unregister(self) -> None:
        """DELETE credentials."""
        await self._dealings.unregister()

    async def push_token(self, given: Mapping[str, Json], *, to: Party | None = None) -> dict[str, Json]:
        """PUT a token to the CPOs; `{"uid": ...}` is enough."""
        return await self._dealings.push_token(given, to=to)

    async def patch_token(self, uid: str, change: Mapping[str, Json], *, to: Party | None = None) -> None:
        """PATCH a token at the CPOs."""
        await self._dealings.patch_token(uid, change, to=to)

    async def pull(
        self,
        module: str,
        *,
        date_from: str | None = None,
        date_to: str | None = None,
        limit: int | None = None,
    ) -> list[Json]:
        """All of locations, tariffs, sessions or cdrs."""
        return await self._dealings.pull(module, date_from=date_from, date_to=date_to, limit=limit)

    async def command(self, command: str, body: Mapping[str, Json], *, to: Party | None = None) -> CommandOutcome:
        """Send any of the five commands and wait for its result."""
        return await self._dealings.command(command, body, to=to)

    async def limit(
        self, method: str, session_id: str, given: Mapping[str, Json], *, to: Party | None = None
    ) -> CommandOutcome:
        """PUT, GET or DELETE the charging profile of a session, and wait for the result."""
        return await self._dealings.limit(method, session_id, given, to=to)

    def state(self) -> dict[str, Json]:
        """For the admin route."""
        objects = {module: self.mirror.listed(module) for module in self.mirror.objects}
        return {
            "version": self.rules.version,
            "party": str(self.party),
            "url": self.url,
            "versions_url": self._handshake.versions_url,
            "mode": self.temper.name,
            "registered": self.registration is not None,
            "counts": {**{module: len(found) for module, found in objects.items()},
                       "tokens": len(self.drivers.tokens), "receipts": len(self.receipts.all())},
            "complaints": self.complaints.listed(),
            **objects,
            "tokens": list(self.drivers.tokens.values()),
            "limits": self._receivers.limits,
            "clients": self.acquaintances.listed(),
        }  # fmt: skip
