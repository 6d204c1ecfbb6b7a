"""What a partner may order at our chargers. OCPI mod_commands, receiver interface.

Each function decides at once whether the order can go to a charger, writes it down, and lets `results` do the rest. The
answer says only that: ACCEPTED means that a connected charger is being asked (REQ-195). Whether a token is valid is not
asked here: its owner authorized it before (REQ-198).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from msgspec.structs import replace

from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.units import Unit
from modules.commands import places, reservations, reserving, results
from modules.commands import store as commands
from modules.commands.consent import consent, settle
from modules.commands.model import CancelReservation, ReserveNow, StartSession, StopSession, UnlockConnector
from modules.commands.response_url import check_response_url
from modules.sessions.charge import Charge, load
from modules.tokens import service as tokens
from modules.tokens.aliases import tag_of
from modules.tokens.model import Token


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends a command, and in which version its result is to be told. 2.1.1 cannot name a connector."""

    partner: Partner
    version: str

    @property
    def names_connectors(self) -> bool:
        return self.version != "2.1.1"

    def command(self, hub: Hub, name: str, response_url: str, station: str, reservation: str = "") -> commands.Command:
        """A command of this sender that is about to be accepted. `reservation`: the key of one that it is about."""
        made = results.new(hub, name, self.partner.name, self.version, response_url, station)
        return replace(made, reservation=reservation)


@dataclass(frozen=True, slots=True)
class Response:
    """A CommandResponse; `timeout_s` is 0 where no result will follow. `why` is for people."""

    result: str
    timeout_s: int = 0
    why: str = ""

    def tree(self) -> Tree:
        """In our own form."""
        message = {"message": [{"language": "en", "text": self.why}]} if self.why else {}
        return {"result": self.result, "timeout": self.timeout_s, **message}


REJECTED: Final = Response("REJECTED")
UNKNOWN_SESSION: Final = Response("UNKNOWN_SESSION")
NOT_SUPPORTED: Final = Response("NOT_SUPPORTED", why="this command is not supported")
_NOTHING_THERE: Final = Response("REJECTED", why="no charger is connected to this EVSE")
_NOTHING_FREE: Final = Response("REJECTED", why="no EVSE of this location is free and connected")
_OFFLINE: Final = Response("REJECTED", why="the charger is not connected")
_LACKS_IT: Final = Response("NOT_SUPPORTED", why="the charger does not support this")
_NOT_RUNNING: Final = Response("REJECTED", why="this session is not running")
OCCUPIED: Final = Response("REJECTED", why="another driver is charging at this EVSE")
NOT_RESERVED: Final = Response("REJECTED", why="there is no such reservation")


async def start_session(hub: Hub, sender: Sender, order: StartSession) -> Response:
    """OCPI mod_commands_startsession_object.

    Raises: CommandForUnknownLocation, CommandForForeignToken, InvalidRequest.
    """
    check_response_url(hub, sender.partner, order.response_url)
    owner = await owner_of(hub, sender.partner, order.token)
    if order.evse_uid is None and order.connector_id is not None:
        raise InvalidRequest("/evse_uid: required with connector_id")
    if order.evse_uid is None:
        place = await places.kept_for(hub, owner, order.token.uid, order.location_id)
        place = place or await places.choose(hub, order.location_id, places.TO_START)
    else:
        place = await places.find(
            hub, order.location_id, order.evse_uid, order.connector_id, must_name=sender.names_connectors
        )
    if place is None:
        return _NOTHING_FREE if order.evse_uid is None else _NOTHING_THERE
    refusal = await _unready(hub, place.station, "Core")
    if refusal is not None:
        return refusal
    id_tag = await tag_of(hub.store, owner, order.token.type, order.token.uid)
    named = {"id_tag": id_tag, "token_type": order.token.type}
    act = partial(hub.chargers.remote_start, place, **named, timeout_s=hub.settings.command_timeout_s)
    command = sender.command(hub, "START_SESSION", order.response_url, place.station)
    given = await consent(hub, command, owner, order.token, id_tag, order.authorization_reference)
    return await _accept(hub, command, given.unit, act, partial(settle, hub, given))


async def stop_session(hub: Hub, sender: Sender, order: StopSession) -> Response:
    """OCPI mod_commands_stopsession_object. A foreign session is as unknown as none. Raises: InvalidRequest."""
    check_response_url(hub, sender.partner, order.response_url)
    charge = await _own_charge(hub, sender.partner, order.session_id)
    if charge is None:
        return UNKNOWN_SESSION
    if not charge.is_open or charge.reservation_only:
        return _NOT_RUNNING
    refusal = await _unready(hub, charge.station, "Core")
    if refusal is not None:
        return refusal
    act = partial(
        hub.chargers.remote_stop,
        charge.station,
        transaction=charge.session_id,
        timeout_s=hub.settings.command_timeout_s,
    )
    command = sender.command(hub, "STOP_SESSION", order.response_url, charge.station)
    return await _accept(hub, command, Unit(), act)


async def unlock_connector(hub: Hub, sender: Sender, order: UnlockConnector) -> Response:
    """OCPI mod_commands_unlockconnector_object. Never while another partner's driver charges there.

    Raises: CommandForUnknownLocation, InvalidRequest.
    """
    check_response_url(hub, sender.partner, order.response_url)
    place = await places.find(hub, order.location_id, order.evse_uid, order.connector_id)
    if place is None:
        return _NOTHING_THERE
    refusal = await _unready(hub, place.station, "Core")
    if refusal is not None:
        return refusal
    if await places.owners_at(hub, place) - sender.partner.parties:
        return OCCUPIED
    act = partial(hub.chargers.unlock, place, timeout_s=hub.settings.command_timeout_s)
    command = sender.command(hub, "UNLOCK_CONNECTOR", order.response_url, place.station)
    return await _accept(hub, command, Unit(), act)


async def reserve_now(hub: Hub, sender: Sender, order: ReserveNow) -> Response:
    """OCPI mod_commands_reservenow_object. The same reservation_id again replaces (REQ-201).

    Raises: CommandForUnknownLocation, CommandForForeignToken, InvalidRequest.
    """
    check_response_url(hub, sender.partner, order.response_url)
    owner = await owner_of(hub, sender.partner, order.token)
    if order.expiry_date <= hub.clock.now():
        raise InvalidRequest("/expiry_date: lies in the past")
    if order.evse_uid is None:
        place = await places.choose(hub, order.location_id, places.TO_RESERVE)
    else:
        place = await places.find(hub, order.location_id, order.evse_uid, None)
    if place is None:
        return _NOTHING_FREE if order.evse_uid is None else _NOTHING_THERE
    refusal = await _unready(hub, place.station, "Reservation")
    if refusal is not None:
        return refusal
    id_tag = await tag_of(hub.store, owner, order.token.type, order.token.uid)
    wish = reserving.wished(sender.partner.name, sender.version, order, owner, place, id_tag)
    await reserving.ask(hub, wish)
    command = sender.command(hub, "RESERVE_NOW", order.response_url, place.station, wish.key)
    given = await consent(hub, command, owner, order.token, id_tag, order.authorization_reference)
    act, after = partial(reserving.reserve, hub, wish), partial(reserving.settle_reserve, hub, wish, given)
    return await _accept(hub, command, given.unit, act, after)


async def cancel_reservation(hub: Hub, sender: Sender, order: CancelReservation) -> Response:
    """OCPI mod_commands_cancelreservation_object. Raises: InvalidRequest."""
    check_response_url(hub, sender.partner, order.response_url)
    reservation = await reservations.standing(hub, sender.partner.parties, order.reservation_id)
    if reservation is None:
        return NOT_RESERVED
    refusal = await _unready(hub, reservation.station, "Reservation")
    if refusal is not None:
        return refusal
    command = sender.command(hub, "CANCEL_RESERVATION", order.response_url, reservation.station, reservation.key)
    act = partial(reservations.cancel, hub, reservation)
    return await _accept(hub, command, Unit(), act, partial(reservations.settle_cancel, hub, reservation.key))


async def _accept(
    hub: Hub, command: commands.Command, unit: Unit, act: results.Act, after: results.Settle | None = None
) -> Response:
    """The order is on disk before its sender reads ACCEPTED."""
    await hub.store.commit(unit.put(commands.command_put(command)))
    hub.background.start(results.perform(hub, command, act, after), name=f"command {command.id}")
    return Response("ACCEPTED", timeout_s=results.announced_s(hub))


async def _unready(hub: Hub, station: str, feature: str) -> Response | None:
    """Why the charger cannot be asked, if so. Offline comes first: what it supports is then hearsay."""
    if not await hub.chargers.reachable(station):
        return _OFFLINE
    if not await hub.chargers.supports(station, feature):
        return _LACKS_IT
    return None


async def owner_of(hub: Hub, partner: Partner, token: Token) -> Party:
    """Whose driver it is, by the sender's word (REQ-200). Raises: CommandForForeignToken."""
    return await tokens.owner_claimed(hub.store, partner, token.country_code, token.party_id, token.uid)


async def _own_charge(hub: Hub, partner: Partner, session_id: str) -> Charge | None:
    """Our session ids are UUIDs in lower case; partners may write them in any (CiString)."""
    charge = await load(hub.store, session_id.lower())
    return charge if charge is not None and charge.owner in partner.parties else None
