"""Which CDRs an invoice is about, in our own form (mod_invoice_reconciliation)."""

from __future__ import annotations

from typing import Annotated

from hub.core.types import CountryCode, DateTime, Id36, Id39, OcpiModel, PartyId, Some, key_of
from hub.core.types.markers import ci_string


class InvoiceReconciliationRecord(OcpiModel):
    """An invoice and the CDRs on it. mod_invoice_reconciliation_record_object.

    A CDR's id may have 39 characters, so those in the list may too.
    """

    country_code: CountryCode
    party_id: PartyId
    id: Id36
    invoice_id: Annotated[str, ci_string(255, least=1)]
    cdrs: Some[Id39]
    last_updated: DateTime

    @property
    def key(self) -> str:
        """`DE*ABC/record1`."""
        return key_of(self.country_code, self.party_id, self.id)
