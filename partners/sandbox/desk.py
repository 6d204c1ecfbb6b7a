"""Where OCPI requests arrive: who is it, is the request well-formed, and who answers.

The manners of the version are checked here once for all modules; the modules (`receivers.py`,
`handshake.py`) see only calls that may be answered.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from partners.sandbox.call import Call, Handlers, Refused, Reply
from partners.sandbox.house import House
from partners.sandbox.wire import Json, NotJsonError, decode, encode, envelope

_REGISTERING = ("versions", "credentials")
_UNROUTED = (*_REGISTERING, "hubclientinfo")
_IDS = ("X-Request-ID", "X-Correlation-ID")


class Desk:
    """One eMSP's OCPI entrance."""

    def __init__(self, house: House, handlers: Handlers) -> None:
        self._rules = house.rules
        self._party = house.party
        self._accounts = house.accounts
        self._complaints = house.complaints
        self._handlers = handlers

    async def serve(self, request: Request) -> Response:
        """Answer one request, whatever it is, with an envelope."""
        where = f"{request.method} {request.url.path}"
        headers: Mapping[str, str] = {}
        try:
            reply = await self._serve(request, where)
            tree, http, headers = envelope(reply.data, code=reply.code), reply.http, reply.headers
        except Refused as refusal:
            tree, http = envelope(code=refusal.code, message=refusal.message), refusal.http
        return Response(encode(tree), http, {**headers, **self._courtesies(request)}, media_type="application/json")

    async def _serve(self, request: Request, where: str) -> Reply:
        module, path = self._locate(request)
        token = self._bearer(request, where)
        self._admit(token, module, where)
        self._check_headers(request, module, where)
        handler = self._handlers.get((module, request.method))
        if handler is None:
            self._complaints.add(where, f"{request.method} is not offered on {module}")
            raise Refused(405, 2000, "this method is not offered here")
        tree = await self._body(request, where)
        query, headers = dict(request.query_params), request.headers
        return await handler(Call(request.method, module, path, query, headers, token, tree, where))

    def _locate(self, request: Request) -> tuple[str, tuple[str, ...]]:
        """The module and what follows it; `/ocpi/versions` and `/ocpi/<version>` both count as `versions`."""
        # split before decoding: a uid may hold a slash
        raw = request.scope["raw_path"].decode("ascii").removeprefix("/ocpi")
        parts = tuple(unquote(part) for part in raw.split("/") if part)
        if parts == ("versions",) or parts == (self._rules.version,):
            return "versions", parts
        if len(parts) < 2 or parts[0] != self._rules.version:
            raise Refused(404, 2000, "nothing is here")
        return parts[1], parts[2:]

    def _bearer(self, request: Request, where: str) -> str:
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        if scheme != "Token" or not shown:
            self._complaints.add(where, "the Authorization header is not `Token <token>`")
            raise Refused(401, 2000, "no token")
        if not self._rules.base64_tokens:
            return shown
        try:
            return base64.b64decode(shown, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            self._complaints.add(where, "the token is not in Base64")
            raise Refused(401, 2000, "the token is not in Base64") from error

    def _admit(self, token: str, module: str, where: str) -> None:
        invited = token in self._accounts.invitations
        if self._accounts.recognises(token) or (invited and module in _REGISTERING):
            return
        what = "the registration token on a functional module" if invited else "a token that is not valid here"
        self._complaints.add(where, what)
        raise Refused(401, 2000, "this token is not valid here")

    def _check_headers(self, request: Request, module: str, where: str) -> None:
        if self._rules.message_ids:
            for name in _IDS:
                if not request.headers.get(name):
                    self._complaints.add(where, f"{name} is missing")
        if not self._rules.routing or module in _UNROUTED:
            return
        for end in ("to", "from"):
            country_code, party_id = (request.headers.get(f"OCPI-{end}-{part}", "") for part in _PARTY)
            if (len(country_code), len(party_id)) != (2, 3):
                self._complaints.add(where, f"the OCPI-{end}-* headers are missing or malformed")
            elif end == "to" and not self._party.is_same(country_code, party_id):
                self._complaints.add(where, f"addressed to {country_code}*{party_id}, not to us")

    async def _body(self, request: Request, where: str) -> Json:
        body = await request.body()
        if not body:
            return None
        if not request.headers.get("content-type", "").startswith("application/json"):
            self._complaints.add(where, "the body is not declared as application/json")
        try:
            return decode(body)
        except NotJsonError as error:
            self._complaints.add(where, str(error))
            raise Refused(400, 2001, str(error)) from error

    def _courtesies(self, request: Request) -> dict[str, str]:
        """Repeat the message ids, and turn the routing headers round."""
        given = request.headers
        headers = {name: given[name] for name in _IDS if self._rules.message_ids and name in given}
        for end, other in (("to", "from"), ("from", "to")) if self._rules.routing else ():
            for part in _PARTY:
                if f"OCPI-{end}-{part}" in given:
                    headers[f"OCPI-{other}-{part}"] = given[f"OCPI-{end}-{part}"]
        return headers


_PARTY = ("country-code", "party-id")
