"""Whose driver it is: to whom a session or a CDR of another CPO belongs. OCPI mod_sessions, mod_cdrs (cdr_token).

From 2.2 on the record names the party. 2.1.1 names the contract only (`auth_id`): the party is that of the one token
which we know by that contract, or by that uid, or for which the charge was ordered. Where two parties have such a
token, or nobody has, it is nobody's: a driver's charges are never shown on a guess.

What is nobody's yet is kept, and asked about again when partners, agreements or cards have changed.
"""

from __future__ import annotations

from enum import StrEnum
from hashlib import sha256
from typing import Final, NamedTuple

from hub.core.errors import InvalidRequest
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.operations import EMSP_LIKE
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.units import Document
from modules.locations.wire import NOT_AVAILABLE
from modules.tokens.ordered import ordered_token, remember_order
from modules.tokens.store import LEARNED, TOKENS, by_contract, by_uid

__all__ = [
    "Addressee",
    "Waits",
    "addressed",
    "addressee",
    "are_of_one_platform",
    "check_met",
    "check_named",
    "grounds",
    "met_over",
    "remember_order",
]

_LIMIT: Final = 64 * 1024
_OF_A_RECORD: Final = ("country_code", "party_id", "uid", "type", "contract_id")
_RFID: Final = "/RFID"


class Waits(StrEnum):
    """Why a record is for nobody yet."""

    WITHHELD = "withheld"
    """No agreement lets the party have it whose driver it was."""
    UNADDRESSED = "unaddressed"
    """We know nobody whose driver it was."""


class Addressee(NamedTuple):
    """The party that gets a record ("": nobody yet), and the rule that says so, in words for an operator."""

    party: str
    rule: str
    waits: Waits | None = None


async def addressed(hub: Hub, cpo: str, module: str, record: Tree, *, over: str = "") -> tuple[Tree, Addressee]:
    """A Session or CDR of `cpo` with the token that it means, and who gets it.

    `over`: the only party that the connection stands for on which it came, see `met_over`.
    """
    token = record["cdr_token"]
    if token["uid"] == NOT_AVAILABLE:
        token = await _meant_by(hub, cpo, record, over)
        if token is None:
            why = "its card is on no list, or on those of several parties, and nobody ordered it"
            return record, Addressee("", why, Waits.UNADDRESSED)
        record = {**record, "cdr_token": token}
    return record, addressee(hub, cpo, module, Party.of(token["country_code"], token["party_id"]))


def check_named(hub: Hub, to: str, token: Tree) -> None:
    """Is `to`, the party of OCPI-to, one that may be sent what `token` (cdr_token) charged? "": nobody is named.

    A party of the platform that the driver's party is on may, as the platform hears of it all the same.
    Raises: InvalidRequest.
    """
    if to in ("", hub.settings.hub):
        return
    party = str(Party.of(token["country_code"], token["party_id"]))
    if not are_of_one_platform(hub, to, party):
        raise InvalidRequest(f"/cdr_token: a driver of {party}, and the OCPI-to headers name {to}")


def are_of_one_platform(hub: Hub, one: str, other: str) -> bool:
    """Is it one party, or are both of one partner, which hears of both all the same?"""
    return one == other or any({one, other} <= partner.parties for partner in hub.registry.all())


def met_over(hub: Hub, partner: str) -> str:
    """The only party of ours that the connection of this partner, by name, stands for; "": all."""
    found = hub.registry.find(partner)
    return found.represents if found is not None else ""


async def check_met(hub: Hub, partner: str, cpo: str, record: Tree) -> None:
    """May a Session or CDR come from this partner: is its driver one of the party that its connection stands for?

    An `auth_id` of 2.1.1 that nobody has may be anybody's. Raises: InvalidRequest.
    """
    over, token = met_over(hub, partner), record["cdr_token"]
    if not over:
        return
    if token["uid"] == NOT_AVAILABLE:
        token = await _meant_by(hub, cpo, record, over) or await _meant_by(hub, cpo, record)
    if token is not None and str(Party.of(token["country_code"], token["party_id"])) != over:
        raise InvalidRequest(f"the driver is none of {over}, and this connection is for that party alone")


def addressee(hub: Hub, cpo: str, module: str, party: Party) -> Addressee:
    """Who gets a record of `cpo` about a driver of `party`.

    It is decided when the record comes: what was addressed to somebody is not taken back when partners change. What is
    nobody's is decided anew when they do.
    """
    if str(party) in hub.settings.own_parties:
        return Addressee(hub.settings.party, "a driver of this hub's own party")
    viewer = _connection(hub, party, cpo)
    if viewer is None:
        return Addressee("", f"no partner is {party}", Waits.UNADDRESSED)
    if str(party) not in viewer.parties_as(EMSP_LIKE):
        return Addressee("", f"{party} is here in no role that has drivers", Waits.UNADDRESSED)
    if not viewer.stands_for(cpo):
        return Addressee("", f"{party} has no connection for {cpo}", Waits.WITHHELD)
    verdict = hub.agreements.may(viewer, cpo, module)
    return Addressee(str(party), verdict.rule) if verdict.allowed else Addressee("", verdict.rule, Waits.WITHHELD)


def _connection(hub: Hub, party: Party, cpo: str) -> Partner | None:
    """Where the records of `cpo` go to `party`: of several connections of 2.1.1 the one that stands for that CPO."""
    registry = hub.registry
    return registry.holder_of(party, EMSP_LIKE, behind=cpo) or registry.find_party(party, EMSP_LIKE, behind=cpo)


def grounds(hub: Hub) -> str:
    """A mark of all that `addressee` decides by: while it stays, so do the answers."""
    partners = sorted(
        repr((each.name, each.state.value, each.since, each.represents, sorted(map(repr, each.claims or each.invited))))
        for each in hub.registry.all()
    )
    rules = (hub.settings.sharing, *map(str, hub.agreements.all()))
    return sha256("\n".join((*rules, *partners)).encode()).hexdigest()


async def _meant_by(hub: Hub, cpo: str, record: Tree, over: str = "") -> Tree | None:
    """The CdrToken that the `auth_id` of 2.1.1 names; None where we know none, or those of several parties.

    `over`: the only party that it can be of.
    """
    auth_id = record["cdr_token"]["contract_id"]
    for kind in (TOKENS, LEARNED):
        for look in (by_contract, by_uid):
            found = [each for each in await look(hub.store, auth_id, kind) if over in ("", each.owner)]
            if found:
                return _the_one(found)
    return await ordered_token(hub, cpo, record, over=over)


def _the_one(found: list[Document]) -> Tree | None:
    """A contract may have several cards: the RFID one stands for it, else the oldest."""
    if len({document.owner for document in found}) > 1:
        return None
    chosen = min(found, key=lambda document: (not document.key.endswith(_RFID), document.seq))
    tree = parse(chosen.body, limit=_LIMIT)
    return {name: tree[name] for name in _OF_A_RECORD}
