"""A charger answers a command after its time: its sender was told TIMEOUT, and that stands.

A reservation that it made after all is given back, as nobody counts on it; one that it gave up after all is over.
"""

from __future__ import annotations

from typing import Final

import structlog

from hub.core.errors import Conflict
from hub.core.ports import Hub, Outcome
from modules.commands import reservations, results
from modules.commands import store as commands
from modules.commands.store import ASKED

log = structlog.get_logger()

_ATTEMPTS: Final = 8


async def answered(hub: Hub, station: str, name: str, outcome: Outcome) -> None:
    """Record what it said, and do what follows from that. `name`: the command."""
    command = await results.late(hub, station, name, outcome)
    if command is None or not command.reservation:
        return
    if name == "CANCEL_RESERVATION":
        await _given_up(hub, command.reservation, outcome)
    elif outcome is Outcome.ACCEPTED:
        await _give_back(hub, command.reservation)


async def _give_back(hub: Hub, key: str) -> None:
    document = await reservations.document_of(hub, key)
    again = (command for command in await commands.unfinished(hub.store) if command.reservation == key)
    if document.columns["state"] != ASKED or any(again):
        return  # it was asked for again, and the answer to that counts
    log.warning("a reservation that was made too late is given back", station=document.columns["station"], key=key)
    outcome = await reservations.cancel(hub, commands.reservation_in(document))
    await _given_up(hub, key, outcome)


async def _given_up(hub: Hub, key: str, outcome: Outcome) -> None:
    for _ in range(_ATTEMPTS):
        unit = await reservations.settle_cancel(hub, key, outcome)
        try:
            await hub.store.commit(unit)
        except Conflict:
            continue
        return
    raise Conflict
