"""Charging profiles of the sessions of other CPOs: sent there, and what they answer brought home.

As with commands (`modules/commands/onward.py`): our response_url goes out in place of the sender's, and the result is
taken once. An ActiveChargingProfile goes the other way, from the session's CPO to the party that set a profile.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from hub.core import trace
from hub.core.answers import Answer
from hub.core.callbacks import Expected, announced, as_told, find, new_id, take
from hub.core.dispatch import Call
from hub.core.errors import NotFound, PeerNonsense
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.operations import EMSP_LIKE, RECEIVER, SENDER, SMALL
from hub.core.parties import PartyRole
from hub.core.relay import Errand, Reply, Wires, relay
from hub.core.routing import Destination, Receiver, destination
from hub.core.types import OcpiModel
from hub.core.units import Unit
from modules.chargingprofiles.model import ActiveChargingProfile, SetChargingProfile
from modules.chargingprofiles.service import response
from modules.chargingprofiles.wire import (
    ACTIVE_CHARGING_PROFILE,
    CHARGING_PROFILE_RESPONSE,
    SET_CHARGING_PROFILE,
    VERSIONS,
)
from modules.commands.response_url import check_response_url
from modules.commands.results import announced_s
from modules.sessions import whose

_CPO: Final = frozenset({PartyRole.CPO})
PROFILERS: Final = EMSP_LIKE | {PartyRole.SCSP}
"""Who may limit charges."""


async def goes_to(call: Call, session_id: str) -> Destination:
    """Who limits the session. Raises: UnknownReceiver, PeerUnreachable, InvalidRequest."""
    is_open = call.to in ("", call.hub.settings.hub)
    owner = await whose.owner_of(call.hub, call.partner, session_id) if is_open else ""
    return destination(call, owner=owner, roles=_CPO)


async def pass_on(
    call: Call,
    receiver: Receiver,
    what: str,
    session_id: str,
    response_url: str,
    *,
    order: SetChargingProfile | None = None,
    query: Mapping[str, str] | None = None,
) -> Answer | Tree:
    """Send the wish to the CPO. Returns: its answer, or ours where it cannot be asked.

    Raises: InvalidRequest; what `relay` raises.
    """
    check_response_url(call.hub, call.partner, response_url)
    if await whose.is_drivers(call.hub, call.partner, session_id, receiver.party) is False:
        return response("UNKNOWN_SESSION")
    version = receiver.partner.version or ""
    if version not in VERSIONS:
        return response("NOT_SUPPORTED")
    expected = _expected(call, receiver, what, response_url)
    await call.hub.store.commit(Unit().put(expected.put()))
    errand = _errand(call, session_id, expected.url(call.hub, version, what), order, query or {})
    reply = await relay(call, receiver, errand)
    await announced(call.hub, expected, _wait_s(reply))
    return reply.answer(call, receiver, CHARGING_PROFILE_RESPONSE)


def _expected(call: Call, receiver: Receiver, what: str, response_url: str) -> Expected:
    wait_s = call.hub.settings.relay_timeout_s + announced_s(call.hub)
    return Expected(
        id=new_id(),
        module="chargingprofiles",
        about=what,
        asker=call.partner.name,
        asker_party=call.asker,
        version=call.version,
        response_url=response_url,
        receiver=receiver.partner.name,
        receiver_party=receiver.party,
        until=call.hub.clock.now() + timedelta(seconds=wait_s),
        correlation_id=trace.correlation(),
    )


def _errand(
    call: Call, session_id: str, url: str, order: SetChargingProfile | None, query: Mapping[str, str]
) -> Errand:
    """PUT has the response_url in its body, GET and DELETE in the query."""
    common: dict[str, Any] = {"path": (session_id,), "answers": CHARGING_PROFILE_RESPONSE}
    method, module = call.operation.method, call.operation.module
    if order is None:
        return Errand(method=method, module=module, side=RECEIVER, query={**query, "response_url": url}, **common)
    return Errand(
        method=method,
        module=module,
        side=RECEIVER,
        body={**order.tree(), "response_url": url},
        raw=encode({**parse(call.raw, limit=SMALL), "response_url": url}),
        wires=SET_CHARGING_PROFILE,
        **common,
    )


def _wait_s(reply: Reply) -> int:
    """Raises: PeerNonsense."""
    if reply.tree is None:
        raise PeerNonsense("the receiver's answer holds no ChargingProfileResponse")
    return int(reply.tree["timeout"]) if reply.tree["result"] == "ACCEPTED" else 0


async def came(call: Call, what: str, result_id: str, result: OcpiModel, wires: Wires) -> None:
    """The CPO tells what came of a wish. A second or late result changes nothing. Raises: NotFound."""
    expected, document = await find(call.hub, result_id, by=call.partner.name)
    if (expected.module, expected.about) != (call.operation.module, what):
        raise NotFound
    await take(call.hub, expected, document, as_told(expected, call.version, call.raw, result.tree(), wires))


async def changed(call: Call, session_id: str, profile: ActiveChargingProfile) -> Answer:
    """A CPO tells that a session may draw something else now: that goes to the party whose driver charges.

    Raises: NotFound, also for a session of another CPO; what `relay` raises.
    """
    audience = await whose.driver_of(call.hub, call.partner, session_id)
    if audience is None or (audience and call.to not in ("", call.hub.settings.hub, audience)):
        raise NotFound
    goes = destination(call, owner=audience, roles=PROFILERS)
    if not isinstance(goes, Receiver):
        raise NotFound
    errand = Errand(
        method="PUT",
        module=call.operation.module,
        side=SENDER,
        path=(session_id,),
        body=profile.tree(),
        raw=call.raw,
        wires=ACTIVE_CHARGING_PROFILE,
    )
    return (await relay(call, goes, errand)).answer(call, goes, None)
