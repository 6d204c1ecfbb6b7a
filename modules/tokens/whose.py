"""Whose driver it is: to whom a session or a CDR of another CPO belongs. OCPI mod_sessions, mod_cdrs (cdr_token).

From 2.2 on the record names the party. 2.1.1 names the contract only (`auth_id`): the party is that of the one token
which we know by that contract, or by that uid. Where two parties have such a token, or nobody has, it is nobody's:
a driver's charges are never shown on a guess.
"""

from __future__ import annotations

from typing import Final

from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.operations import EMSP_LIKE
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.units import Document
from modules.locations.wire import NOT_AVAILABLE
from modules.tokens.store import LEARNED, TOKENS, by_contract, by_uid

_LIMIT: Final = 64 * 1024
_OF_A_RECORD: Final = ("country_code", "party_id", "uid", "type", "contract_id")
_RFID: Final = "/RFID"


async def addressed(hub: Hub, cpo: str, module: str, record: Tree) -> tuple[Tree, str]:
    """A Session or CDR of `cpo` with the token that it means, and the party that gets it ("": nobody)."""
    token = record["cdr_token"]
    if token["uid"] == NOT_AVAILABLE:
        token = await _meant_by(hub, token["contract_id"])
        if token is None:
            return record, ""
    party = Party.of(token["country_code"], token["party_id"])
    return {**record, "cdr_token": token}, _audience(hub, cpo, module, party)


async def _meant_by(hub: Hub, auth_id: str) -> Tree | None:
    """The CdrToken that an `auth_id` of 2.1.1 names; None where we know none, or those of several parties."""
    for kind in (TOKENS, LEARNED):
        for look in (by_contract, by_uid):
            found = await look(hub.store, auth_id, kind)
            if found:
                return _the_one(found)
    return None


def _the_one(found: list[Document]) -> Tree | None:
    """A contract may have several cards: the RFID one stands for it, else the oldest."""
    if len({document.owner for document in found}) > 1:
        return None
    chosen = min(found, key=lambda document: (not document.key.endswith(_RFID), document.seq))
    tree = parse(chosen.body, limit=_LIMIT)
    return {name: tree[name] for name in _OF_A_RECORD}


def _audience(hub: Hub, cpo: str, module: str, party: Party) -> str:
    """The party that gets a record of `cpo`; "" where an agreement keeps it from there, or it is not an eMSP's.

    It is decided when the record comes: what was addressed to somebody is not taken back when partners change.
    """
    if str(party) in hub.settings.own_parties:
        return hub.settings.party
    viewer = hub.registry.holder_of(party, EMSP_LIKE) or hub.registry.find_party(party)
    if viewer is None or viewer.roles.isdisjoint(EMSP_LIKE):
        return ""
    return str(party) if hub.agreements.may(viewer, cpo, module).allowed else ""
