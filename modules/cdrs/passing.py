"""A CDR of another CPO on to whose driver it was, once its check lets it through. OCPI mod_cdrs.

Beside what was received, a copy is put where our own CDRs are: from there it is listed, delivered and shown like them.
"""

from __future__ import annotations

from typing import Final

from hub.core import trace
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.units import Audit, Document, Unit
from modules.cdrs import store as cdrs
from modules.cdrs.doubles import is_billed_to
from modules.cdrs.store import Passing, Standing
from modules.commands.references import may_have_lost_it, with_reference
from modules.sessions.matching import session_of
from modules.tokens.whose import addressed, met_over

PASSES: Final = frozenset({Passing.FREE, Passing.RELEASED})

_LIMIT: Final = 8 * 1024 * 1024


async def passed_on(hub: Hub, tree: Tree, standing: Standing, unit: Unit, *, partner: str) -> None:
    """Add to `unit` what lets the token's owner have the CDR that `partner` brought, unless it is held.

    Where that is nobody yet, the copy is kept all the same, and waits (`waiting.py`).
    """
    if standing.state not in PASSES:
        return
    owner = str(Party.of(tree["country_code"], tree["party_id"]))
    if await cdrs.find(hub.store, cdrs.key_of(owner, tree["id"])) is not None:
        return
    tree, goes = await addressed(hub, owner, "cdrs", tree, over=met_over(hub, partner))
    tree, takes = await with_reference(hub, owner, tree)
    least = await _least(hub, tree, goes.party)
    put = cdrs.put_of(await _with_session(hub, owner, tree), goes.party, {}, session="", least=least)
    unit.put(put).joins(takes)
    if goes.waits is None:
        unit.tells(cdrs.change_of(put, trace.correlation()))
    else:
        unit.audited(Audit("busbar", f"cdr.{goes.waits}", put.key, goes.rule))


async def addressed_anew(hub: Hub, document: Document) -> Unit | None:
    """What lets a CDR go to whom it is for, that was nobody's until now; None where it still is."""
    came = await cdrs.find_received(hub.store, document.key)
    over = met_over(hub, came.columns["partner"]) if came is not None else ""
    tree, goes = await addressed(hub, document.owner, "cdrs", parse(document.body, limit=_LIMIT), over=over)
    if goes.waits is not None:
        return None
    tree, takes = await with_reference(hub, document.owner, tree)
    least, session = await _least(hub, tree, goes.party), document.columns["session"]
    told = await _with_session(hub, document.owner, tree)
    put = cdrs.put_of(told, goes.party, {}, session=session, least=least, expect=document.version)
    unit = Unit().put(put).joins(takes).tells(cdrs.change_of(put, trace.correlation()))
    return unit.audited(Audit("busbar", "cdr.addressed", put.key, goes.rule))


async def _with_session(hub: Hub, owner: str, tree: Tree) -> Tree:
    """The CDR with the id of the session that it bills, where its version could not say it and there is no doubt."""
    if tree.get("session_id") is not None or not may_have_lost_it(hub, owner):
        return tree
    session_id = await session_of(hub.store, owner, tree)
    return tree if session_id is None else {**tree, "session_id": session_id}


async def _least(hub: Hub, tree: Tree, audience: str) -> str:
    """The oldest version in which a CDR may go out: who cannot be told of a credit is not billed anew either."""
    return cdrs.CREDITS_SINCE if await is_billed_to(hub.store, tree, audience) else ""
