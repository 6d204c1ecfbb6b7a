"""Records of invoices: ours, made from our CDRs, and those of others, kept for whom they are for.

With direct billing the CPO owns the record and the eMSP pays; with reverse billing it is the other way round. The
object is the same (mod_invoice_reconciliation_flow_and_lifecycle). A CDR of ours is on one invoice at most; what was
wrong is corrected by an update, and a record that should not be is withdrawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import uuid4

from hub.core import trace
from hub.core.clock import timestamp
from hub.core.errors import Conflict, InvalidRequest, NotFound
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.recency import is_outdated
from hub.core.units import ABSENT, Audit, Delete, Document, Unit
from modules.cdrs import service as cdrs
from modules.invoicereconciliation import store as records
from modules.invoicereconciliation.model import InvoiceReconciliationRecord
from modules.invoicereconciliation.whose import addressee, once_it_is_here
from modules.invoicereconciliation.wire import RECORD

LIMIT: Final = 8 * 1024 * 1024
NEW: Final = "new"
"""The change word of a record that its receiver cannot know yet."""
DELETED: Final = "deleted/"
"""Prefix of the change word that says: withdrawn; the id as it was spelled follows."""
_ATTEMPTS: Final = 5


async def get(hub: Hub, key: str) -> Document:
    """Raises: NotFound."""
    document = await records.find(hub.store, key)
    if document is None:
        raise NotFound("there is no such invoice reconciliation record")
    return document


async def take(hub: Hub, owner: Party, record: InvoiceReconciliationRecord, *, to: str, record_id: str = "") -> bool:
    """Keep a record that its owner sent: a new one, or an update (which may bring one that we do not have).

    It is for whom its CDRs are with, which may be told later (`whose.py`); that stays as it was first. `to`: the party
    that its owner says it is for. Whether an agreement keeps it from that party is asked when it is sent or listed. An
    older copy changes nothing. Returns: True if it was not known before. Raises: InvalidRequest, when the URL or the
    body names another record or party, or none of its CDRs is with whom it is for.
    """
    if Party.of(record.country_code, record.party_id) != owner or record.id.upper() != (record_id or record.id).upper():
        raise InvalidRequest("the URL and the object name different records")
    tree = record.tree()
    for _ in range(_ATTEMPTS):
        known = await records.find(hub.store, records.key_of(owner, record.id))
        if known is not None and _is_no_news(hub, tree, known, to):
            return False
        named = to or (known.columns["named"] if known is not None else "")
        audience = await _audience(hub, owner, tree, named, known)
        expect = known.version if known is not None else ABSENT
        put = records.put_of(tree, audience, named=named, expect=expect)
        change = records.change_of(put, trace.correlation(), "" if known is not None and known.audience else NEW)
        try:
            await hub.store.commit(Unit().put(put).tells(change))
        except Conflict:
            continue
        return known is None
    raise Conflict


def _is_no_news(hub: Hub, tree: Tree, known: Document, to: str) -> bool:
    """One that waits may be said once more to be for somebody else."""
    put = records.put_of(tree, "")
    if is_outdated(put.last_updated, known, hub.clock.now()):
        return True
    return known.body == put.body and (bool(known.audience) or to in ("", known.columns["named"]))


async def _audience(hub: Hub, owner: Party, tree: Tree, named: str, known: Document | None) -> str:
    """Whom a record is for; "" as long as nothing tells. Raises: InvalidRequest, where it cannot be whom it names."""
    has_it = known.audience if known is not None else ""
    goes = await addressee(hub, str(owner), tree["cdrs"], has_it or named)
    if has_it and not goes.party:
        raise InvalidRequest(
            f"/cdrs: {has_it} has this record, and none of these is with it; withdraw it, and make another"
        )
    if goes.is_final:
        raise InvalidRequest(f"/cdrs: none of these is with {named}")
    return has_it or once_it_is_here(hub, goes).party


async def remove(hub: Hub, owner: Party, record_id: str) -> None:
    """Its owner says that the record was an error. Raises: NotFound."""
    known = await get(hub, records.key_of(owner, record_id))
    await hub.store.commit(_removal(known))


def _removal(known: Document) -> Unit:
    """Nobody is told of one that nobody had."""
    unit = Unit().delete(Delete(records.RECORDS, known.key, known.version))
    if not known.audience:
        return unit
    return unit.tells(records.change_of(known, trace.correlation(), f"{DELETED}{known.columns['id']}"))


async def issue(hub: Hub, invoice_id: str, cdr_ids: Sequence[str], *, actor: str, record_id: str = "") -> Tree:
    """Make the record of an invoice of ours, and send it to who pays.

    Raises: InvalidRequest, for a CDR that is not ours, is on an invoice already, or is for somebody else.
    """
    owner = hub.settings.own_party
    tree = _ours(hub, record_id or str(uuid4()), invoice_id, cdr_ids)
    key = records.key_of(owner, tree["id"])
    if await records.find(hub.store, key) is not None:
        raise InvalidRequest(f"there is a record {tree['id']} already")
    audience = await _one_audience(hub, owner, tree["cdrs"])
    await _check_free(hub, owner, tree["cdrs"], key)
    put = records.put_of(tree, audience, expect=ABSENT)
    unit = Unit(records.invoiced(owner, tree["cdrs"], key)).put(put)
    unit.tells(records.change_of(put, trace.correlation(), NEW)).audited(Audit(actor, "invoice.issued", key))
    await _commit(hub, unit)
    return tree


async def correct(hub: Hub, record_id: str, invoice_id: str, cdr_ids: Sequence[str], *, actor: str) -> Tree:
    """Change a record of ours, and send the change. Raises: NotFound, InvalidRequest (as `issue`)."""
    owner = hub.settings.own_party
    known = await get(hub, records.key_of(owner, record_id))
    before: Tree = parse(known.body, limit=LIMIT)
    tree = _ours(hub, before["id"], invoice_id, cdr_ids)
    if {**tree, "last_updated": ""} == {**before, "last_updated": ""}:
        return before
    if await _one_audience(hub, owner, tree["cdrs"]) != known.audience:
        raise InvalidRequest("/cdrs: these are for another party than the record is; withdraw it, and make a new one")
    await _check_free(hub, owner, tree["cdrs"], known.key)
    old, new = ({each.upper() for each in which["cdrs"]} for which in (before, tree))
    unit = Unit([*records.taken_off(owner, sorted(old - new)), *records.invoiced(owner, sorted(new - old), known.key)])
    put = records.put_of(tree, known.audience, expect=known.version)
    unit.put(put).tells(records.change_of(put, trace.correlation()))
    await _commit(hub, unit.audited(Audit(actor, "invoice.corrected", known.key)))
    return tree


async def withdraw(hub: Hub, record_id: str, *, actor: str) -> None:
    """Take back a record of ours; its CDRs may be put on another invoice. Raises: NotFound."""
    owner = hub.settings.own_party
    known = await get(hub, records.key_of(owner, record_id))
    unit = _removal(known).audited(Audit(actor, "invoice.withdrawn", known.key))
    unit.writes += records.taken_off(owner, parse(known.body, limit=LIMIT)["cdrs"])
    await _commit(hub, unit)


def _ours(hub: Hub, record_id: str, invoice_id: str, cdr_ids: Sequence[str]) -> Tree:
    """Raises: InvalidRequest."""
    owner = hub.settings.own_party
    record = RECORD["2.3.0"].read(
        {
            "country_code": owner.country_code,
            "party_id": owner.party_id,
            "id": record_id,
            "invoice_id": invoice_id,
            "cdrs": list(cdr_ids),
            "last_updated": timestamp(hub.clock.now()),
        }
    )
    if len({each.upper() for each in record.cdrs}) != len(record.cdrs):
        raise InvalidRequest("/cdrs: one stands twice")
    return record.tree()


async def _one_audience(hub: Hub, owner: Party, cdr_ids: Sequence[str]) -> str:
    """Who pays all of these CDRs of ours. Raises: InvalidRequest."""
    audiences: set[str] = set()
    for at, cdr_id in enumerate(cdr_ids):
        document = await cdrs.find(hub.store, owner, cdr_id)
        if document is None:
            raise InvalidRequest(f"/cdrs/{at}: we have no such CDR")
        audiences.add(cdrs.payer(document))
    if len(audiences) != 1:
        raise InvalidRequest(f"/cdrs: they are for different parties: {', '.join(sorted(audiences))}")
    return audiences.pop()


async def _check_free(hub: Hub, owner: Party, cdr_ids: Sequence[str], key: str) -> None:
    """Raises: InvalidRequest, for a CDR that is on another invoice."""
    taken = await records.on_invoices(hub.store, owner, cdr_ids)
    for at, cdr_id in enumerate(cdr_ids):
        if taken.get(cdr_id.upper(), key) != key:
            raise InvalidRequest(f"/cdrs/{at}: is on the invoice of {taken[cdr_id.upper()]} already")


async def _commit(hub: Hub, unit: Unit) -> None:
    """Raises: InvalidRequest, when somebody else was faster; there is nothing to decide again, but to look again."""
    try:
        await hub.store.commit(unit)
    except Conflict:
        raise InvalidRequest(
            "somebody else has just changed this record, or put one of its CDRs on an invoice"
        ) from None
