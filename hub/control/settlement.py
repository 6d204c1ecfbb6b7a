"""Invoices and payments in the operator's hands: records of invoices, terminals, and what became of payments."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from hub.control.asks import InvoiceAsked
from hub.control.listing import Filter, newest, parties_of
from hub.core import by_name
from hub.core.clock import timestamp
from hub.core.errors import InvalidRequest, UnknownLocation
from hub.core.inbound import parse
from hub.core.jsontypes import Json, Tree
from hub.core.operations import CPO
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.units import Audit, Document, Unit
from modules.invoicereconciliation import service as invoices
from modules.invoicereconciliation import waiting as waiting_records
from modules.invoicereconciliation.check import check
from modules.invoicereconciliation.store import MODULE as INVOICES
from modules.invoicereconciliation.store import RECORDS
from modules.invoicereconciliation.store import key_of as record_key
from modules.locations import service as locations
from modules.locations.store import key_of as location_key
from modules.locations.store import location_of_evse
from modules.payments import service as payments
from modules.payments import waiting as waiting_confirmations
from modules.payments.card_numbers import refuse_card_numbers
from modules.payments.store import CONFIRMATIONS, TERMINALS
from modules.payments.store import MODULE as PAYMENTS
from modules.payments.whose import check_ordered, whose
from modules.payments.wire import TERMINAL, TERMINAL_ASKED

if TYPE_CHECKING:
    from hub.app import Program

_LIMIT: Final = 8 * 1024 * 1024
_NEWEST: Final = "2.3.0"


async def invoice_list(program: Program, asked: Filter) -> tuple[list[Any], int]:
    """Records of invoices, ours and others', the newest first; each with what keeps it from who pays, if anything does.

    Raises: NotFound (no such partner), InvalidRequest.
    """
    audiences = parties_of(program, asked.partner)
    found = await newest(program.store, RECORDS, asked, audiences=audiences, since=asked.since())
    return [await _brief(program.hub, document) for document in found.documents], found.total


async def _brief(hub: Hub, document: Document) -> Tree:
    if document.audience:
        rule = by_name.keeps_from(hub, document.audience, document.owner, INVOICES)
    else:
        rule = (await waiting_records.whose(hub, document, parse(document.body, limit=_LIMIT))).why
    return {"record": msgspec.Raw(document.body), "audience": document.audience, "rule": rule}


async def invoice(program: Program, owner: Party, record_id: str) -> Tree:
    """A record, and whether it agrees with the CDRs that we have. Raises: NotFound."""
    document = await invoices.get(program.hub, record_key(owner, record_id))
    return {**await _brief(program.hub, document), "check": await check(program.hub, document)}


async def add_invoice(program: Program, ask: InvoiceAsked, *, actor: str) -> Tree:
    """Make the record of an invoice of ours. Raises: InvalidRequest."""
    tree = await invoices.issue(program.hub, ask.invoice_id, ask.cdrs, actor=actor, record_id=ask.id)
    return await invoice(program, program.settings.own_party, tree["id"])


async def correct_invoice(program: Program, record_id: str, ask: InvoiceAsked, *, actor: str) -> Tree:
    """Change the record of an invoice of ours. Raises: NotFound, InvalidRequest."""
    if ask.id not in ("", record_id):
        raise InvalidRequest("/id: the URL names another record")
    await invoices.correct(program.hub, record_id, ask.invoice_id, ask.cdrs, actor=actor)
    return await invoice(program, program.settings.own_party, record_id)


async def terminal_list(program: Program, asked: Filter) -> tuple[list[Any], int]:
    """Terminals of all providers, the newest first, with who has each. Raises: NotFound (no such partner)."""
    owners = parties_of(program, asked.partner)
    found = await newest(program.store, TERMINALS, asked, among={} if owners is None else {"owner": owners})
    return [await _terminal(program.hub, document) for document in found.documents], found.total


async def terminal(program: Program, owner: Party, terminal_id: str) -> Tree:
    """One terminal, and who has it. Raises: NotFound."""
    return await _terminal(program.hub, await _stored_terminal(program, owner, terminal_id))


async def _terminal(hub: Hub, document: Document) -> Tree:
    """`decided_by` says what makes it that CPO's, `rule` what keeps it from there, or why it is nobody's."""
    if document.audience:
        rule = by_name.keeps_from(hub, document.audience, document.owner, PAYMENTS, CPO)
    else:
        tree: Tree = parse(document.body, limit=_LIMIT)
        rule = (await whose(hub, document.owner, tree, known=document)).why
    return {
        "provider": document.owner,
        "audience": document.audience,
        "decided_by": document.columns["decided_by"],
        "rule": rule,
        "terminal": msgspec.Raw(document.body),
    }


async def _stored_terminal(program: Program, owner: Party, terminal_id: str) -> Document:
    return await payments.get_own(program.hub, TERMINALS, [str(owner)], terminal_id)


async def _own_terminal(program: Program, owner: Party, terminal_id: str, *, or_nobodys: bool = False) -> Document:
    """One that we have. Raises: NotFound, InvalidRequest."""
    document = await _stored_terminal(program, owner, terminal_id)
    if not document.audience and not or_nobodys:
        raise InvalidRequest("nobody has this terminal yet: assign it to locations of ours, and it is ours")
    if document.audience not in ("", program.settings.party):
        raise InvalidRequest(f"this terminal is for {document.audience}, not for us")
    return document


async def assign_terminal(program: Program, owner: Party, terminal_id: str, tree: Tree, *, actor: str) -> None:
    """Assign a terminal to locations and EVSEs of ours, or change what we set of it; its provider is asked.

    One that nobody has is ours from then on. Raises: NotFound, InvalidRequest, PeerFault's children.
    """
    document = await _own_terminal(program, owner, terminal_id, or_nobodys=True)
    part = TERMINAL[_NEWEST].read_patch(tree)
    await _check_places(program, part)
    payments.checked(program.hub, document, part)
    part = {"last_updated": timestamp(program.hub.clock.now()), **part}
    to = payments.provider(program.hub, document.owner, None)
    await payments.order(program.hub, to, "PATCH", (_id(document),), part)
    await payments.keep_change(program.hub, document, part)
    await _audited(program, actor, "terminal.assigned", document.key)


def _id(terminal: Document) -> str:
    return str(parse(terminal.body, limit=_LIMIT)["terminal_id"])


async def _check_places(program: Program, part: Tree) -> None:
    own = program.settings.own_party
    for at, location_id in enumerate(part.get("location_ids") or ()):
        try:
            await locations.get(program.store, location_key(own, location_id))
        except UnknownLocation:
            raise InvalidRequest(f"/location_ids/{at}: we have no such location") from None
    for at, evse_uid in enumerate(part.get("evse_uids") or ()):
        if await location_of_evse(program.store, own, evse_uid) is None:
            raise InvalidRequest(f"/evse_uids/{at}: we have no such EVSE")


async def activate_terminal(program: Program, tree: Tree, provider: str, *, actor: str) -> Json:
    """Ask a provider to activate a terminal for us. Raises: InvalidRequest, PeerFault's children."""
    asked = TERMINAL_ASKED[_NEWEST].read(tree)
    await _check_places(program, asked.tree())
    party = str(Party.parse(provider)) if provider else ""
    refuse_card_numbers(asked.tree())
    check_ordered(asked.tree(), [program.settings.party])
    to = payments.provider(program.hub, party, None)
    told = await payments.order(program.hub, to, "POST", ("activate",), asked.tree())
    await _audited(program, actor, "terminal.activated", asked.reference or asked.terminal_id or party)
    return told


async def deactivate_terminal(program: Program, owner: Party, terminal_id: str, *, actor: str) -> None:
    """Ask a terminal's provider to deactivate it. Raises: NotFound, InvalidRequest, PeerFault's children."""
    document = await _own_terminal(program, owner, terminal_id)
    to = payments.provider(program.hub, document.owner, None)
    await payments.order(program.hub, to, "POST", (_id(document), "deactivate"), None)
    await _audited(program, actor, "terminal.deactivated", document.key)


async def _audited(program: Program, actor: str, action: str, subject: str) -> None:
    await program.store.commit(Unit().audited(Audit(actor, action, subject)))


async def payment_list(program: Program, asked: Filter) -> tuple[list[Any], int]:
    """What providers say was captured, with the CDRs that it is for, the newest first.

    Raises: NotFound (no such partner), InvalidRequest.
    """
    owners = parties_of(program, asked.partner)
    among = {} if owners is None else {"owner": owners}
    found = await newest(program.store, CONFIRMATIONS, asked, among=among, since=asked.since())
    return [await _payment(program, document) for document in found.documents], found.total


async def _payment(program: Program, document: Document) -> Tree:
    """`state` says how it stands with our books: unmatched, matched, or differs (another amount or currency).

    `rule` says what keeps it from the CPO that it concerns.
    """
    tree: Tree = parse(document.body, limit=_LIMIT)
    cdrs = await payments.matching(program.hub, document.owner, tree["authorization_reference"])
    trees = [parse(cdr.body, limit=_LIMIT) for cdr in cdrs]
    charged = sum((gross(cdr["total_cost"]) for cdr in trees), Decimal(0))
    same = all(cdr["currency"] == tree["currency"] for cdr in trees) and charged == gross(tree["total_costs"])
    return {
        "provider": document.owner,
        "audience": document.audience,
        "rule": await _kept_back(program.hub, document, tree),
        "confirmation": msgspec.Raw(document.body),
        "cdrs": [cdr.key for cdr in cdrs],
        "charged": charged if cdrs else None,
        "state": ("matched" if same else "differs") if cdrs else "unmatched",
    }


async def _kept_back(hub: Hub, confirmation: Document, tree: Tree) -> str:
    """What keeps it from the CPO that it concerns; "": nothing."""
    if confirmation.audience:
        return by_name.keeps_from(hub, confirmation.audience, confirmation.owner, PAYMENTS, CPO)
    return (await waiting_confirmations.whose(hub, confirmation, tree)).why


def gross(price: Tree) -> Decimal:
    """A Price with all its taxes."""
    taxes = sum((Decimal(tax["amount"]) for tax in price.get("taxes") or ()), Decimal(0))
    return Decimal(price["before_taxes"]) + taxes
