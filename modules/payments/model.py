"""Payment terminals and what became of payments, in our own form (mod_payments, payments edition of 2.3.0)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hub.core.types import CiString36, Currency, DateTime, Id36, Many, OcpiModel, Price, Url
from hub.core.types.markers import Closed, Read, Text, ci_string
from hub.core.types.reading import as_country
from modules.locations.model import GeoLocation

InvoiceCreator = Annotated[Literal["CPO", "PTP"], Closed("InvoiceCreator")]
"""mod_payments_invoice_creator_enum"""
CaptureStatusCode = Annotated[Literal["SUCCESS", "PARTIAL_SUCCESS", "FAILED"], Closed("CaptureStatusCode")]
"""mod_payments_capture_status_code_enum"""


def _place(limit: int) -> Text:
    """The table says CiString of what is display text everywhere else: streets and cities are not ASCII."""
    return Text("CiString", limit, "display")


class _TerminalFacts(OcpiModel):
    """What is said of a terminal beside its id and time."""

    customer_reference: CiString36 | None = None
    party_id: Annotated[str, ci_string(3, least=3)] | None = None
    country_code: Annotated[str, ci_string(2, least=2)] | None = None
    address: Annotated[str, _place(45)] | None = None
    city: Annotated[str, _place(45)] | None = None
    postal_code: Annotated[str, _place(10)] | None = None
    state: Annotated[str, _place(20)] | None = None
    country: Annotated[str, Read(ci_string(3), as_country)] | None = None
    coordinates: GeoLocation | None = None
    invoice_base_url: Url | None = None
    invoice_creator: InvoiceCreator | None = None
    reference: CiString36 | None = None
    location_ids: Many[CiString36] = Field(default_factory=list)
    evse_uids: Many[CiString36] = Field(default_factory=list)


class Terminal(_TerminalFacts):
    """A payment terminal, and which locations and EVSEs it serves: the union. mod_payments_terminal_object.

    `country_code` and `party_id` are those of the CPO whose it is; its owner in OCPI's sense is the PTP that sent it.
    """

    terminal_id: Id36
    last_updated: DateTime


class TerminalAsked(_TerminalFacts):
    """A terminal that is being created, activated or changed: its id and time may still be missing.

    The text lets an activation have no id, and its examples leave out the time of a new one.
    """

    terminal_id: Id36 | None = None
    last_updated: DateTime | None = None


class FinancialAdviceConfirmation(OcpiModel):
    """What was captured for a charge. mod_payments_financial_advice_confirmation_object.

    `eft_data` goes on the invoice. A failed capture has no EFT data, whatever the table says.
    """

    id: Id36
    authorization_reference: Id36
    total_costs: Price
    currency: Currency
    eft_data: Many[Annotated[str, Text("CiString", 255, "display")]] = Field(default_factory=list)
    capture_status_code: CaptureStatusCode
    capture_status_message: Annotated[str, Text("CiString", 255, "display")] | None = None
    last_updated: DateTime
