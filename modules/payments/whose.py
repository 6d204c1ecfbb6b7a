"""Whose a terminal is: the CPO that has its locations and EVSEs, and is sent it. OCPI mod_payments_terminal_object.

    OCPI-to names a CPO                                        that one
    the terminal names one (country_code, party_id)            that one, as soon as it is a partner
    all its locations and EVSEs that are here are of one CPO   that one
    none of this                                               nobody's, and looked at again; or ours, once our
                                                               operator assigns it

Once somebody has it, it stays with that CPO: a terminal is not taken from who works with it by whoever sends it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from hub.core import trace
from hub.core.errors import Conflict, InvalidRequest
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.operations import CPO
from hub.core.parties import Party, PartyRole
from hub.core.ports import Hub
from hub.core.units import Audit, Document, Unit
from modules.locations import service as locations
from modules.payments import store as payments

LIMIT: Final = 64 * 1024
BY_HEADERS: Final = "the OCPI-to headers"
BY_NAME: Final = "the party that it names"
BY_PLACES: Final = "its locations and EVSEs"
BY_OPERATOR: Final = "assigned here"
_PTP: Final = frozenset({PartyRole.PTP})
_PARTY: Final = ("country_code", "party_id")


class Whose(NamedTuple):
    """The CPO that has a terminal, and by what; "" for nobody, and `why` it is nobody's."""

    party: str
    by: str = ""
    why: str = ""


async def whose(hub: Hub, provider: str, tree: Tree, *, known: Document | None, to: str = "") -> Whose:
    """Whose a terminal of `provider` is. `known`: as it is on record; `to`: the CPO of OCPI-to, "" for none.

    Raises: InvalidRequest, where it names another CPO than OCPI-to does, or than the one that has it.
    """
    named = _named_in(tree)
    if to and named and to != named:
        raise InvalidRequest(f"/party_id: the terminal names {named}, and the OCPI-to headers name {to}")
    if known is not None and known.audience:
        if (to or named) not in ("", known.audience):
            raise InvalidRequest(f"/party_id: {known.audience} has this terminal; deactivate it, and make another")
        return Whose(known.audience, known.columns["decided_by"])
    if to:
        return Whose(to, BY_HEADERS)
    if named:
        is_here = named == hub.settings.party or hub.registry.holder_of(Party.parse(named), CPO) is not None
        return Whose(named, BY_NAME) if is_here else Whose("", why=f"no CPO here is {named}, which it names")
    return await _by_places(hub, provider, tree)


def _named_in(tree: Tree) -> str:
    """The CPO that a terminal names in full."""
    return str(Party.of(tree["country_code"], tree["party_id"])) if all(tree.get(name) for name in _PARTY) else ""


async def _by_places(hub: Hub, provider: str, tree: Tree) -> Whose:
    partner = hub.registry.find_party(Party.parse(provider), _PTP)
    location_ids, evse_uids = tree.get("location_ids") or (), tree.get("evse_uids") or ()
    if partner is None or not (location_ids or evse_uids):
        return Whose("", why="nothing says which CPO's it is: no OCPI-to, party, location or EVSE")
    found = await locations.owners_with(hub, partner, location_ids, evse_uids)
    if not found:
        return Whose("", why="none of its locations and EVSEs is here")
    owners = set.intersection(*found)
    if len(owners) != 1:
        return Whose("", why="its locations and EVSEs may be those of several CPOs")
    return Whose(owners.pop(), BY_PLACES)


def check_ordered(part: Tree, parties: Collection[str]) -> None:
    """May a CPO that is one of `parties` order this: does it leave the terminal its own?

    Raises: InvalidRequest, for another party, be it named by halves.
    """
    told = [(name, str(part[name]).upper()) for name in _PARTY if part.get(name) is not None]
    own = [dict(zip(_PARTY, party.split("*", 1), strict=True)) for party in parties]
    if not any(all(each[name] == value for name, value in told) for each in own):
        raise InvalidRequest("/party_id: the object names a party that is not yours")


async def address_anew(hub: Hub) -> None:
    """Give the terminals that are nobody's to the CPOs whose they can be seen to be now."""
    after = 0
    while found := await payments.nobodys_terminals(hub.store, after_seq=after):
        after = found[-1].seq
        for document in found:
            await _address(hub, document)


async def _address(hub: Hub, document: Document) -> None:
    tree: Tree = parse(document.body, limit=LIMIT)
    goes = await whose(hub, document.owner, tree, known=document)
    if not goes.party:
        return
    put = payments.terminal_put(document.owner, tree, goes.party, decided_by=goes.by, expect=document.version)
    unit = Unit().put(put).tells(payments.change_of(put, trace.correlation()))
    try:
        await hub.store.commit(unit.audited(Audit("busbar", "terminal.addressed", put.key, goes.party)))
    except Conflict:
        return  # its provider has told it anew meanwhile, and so it was decided
