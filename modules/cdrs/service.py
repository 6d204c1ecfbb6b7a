"""Issuing CDRs of our own sessions, and taking them back by a credit. OCPI mod_cdrs.

A CDR is immutable. What is wrong is credited, then issued anew under another id (REQ-156).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import uuid4

import structlog

from hub.core import trace
from hub.core.errors import Conflict, InvalidRequest, NotFound
from hub.core.failpoints import failpoint
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.store import Store
from hub.core.units import Audit, Document, Unit
from modules.cdrs import store as cdrs
from modules.cdrs.build import SessionFacts, credit, make
from modules.cdrs.store import CDRS, RECEIVED
from modules.locations.wire import NOT_AVAILABLE
from modules.tariffs.pricing import PricingFault, given_back

log = structlog.get_logger()

LIMIT: Final = 8 * 1024 * 1024
ARRIVALS: Final = (RECEIVED, CDRS)
"""What comes of CDRs, for who waits for one: those that CPOs bring, and those that are for eMSPs."""


def issue(
    hub: Hub, facts: SessionFacts, audience: str, unit: Unit, *, only_if_it_costs: bool = False, least: str = ""
) -> str:
    """Add the CDR of an ended session to `unit`, with its receipt.

    Returns: why it cannot be priced, which is recorded instead; empty, when it can.
    """
    failpoint("session.end.before_cdr")
    if not audience:
        return ""
    try:
        tree, receipt = make(facts, now=hub.clock.now())
    except PricingFault as fault:
        unit.audited(Audit("busbar", "cdr.held", facts.session_id, fault.message))
        log.error("cdr held", session=facts.session_id, why=fault.message)
        return fault.message
    if only_if_it_costs and not tree["total_cost"]["before_taxes"]:
        return ""
    put = cdrs.put_of(tree, audience, dict(facts.location), session=facts.session_id, least=least)
    unit.put(put).put(cdrs.receipt_put(put, receipt)).tells(cdrs.change_of(put, trace.correlation()))
    unit.audited(Audit("busbar", "cdr.issued", put.key))
    return ""


async def reissue(hub: Hub, facts: SessionFacts, audience: str, unit: Unit, *, only_if_it_costs: bool = False) -> str:
    """Add to `unit` the credit of every CDR of a session that stands, and one that says how it really was.

    A partner who cannot be told of the credit is not sent the new one either: it would be billed twice.
    Returns: why the new one cannot be priced; empty, when it can.
    """
    was_billed = await credit_all(hub, facts, audience, unit)
    if was_billed:
        facts = replace(facts, cdr_id=str(uuid4()))
    least = cdrs.CREDITS_SINCE if was_billed else ""
    return issue(hub, facts, audience, unit, only_if_it_costs=only_if_it_costs, least=least)


async def credit_all(hub: Hub, facts: SessionFacts, audience: str, unit: Unit) -> bool:
    """Add to `unit` the credit of every CDR of a session that stands. Returns: was there ever one?"""
    standing = await bills_of(hub.store, facts.session_id)
    for tree in standing or ():
        taken_back = credit(tree, now=hub.clock.now())
        put = cdrs.put_of(taken_back, audience, dict(facts.location), session=facts.session_id)
        unit.put(put).tells(cdrs.change_of(put, trace.correlation()))
        unit.audited(Audit("busbar", "cdr.credited", put.key))
    return standing is not None


async def bills_of(store: Store, session_id: str) -> list[Tree] | None:
    """The CDRs of a session of ours that stand, without those that were credited; None, if there never was one."""
    trees = [parse(document.body, limit=LIMIT) for document in await cdrs.of_session(store, session_id)]
    credited = {tree.get("credit_reference_id") for tree in trees}
    standing = [tree for tree in trees if not tree.get("credit") and tree["id"] not in credited]
    return standing if trees else None


async def last_bill(store: Store, session_id: str) -> Tree | None:
    """The newest CDR of a session of ours that is no credit; None, if there never was one."""
    trees = [parse(document.body, limit=LIMIT) for document in await cdrs.of_session(store, session_id)]
    return next((tree for tree in reversed(trees) if not tree.get("credit")), None)


async def get(hub: Hub, key: str) -> Document:
    """Raises: NotFound."""
    document = await cdrs.find(hub.store, key)
    if document is None:
        raise NotFound("there is no such CDR")
    return document


async def find(store: Store, owner: Party, cdr_id: str) -> Document | None:
    """The CDR of this owner and id, ours or a received one."""
    key = cdrs.key_of(owner, cdr_id)
    return await cdrs.find(store, key) or await cdrs.find_received(store, key)


async def find_all(store: Store, owner: Party | str, cdr_ids: Sequence[str]) -> list[Document]:
    """Those of this owner's CDRs that are on record, ours or received ones."""
    keys = [cdrs.key_of(owner, cdr_id) for cdr_id in cdr_ids]
    found = {**await store.get_many(RECEIVED, keys), **await store.get_many(CDRS, keys)}
    return list(found.values())


def payer(document: Document) -> str:
    """The party that pays a CDR: the owner of its token; "" where 2.1.1 does not name it, and nobody knows it yet."""
    if document.audience:
        return document.audience
    token = parse(document.body, limit=LIMIT)["cdr_token"]
    return "" if token["uid"] == NOT_AVAILABLE else str(Party.of(token["country_code"], token["party_id"]))


async def with_ids(store: Store, cdr_ids: Sequence[str]) -> list[Document]:
    """The CDRs of these ids, of whatever owner."""
    return await cdrs.with_ids(store, cdr_ids)


async def by_reference(store: Store, reference: str) -> list[Document]:
    """The CDRs of charges that were allowed under this authorization_reference, of whatever owner."""
    return await cdrs.by_reference(store, reference)


async def receipt(hub: Hub, key: str) -> Tree:
    """Why a CDR of ours costs what it does; of a credit CDR, why it gives back what it does. Raises: NotFound."""
    cdr = parse((await get(hub, key)).body, limit=LIMIT)
    credited = cdrs.credited_key(cdr)
    kept = await cdrs.find_receipt(hub.store, credited or key)
    if kept is None:
        raise NotFound("this CDR of ours was kept without a receipt; what it should cost is in its check")
    tree: Tree = parse(kept.body, limit=LIMIT)
    return given_back(tree, reference=cdr["credit_reference_id"]) if credited else tree


async def take_back(hub: Hub, key: str, *, actor: str, location: Tree) -> Tree:
    """Issue the credit CDR of `key`. Returns: the credit CDR. Raises: NotFound, InvalidRequest (credited already)."""
    document = await get(hub, key)
    if document.owner != hub.settings.party:
        raise InvalidRequest("a CDR is taken back by the CPO that issued it")
    try:
        tree = credit(parse(document.body, limit=LIMIT), now=hub.clock.now())
    except PricingFault as fault:
        raise InvalidRequest(fault.message) from None
    put = cdrs.put_of(tree, document.audience, location, session=document.columns["session"])
    unit = Unit().put(put).tells(cdrs.change_of(put, trace.correlation()))
    unit.audited(Audit(actor, "cdr.credited", key))
    try:
        await hub.store.commit(unit)
    except Conflict:
        raise InvalidRequest("this CDR is credited already") from None
    return tree
