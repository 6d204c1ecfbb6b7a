"""/api/v1/invoices, terminals and payments."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from hub.api.access import Operator, Viewer, program_of
from hub.api.exchange import Segment, answer, asked, gives, object_body, takes
from hub.api.records import Narrowed
from hub.control import objects, settlement
from hub.control.asks import InvoiceAsked
from hub.core.operations import MEDIUM, SMALL
from hub.core.parties import Party
from modules.invoicereconciliation import service as invoices

router = APIRouter(prefix="/api/v1")

_INVOICE = "/invoices/{country_code}/{party_id}/{record_id}"
_TERMINAL = "/terminals/{country_code}/{party_id}/{terminal_id}"


@router.get("/invoices", tags=["invoices"], responses=gives("Invoices"))
async def list_invoices(request: Request, bearer: Viewer, narrowed_to: Narrowed) -> Response:
    """Invoice reconciliation records, ours and others', the newest first."""
    items, total = await settlement.invoice_list(program_of(request), narrowed_to)
    return answer({"items": items, "total": total})


@router.post(
    "/invoices",
    tags=["invoices"],
    status_code=201,
    openapi_extra=takes("InvoiceAsked"),
    responses=gives("Invoice", status=201),
)
async def add_invoice(request: Request, bearer: Operator) -> Response:
    """Make the record of an invoice of ours from our CDRs, and send it to who pays."""
    ask = await asked(request, InvoiceAsked, limit=MEDIUM)
    return answer(await settlement.add_invoice(program_of(request), ask, actor=bearer.subject), 201)


@router.get(_INVOICE, tags=["invoices"], responses=gives("Invoice"))
async def get_invoice(
    request: Request, country_code: Segment, party_id: Segment, record_id: Segment, bearer: Viewer
) -> Response:
    """A record, checked against the CDRs that we have."""
    return answer(await settlement.invoice(program_of(request), Party.of(country_code, party_id), record_id))


@router.put(_INVOICE, tags=["invoices"], openapi_extra=takes("InvoiceAsked"), responses=gives("Invoice"))
async def correct_invoice(
    request: Request, country_code: Segment, party_id: Segment, record_id: Segment, bearer: Operator
) -> Response:
    """Correct a record of ours; who pays is told."""
    program = program_of(request)
    objects.our_party(program, country_code, party_id)
    ask = await asked(request, InvoiceAsked, limit=MEDIUM)
    return answer(await settlement.correct_invoice(program, record_id, ask, actor=bearer.subject))


@router.delete(_INVOICE, tags=["invoices"], responses=gives("Deleted"))
async def withdraw_invoice(
    request: Request, country_code: Segment, party_id: Segment, record_id: Segment, bearer: Operator
) -> Response:
    """Withdraw a record of ours that should not be; its CDRs may be put on another invoice."""
    program = program_of(request)
    owner = objects.our_party(program, country_code, party_id)
    await invoices.withdraw(program.hub, record_id, actor=bearer.subject)
    return answer({"deleted": f"{owner}/{record_id}"})


@router.get("/terminals", tags=["payments"], responses=gives("Terminals"))
async def list_terminals(request: Request, bearer: Viewer, narrowed_to: Narrowed) -> Response:
    """Payment terminals of all providers, the newest first, with the CPO that has each."""
    items, total = await settlement.terminal_list(program_of(request), narrowed_to)
    return answer({"items": items, "total": total})


@router.get(_TERMINAL, tags=["payments"], responses=gives("TerminalShown"))
async def get_terminal(
    request: Request, country_code: Segment, party_id: Segment, terminal_id: Segment, bearer: Viewer
) -> Response:
    """One terminal; the party is its provider's."""
    return answer(await settlement.terminal(program_of(request), Party.of(country_code, party_id), terminal_id))


@router.patch(_TERMINAL, tags=["payments"], openapi_extra=takes("TerminalPart"), responses=gives("TerminalShown"))
async def assign_terminal(
    request: Request, country_code: Segment, party_id: Segment, terminal_id: Segment, bearer: Operator
) -> Response:
    """Assign a terminal to our locations and EVSEs; its provider is asked, and what it agrees to is kept."""
    program, owner = program_of(request), Party.of(country_code, party_id)
    part = await object_body(request, limit=SMALL)
    await settlement.assign_terminal(program, owner, terminal_id, part, actor=bearer.subject)
    return answer(await settlement.terminal(program, owner, terminal_id))


@router.post("/terminals/activate", tags=["payments"], openapi_extra=takes("TerminalPart"), responses=gives("Told"))
async def activate_terminal(
    request: Request,
    bearer: Operator,
    provider: Annotated[str, Query(max_length=6, description="NL*PTP; may be left out where there is one.")] = "",
) -> Response:
    """Ask a provider to activate a terminal; it creates the terminal here later."""
    tree = await object_body(request, limit=SMALL)
    told = await settlement.activate_terminal(program_of(request), tree, provider, actor=bearer.subject)
    return answer({"asked": "activate", "answer": told})


@router.post(f"{_TERMINAL}/deactivate", tags=["payments"], responses=gives("Told"))
async def deactivate_terminal(
    request: Request, country_code: Segment, party_id: Segment, terminal_id: Segment, bearer: Operator
) -> Response:
    """Ask its provider to deactivate a terminal."""
    owner = Party.of(country_code, party_id)
    await settlement.deactivate_terminal(program_of(request), owner, terminal_id, actor=bearer.subject)
    return answer({"asked": "deactivate", "answer": None})


@router.get("/payments", tags=["payments"], responses=gives("Payments"))
async def list_payments(request: Request, bearer: Viewer, narrowed_to: Narrowed) -> Response:
    """Financial advice confirmations, each with the CDRs it is for and whether the amounts agree."""
    items, total = await settlement.payment_list(program_of(request), narrowed_to)
    return answer({"items": items, "total": total})
