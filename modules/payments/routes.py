"""Payments, both interfaces: PTPs push terminals and confirmations, CPOs read them and order changes.

OCPI mod_payments_interfaces_and_endpoints. What a CPO orders is the PTP's to do: it is asked, and its answer given.
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.answers import Answer, ok, ok_bytes
from hub.core.dispatch import Call
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.operations import RECEIVER, SENDER, Operations
from hub.core.paging import QUERY, Listing
from hub.core.parties import PartyRole
from hub.core.relay import Errand, relay
from hub.core.renditions import Rendition
from hub.core.routing import OURS, Receiver, can_have, destination, receiver
from hub.core.units import Document
from modules.payments import service
from modules.payments.card_numbers import refuse_card_numbers
from modules.payments.model import FinancialAdviceConfirmation, TerminalAsked
from modules.payments.store import CONFIRMATIONS, MODULE, TERMINALS
from modules.payments.whose import LIMIT, check_ordered
from modules.payments.wire import CONFIRMATION, TERMINAL, TERMINAL_ASKED, VERSIONS

CPO = frozenset({PartyRole.CPO})
PTP = service.PTP

operations = Operations(MODULE, callers=CPO, keeps=True)
_terminals = Listing(TERMINALS, Rendition(TERMINAL))
_confirmations = Listing(CONFIRMATIONS, Rendition(CONFIRMATION))

_ADVICE = "financial-advice-confirmations"


@operations("GET", SENDER, "terminals", answer=TERMINAL, listed=True, query=QUERY, versions=VERSIONS)
async def list_terminals(call: Call) -> Answer:
    """The caller's terminals, of all providers. OCPI mod_payments_ptp_get_terminals_method."""
    return await _terminals.page(call, _among(call))


def _among(call: Call) -> dict[str, Sequence[str]]:
    """Who sees what: a CPO what is for it, of the providers that it may have it of."""
    return {"owner": call.hub.agreements.senders(call.partner, MODULE), "audience": sorted(call.partner.parties)}


@operations("GET", SENDER, "terminals/{terminal_id}", answer=TERMINAL, versions=VERSIONS)
async def get_terminal(call: Call, terminal_id: str) -> Answer:
    """One terminal of the caller's. OCPI mod_payments_ptp_get_terminal_method."""
    return ok_bytes((await _terminal(call, terminal_id)).body)


@operations("POST", SENDER, "terminals/activate", body=TERMINAL_ASKED, versions=VERSIONS)
async def activate_terminal(call: Call, body: TerminalAsked) -> Answer:
    """Let a provider activate a terminal. OCPI mod_payments_ptp_terminal_post_activate_method.

    The terminal comes later, by the provider's POST (mod_payments_terminal_activation_usage_flow).
    """
    tree = body.tree()
    refuse_card_numbers(tree)
    check_ordered(tree, call.partner.parties_as(CPO))
    return await _order(call, service.provider(call.hub, _other(call), call.partner), ("activate",), tree)


@operations("POST", SENDER, "terminals/{terminal_id}/deactivate", versions=VERSIONS)
async def deactivate_terminal(call: Call, terminal_id: str) -> Answer:
    """Let its provider deactivate a terminal. OCPI mod_payments_ptp_terminal_post_deactivate_method."""
    terminal = await _terminal(call, terminal_id)
    return await _order(call, _provider_of(call, terminal), (_id(terminal), "deactivate"), None)


@operations("PUT", SENDER, "terminals/{terminal_id}", body=TERMINAL_ASKED, versions=VERSIONS)
async def put_terminal(call: Call, terminal_id: str, body: TerminalAsked) -> Answer:
    """Let its provider change a terminal. OCPI mod_payments_ptp_terminal_put_method."""
    return await _change(call, terminal_id, body.tree())


@operations("PATCH", SENDER, "terminals/{terminal_id}", body=TERMINAL, patch=True, versions=VERSIONS)
async def patch_terminal(call: Call, terminal_id: str, body: Tree) -> Answer:
    """Assign a terminal to locations and EVSEs. OCPI mod_payments_ptp_patch_terminal_method."""
    return await _change(call, terminal_id, body)


async def _change(call: Call, terminal_id: str, part: Tree) -> Answer:
    """What the provider agrees to is kept."""
    terminal = await _terminal(call, terminal_id)
    service.checked(call.hub, terminal, part)
    answer = await _order(call, _provider_of(call, terminal), (_id(terminal),), part)
    await service.keep_change(call.hub, terminal, part)
    return answer


def _id(terminal: Document) -> str:
    return str(parse(terminal.body, limit=LIMIT)["terminal_id"])


def _provider_of(call: Call, terminal: Document) -> Receiver:
    return receiver(call.hub, call.partner, terminal.owner, MODULE, PTP)


async def _order(call: Call, to: Receiver, path: tuple[str, ...], body: Tree | None) -> Answer:
    """The provider is asked, and what it answers is the answer."""
    raw = call.raw or None
    method, path = call.operation.method, ("terminals", *path)
    errand = Errand(method=method, module=MODULE, side=SENDER, path=path, body=body, raw=raw, wires=TERMINAL_ASKED)
    return (await relay(call, to, errand)).answer(call, to, None)


@operations("GET", SENDER, _ADVICE, answer=CONFIRMATION, listed=True, query=QUERY, versions=VERSIONS)
async def list_confirmations(call: Call) -> Answer:
    """What became of payments for the caller's charges.

    OCPI mod_payments_ptp_get_financial_advice_confirmations_method.
    """
    return await _confirmations.page(call, _among(call))


@operations("GET", SENDER, f"{_ADVICE}/{{confirmation_id}}", answer=CONFIRMATION, versions=VERSIONS)
async def get_confirmation(call: Call, confirmation_id: str) -> Answer:
    """One confirmation. OCPI mod_payments_ptp_get_financial_advice_confirmation_method."""
    return ok_bytes(
        (await service.get_seen(call.hub, CONFIRMATIONS, call.partner, confirmation_id, owner=_other(call))).body
    )


@operations("GET", RECEIVER, "terminals/{terminal_id}", callers=PTP, answer=TERMINAL, versions=VERSIONS)
async def get_own_terminal(call: Call, terminal_id: str) -> Answer:
    """A terminal as we keep it. OCPI mod_payments_cpo_terminal_get_method."""
    return ok_bytes((await service.get_own(call.hub, TERMINALS, _providers(call), terminal_id)).body)


@operations("POST", RECEIVER, "terminals", callers=PTP, body=TERMINAL_ASKED, versions=VERSIONS)
async def post_terminal(call: Call, body: TerminalAsked) -> Answer:
    """Keep a new or changed terminal. OCPI mod_payments_cpo_terminal_post_method."""
    return ok(created=await service.take_terminal(call.hub, _provider(call), body, to=_cpo(call)))


@operations("GET", RECEIVER, f"{_ADVICE}/{{confirmation_id}}", callers=PTP, answer=CONFIRMATION, versions=VERSIONS)
async def get_own_confirmation(call: Call, confirmation_id: str) -> Answer:
    """A confirmation as we keep it. OCPI mod_payments_cpo_financial_advice_confirmation_get_method."""
    return ok_bytes((await service.get_own(call.hub, CONFIRMATIONS, _providers(call), confirmation_id)).body)


@operations("POST", RECEIVER, _ADVICE, callers=PTP, body=CONFIRMATION, versions=VERSIONS)
async def post_confirmation(call: Call, body: FinancialAdviceConfirmation) -> Answer:
    """Keep what became of a payment. OCPI mod_payments_cpo_financial_advice_confirmation_post_method."""
    return ok(created=await service.take_confirmation(call.hub, _provider(call), body, to=_cpo(call)))


async def _terminal(call: Call, terminal_id: str) -> Document:
    return await service.get_seen(call.hub, TERMINALS, call.partner, terminal_id, owner=_other(call))


def _other(call: Call) -> str:
    """The party of OCPI-to, if it is not the hub or ours."""
    return "" if call.to in call.hub.settings.own_parties else call.to


def _cpo(call: Call) -> str:
    """The CPO that a provider names in OCPI-to. Raises: UnknownReceiver, PeerUnreachable, NotInTheirVersion."""
    where = destination(call, owner=_provider(call), shared=True, brought=True, roles=CPO)
    if isinstance(where, Receiver):
        return can_have(call, where).party
    return call.hub.settings.party if where is OURS else ""


def _providers(call: Call) -> list[str]:
    """The PTPs that the caller speaks for, the one that asks first."""
    own = {str(claim.party) for claim in call.partner.claims if claim.role in PTP}
    return sorted(own, key=lambda party: (party != call.asker, party))


def _provider(call: Call) -> str:
    """The URL names no party: the object is of the one that asks, or of the caller's first PTP."""
    return _providers(call)[0]
