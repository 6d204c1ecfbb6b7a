"""A whole program with its management face, as an operator meets it: real store, real application, real ports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import httpx
from pydantic import SecretStr

from hub.app import Program
from hub.core.clock import Clock
from hub.core.inbound import encode, parse
from hub.core.jwt import OperatorRole, issue
from hub.core.ports import Place
from hub.core.secrets import Keys
from hub.core.settings import Settings
from hub.server import Server, bound
from modules.sessions import service as sessions
from modules.tokens.authorize import By, Decision
from partners.sandbox.emsp import Emsp
from tests.databases import put_sqlite
from tests.world import location, stored_token, tariff

OPERATOR_TOKEN: Final = "the-operator-token-of-all-tests"
SECRET: Final = "the-secret-key-of-all-tests-0123456789"
HERE: Final = "http://127.0.0.1"
_DATABASE: Final = "busbar.db"


@dataclass
class Told:
    """An answer of the management API; `tree` is its JSON, with exact numbers."""

    status: int
    tree: Any
    headers: httpx.Headers

    @property
    def code(self) -> str:
        return str(self.tree["error"]["code"])


@dataclass
class House:
    """One program. `ask` goes through the application; `url` is there when it serves."""

    program: Program
    http: httpx.AsyncClient
    url: str = ""

    async def ask(
        self,
        method: str,
        path: str,
        tree: Any = None,
        *,
        token: str = OPERATOR_TOKEN,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Told:
        given = {"Authorization": f"Bearer {token}"} if token else {}
        if tree is not None:
            body, given["Content-Type"] = encode(tree), "application/json"
        sent = await self.http.request(method, path, content=body, headers={**given, **(headers or {})})
        return Told(sent.status_code, parse(sent.content, limit=2**26) if sent.content else None, sent.headers)

    def token_of(self, role: str) -> str:
        """A bearer token with a role."""
        key = Keys.from_secret(SECRET.encode()).jwt
        return issue("jo", OperatorRole(role), key=key, now=self.program.hub.clock.now(), lifetime=timedelta(days=1))

    async def furnish(self) -> None:
        """One tariff and one location of ours."""
        assert (await self.ask("PUT", "/api/v1/tariffs/DE/BSB/T1", tariff())).status == 201
        assert (await self.ask("PUT", "/api/v1/locations/DE/BSB/LOC1", location())).status == 201

    async def invite(self, name: str, party: str = "NL*EEE", role: str = "EMSP") -> Any:
        country_code, party_id = party.split("*")
        roles = [{"role": role, "country_code": country_code, "party_id": party_id}]
        told = await self.ask("POST", "/api/v1/partners", {"name": name, "roles": roles})
        assert told.status == 201, told.tree
        return told.tree

    async def admit(self, emsp: Emsp, name: str = "acme", party: str = "NL*EEE") -> None:
        """Invite a sandbox partner and let it register."""
        invited = await self.invite(name, party)
        await emsp.register(invited["versions_url"], invited["token_a"])

    async def charge(self, *, owner: str = "NL*EEE", station: str = "CP1", kwh: int = 10, end: bool = True) -> str:
        """A charge of a driver of `owner` at our first connector. Returns: the session id."""
        hub = self.program.hub
        place = Place(station, 1, "DE*BSB/LOC1", "E1", "1")
        begun_at = hub.clock.now() - timedelta(hours=2)
        decision = Decision("ALLOWED", By.WHITELIST, stored_token(owner), owner)
        charge, unit = await sessions.begin(hub, sessions.Begun(place, decision, begun_at, Decimal(0)))
        await hub.store.commit(unit)
        if end:
            unit = sessions.end(hub, charge, at=begun_at + timedelta(hours=1), meter_kwh=Decimal(kwh))
            await hub.store.commit(unit)
        return charge.session_id


def settings_in(directory: Path, **given: Any) -> Settings:
    """Settings of a test: nothing comes from the environment."""
    common = {
        "database_url": f"sqlite:///{directory}/{_DATABASE}",
        "secret_key": SecretStr(SECRET),
        "operator_token": SecretStr(OPERATOR_TOKEN),
        "dev": True,
        "port": 0,
        "ocpp_port": 0,
        "lane_first_s": 0.2,
        "ocpp_security_profile": 1,
    }
    return Settings(_env_file=None, **{**common, **given})


def _furnished(directory: Path, given: Mapping[str, Any]) -> Settings:
    """The same, and a database that has its tables: to make them takes a third of a second."""
    own = directory / _DATABASE
    if "database_url" not in given and not own.exists():
        put_sqlite(own)
    return settings_in(directory, **given)


@asynccontextmanager
async def a_house(directory: Path, *, clock: Clock | None = None, **given: Any) -> AsyncIterator[House]:
    """A program behind its application alone: no port, no lane, no clock."""
    program = await Program.open(_furnished(directory, given), clock=clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=program.asgi), base_url=HERE) as http:
        try:
            yield House(program, http)
        finally:
            await program.close()


@asynccontextmanager
async def a_serving_house(directory: Path, **given: Any) -> AsyncIterator[House]:
    """A program that serves on ports of its own, with lanes and chargers."""
    settings = _furnished(directory, given)
    listener = bound("127.0.0.1", 0)
    settings = settings.model_copy(update={"port": listener.getsockname()[1]})
    server = Server(await Program.open(settings), listener=listener)
    await server.start()
    async with httpx.AsyncClient(base_url=server.url, trust_env=False, verify=False) as http:
        try:
            yield House(server.program, http, server.url)
        finally:
            await server.stop()
