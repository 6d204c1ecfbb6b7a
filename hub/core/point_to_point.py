"""What its owner addresses to one party (OCPI-to) goes from point to point: the answer is that party's own.

    owner --PUT, TO party--> hub --PUT, FROM owner, TO party--> party
          <--its answer-----     <--its answer-----------------
                                 and what it took is kept here, for that party alone

The copy is made once the party has taken the object, and no lane sends it once more. So what is on record is what was
accepted: of what was refused, or was not answered, nothing is. A crash between the two leaves the owner without an
answer, and it sends again what may be repeated: PUT, PATCH and DELETE.

What the party's version has no words for as it came (a location that is not published any more, a part that is removed)
is kept where the party got the whole before: its lane finds the words, and we answer for ourselves.

What the party took and we cannot keep, such as a PATCH of an object that never went this way as a whole, is the party's
all the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import structlog

from hub.core.answers import Answer, ok, says_unknown_object
from hub.core.dialect import NO_CONTEXT, VERSIONS, NotExpressible
from hub.core.errors import InvalidRequest, NotFound, PassedOn
from hub.core.failpoints import failpoint
from hub.core.jsontypes import Tree
from hub.core.relay import Errand, relay, said
from hub.core.request import NO_QUERY
from hub.core.routing import Destination, Receiver

if TYPE_CHECKING:
    from hub.core.dispatch import Call

log = structlog.get_logger()

Context = Mapping[str, Any]
Keep = Callable[[], Awaitable[bool | None]]
"""Write what the call brings. True: it is new here."""
_WITHDRAWS: Final = "DELETE"
_PARTY: Final = ("country_code", "party_id")


async def push(
    call: Call,
    goes: Destination,
    tree: Tree | None,
    keep: Keep,
    *,
    query: Mapping[str, str] = NO_QUERY,
    context: Context = NO_CONTEXT,
) -> Answer:
    """Hand on what `call` brings to the party that it is addressed to, and `keep` it; without such a party, keep it.

    `tree` is its body in our form, `query` what the receiver is asked with, `context` what an older version is to know
    beside the body (`Wire.write`). Raises: as `relay`, and as `keep`.
    """
    if not isinstance(goes, Receiver):
        return ok(created=bool(await keep()))
    try:
        reply = await relay(call, goes, _errand(call, tree, query, context))
    except PassedOn as refused:
        if call.operation.method == _WITHDRAWS and says_unknown_object(refused.http, refused.status_code):
            await _kept(call, keep)
        raise
    failpoint("point_to_point.accepted")
    await _kept(call, keep)
    return reply.answer(call, goes, None)


async def ask(call: Call, receiver: Receiver, *, query: Mapping[str, str] = NO_QUERY) -> Answer:
    """What `receiver` has of an object of the caller. Raises: as `relay`."""
    reply = await relay(call, receiver, _errand(call, None, query))
    return reply.answer(call, receiver, call.operation.answer)


def can_say(call: Call, receiver: Receiver, tree: Tree, context: Context = NO_CONTEXT) -> bool:
    """Has the receiver's version words for what `call` brings, `tree` in our form, as it came?"""
    version, wires = receiver.partner.version or VERSIONS[-1], call.operation.body
    if version == call.version or wires is None:
        return True
    try:
        said(wires[version], call.operation.method, tree, context)
    except NotExpressible:
        return False
    return True


def _errand(call: Call, tree: Tree | None, query: Mapping[str, str], context: Context = NO_CONTEXT) -> Errand:
    """The request as it came: on the same path, below the receiver's endpoint. 2.1.1 has its party there alone."""
    operation, named = call.operation, call.reading.parameters
    return Errand(
        method=operation.method,
        module=operation.module,
        side=operation.side,
        path=tuple(named.values()),
        query=query,
        body=tree,
        raw=call.raw or None,
        wires=operation.body,
        answers=operation.answer,
        context=context,
        given={name: named[name].upper() for name in _PARTY if name in named},
    )


async def _kept(call: Call, keep: Keep) -> None:
    try:
        await keep()
    except (NotFound, InvalidRequest) as fault:
        log.info("taken by its receiver, not kept", module=call.operation.module, error=fault.message)
