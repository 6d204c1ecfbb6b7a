"""Payment terminals and confirmations: taken from the PTP that owns them, for the CPO that they concern. OCPI
mod_payments.

Whose a terminal is says `whose.py`. Whose a confirmation is: the party of OCPI-to, else that of the CDR with the same
authorization_reference, which it waits for (`waiting.py`). That is its audience, and stays.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from hub.core import trace
from hub.core.clock import timestamp
from hub.core.errors import Conflict, InvalidRequest, NotEnoughInformation, NotFound, PeerUnreachable
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Json, Tree
from hub.core.operations import SENDER
from hub.core.parties import Party, PartyRole
from hub.core.ports import Hub
from hub.core.recency import is_outdated
from hub.core.registry import Partner
from hub.core.routing import Receiver
from hub.core.unaddressed import Addressee
from hub.core.units import ABSENT, Document, Kind, Put, Unit
from modules.cdrs import service as cdrs
from modules.payments import store as payments
from modules.payments.card_numbers import refuse_card_numbers
from modules.payments.model import FinancialAdviceConfirmation, TerminalAsked
from modules.payments.store import CONFIRMATIONS, MODULE, PATHS, TERMINALS
from modules.payments.whose import BY_OPERATOR, LIMIT, check_ordered, whose
from modules.payments.wire import TERMINAL

PTP: Final = frozenset({PartyRole.PTP})
_ATTEMPTS: Final = 5

_PutOf = Callable[[Document | None], Awaitable[Put]]
"""The write that follows from what is known."""


async def take_terminal(hub: Hub, owner: str, asked: TerminalAsked, *, to: str) -> bool:
    """Keep a terminal that its PTP created or changed; `to` is the CPO that it says it is for, if it does.

    An older copy changes nothing. Returns: True if it was not known before. Raises: InvalidRequest, also where it names
    another CPO than the one that has it; NotEnoughInformation (no id).
    """
    given = asked.tree()
    refuse_card_numbers(given)
    if asked.terminal_id is None:
        raise NotEnoughInformation("/terminal_id: required")
    given.setdefault("last_updated", timestamp(hub.clock.now()))
    tree = TERMINAL["2.3.0"].read(given).tree()

    async def put(known: Document | None) -> Put:
        goes = await whose(hub, owner, tree, known=known, to=to)
        return payments.terminal_put(owner, tree, goes.party, decided_by=goes.by, expect=_expected(known))

    return await _keep(hub, TERMINALS, payments.key_of(owner, tree["terminal_id"]), put)


def _cpo_or_us(hub: Hub, party: str) -> str:
    """`party`, if it is a CPO that is known here; else our own. An agreement is asked when it is sent or listed."""
    known = party and hub.registry.holder_of(Party.parse(party), frozenset({PartyRole.CPO}))
    return party if known else hub.settings.party


async def take_confirmation(hub: Hub, owner: str, confirmation: FinancialAdviceConfirmation, *, to: str) -> bool:
    """Keep what a PTP says of a capture. Returns: True if it was not known before.

    Raises: InvalidRequest, also where it is addressed to another CPO than the one that has it.
    """
    tree = confirmation.tree()
    refuse_card_numbers(tree)
    if tree["total_costs"]["before_taxes"] < 0:
        raise InvalidRequest("/total_costs: nobody captures an amount below zero")

    async def put(known: Document | None) -> Put:
        has_it = known.audience if known is not None else ""
        if has_it and to not in ("", has_it):
            raise InvalidRequest(f"{has_it} has this confirmation, and the OCPI-to headers name {to}")
        audience = has_it or to or (await charged_by(hub, owner, tree)).party
        return payments.confirmation_put(owner, tree, audience, expect=_expected(known))

    return await _keep(hub, CONFIRMATIONS, payments.key_of(owner, tree["id"]), put)


async def charged_by(hub: Hub, owner: str, tree: Tree) -> Addressee:
    """The CPO whose CDR the payment is for, if there is such a CDR yet."""
    reference = tree["authorization_reference"]
    under_it = await cdrs.by_reference(hub.store, reference)
    found = _of_tokens_of(owner, under_it)
    if found:
        return Addressee(_cpo_or_us(hub, found[0].owner))
    such = f"no CDR of a token of {owner}" if under_it else "no CDR"
    return Addressee("", f"{such} is here under authorization_reference {reference}")


async def matching(hub: Hub, owner: str, reference: str) -> list[Document]:
    """The CDRs that a payment is for: those under its reference, of a token of its PTP."""
    return _of_tokens_of(owner, await cdrs.by_reference(hub.store, reference))


def _of_tokens_of(owner: str, found: Sequence[Document]) -> list[Document]:
    return [cdr for cdr in found if cdrs.payer(cdr) == owner]


def _expected(known: Document | None) -> int:
    return known.version if known is not None else ABSENT


async def _keep(hub: Hub, kind: Kind, key: str, put_of: _PutOf) -> bool:
    for _ in range(_ATTEMPTS):
        known = await payments.find(hub.store, kind, key)
        put = await put_of(known)
        if known is not None and _is_no_news(hub, put, known):
            return False
        try:
            await hub.store.commit(Unit().put(put).tells(payments.change_of(put, trace.correlation())))
        except Conflict:
            continue
        return known is None
    raise Conflict


def _is_no_news(hub: Hub, put: Put, known: Document) -> bool:
    """What is said once more may say at last whom it is for."""
    if is_outdated(put.last_updated, known, hub.clock.now()):
        return True
    return (known.body, known.audience) == (put.body, put.audience)


async def get_own(hub: Hub, kind: Kind, owners: Sequence[str], object_id: str) -> Document:
    """What we keep of a PTP that asks. Raises: NotFound."""
    for owner in owners:
        document = await payments.find(hub.store, kind, payments.key_of(owner, object_id))
        if document is not None:
            return document
    raise NotFound(f"there is no such object in {PATHS[kind]}")


async def get_seen(hub: Hub, kind: Kind, viewer: Partner, object_id: str, *, owner: str = "") -> Document:
    """What a CPO may see; `owner` says of which PTP, where that is said. Raises: NotFound, InvalidRequest."""
    found = await payments.seen_by(hub.store, kind, object_id, sorted(viewer.parties))
    found = [document for document in found if owner in ("", document.owner) and may_see(hub, viewer, document.owner)]
    if not found:
        raise NotFound(f"there is no such object in {PATHS[kind]}")
    if len(found) > 1:
        raise InvalidRequest("several providers have one of this id: name yours in the OCPI-to headers")
    return found[0]


def may_see(hub: Hub, viewer: Partner, owner: str) -> bool:
    """May a CPO have what the PTP `owner` addressed to it?"""
    return hub.agreements.may_be_sent(viewer, owner, MODULE).allowed


def providers(hub: Hub, asker: Partner | None) -> list[Receiver]:
    """The PTPs that are connected, and that `asker` may reach (None: we ourselves)."""
    return [
        Receiver(partner, str(claim.party))
        for partner in hub.registry.connected()
        for claim in partner.claims
        if claim.role in PTP and (asker is None or hub.agreements.reach(asker, str(claim.party), MODULE).allowed)
    ]


def provider(hub: Hub, party: str, asker: Partner | None) -> Receiver:
    """The PTP that is meant. "": the only one there is.

    Raises: PeerUnreachable; NotEnoughInformation, when there are several.
    """
    known = [each for each in providers(hub, asker) if party in ("", each.party)]
    if not known:
        raise PeerUnreachable("no such payment terminal provider is connected")
    if len(known) > 1:
        raise NotEnoughInformation("there are several payment terminal providers: name one in the OCPI-to headers")
    return known[0]


def checked(hub: Hub, terminal: Document, part: Tree) -> None:
    """May the CPO that has a terminal set this of it, or we of one that is nobody's?

    Raises: InvalidRequest, for a card number in it, another terminal's id, or another party.
    """
    refuse_card_numbers(part)
    check_ordered(part, [terminal.audience or hub.settings.party])
    known: Tree = parse(terminal.body, limit=LIMIT)
    if str(part.get("terminal_id") or known["terminal_id"]).upper() != known["terminal_id"].upper():
        raise InvalidRequest("the URL and the object name different terminals")
    TERMINAL["2.3.0"].read(_merged(known, part))


def _merged(tree: Tree, part: Tree) -> Tree:
    """What a CPO sets, on top of what the PTP says; null removes (REQ-023)."""
    part = {name: value for name, value in part.items() if name != "terminal_id"}
    return {name: value for name, value in {**tree, **part}.items() if value is not None}


async def keep_change(hub: Hub, terminal: Document, part: Tree) -> None:
    """The PTP has agreed to a change: the terminal is so from now on. One that was nobody's is ours: we assign it.

    Raises: NotFound.
    """
    part = {**part, "last_updated": part.get("last_updated") or timestamp(hub.clock.now())}

    async def put(known: Document | None) -> Put:
        if known is None:
            raise NotFound("the terminal is gone")
        tree = TERMINAL["2.3.0"].read(_merged(parse(known.body, limit=LIMIT), part)).tree()
        goes = (known.audience, known.columns["decided_by"]) if known.audience else (hub.settings.party, BY_OPERATOR)
        return payments.terminal_put(known.owner, tree, goes[0], decided_by=goes[1], expect=known.version)

    await _keep(hub, TERMINALS, terminal.key, put)


async def order(hub: Hub, to: Receiver, method: str, path: tuple[str, ...], tree: Tree | None) -> Json:
    """Ask a PTP for something in our own name, as the CPO of our terminals. Raises: PeerFault's children."""
    body = None if tree is None else encode(tree)
    path = (PATHS[TERMINALS], *path)
    answer = await hub.peers.send(to.partner, method, MODULE, SENDER, path, body=body, to=to.party)
    return answer.data
