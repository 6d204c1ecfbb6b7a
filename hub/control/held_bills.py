"""Bills that are held or credited, and what an operator decides: as measured, for a figure of theirs, or never."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.control.asks import BillHeld, CorrectHeld, ReleaseHeld
from hub.control.records import charge_of
from hub.control.stations import register
from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from modules.sessions import service as sessions
from partners.ocpp import journal, unplaced
from partners.ocpp.journal import Record
from partners.ocpp.unplaced import Verdict

if TYPE_CHECKING:
    from hub.app import Program


async def bill(program: Program, session_id: str, ask: BillHeld, *, actor: str) -> Tree:
    """Bill a charge that is held, or whose CDR was credited.

    Returns: the charge. Raises: NotFound, InvalidRequest (neither, or no price), Conflict.
    """
    await sessions.release(
        program.hub, session_id, actor=actor, kwh=sessions.AS_METERED if ask.kwh is None else ask.kwh
    )
    return await charge_of(program, session_id)


async def release(program: Program, session_id: str, ask: ReleaseHeld, *, actor: str) -> Tree:
    """Bill a held charge as its charger measured it; one that has no session, where and to whom it is said.

    Returns and raises: as `bill`.
    """
    waits = await unplaced.find(program.store, session_id)
    if waits is not None:
        return await _settled(program, waits, Verdict(ask.evse_uid, ask.token), actor)
    if ask.evse_uid or ask.token:
        await charge_of(program, session_id)
        raise InvalidRequest(f"/{'evse_uid' if ask.evse_uid else 'token'}: it has its session, so this is known")
    await sessions.release(program.hub, session_id, actor=actor, kwh=sessions.AS_METERED)
    return await charge_of(program, session_id)


async def correct(program: Program, session_id: str, ask: CorrectHeld, *, actor: str) -> Tree:
    """Bill a held charge for the operator's figure. Returns and raises: as `bill`."""
    if await unplaced.find(program.store, session_id) is not None:
        raise InvalidRequest("this one has no session yet: release it first, and then correct what it is held for")
    await sessions.release(program.hub, session_id, actor=actor, kwh=ask.kwh, end=ask.ended_at())
    return await charge_of(program, session_id)


async def drop(program: Program, session_id: str, *, actor: str) -> Tree:
    """Never bill a held charge. Returns and raises: as `bill`."""
    waits = await unplaced.find(program.store, session_id)
    if waits is not None:
        return await _settled(program, waits, Verdict(drops=True), actor)
    await sessions.drop(program.hub, session_id, actor=actor)
    return await charge_of(program, session_id)


async def _settled(program: Program, waits: Record, verdict: Verdict, actor: str) -> Tree:
    await register(program)
    await program.stations.settle_unplaced(waits.station, unplaced.name_of(waits), verdict, actor=actor)
    after = await journal.find_record(program.store, waits.key)
    if after is not None and after.session:
        return await charge_of(program, after.session)
    shown = {name: value for name, value in unplaced.shown(waits).items() if name != "held_because"}
    return {**shown, "held": False, "decided": "dropped"}
