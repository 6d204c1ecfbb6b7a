"""Invoice reconciliation, both interfaces: owners push their records, and who pays may pull them.

OCPI mod_invoice_reconciliation_interfaces_and_endpoints. CPOs and eMSPs are on either side, as billing may be reversed.
"""

from __future__ import annotations

from hub.core.answers import Answer, ok, ok_bytes
from hub.core.dispatch import Call
from hub.core.errors import InvalidRequest
from hub.core.operations import EMSP_LIKE, RECEIVER, SENDER, Operations
from hub.core.paging import QUERY, Listing
from hub.core.parties import Party, PartyRole
from hub.core.renditions import Rendition
from hub.core.routing import OURS, Receiver, can_have, destination
from modules.invoicereconciliation import service
from modules.invoicereconciliation.model import InvoiceReconciliationRecord
from modules.invoicereconciliation.store import MODULE, RECORDS, key_of
from modules.invoicereconciliation.wire import RECORD, VERSIONS

BILLING = EMSP_LIKE | {PartyRole.CPO}
"""Roles that write invoices to each other."""

operations = Operations(MODULE, callers=BILLING, keeps=True)
_listing = Listing(RECORDS, Rendition(RECORD))

_SHAPE = "{country_code}/{party_id}/{record_id}"


@operations("GET", SENDER, answer=RECORD, listed=True, query=QUERY, versions=VERSIONS)
async def list_records(call: Call) -> Answer:
    """The records of invoices that are for the caller. OCPI mod_invoice_reconciliation_sender_get_method."""
    owners = call.hub.agreements.senders(call.partner, MODULE)
    return await _listing.page(call, {"owner": owners, "audience": sorted(call.partner.parties)})


@operations("GET", RECEIVER, _SHAPE, answer=RECORD, versions=VERSIONS)
async def get_record(call: Call, country_code: str, party_id: str, record_id: str) -> Answer:
    """A record as we keep it. OCPI mod_invoice_reconciliation_receiver_get_method."""
    owner = call.as_party(country_code, party_id, BILLING)
    return ok_bytes((await service.get(call.hub, key_of(owner, record_id))).body)


@operations("POST", RECEIVER, body=RECORD, versions=VERSIONS)
async def post_record(call: Call, body: InvoiceReconciliationRecord) -> Answer:
    """Keep a new record. OCPI mod_invoice_reconciliation_receiver_post_method."""
    owner = Party.of(body.country_code, body.party_id)
    if not call.caller.speaks_for(owner, BILLING):
        raise InvalidRequest("the object names a party that is not yours")
    return ok(created=await service.take(call.hub, owner, body, to=_to(call, owner)))


def _to(call: Call, owner: Party) -> str:
    """The party of OCPI-to, if it may have it; "": none is named.

    Raises: UnknownReceiver, PeerUnreachable, NotInTheirVersion.
    """
    where = destination(call, owner=str(owner), shared=True, brought=True, roles=BILLING)
    if isinstance(where, Receiver):
        return can_have(call, where).party
    return call.hub.settings.party if where is OURS else ""


@operations("PUT", RECEIVER, _SHAPE, body=RECORD, versions=VERSIONS)
async def put_record(
    call: Call, country_code: str, party_id: str, record_id: str, body: InvoiceReconciliationRecord
) -> Answer:
    """Keep a changed record. OCPI mod_invoice_reconciliation_receiver_put_method."""
    owner = call.as_party(country_code, party_id, BILLING)
    return ok(created=await service.take(call.hub, owner, body, to=_to(call, owner), record_id=record_id))


@operations("DELETE", RECEIVER, _SHAPE, versions=VERSIONS)
async def delete_record(call: Call, country_code: str, party_id: str, record_id: str) -> Answer:
    """Forget a record that was an error. OCPI mod_invoice_reconciliation_receiver_delete_method."""
    owner = call.as_party(country_code, party_id, BILLING)
    await service.remove(call.hub, owner, record_id)
    return ok()
