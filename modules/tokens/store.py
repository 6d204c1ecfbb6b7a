"""Tokens as they are kept: by owner, uid and type, and found by uid alone when a card is tapped."""

from __future__ import annotations

from typing import Final

from hub.core.clock import timestamp
from hub.core.parties import Party
from hub.core.store import Store
from hub.core.units import ANY, Document, Kind, Put
from modules.tokens.model import Token

TOKENS: Final = Kind("tokens", columns=("uid",), indexed=("uid",))
AUTHORIZATIONS: Final = Kind("authorizations")
"""What was decided for a card at a place; `last_updated` is when it expires."""

_SEPARATORS: Final = str.maketrans("", "", ": -")


def folded(uid: str) -> str:
    """A uid as it is compared: without case and without the separators that readers put in (OCPI CiString)."""
    return (uid if uid.isalnum() else uid.translate(_SEPARATORS)).upper()


def key_of(owner: Party, uid: str, token_type: str) -> str:
    return f"{owner}/{folded(uid)}/{token_type}"


def put_of(owner: Party, token: Token, body: bytes, *, expect: int = ANY) -> Put:
    """The write of one token."""
    uid, party = folded(token.uid), str(owner)
    return Put(
        TOKENS,
        f"{party}/{uid}/{token.type}",
        body,
        owner=party,
        last_updated=timestamp(token.last_updated),
        columns=(uid,),
        expect=expect,
    )


async def find(store: Store, owner: Party, uid: str, token_type: str) -> Document | None:
    return await store.get(TOKENS, key_of(owner, uid, token_type))


async def by_uid(store: Store, uid: str) -> list[Document]:
    """All tokens with this uid, of whatever owner and type, oldest first."""
    return await store.select(TOKENS, equal={"uid": folded(uid)})
