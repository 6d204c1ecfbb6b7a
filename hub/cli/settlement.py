"""busbar invoice, terminal, payment and booking."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from hub.cli.face import Face, command
from hub.cli.files import JsonFile, read_object
from hub.cli.objects import Id, Limit, Offset, path_of
from hub.cli.remote import quoted
from hub.core.jsontypes import Tree

invoice: Final = typer.Typer(help="Invoice reconciliation records.", no_args_is_help=True)
terminal: Final = typer.Typer(help="Payment terminals.", no_args_is_help=True)
payment: Final = typer.Typer(help="What became of payments at terminals.", no_args_is_help=True)
booking: Final = typer.Typer(help="Bookings, and what is open for booking.", no_args_is_help=True)

Partner = Annotated[str | None, typer.Option("--partner", help="Only what concerns this partner.")]
Cdrs = Annotated[list[str], typer.Option("--cdrs", help="Ids of CDRs: repeated, or with commas between.")]
Invoice = Annotated[str, typer.Option("--invoice", help="The number on the invoice.")]
Locations = Annotated[list[str] | None, typer.Option("--location", help="A location of ours; may be repeated.")]
Evses = Annotated[list[str] | None, typer.Option("--evse", help="The uid of an EVSE of ours; may be repeated.")]


def _asked(invoice_id: str, cdrs: list[str]) -> Tree:
    return {"invoice_id": invoice_id, "cdrs": [each.strip() for some in cdrs for each in some.split(",")]}


@command(invoice, "add")
def add_invoice(
    face: Face,
    invoice_id: Invoice,
    cdrs: Cdrs,
    record_id: Annotated[str | None, typer.Option("--id", help="The record's id; else a new one.")] = None,
) -> None:
    """Make the record of an invoice of ours, and send it to who pays."""
    tree = _asked(invoice_id, cdrs)
    face.show(face.hub.post("/invoices", tree if record_id is None else {**tree, "id": record_id}))


@command(invoice, "correct")
def correct_invoice(face: Face, name: Id, invoice_id: Invoice, cdrs: Cdrs) -> None:
    """Correct a record of ours; who pays is told."""
    face.show(face.hub.put(path_of(face, "invoices", name), _asked(invoice_id, cdrs))[1])


@command(invoice, "withdraw")
def withdraw_invoice(face: Face, name: Id) -> None:
    """Withdraw a record of ours that should not be."""
    face.show(face.hub.delete(path_of(face, "invoices", name)))


@command(invoice, "list")
def list_invoices(face: Face, partner: Partner = None, limit: Limit = 50, offset: Offset = 0) -> None:
    """Records, ours and others', the newest first; `rule` says what keeps one from who pays."""
    found = face.hub.get("/invoices", partner=partner, limit=limit, offset=offset)
    face.show(found, ("record.country_code", "record.party_id", "record.id", "record.invoice_id", "audience", "rule"))


@command(invoice, "show")
def show_invoice(face: Face, name: Id) -> None:
    """A record, checked against the CDRs that we have."""
    face.show(face.hub.get(path_of(face, "invoices", name)))


@command(terminal, "list")
def list_terminals(face: Face, partner: Partner = None, limit: Limit = 50, offset: Offset = 0) -> None:
    """Payment terminals, the newest first, and the CPO that has each; `rule`: what keeps it, or why nobody has it."""
    found = face.hub.get("/terminals", partner=partner, limit=limit, offset=offset)
    of_it = ("terminal_id", "reference", "city", "location_ids", "evse_uids")
    face.show(found, ("provider", *(f"terminal.{name}" for name in of_it), "audience", "decided_by", "rule"))


@command(terminal, "show")
def show_terminal(face: Face, name: Id) -> None:
    """One terminal, and why it is whose it is; its id comes with its provider's party, as in NL*PTP/T1."""
    face.show(face.hub.get(path_of(face, "terminals", name)))


@command(terminal, "assign")
def assign_terminal(face: Face, name: Id, locations: Locations = None, evses: Evses = None) -> None:
    """Assign a terminal to locations and EVSEs of ours; those that are not named are unassigned.

    One that nobody has is ours from then on.
    """
    part: Tree = {"location_ids": locations or [], "evse_uids": evses or []}
    face.show(face.hub.ask("PATCH", path_of(face, "terminals", name), part))


@command(terminal, "activate")
def activate_terminal(
    face: Face,
    file: JsonFile,
    provider: Annotated[str | None, typer.Option("--provider", help="NL*PTP, where there are several.")] = None,
) -> None:
    """Ask a provider to activate a terminal: a Terminal in OCPI's form, of which the id may be missing."""
    query = {} if provider is None else {"provider": provider}
    face.show(face.hub.ask("POST", "/terminals/activate", read_object(file), query=query))


@command(terminal, "deactivate")
def deactivate_terminal(face: Face, name: Id) -> None:
    """Ask its provider to deactivate a terminal."""
    face.show(face.hub.post(f"{path_of(face, 'terminals', name)}/deactivate"))


@command(payment, "list")
def list_payments(face: Face, partner: Partner = None, limit: Limit = 50, offset: Offset = 0) -> None:
    """Confirmations of captures with the CDRs they are for, the newest first; `rule`: what keeps one from its CPO."""
    found = face.hub.get("/payments", partner=partner, limit=limit, offset=offset)
    shown = (
        "provider",
        "confirmation.id",
        "confirmation.capture_status_code",
        "charged",
        "cdrs",
        "state",
        "audience",
        "rule",
    )
    face.show(found, shown)


@command(booking, "open")
def open_place(face: Face, file: JsonFile) -> None:
    """Open EVSEs of ours for booking: a BookingLocation in OCPI's form; without a party it is ours."""
    tree = read_object(file)
    created, kept = face.hub.put(path_of(face, "booking_locations", str(tree.get("id", ""))), tree)
    face.show({"id": kept["id"], "created": created})


@command(booking, "places")
def list_places(face: Face, limit: Limit = 50, offset: Offset = 0) -> None:
    """What can be booked, the newest first."""
    found = face.hub.get("/booking_locations", limit=limit, offset=offset)
    face.show(found, ("country_code", "party_id", "id", "location_id", "booking_option.evse_uid"))


@command(booking, "list")
def list_bookings(face: Face, partner: Partner = None, limit: Limit = 50, offset: Offset = 0) -> None:
    """Bookings, the newest first."""
    found = face.hub.get("/bookings", partner=partner, limit=limit, offset=offset)
    face.show(found, ("id", "location_id", "booking_option.evse_uid", "period.start_date_time", "reservation_status"))


@command(booking, "show")
def show_booking(face: Face, name: Id) -> None:
    """One booking, with every request that was made for it."""
    face.show(face.hub.get(path_of(face, "bookings", name)))


@command(booking, "cancel")
def cancel_booking(
    face: Face,
    name: Id,
    reason: Annotated[str, typer.Option("--reason", help="BROKEN_CHARGER, POWER_OUTAGE, FULL, BLOCKED ...")],
) -> None:
    """Cancel a booking of ours; who booked is told."""
    face.show(face.hub.post(f"{path_of(face, 'bookings', name)}/cancel", {"reason": reason}))


@command(booking, "edition")
def set_edition(
    face: Face,
    partner: Annotated[str, typer.Argument(metavar="PARTNER")],
    edition: Annotated[str, typer.Argument(metavar="1.0|1.1")],
) -> None:
    """Write to a partner in this edition of the bookings module; both are read from everybody."""
    face.show(face.hub.put(f"/partners/{quoted(partner)}/bookings_edition", {"edition": edition})[1])
