"""What OICP is told of EVSEs, in the operator's hands: the terms of each CPO, and what keeps EVSEs from being told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from hub.control.oicp_asks import OicpOperator
from hub.core.errors import Conflict, NotFound
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from partners.oicp import findings as found

if TYPE_CHECKING:
    from hub.app import Program


async def operators(program: Program) -> list[Tree]:
    """All CPOs of whom something was said, by party."""
    known = program.oicp.operators
    await known.refresh()
    return [{"party": party, "terms": terms} for party, terms in known.all().items()]


async def operator(program: Program, party: str) -> Tree:
    """One. Raises: NotFound, InvalidRequest."""
    at = str(Party.parse(party))
    for each in await operators(program):
        if each["party"] == at:
            return each
    raise NotFound("nothing was said of this operator")


async def say_operator(program: Program, party: str, ask: OicpOperator, *, actor: str) -> Tree:
    """Set terms of a CPO; what is not named stays, null takes one back. Raises: InvalidRequest."""
    at = Party.parse(party)
    terms = await program.oicp.operators.say(at, ask.model_dump(exclude_unset=True), actor=actor)
    return {"party": str(at), "terms": terms}


async def findings(program: Program) -> list[Tree]:
    """What keeps things from partners of OICP: hubs that fail or wait for a word, then by owner and reason."""
    oicp = program.oicp
    works = (oicp.evse_push, oicp.evse_pull, oicp.status_pull, oicp.exchanges.sets)
    first = [line for work in works for line in await work.shown()]
    return [*first, *await found.shown(program.store)]


async def resend(program: Program, session: str, *, actor: str) -> Tree:
    """A charge detail record that is held or refused is brought again. Raises: NotFound."""
    await program.oicp.records.resend(session, actor=actor)
    return {"resent": session}


async def confirm(program: Program, name: str, what: str, *, actor: str) -> Tree:
    """What is held towards a hub, or from it, as it is more than may go by itself, goes: one thing at a time.

    Raises: NotFound; Conflict, where more than one is held and it is not said which.
    """
    await program.oicp_door.refresh()
    held = await _held(program, name, actor)
    if not held or (what and what not in held):
        raise NotFound("nothing is held there")
    if not what and len(held) > 1:
        raise Conflict(f"more than one is held there: say which of {', '.join(held)}")
    await held[what or next(iter(held))]()
    return {"confirmed": name}


async def _held(program: Program, name: str, actor: str) -> dict[str, Callable[[], Awaitable[None]]]:
    """How each thing that is held is let go, by its name."""
    push, pull, sets = program.oicp.evse_push, program.oicp.evse_pull, program.oicp.exchanges.sets
    held: dict[str, Callable[[], Awaitable[None]]] = {}
    if await push.holds(name):
        held["pushed"] = partial(push.confirm, name, actor=actor)
    if await pull.holds(name):
        held["pulled"] = partial(pull.confirm, name, actor=actor)
    held.update({each: partial(sets.confirm, name, each, actor=actor) for each in await sets.held(name)})
    return held
