"""From the charger's outcome to the sender's `response_url`: one POST, whatever happens between.

    perform   the charger is asked; what it says is on disk before anybody hears of it
    report    the bare CommandResult goes to the sender (REQ-196); 2.1.1: in the form of a CommandResponse
    recover   after a restart: what no charger can answer any more is a TIMEOUT, what was not told is told

Who turns a command from `sent` into `answered` reports it, and nobody else. A POST is repeated where nothing was
answered, or passing trouble (see `hub/core/callbacks.py`), and only within the timeout that the sender was told: after
it the sender has given up, and the result expires (REQ-197). What the charger says after TIMEOUT is recorded and goes
nowhere (T-50).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final
from uuid import uuid4

import structlog
from msgspec.structs import replace

from hub.core import trace
from hub.core.callbacks import has_arrived, leaves_doubt
from hub.core.errors import Conflict, NotReady, PeerFault
from hub.core.inbound import encode
from hub.core.losses import pointers
from hub.core.ports import Hub, Outcome
from hub.core.registry import State
from hub.core.units import Unit
from modules.commands import store as commands
from modules.commands.store import ANSWERED, QUEUED, REPORTED, SENT, UNDELIVERED, Command
from modules.commands.wire import COMMAND_RESULT

Act = Callable[[], Awaitable[Outcome]]
Settle = Callable[[Outcome], Awaitable[Unit]]
"""What an outcome changes beside the command itself, as a unit that is not committed yet."""

log = structlog.get_logger()

RECOVERY_GRACE: Final = timedelta(seconds=2)
_ATTEMPTS: Final = 8
_PAUSES_S: Final = (1.0, 2.0, 4.0, 8.0)


def announced_s(hub: Hub) -> int:
    """The timeout that a sender is told, in s: half is the charger's, half is left to bring the result home."""
    return max(2, round(2 * hub.settings.command_timeout_s))


def new(hub: Hub, name: str, partner: str, version: str, response_url: str, station: str) -> Command:
    """A command that is about to be accepted."""
    now = hub.clock.now()
    return Command(
        id=str(uuid4()),
        command=name,
        partner=partner,
        version=version,
        response_url=response_url,
        station=station,
        asked_at=now,
        answer_by=now + timedelta(seconds=hub.settings.command_timeout_s),
        report_by=now + timedelta(seconds=announced_s(hub)),
        correlation_id=trace.correlation(),
    )


async def perform(hub: Hub, command: Command, act: Act, settle: Settle | None = None) -> None:
    """Ask the charger, record what it says, tell the sender."""
    await _change(hub, command.id, state=SENT)
    try:
        outcome = await act()
    except Exception as error:  # whatever broke on our side, the sender gets a result
        log.exception("command failed", command=command.command, error=type(error).__name__)
        outcome = Outcome.FAILED
    await _answered(hub, command.id, outcome, settle)


async def recover(hub: Hub) -> None:
    """Take up the commands that a stop of ours left unfinished. Called once at each start.

    Each waits until the charger's time is over, so that a process beside us that still works on it is not disturbed.
    """
    for command in await commands.unfinished(hub.store):
        hub.background.start(_take_up(hub, command), name=f"command {command.id}")


async def late(hub: Hub, station: str, name: str, outcome: Outcome) -> Command | None:
    """A charger answered a command after its time. The sender was told TIMEOUT; that stands.

    Returns: the command, if it is known.
    """
    command = await commands.timed_out(hub.store, station, name)
    if command is not None:
        await _record_late(hub, command, outcome)
    return command


def announce(hub: Hub, command: Command) -> None:
    """Tell of a result that nobody asked for now (CANCELED_RESERVATION); `command` is on disk as answered."""
    hub.background.start(_report(hub, command), name=f"command {command.id}")


def can_say(version: str, result: Outcome) -> bool:
    """Does `version` have a word for this result, or only a near one?"""
    written, _ = COMMAND_RESULT[version].write({"result": result.value})
    return bool(written["result"] == result.value)


async def _take_up(hub: Hub, command: Command) -> None:
    trace.begin(correlation_id=command.correlation_id)
    wait = command.answer_by + RECOVERY_GRACE - hub.clock.now()
    if wait > timedelta(0):
        await hub.clock.sleep(wait.total_seconds())
    document = await commands.find_command(hub.store, command.id)
    if document is None:
        return
    command = commands.command_in(document)
    if command.state in (QUEUED, SENT):
        await _answered(hub, command.id, Outcome.TIMEOUT, None)
    elif command.state == ANSWERED:
        await _report(hub, command)


async def _answered(hub: Hub, command_id: str, outcome: Outcome, settle: Settle | None) -> None:
    """Record the outcome and what follows from it in one unit; whoever succeeds reports."""
    for attempt in range(_ATTEMPTS):
        try:
            command = await _try_answered(hub, command_id, outcome, settle)
        except Conflict:
            continue
        except NotReady:
            await hub.clock.sleep(1.0 + attempt)
            continue
        if command is not None:
            await _report(hub, command)
        return
    log.error("command outcome could not be recorded", command_id=command_id, outcome=outcome)


async def _try_answered(hub: Hub, command_id: str, outcome: Outcome, settle: Settle | None) -> Command | None:
    """None: it was answered already. Raises: Conflict, NotReady."""
    document = await commands.find_command(hub.store, command_id)
    if document is None:
        return None
    command = commands.command_in(document)
    if command.state not in (QUEUED, SENT):
        await _record_late(hub, command, outcome)
        return None
    command = replace(command, state=ANSWERED, result=outcome.value)
    unit = await settle(outcome) if settle is not None else Unit()
    await hub.store.commit(unit.put(commands.command_put(command, expect=document.version)))
    log.info("command answered", partner=command.partner, command=command.command, result=outcome.value)
    return command


async def _record_late(hub: Hub, command: Command, outcome: Outcome) -> None:
    if outcome is not Outcome.TIMEOUT:
        await _change(hub, command.id, late=outcome.value)
        log.warning("command answered late", station=command.station, command=command.command, outcome=outcome)


async def _change(hub: Hub, command_id: str, **fields: str) -> None:
    for _ in range(_ATTEMPTS):
        document = await commands.find_command(hub.store, command_id)
        if document is None:
            return
        command = replace(commands.command_in(document), **fields)
        try:
            await hub.store.commit(Unit().put(commands.command_put(command, expect=document.version)))
        except Conflict:
            continue
        except NotReady:
            await hub.clock.sleep(1.0)
            continue
        return


async def _report(hub: Hub, command: Command) -> None:
    told = await _tell(hub, command)
    await _change(hub, command.id, state=REPORTED if told else UNDELIVERED)
    if not told:
        log.warning("command result given up", partner=command.partner, command=command.command)


async def _tell(hub: Hub, command: Command) -> bool:
    """POST the result until it arrived, or the time that was announced is over. At least one try is made."""
    written, losses = COMMAND_RESULT[command.version].write({"result": command.result})
    hub.losses.note(command.partner, "out", "commands", pointers(losses))
    body = encode(written)
    in_doubt = False
    for pause_s in (*_PAUSES_S, None):
        partner = hub.registry.find(command.partner)
        if partner is None or partner.state is not State.CONNECTED:
            return False
        try:
            await hub.peers.post_to(partner, command.response_url, body)
        except PeerFault as fault:
            arrived = has_arrived(fault, in_doubt=in_doubt)
            if arrived is not None:
                return arrived
            in_doubt = in_doubt or leaves_doubt(fault)
        else:
            return True
        if pause_s is None or hub.clock.now() + timedelta(seconds=pause_s) >= command.report_by:
            return False
        await hub.clock.sleep(pause_s)
    return False
