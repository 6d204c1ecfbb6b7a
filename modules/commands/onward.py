"""Commands for the chargers of other CPOs: sent there, and the result brought home. OCPI mod_commands.

    eMSP --command, response_url: theirs--> hub --command, response_url: ours--> CPO
         <--CommandResponse--------------       <--CommandResponse--------------
         <--CommandResult----------------       <--CommandResult----------------    later, at the response_urls

Where a command goes, the OCPI-to headers say; without them the location, the session or the reservation on record does.
We see to it that the token or the session is the sender's, since a CPO of 2.1.1 cannot: it sees us alone. All else is
the CPO's to decide. The result is taken once (`hub/core/callbacks.py`); that of a RESERVE_NOW may be followed by
CANCELED_RESERVATION until the reservation expires (REQ-204).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace as changed
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from msgspec.structs import replace

from hub.core import trace
from hub.core.answers import Answer
from hub.core.callbacks import WAITING, Expected, announced, as_told, find, new_id, take
from hub.core.dispatch import Call
from hub.core.errors import CommandForUnknownLocation, NotFound, PeerNonsense
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.operations import RECEIVER, SMALL
from hub.core.parties import PartyRole
from hub.core.ports import Hub, Outcome
from hub.core.relay import Errand, Reply, Wires, relay
from hub.core.routing import Destination, Receiver, destination
from hub.core.units import Document, Unit
from modules.commands import passed_on, references, reservations, results, service
from modules.commands.model import (
    CancelReservation,
    CommandResult,
    ReserveNow,
    StartSession,
    StopSession,
    UnlockConnector,
)
from modules.commands.response_url import check_response_url
from modules.commands.service import NOT_RESERVED, NOT_SUPPORTED, OCCUPIED, UNKNOWN_SESSION, Response
from modules.commands.wire import COMMAND_RESPONSE, COMMAND_RESULT
from modules.locations import service as locations
from modules.sessions import whose
from modules.tokens.whose import remember_order

Order = StartSession | StopSession | ReserveNow | CancelReservation | UnlockConnector

log = structlog.get_logger()

_CPO: Final = frozenset({PartyRole.CPO})
_CANCELED: Final = "-canceled"
"""Behind the id of the result of a RESERVE_NOW: what may follow it."""


async def goes_to(call: Call, order: Order) -> Destination:
    """Who carries the order out. Raises: UnknownReceiver, PeerUnreachable, InvalidRequest."""
    is_open = call.to in ("", call.hub.settings.hub)
    return destination(call, owner=await _owner(call, order) if is_open else "", roles=_CPO)


def unknown_here(order: Order) -> Response:
    """What is said of an order for us to a connection that stands for another party: nothing of ours is known to it.

    Raises: CommandForUnknownLocation.
    """
    match order:
        case StopSession():
            return UNKNOWN_SESSION
        case CancelReservation():
            return NOT_RESERVED
        case _:
            raise CommandForUnknownLocation("there is no such location")


async def _owner(call: Call, order: Order) -> str:
    match order:
        case StopSession():
            return await whose.owner_of(call.hub, call.partner, order.session_id)
        case CancelReservation():
            parties = call.partner.parties
            if await reservations.standing(call.hub, parties, order.reservation_id) is not None:
                return ""
            return await passed_on.holder_of(call.hub, parties, order.reservation_id)
        case _:
            return await locations.owner_of(call.hub, call.partner, order.location_id, order.evse_uid)


async def pass_on(call: Call, receiver: Receiver, name: str, order: Order, wires: Wires) -> Answer | Response:
    """Send the order to the CPO. Returns: its answer, or ours where it cannot be asked.

    Raises: CommandForForeignToken, InvalidRequest; what `relay` raises.
    """
    check_response_url(call.hub, call.partner, order.response_url)
    version = receiver.partner.version or ""
    if isinstance(order, StopSession) and not await _may_stop(call, receiver, order):
        return UNKNOWN_SESSION
    if isinstance(order, UnlockConnector) and await whose.others_at(
        call.hub, call.partner, receiver.party, order.evse_uid
    ):
        return OCCUPIED
    if isinstance(order, StartSession | ReserveNow):
        await service.owner_of(call.hub, call.partner, order.token)
    if version not in wires:
        return NOT_SUPPORTED
    expected = _expected(call, receiver, name, order.response_url)
    await call.hub.store.commit(_promised(call.hub, expected, order, version))
    number = await _number(call, order) if version == "2.1.1" else None
    errand = _errand(call, name, order.tree(), expected.url(call.hub, version, name), number, wires)
    reply = await relay(call, receiver, errand if version == call.version else changed(errand, raw=None))
    await announced(call.hub, expected, _wait_s(reply))
    return reply.answer(call, receiver, COMMAND_RESPONSE)


async def _may_stop(call: Call, receiver: Receiver, order: StopSession) -> bool:
    """A session on record is its driver's eMSP's; one that is not is the CPO's to judge, if it can see who asks."""
    known = await whose.is_drivers(call.hub, call.partner, order.session_id, receiver.party)
    return receiver.partner.version != "2.1.1" if known is None else known


def _expected(call: Call, receiver: Receiver, name: str, response_url: str) -> Expected:
    """The CPO's own timeout is not known yet: ours for chargers stands for it until it has answered."""
    settings = call.hub.settings
    wait_s = settings.relay_timeout_s + results.announced_s(call.hub)
    return Expected(
        id=new_id(),
        module="commands",
        about=name,
        asker=call.partner.name,
        asker_party=call.asker,
        version=call.version,
        response_url=response_url,
        receiver=receiver.partner.name,
        receiver_party=receiver.party,
        until=call.hub.clock.now() + timedelta(seconds=wait_s),
        correlation_id=trace.correlation(),
    )


def _promised(hub: Hub, expected: Expected, order: Order, version: str) -> Unit:
    """What must be on disk before the CPO hears of the order."""
    unit = Unit().put(expected.put())
    expires: datetime | None = None
    if isinstance(order, ReserveNow):
        expires = order.expiry_date
        follows = replace(expected, id=expected.id + _CANCELED, until=expires)
        unit.put(follows.put())
        unit.put(passed_on.put_of(expected.asker_party, order.reservation_id, expected.receiver_party, expires=expires))
    if version == "2.1.1" and isinstance(order, StartSession | ReserveNow):
        _remember(hub, unit, expected.receiver_party, order, expires)
    return unit


def _remember(hub: Hub, unit: Unit, cpo: str, order: StartSession | ReserveNow, expires: datetime | None) -> None:
    """What a CPO of 2.1.1 does not say of the charge that follows: whose driver it is, and the reference."""
    unit.put(remember_order(hub, cpo, order.token, order.evse_uid, until=expires))
    if order.authorization_reference is not None:
        contract, at = order.token.contract_id, (order.evse_uid,) if order.evse_uid is not None else ()
        unit.put(references.remember(hub, cpo, contract, order.authorization_reference, evse_uids=at, until=expires))


async def _number(call: Call, order: Order) -> int | None:
    if not isinstance(order, ReserveNow):
        return None
    return await passed_on.number_of(call.hub, call.asker, order.reservation_id)


def _errand(call: Call, name: str, tree: Tree, url: str, number: int | None, wires: Wires) -> Errand:
    """The order with our address in it: as it came, but for that, where it need not be translated."""
    given: Mapping[str, Any] = {} if number is None else {"reservation_id": number}
    return Errand(
        method="POST",
        module="commands",
        side=RECEIVER,
        path=(name,),
        body={**tree, "response_url": url},
        raw=encode({**parse(call.raw, limit=SMALL), "response_url": url, **given}),
        wires=wires,
        answers=COMMAND_RESPONSE,
        context=given,
    )


def _wait_s(reply: Reply) -> int:
    """The CPO's own timeout; 0 after a refusal. Raises: PeerNonsense."""
    if reply.tree is None:
        raise PeerNonsense("the receiver's answer holds no CommandResponse")
    return int(reply.tree["timeout"]) if reply.tree["result"] == "ACCEPTED" else 0


async def came(call: Call, name: str, result_id: str, result: CommandResult) -> None:
    """The CPO tells what became of an order. A second or late result changes nothing. Raises: NotFound."""
    hub, by = call.hub, call.partner.name
    expected, document = await _awaited(hub, result_id, by)
    if (expected.module, expected.about) != (call.operation.module, name):
        raise NotFound
    if result.result == Outcome.CANCELED_RESERVATION and not _is_first(document):
        followed = await _following(hub, expected, result_id, by)
        if followed is None or not results.can_say(expected.version, Outcome.CANCELED_RESERVATION):
            log.warning("cancellation of a reservation not told", partner=expected.asker, cpo=expected.receiver_party)
            return
        expected, document = followed
    told = as_told(expected, call.version, call.raw, result.tree(), COMMAND_RESULT)
    await take(hub, expected, document, told)


def _is_first(document: Document) -> bool:
    return document.columns["state"] == WAITING and not document.key.endswith(_CANCELED)


async def _awaited(hub: Hub, result_id: str, by: str) -> tuple[Expected, Document]:
    """A reservation may last longer than its first result is remembered. Raises: NotFound."""
    if result_id.lower().endswith(_CANCELED):
        raise NotFound
    try:
        return await find(hub, result_id, by=by)
    except NotFound:
        return await find(hub, result_id + _CANCELED, by=by)


async def _following(hub: Hub, first: Expected, result_id: str, by: str) -> tuple[Expected, Document] | None:
    """What may follow a reservation that was accepted."""
    if first.body and parse(first.body, limit=SMALL).get("result") != Outcome.ACCEPTED:
        return None
    try:
        return await find(hub, result_id + _CANCELED, by=by)
    except NotFound:
        return None
