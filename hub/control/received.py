"""CDRs that other CPOs brought, for an operator: what their check found, and whether they may be passed on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from hub.control import undelivered
from hub.control.listing import Filter, newest, parties_of
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.units import Document
from modules.cdrs import received
from modules.cdrs import service as cdrs
from modules.cdrs.check import Claim, Verdict, check
from modules.cdrs.store import CDRS, CHECKS, RECEIVED, Passing, credited_key, find_received
from modules.cdrs.store import key_of as cdr_key
from modules.sessions.charge import frozen_location

if TYPE_CHECKING:
    from hub.app import Program

UNCHECKED: Final = "unchecked"
"""Shown for the verdict of a CDR whose check is still to come."""
VERDICTS: Final = (*(verdict.value for verdict in Verdict), UNCHECKED)
_LIMIT: Final = 8 * 1024 * 1024


async def listed(program: Program, asked: Filter, *, verdict: str | None) -> tuple[list[Tree], int]:
    """Received CDRs, the newest first. Raises: NotFound (no such partner), InvalidRequest."""
    among: dict[str, Sequence[str]] = {}
    if verdict is not None:
        among["verdict"] = ("" if verdict == UNCHECKED else verdict,)
    if asked.held:
        among["state"] = (Passing.HELD,)
    owners = parties_of(program, asked.partner)
    if owners is not None:
        among["owner"] = owners
    found = await newest(program.store, RECEIVED, asked, among=among, since=asked.since())
    return await _views(program, found.documents), found.total


async def view(program: Program, document: Document) -> Tree:
    """A received CDR, who brought it, and how it stands: by its check, and where that lets it through, on its way."""
    return (await _views(program, [document]))[0]


async def _views(program: Program, documents: Sequence[Document]) -> list[Tree]:
    passed = await program.store.get_many(CDRS, [document.key for document in documents])
    held = [document.key for document in documents if document.columns["state"] == Passing.HELD]
    because = {key: _held_because(kept) for key, kept in (await program.store.get_many(CHECKS, held)).items()}
    return [
        await _view(program, document, passed.get(document.key), held_because=because.get(document.key, ""))
        for document in documents
    ]


def _held_because(check: Document) -> str:
    kept: Tree = parse(check.body, limit=_LIMIT)
    return str(kept["held_because"])


async def _view(program: Program, document: Document, passed: Document | None, *, held_because: str) -> Tree:
    """`rule`: why it is held, or what keeps it that its check has let through."""
    columns = document.columns
    shown = {
        "cdr": msgspec.Raw(document.body),
        "partner": columns["partner"],
        "version": columns["ocpi"],
        "check": columns["verdict"] or UNCHECKED,
        "state": columns["state"],
        "rule": held_because,
    }
    if passed is None or passed.audience:
        return shown
    return shown | await undelivered.shown(program.hub, "cdrs", passed)


async def find(program: Program, owner: Party, cdr_id: str) -> Document | None:
    return await find_received(program.store, cdr_key(owner, cdr_id))


async def checked(program: Program, owner: Party, cdr_id: str) -> Tree:
    """What the check of a CDR found: of a received one, as it is kept; of one of ours, anew. Raises: NotFound."""
    document = await find(program, owner, cdr_id)
    if document is None:
        return await _own(program, owner, cdr_id)
    kept = await program.store.get(CHECKS, document.key)
    result = parse(kept.body, limit=_LIMIT) if kept is not None and document.columns["verdict"] else _TO_COME
    return {"key": document.key, **result, "state": document.columns["state"]}


_TO_COME: Final[Tree] = {"verdict": UNCHECKED, "why": "its check is still to come", "deviations": []}


async def _own(program: Program, owner: Party, cdr_id: str) -> Tree:
    document = await cdrs.get(program.hub, cdr_key(owner, cdr_id))
    location = await frozen_location(program.store, document.columns["session"])
    tree = parse(document.body, limit=_LIMIT)
    credited = credited_key(tree)
    billed = await cdrs.get(program.hub, credited) if credited else None
    claim = Claim(
        cdr=tree,
        original=parse(billed.body, limit=_LIMIT) if billed is not None else None,
        time_zone=location.get("time_zone"),
        tolerance=program.settings.cdr_tolerance,
    )
    result = await asyncio.to_thread(check, claim)
    return {"key": document.key, **result.tree(), "tolerance": claim.tolerance, "time_zone": claim.time_zone}


async def release(program: Program, owner: Party, cdr_id: str, *, actor: str) -> Tree:
    """Let a held CDR be passed on. Raises: NotFound, Conflict (it is not held)."""
    await received.release(program.hub, cdr_key(owner, cdr_id), actor=actor)
    document = await find(program, owner, cdr_id)
    return await view(program, document) if document is not None else {}


async def in_short(program: Program, partner: str) -> Tree:
    """How the CDRs of a partner came off: how many there are of each verdict, and how many are held."""
    owners = tuple(program.hub.registry.get(partner).parties)

    async def count(**among: Sequence[str]) -> int:
        asked = {"owner": owners, **among}
        page = await program.store.page(RECEIVED, date_from=None, date_to=None, offset=0, limit=0, among=asked)
        return page.total

    verdicts = {verdict: await count(verdict=("" if verdict == UNCHECKED else verdict,)) for verdict in VERDICTS}
    return {**verdicts, "held": await count(state=(Passing.HELD,))}


def warnings(partner: str, policy: str, counts: Tree) -> list[str]:
    """What an operator should look at, in sentences."""
    found = []
    shown = f"busbar cdr list --partner {partner}"
    if counts["held"]:
        found.append(f"received CDRs that are held: {counts['held']} ({shown} --held)")
    for verdict in (Verdict.WRONG, Verdict.CANNOT_BE_CHECKED) if policy != "accept" else ():
        if counts[verdict]:
            words = str(verdict).replace("_", " ")
            found.append(f"received CDRs, {words}: {counts[verdict]} ({shown} --check {verdict})")
    return found
