"""Commands: what eMSPs order at our chargers, and through us at others'; and the results that those send later.

OCPI mod_commands_cpo_interface and, for the results, mod_commands_emsp_interface.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from hub.core.answers import Answer, ok
from hub.core.callbacks import posted
from hub.core.dispatch import Call
from hub.core.errors import CommandForForeignToken, CommandForUnknownLocation, PassedOn
from hub.core.jsontypes import Tree
from hub.core.operations import EMSP_LIKE, RECEIVER, SENDER, Operations
from hub.core.parties import PartyRole
from hub.core.ports import Hub
from hub.core.relay import Wires
from hub.core.routing import Receiver
from modules.commands import onward, service
from modules.commands.model import (
    CancelReservation,
    CommandResult,
    ReserveNow,
    StartSession,
    StopSession,
    UnlockConnector,
)
from modules.commands.service import NOT_SUPPORTED, REJECTED, Response, Sender
from modules.commands.wire import (
    CANCEL_RESERVATION,
    COMMAND_RESPONSE,
    COMMAND_RESULT,
    RESERVE_NOW,
    START_SESSION,
    STOP_SESSION,
    UNLOCK_CONNECTOR,
)

operations = Operations("commands", callers=EMSP_LIKE)

M = TypeVar("M", CancelReservation, ReserveNow, StartSession, StopSession, UnlockConnector)
Ours = Callable[[Hub, Sender, M], Awaitable[Response]]

_CPO: Final = frozenset({PartyRole.CPO})
_SINCE_2_2: Final = tuple(CANCEL_RESERVATION)


@operations("POST", RECEIVER, "START_SESSION", body=START_SESSION, answer=COMMAND_RESPONSE)
async def start_session(call: Call, body: StartSession) -> Answer:
    """Start a charge at one of our chargers. OCPI mod_commands_startsession_object."""
    return await _carried_out(call, "START_SESSION", body, START_SESSION, service.start_session)


@operations("POST", RECEIVER, "STOP_SESSION", body=STOP_SESSION, answer=COMMAND_RESPONSE)
async def stop_session(call: Call, body: StopSession) -> Answer:
    """Stop a charge of the caller's driver. OCPI mod_commands_stopsession_object."""
    return await _carried_out(call, "STOP_SESSION", body, STOP_SESSION, service.stop_session)


@operations("POST", RECEIVER, "RESERVE_NOW", body=RESERVE_NOW, answer=COMMAND_RESPONSE)
async def reserve_now(call: Call, body: ReserveNow) -> Answer:
    """Keep an EVSE free for a driver, or replace such a reservation. OCPI mod_commands_reservenow_object."""
    return await _carried_out(call, "RESERVE_NOW", body, RESERVE_NOW, service.reserve_now)


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
    return await _carried_out(call, "CANCEL_RESERVATION", body, CANCEL_RESERVATION, service.cancel_reservation)


@operations("POST", RECEIVER, "UNLOCK_CONNECTOR", body=UNLOCK_CONNECTOR, answer=COMMAND_RESPONSE)
async def unlock_connector(call: Call, body: UnlockConnector) -> Answer:
    """Free a cable that is stuck. OCPI mod_commands_unlockconnector_object."""
    return await _carried_out(call, "UNLOCK_CONNECTOR", body, UNLOCK_CONNECTOR, service.unlock_connector)


@operations("POST", RECEIVER, "{command}", answer=COMMAND_RESPONSE)
async def unknown_command(call: Call, command: str) -> Answer:
    """Any other command, whatever its body: NOT_SUPPORTED. OCPI mod_commands_commandresponsetype_enum."""
    return ok(_written(call, NOT_SUPPORTED))


@operations("POST", SENDER, "{command}/{result_id}", callers=_CPO, body=posted(COMMAND_RESULT))
async def post_result(call: Call, command: str, result_id: str, body: CommandResult) -> Answer:
    """What became of a command that we passed on. OCPI mod_commands_commandresult_object."""
    await onward.came(call, command, result_id, body)
    return ok()


def _sender(call: Call) -> Sender:
    return Sender(call.partner, call.version)


async def _carried_out(call: Call, name: str, order: M, wires: Wires, ours: Ours[M]) -> Answer:
    """By us or by another CPO.

    A refusal with a status code of its own carries a CommandResponse all the same (mod_commands, UNLOCK diagram).
    """
    try:
        goes = await onward.goes_to(call, order)
        if isinstance(goes, Receiver):
            said = await onward.pass_on(call, goes, name, order, wires)
        elif call.partner.stands_for(call.hub.settings.party):
            said = await ours(call.hub, _sender(call), order)
        else:
            said = onward.unknown_here(order)
    except (CommandForUnknownLocation, CommandForForeignToken, PassedOn) as fault:
        fault.data = _written(call, REJECTED)
        raise
    return ok(_written(call, said)) if isinstance(said, Response) else said


def _written(call: Call, response: Response) -> Tree:
    return call.written(COMMAND_RESPONSE, response.tree())
