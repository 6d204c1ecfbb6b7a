"""An alias stands, for good, at our chargers for a token uid that does not fit an idTag of OCPP 1.6 (rule R15)."""

from __future__ import annotations

from secrets import token_hex
from typing import Final

from hub.core.errors import Conflict
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.store import Store
from hub.core.units import ABSENT, Document, Kind, Put, Unit
from modules.tokens.store import find

TAG_ALIASES: Final = Kind("tag_aliases", columns=("alias",), indexed=("alias",))

LONGEST_TAG: Final = 20
"""Characters of an idTag in OCPP 1.6 (IdToken is a CiString20Type)."""
_BEGIN: Final = "BB"
_LIMIT: Final = 64 * 1024


def looks_made_up(id_tag: str) -> bool:
    """Has it the form of an alias? Also a card's uid of ten bytes may have it, of which few are made."""
    return len(id_tag) == LONGEST_TAG and id_tag.startswith(_BEGIN)


async def tag_of(store: Store, owner: Party, token_type: str, uid: str) -> str:
    """The idTag that stands for a token at a charger: its uid where it fits, else the alias it gets for good."""
    if len(uid) <= LONGEST_TAG and uid.isascii() and uid.strip() == uid:
        return uid
    key = f"{owner}/{uid.upper()}/{token_type}"
    known = await store.get(TAG_ALIASES, key)
    if known is not None:
        return known.columns["alias"]
    alias = f"{_BEGIN}{token_hex(9).upper()}"
    body = encode({"party": str(owner), "uid": uid, "type": token_type})
    try:
        await store.commit(Unit().put(Put(TAG_ALIASES, key, body, str(owner), columns=(alias,), expect=ABSENT)))
    except Conflict:
        return await tag_of(store, owner, token_type, uid)
    return alias


async def by_alias(store: Store, id_tag: str) -> Tree | None:
    """The token (`party`, `uid`, `type`) that an alias stands for."""
    documents = await store.select(TAG_ALIASES, equal={"alias": id_tag.upper()}, limit=1)
    return parse(documents[0].body, limit=_LIMIT) if documents else None


async def behind(store: Store, id_tag: str) -> Document | None:
    """The token on record that an alias stands for; None also where its eMSP never told us of the token."""
    alias = await by_alias(store, id_tag)
    return await find(store, Party.parse(alias["party"]), alias["uid"], alias["type"]) if alias is not None else None
