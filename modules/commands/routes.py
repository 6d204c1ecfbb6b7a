"""Commands, as their receiver: what eMSPs order at our chargers. OCPI mod_commands_cpo_interface."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final

from hub.core.answers import Answer, ok
from hub.core.dispatch import Call
from hub.core.errors import CommandForForeignToken, CommandForUnknownLocation
from hub.core.jsontypes import Tree
from hub.core.operations import EMSP_LIKE, RECEIVER, Operations
from modules.commands import service
from modules.commands.model import CancelReservation, ReserveNow, StartSession, StopSession, UnlockConnector
from modules.commands.service import NOT_SUPPORTED, REJECTED, Response, Sender
from modules.commands.wire import (
    CANCEL_RESERVATION,
    COMMAND_RESPONSE,
    RESERVE_NOW,
    START_SESSION,
    STOP_SESSION,
    UNLOCK_CONNECTOR,
)

operations = Operations("commands", callers=EMSP_LIKE)

_SINCE_2_2: Final = tuple(CANCEL_RESERVATION)


@operations("POST", RECEIVER, "START_SESSION", body=START_SESSION, answer=COMMAND_RESPONSE)
async def start_session(call: Call, body: StartSession) -> Answer:
    """Start a charge at one of our chargers. OCPI mod_commands_startsession_object."""
    return await _answered(call, service.start_session(call.hub, _sender(call), body))


@operations("POST", RECEIVER, "STOP_SESSION", body=STOP_SESSION, answer=COMMAND_RESPONSE)
async def stop_session(call: Call, body: StopSession) -> Answer:
    """Stop a charge of the caller's driver. OCPI mod_commands_stopsession_object."""
    return await _answered(call, service.stop_session(call.hub, _sender(call), body))


@operations("POST", RECEIVER, "RESERVE_NOW", body=RESERVE_NOW, answer=COMMAND_RESPONSE)
async def reserve_now(call: Call, body: ReserveNow) -> Answer:
    """Keep an EVSE free for a driver, or replace such a reservation. OCPI mod_commands_reservenow_object."""
    return await _answered(call, service.reserve_now(call.hub, _sender(call), body))


@operations(
    "POST",
    RECEIVER,
    "CANCEL_RESERVATION",
    body=CANCEL_RESERVATION,
    answer=COMMAND_RESPONSE,
    versions=_SINCE_2_2,
)
async def cancel_reservation(call: Call, body: CancelReservation) -> Answer:
    """Give a reservation up. OCPI mod_commands_cancelreservation_object."""
    return await _answered(call, service.cancel_reservation(call.hub, _sender(call), body))


@operations("POST", RECEIVER, "UNLOCK_CONNECTOR", body=UNLOCK_CONNECTOR, answer=COMMAND_RESPONSE)
async def unlock_connector(call: Call, body: UnlockConnector) -> Answer:
    """Free a cable that is stuck. OCPI mod_commands_unlockconnector_object."""
    return await _answered(call, service.unlock_connector(call.hub, _sender(call), body))


@operations("POST", RECEIVER, "{command}", answer=COMMAND_RESPONSE)
async def unknown_command(call: Call, command: str) -> Answer:
    """Any other command, whatever its body: NOT_SUPPORTED. OCPI mod_commands_commandresponsetype_enum."""
    return ok(_written(call, NOT_SUPPORTED))


def _sender(call: Call) -> Sender:
    return Sender(call.partner, call.version)


async def _answered(call: Call, response: Awaitable[Response]) -> Answer:
    """A refusal with a status code of its own carries a CommandResponse all the same (mod_commands, UNLOCK diagram)."""
    try:
        return ok(_written(call, await response))
    except (CommandForUnknownLocation, CommandForForeignToken) as fault:
        fault.data = _written(call, REJECTED)
        raise


def _written(call: Call, response: Response) -> Tree:
    return COMMAND_RESPONSE[call.version].write(response.tree())[0]
