"""Charging profiles of the sessions of other CPOs: sent there, and what they answer brought home.

As with commands (`modules/commands/onward.py`): our response_url goes out in place of the sender's, and the result is
taken once. An ActiveChargingProfile goes the other way, from the session's CPO to the party that set a profile. It
SHALL come once one was set, and SHALL NOT before that (mod_charging_profiles_msp_put_method): then nobody is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from hub.core import trace
from hub.core.answers import Answer
from hub.core.callbacks import WAITING, Expected, announced, as_told, find, new_id, take
from hub.core.dispatch import Call
from hub.core.errors import NotFound, PeerNonsense
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.operations import EMSP_LIKE, RECEIVER, SENDER, SMALL
from hub.core.parties import PartyRole
from hub.core.ports import Hub, ProfileOutcome
from hub.core.relay import Errand, Reply, Wires, relay
from hub.core.routing import Destination, Receiver, destination
from hub.core.types import OcpiModel
from hub.core.units import ANY, Unit
from modules.chargingprofiles.model import ActiveChargingProfile, SetChargingProfile
from modules.chargingprofiles.service import response
from modules.chargingprofiles.store import Profile, key_of, put_of, set_by
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
PROFILERS: Final = EMSP_LIKE
"""Who may limit charges: those whose drivers they are. An SCSP depends on session information (mod_charging_profiles),
which goes to the driver's party alone, so it is not offered what it could not use."""


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
    expected = _expected(call, receiver, what, session_id, response_url)
    await call.hub.store.commit(Unit().put(expected.put()))
    errand = _errand(call, session_id, expected.url(call.hub, version, what), order, query or {})
    reply = await relay(call, receiver, errand)
    await announced(call.hub, expected, _wait_s(reply))
    return reply.answer(call, receiver, CHARGING_PROFILE_RESPONSE)


def _expected(call: Call, receiver: Receiver, what: str, session_id: str, response_url: str) -> Expected:
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
        subject=session_id,
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
    tree = result.tree()
    told = as_told(expected, call.version, call.raw, tree, wires)
    is_first = document.columns["state"] == WAITING
    is_set = is_first and what == "set" and tree["result"] == ProfileOutcome.ACCEPTED
    taken = await take(call.hub, expected, document, told, also=_followed(call.hub, expected) if is_set else None)
    if is_set and not taken:  # too late for its asker, and the charge is limited all the same
        await call.hub.store.commit(_followed(call.hub, expected))


def _followed(hub: Hub, expected: Expected) -> Unit:
    """A profile was set: from now on its party hears of changes."""
    key = key_of(expected.receiver_party, expected.subject)
    profile = Profile(expected.asker_party, is_followed=True)
    return Unit().put(put_of(key, profile, now=hub.clock.now(), expect=ANY))


async def changed(call: Call, session_id: str, profile: ActiveChargingProfile) -> Answer:
    """A CPO tells that a session may draw something else now: that goes to the party that has set a profile for it.

    Raises: NotFound, where none has, and for a session of another CPO; what `relay` raises.
    """
    keys = [key_of(party, session_id) for party in sorted(call.partner.parties)]
    party = await set_by(call.hub.store, keys)
    driver = await whose.driver_of(call.hub, call.partner, session_id)
    if not party or driver not in ("", party) or call.to not in ("", call.hub.settings.hub, party):
        raise NotFound("nobody has set a charging profile for such a session")
    goes = destination(call, owner=party, roles=PROFILERS)
    if not isinstance(goes, Receiver):
        raise NotFound("nobody has set a charging profile for such a session")
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
