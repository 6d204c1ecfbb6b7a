"""Charges and reservations of partners of OICP, as their ledger has them, with what became of their records.

A charge between two partners of OICP is no Session and no CDR of OCPI: this is where an operator sees it. Cards and
contracts are not shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.control.listing import Filter, newest
from hub.core.clock import timestamp
from hub.core.errors import NotFound
from hub.core.jsontypes import Tree
from hub.core.units import Document
from partners.oicp.ledger import OICP_SESSIONS, OicpSession
from partners.oicp.record_checks import IN_ORDER
from partners.oicp.record_store import OICP_RECORDS, OicpRecord, read

if TYPE_CHECKING:
    from hub.app import Program


async def charges(program: Program, asked: Filter, *, state: str = "", record: str = "") -> tuple[list[Tree], int]:
    """The newest first, and how many there are; of those in `state`, or whose record is in the state `record`.

    Of a `record` it is those whose records came last.
    """
    store = program.store
    if record:
        found = await newest(store, OICP_RECORDS, asked, among={"state": [record]})
        records = {document.key: document for document in found.documents}
        sessions = await store.get_many(OICP_SESSIONS, list(records))
        known = [document for key in records if (document := sessions.get(key)) is not None]
        return [_shown(each, records[each.key]) for each in known], found.total
    found = await newest(store, OICP_SESSIONS, asked, among={"state": [state]} if state else {})
    records = await store.get_many(OICP_RECORDS, [each.key for each in found.documents])
    return [_shown(each, records.get(each.key)) for each in found.documents], found.total


async def charge(program: Program, session_id: str) -> Tree:
    """One, by its SessionID. Raises: NotFound."""
    key = session_id.lower()
    document = await program.store.get(OICP_SESSIONS, key)
    if document is None:
        raise NotFound("no partner of OICP has such a charge")
    return _shown(document, await program.store.get(OICP_RECORDS, key))


def _shown(document: Document, kept: Document | None) -> Tree:
    session = msgspec.json.decode(document.body, type=OicpSession)
    return {
        "session_id": session.id,
        "state": session.state,
        "origin": session.origin,
        "cpo": session.cpo,
        "cpo_party": session.cpo_party,
        "emp": session.emp,
        "emp_party": session.emp_party,
        "evse_id": session.evse_id,
        "product": session.product,
        "opened": timestamp(session.opened),
        "told": session.told,
        "code": session.code,
        "cpo_partner_session_id": session.cpo_partner_session,
        "emp_partner_session_id": session.emp_partner_session,
        "authorization_reference": session.reference,
        "ocpi_session": session.session,
        "record": None if kept is None else _of_record(read(kept)),
    }


def _of_record(kept: OicpRecord) -> Tree:
    record = kept.record
    return {
        "state": kept.state,
        "why": kept.why,
        "tries": kept.tries,
        "kwh": record.get("ConsumedEnergy"),
        "product": str(record.get("PartnerProductID") or ""),
        "times": {name: str(record[name]) for name in IN_ORDER if name in record},
    }
