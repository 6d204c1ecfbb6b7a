"""Where OICP requests arrive: is it an operation, may they, is it well-formed, and who answers.

The order is that of the platform: the certificate and the id come first, and nothing is read before they fit.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from partners.sandbox.complaints import Complaints
from partners.sandbox.front import CERTIFICATE, MODE
from partners.sandbox.oicp.call import Call, Caller, Handlers, Refused, Reply
from partners.sandbox.oicp.check import breaches_of_form, breaches_of_sense
from partners.sandbox.oicp.dirt import Dirt
from partners.sandbox.oicp.ids import folded
from partners.sandbox.oicp.operations import located
from partners.sandbox.oicp.wire import refusal, status
from partners.sandbox.wire import Json, NotJsonError, decode, encode


class Desk:
    """One partner's entrance. `admits` raises Refused for callers that may not; a hub answers faults by HTTP 400."""

    def __init__(
        self,
        base: str,
        handlers: Handlers,
        complaints: Complaints,
        dirt: Dirt,
        *,
        admits: Callable[[Caller], None],
        is_hub: bool,
    ) -> None:
        self._base = base
        self._handlers = handlers
        self._complaints = complaints
        self._dirt = dirt
        self._admits = admits
        self._is_hub = is_hub

    async def serve(self, request: Request) -> Response:
        """Answer one request, whatever it is."""
        # located before decoding: an id may hold a slash or a plus
        raw = request.scope["raw_path"].decode("ascii")
        where = f"{request.method} {raw}"
        found = located(raw.removeprefix(self._base))
        if found is None or request.method != "POST":
            self._complaints.add(where, "there is no such operation")
            return _response(Reply({"StatusCode": status("320")}, 404 if found is None else 405))
        caller = Caller(request.scope.get(CERTIFICATE), *found, where)
        try:
            reply = await self._serve(request, caller)
        except Refused as refused:
            reply = Reply(self._refusal(caller, refused), refused.http)
        return _response(Reply(self._dirt.bend(reply.tree), reply.http))

    async def _serve(self, request: Request, caller: Caller) -> Reply:
        self._admits(caller)
        handler = self._handlers.get(caller.operation.name)
        if handler is None:
            self._complaints.add(caller.where, "this operation is not offered here")
            raise Refused("320", http=404)
        tree = await self._body(request, caller)
        named = caller.operation.party_in(tree)
        if named is not None and caller.party and folded(named) != folded(caller.party):
            self._complaints.add(caller.where, f"the path says {caller.party}, the body {named}")
            raise Refused("017", "path and body name different parties", http=401)
        self._check(caller, tree)
        return await handler(Call(caller, dict(request.query_params), tree, request.scope[MODE]))

    def _check(self, caller: Caller, tree: Json) -> None:
        """What is no message of OICP, and what makes no sense. Raises: Refused."""
        kind = caller.operation.asked
        form = breaches_of_form(kind, tree)
        for breach in form or breaches_of_sense(kind, tree):
            self._complaints.add(caller.where, breach)
        if form and self._is_hub:
            raise Refused("022", form[0][:200], http=400, tree=_faults(form))
        for breach in form or breaches_of_sense(kind, tree):
            raise Refused("022", breach[:200])

    async def _body(self, request: Request, caller: Caller) -> Json:
        if not request.headers.get("content-type", "").startswith("application/json"):
            self._complaints.add(caller.where, "the body is not declared as application/json")
        try:
            return decode(await request.body())
        except NotJsonError as error:
            self._complaints.add(caller.where, str(error))
            raise Refused("022", str(error), http=400) from error

    def _refusal(self, caller: Caller, refused: Refused) -> Json:
        if refused.tree is not None:
            return refused.tree
        if refused.http == 401:  # as the platform says it: no Result
            return {"StatusCode": status(refused.code, refused.info)}
        return refusal(caller.operation, refused.code, refused.info)


def _faults(breaches: list[str]) -> Json:
    named = [breach.partition(": ") for breach in breaches]
    errors = [{"fieldReference": at.strip("/").replace("/", "."), "errorMessage": what} for at, _, what in named]
    return {"message": "Error parsing/validating JSON.", "validationErrors": errors}


def _response(reply: Reply) -> Response:
    headers = {"Process-ID": str(uuid.uuid4())}
    return Response(encode(reply.tree), reply.http, headers, media_type="application/json")
