"""Why a bill is held, in the views of the charge and of its session: a doubt, or what it could not be priced for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.units import Document
from modules.sessions.charge import CHARGES, HELD, charge_in

if TYPE_CHECKING:
    from hub.app import Program

_LIMIT: Final = 8 * 1024 * 1024


def of_charge(document: Document) -> Tree:
    """`held_because`, for the view of a charge; nothing where none is held."""
    return {"held_because": charge_in(document).why_held} if document.columns["state"] == HELD else {}


async def with_sessions(program: Program, documents: Sequence[Document]) -> list[Any]:
    """Sessions as they are kept; with `held_because` those of our own whose bill is held."""
    ours = [document.columns["id"] for document in documents if document.owner == program.settings.party]
    if not ours:
        return [msgspec.Raw(document.body) for document in documents]
    among = {"key": ours, "state": (HELD,)}
    held = await program.store.page(CHARGES, date_from=None, date_to=None, offset=0, limit=len(ours), among=among)
    why = {f"{program.settings.party}/{each.key}".upper(): of_charge(each) for each in held.documents}
    return [_with(document, why.get(document.key.upper())) for document in documents]


def _with(document: Document, why: Tree | None) -> Any:
    return {**parse(document.body, limit=_LIMIT), **why} if why else msgspec.Raw(document.body)
