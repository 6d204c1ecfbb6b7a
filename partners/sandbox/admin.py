"""The admin routes of sandbox partners, for testers in other processes. They are never bent by a mode."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from partners.sandbox.connection import EndpointMissingError, NotRegisteredError
from partners.sandbox.handshake import VersionMissingError
from partners.sandbox.hubline import HubRefusedError
from partners.sandbox.wire import Json, NotJsonError, Party, decode, encode

if TYPE_CHECKING:
    from partners.sandbox.cpo import Cpo
    from partners.sandbox.emsp import Emsp

FAILURES = (
    NotRegisteredError,
    EndpointMissingError,
    VersionMissingError,
    HubRefusedError,
    httpx.HTTPError,
)
Action = Callable[[Json], Awaitable[Json]]


class Admin:
    """Routes of plain JSON. What goes wrong is `{"error": ...}` under 409, bad input under 400."""

    def __init__(self, partner: Emsp | Cpo) -> None:
        self._partner = partner

    def routes(self) -> list[Route]:
        """For the application."""
        table: list[tuple[str, str, Action]] = [
            ("GET", "state", self.state),
            ("GET", "complaints", self.complaints),
            ("GET", "receipts", self.receipts),
            ("POST", "invite", self.invite),
            ("POST", "register", self.register),
            ("POST", "rotate", self.rotate),
            ("POST", "unregister", self.unregister),
            ("PUT", "mode", self.mode),
            *self._more(),
        ]
        return [Route(f"/sandbox/{name}", as_json(action), methods=[method]) for method, name, action in table]

    def _more(self) -> list[tuple[str, str, Action]]:
        """What only this kind of partner does."""
        return []

    async def state(self, _: Json) -> Json:
        """Everything there is to know."""
        return self._partner.state()

    async def complaints(self, _: Json) -> Json:
        """What was wrong with what it was sent."""
        return self._partner.complaints.listed()

    async def receipts(self, _: Json) -> Json:
        """The receipt log."""
        return [asdict(receipt) for receipt in self._partner.receipts.all()]

    async def invite(self, _: Json) -> Json:
        """A versions URL and a token for a hub that wants to register with us."""
        versions_url, token = self._partner.invite()
        return {"versions_url": versions_url, "token": token}

    async def register(self, body: Json) -> Json:
        """`{versions_url, token}`"""
        registration = await self._partner.register(body["versions_url"], body["token"])
        return {"hub": str(registration.hub), "endpoints": registration.endpoints}

    async def rotate(self, _: Json) -> Json:
        """New tokens."""
        await self._partner.rotate()
        return {}

    async def unregister(self, _: Json) -> Json:
        """The end."""
        await self._partner.unregister()
        return {}

    async def mode(self, body: Json) -> Json:
        """`{mode, seed?}`"""
        self._partner.temper.switch(body["mode"], seed=body.get("seed"))
        return {"mode": self._partner.temper.name}


class EmspAdmin(Admin):
    """What an eMSP does when told."""

    def __init__(self, emsp: Emsp) -> None:
        super().__init__(emsp)
        self._emsp = emsp

    def _more(self) -> list[tuple[str, str, Action]]:
        return [
            ("POST", "held", self.held),
            ("POST", "tokens", self.push_token),
            ("POST", "pull", self.pull),
            ("POST", "commands", self.command),
            ("POST", "limits", self.limit),
            ("PUT", "authorize", self.authorize),
        ]

    async def held(self, body: Json) -> Json:
        """`{module, <field>: <value>, ...}`: a module's objects, or those with these values; `uid` is a token's."""
        asked = {name: value for name, value in body.items() if name != "module"}
        found = self._emsp.mirror.listed(body["module"])
        return [tree for tree in found if all(_field(tree, name) == value for name, value in asked.items())]

    async def push_token(self, body: Json) -> Json:
        """A Token, or as much of one as matters. With `"push": false` it is only kept."""
        given = {name: value for name, value in body.items() if name != "push"}
        if body.get("push", True):
            return await self._emsp.push_token(given)
        return self._emsp.add_token(given)

    async def pull(self, body: Json) -> Json:
        """`{module, date_from?, date_to?, limit?}`"""
        return await self._emsp.pull(**body)

    async def command(self, body: Json) -> Json:
        """`{command, body, to?}`; answers when the result is in, or overdue."""
        to = Party.parse(body["to"]) if body.get("to") else None
        return asdict(await self._emsp.command(body["command"], body["body"], to=to))

    async def limit(self, body: Json) -> Json:
        """`{method, session, given?, to?}`: a charging profile, or `{"duration": ...}` for a GET; as commands are."""
        to = Party.parse(body["to"]) if body.get("to") else None
        given = body.get("given") or {}
        return asdict(await self._emsp.limit(body["method"], body["session"], given, to=to))

    async def authorize(self, body: Json) -> Json:
        """`{<uid>: <AllowedType>|UNKNOWN|NEEDS_LOCATION, ..., "delay": <seconds>}`"""
        drivers = self._emsp.drivers
        drivers.delay_s = float(body.pop("delay", drivers.delay_s))
        drivers.verdicts.update(body)
        return {"verdicts": drivers.verdicts, "delay": drivers.delay_s}


class CpoAdmin(Admin):
    """What a CPO does when told."""

    def __init__(self, cpo: Cpo) -> None:
        super().__init__(cpo)
        self._cpo = cpo

    def _more(self) -> list[tuple[str, str, Action]]:
        return [
            ("POST", "objects", self.put),
            ("POST", "patch", self.patch),
            ("POST", "withdraw", self.withdraw),
            ("POST", "commands", self.answers),
            ("POST", "authorize", self.authorize),
            ("POST", "limits", self.limits),
        ]

    async def put(self, body: Json) -> Json:
        """`{module, object, to?, push?}`: an object of ours, of any module; with `"push": false` it is only listed."""
        to = Party.parse(body["to"]) if body.get("to") else None
        return await self._cpo.put(body["module"], body["object"], to=to, push=body.get("push", True))

    async def patch(self, body: Json) -> Json:
        """`{path: [location, EVSE?, connector?], change, to?}`; `last_updated` is added."""
        to = Party.parse(body["to"]) if body.get("to") else None
        return await self._cpo.patch_location(tuple(body["path"]), body["change"], to=to)

    async def withdraw(self, body: Json) -> Json:
        """`{tariff}`"""
        await self._cpo.withdraw(body["tariff"])
        return {}

    async def answers(self, body: Json) -> Json:
        """`{answer?, result?, delay?}`: what commands are answered, and what comes of them after so many seconds."""
        return self._cpo.orders.settle(**body)

    async def authorize(self, body: Json) -> Json:
        """`{uid, type?, at?}`: the AuthorizationInfo."""
        return await self._cpo.authorize(body["uid"], type_=body.get("type", "RFID"), at=body.get("at"))

    async def limits(self, body: Json) -> Json:
        """`{session, profile}`: an ActiveChargingProfile, told to who limited the session."""
        await self._cpo.show_limits(body["session"], body["profile"])
        return {}


def _field(tree: Mapping[str, Json], name: str) -> Json:
    return (tree.get("cdr_token") or {}).get("uid") if name == "uid" else tree.get(name)


def as_json(action: Action) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint of plain JSON around what is done."""

    async def endpoint(request: Request) -> Response:
        try:
            body = await request.body()
            status, tree = 200, await action(decode(body) if body else {})
        except FAILURES as error:
            status, tree = 409, {"error": f"{type(error).__name__}: {error}"}
        except (NotJsonError, KeyError, TypeError, ValueError) as error:
            status, tree = 400, {"error": f"{type(error).__name__}: {error}"}
        return Response(encode(tree), status, media_type="application/json")

    return endpoint
