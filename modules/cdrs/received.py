"""CDRs that other CPOs bring: taken once, never changed, given back to who brought them.

OCPI mod_cdrs_receiver_interface.

What is on disk when the answer leaves is the CDR in our form, and the words in which it came. Nothing that checking it
may come to keeps it out (`vetting`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hub.core.errors import Conflict, InvalidRequest, NotFound
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Json, Tree
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.types import parse_datetime
from hub.core.units import ABSENT, Audit, Document, Put, Unit
from modules.cdrs import store as cdrs
from modules.cdrs import vetting
from modules.cdrs.model import CDR
from modules.cdrs.passing import passed_on
from modules.cdrs.store import Passing, Standing
from modules.tokens.whose import check_met, check_named

LIMIT: Final = 8 * 1024 * 1024
_ATTEMPTS: Final = 5
_IDS: Final = ("country_code", "party_id", "id", "credit_reference_id")
"""Texts of a CDR that compare without case."""


async def take(
    hub: Hub, cdr: CDR, *, partner: str, version: str, original: Json, raw: bytes = b"", to: str = ""
) -> bool:
    """Keep a CDR, and check it if that is quick. The same once more is no news, whatever its `last_updated`.

    `raw`: the very bytes of `original`, which are passed on as they came. `to`: the party of OCPI-to.
    Returns: True if it is new. Raises: InvalidRequest, when another CDR of this id was received before, it can be no
    CDR, OCPI-to says that it is another eMSP's, or the connection stands for another party.
    """
    tree = cdr.tree()
    _check_sense(tree)
    check_named(hub, to, tree["cdr_token"])
    for _ in range(_ATTEMPTS):
        put = cdrs.received_put(tree, Standing(), version=version, partner=partner)
        known = await cdrs.find_received(hub.store, put.key)
        if known is not None:
            if _compared(parse(known.body, limit=LIMIT)) != _compared(tree):
                raise InvalidRequest("a CDR of this id was received with other content; credit it, and send a new one")
            return False
        await check_met(hub, partner, put.owner, tree)
        unit = await _unit(hub, tree, put, original=original, raw=raw, version=version, partner=partner)
        try:
            await hub.store.commit(unit)
        except Conflict:
            continue
        return True
    raise Conflict


def _check_sense(tree: Tree) -> None:
    """What no check would make a bill of. Raises: InvalidRequest."""
    if tree.get("credit") and "credit_reference_id" not in tree:
        raise InvalidRequest("/credit_reference_id: a credit CDR names the CDR that it takes back")
    if parse_datetime(tree["end_date_time"]) < parse_datetime(tree["start_date_time"]):
        raise InvalidRequest("/end_date_time: it lies before the start")


def _compared(tree: Tree) -> Tree:
    """What makes two CDRs the same."""
    folded: Tree = {name: str(tree[name]).upper() for name in _IDS if name in tree}
    return {**tree, **folded, "last_updated": ""}


async def _unit(hub: Hub, tree: Tree, put: Put, *, original: Json, raw: bytes, version: str, partner: str) -> Unit:
    """The CDR, its own words, what a first look found, and whoever waited for it."""
    unit = hub.own_ids.kept(Unit().audited(Audit(partner, "cdr.received", put.key)))
    standing = await vetting.at_once(hub, tree, put, original=original, version=version, partner=partner, unit=unit)
    unit.put(cdrs.received_put(tree, standing, version=version, partner=partner))
    unit.put(Put(cdrs.ORIGINALS, put.key, raw or encode(original), put.owner, expect=ABSENT))
    await passed_on(hub, tree, standing, unit, partner=partner)
    await vetting.wake(hub, put.key, tree, standing, unit)
    return unit


async def get(hub: Hub, owner: Party, cdr_id: str) -> Document:
    """Raises: NotFound."""
    return await find(hub, [owner], cdr_id)


async def find(hub: Hub, owners: Sequence[Party], cdr_id: str) -> Document:
    """The CDR of this id that one of `owners` has. Raises: NotFound."""
    for owner in owners:
        document = await cdrs.find_received(hub.store, cdrs.key_of(owner, cdr_id))
        if document is not None:
            return document
    raise NotFound("there is no such CDR")


async def original(hub: Hub, document: Document) -> bytes:
    """The words in which it came."""
    kept = await hub.store.get(cdrs.ORIGINALS, document.key)
    return kept.body if kept is not None else document.body


async def release(hub: Hub, key: str, *, actor: str) -> None:
    """Let a held CDR be passed on, whatever its check found, and look again at what waited for that.

    Raises: NotFound, Conflict (it is not held).
    """
    document = await cdrs.find_received(hub.store, key)
    if document is None:
        raise NotFound("there is no such CDR")
    if document.columns["state"] != Passing.HELD:
        raise Conflict("this CDR is not held")
    standing = Standing(state=Passing.RELEASED, verdict=document.columns["verdict"])
    unit = Unit().put(cdrs.standing_put(document, standing)).audited(Audit(actor, "cdr.released", key))
    tree = parse(document.body, limit=LIMIT)
    await passed_on(hub, tree, standing, unit, partner=document.columns["partner"])
    await vetting.wake(hub, key, tree, standing, unit)
    await hub.store.commit(unit)
