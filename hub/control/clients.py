"""Who is connected, as partners are told it, and what other hubs told us."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.core.behind import Told
from hub.core.jsontypes import Tree
from hub.core.units import Document
from modules.hubclientinfo.store import CLIENTS

if TYPE_CHECKING:
    from hub.app import Program

_MOST = 1_000_000


async def listed(program: Program) -> Tree:
    """Every party in each of its roles: its state, since when, and why. `told`: each hub's word on those behind it."""
    items = [_shown(document) for document in await program.store.select(CLIENTS, order="key", limit=_MOST)]
    await program.hub.behind.refresh()
    told = [_told(program, word) for word in program.hub.behind.all()]
    return {"items": items, "total": len(items), "told": told}


def _shown(document: Document) -> Tree:
    columns = document.columns
    return {
        "party": document.owner,
        "role": columns["role"],
        "status": columns["status"],
        "since": columns["since"],
        "partner": columns["partner"],
        "why": columns["why"],
    }


def _told(program: Program, word: Told) -> Tree:
    """`agreed`: does the hub speak for that party here? Else nobody reaches it so, and nobody is told."""
    hub = program.hub.registry.find(word.partner)
    agreed = hub is not None and any(c.role is word.role and str(c.party) == word.party for c in hub.claims)
    return {
        "hub": word.partner,
        "party": word.party,
        "role": word.spelled,
        "status": word.status.value,
        "since": word.at,
        "agreed": agreed,
    }
