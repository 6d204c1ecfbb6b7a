"""Bills that are held until an operator has decided: billed as measured, for a figure of theirs, or never."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.control.asks import BillHeld, CorrectHeld
from hub.control.records import charge_of
from hub.core.jsontypes import Tree
from modules.sessions import service as sessions

if TYPE_CHECKING:
    from hub.app import Program


async def bill(program: Program, session_id: str, ask: BillHeld, *, actor: str) -> Tree:
    """Bill a held charge. Returns: the charge. Raises: NotFound, InvalidRequest (not held, no price), Conflict."""
    await sessions.release(
        program.hub, session_id, actor=actor, kwh=sessions.AS_METERED if ask.kwh is None else ask.kwh
    )
    return await charge_of(program, session_id)


async def release(program: Program, session_id: str, *, actor: str) -> Tree:
    """Bill a held charge as its charger measured it. Returns and raises: as `bill`."""
    await sessions.release(program.hub, session_id, actor=actor, kwh=sessions.AS_METERED)
    return await charge_of(program, session_id)


async def correct(program: Program, session_id: str, ask: CorrectHeld, *, actor: str) -> Tree:
    """Bill a held charge for the operator's figure. Returns and raises: as `bill`."""
    await sessions.release(program.hub, session_id, actor=actor, kwh=ask.kwh, end=ask.ended_at())
    return await charge_of(program, session_id)


async def drop(program: Program, session_id: str, *, actor: str) -> Tree:
    """Never bill a held charge. Returns and raises: as `bill`."""
    await sessions.drop(program.hub, session_id, actor=actor)
    return await charge_of(program, session_id)
