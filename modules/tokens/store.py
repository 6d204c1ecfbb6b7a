"""Tokens as they are kept: by owner, uid and type, and found by uid alone when a card is tapped."""

from __future__ import annotations

from typing import Final

from hub.core.addressed import addressed
from hub.core.clock import timestamp
from hub.core.parties import Party
from hub.core.store import Store
from hub.core.units import ANY, Document, Kind, Put
from modules.tokens.model import Token

TOKENS: Final = Kind("tokens", columns=("uid", "contract"), indexed=("uid", "contract"), copied=True)
LEARNED: Final = Kind("learned_tokens", columns=("uid", "contract"), indexed=("uid", "contract"))
"""Tokens on no list, as their eMSP told them in an authorization: to know whom to ask, and whose a session is."""
AUTHORIZATIONS: Final = Kind("authorizations")
"""What was decided for a card at a place; `last_updated` is when it expires."""

_SEPARATORS: Final = str.maketrans("", "", ": -")


def folded(uid: str) -> str:
    """A uid as it is compared: without case and without the separators that readers put in (OCPI CiString)."""
    return (uid if uid.isalnum() else uid.translate(_SEPARATORS)).upper()


def key_of(owner: Party, uid: str, token_type: str, audience: str = "") -> str:
    """`NL*EEE/CARD1/RFID`, or `NL*EEE>BE*AAA/CARD1/RFID` for what is addressed to BE*AAA (`hub.core.addressed`)."""
    return f"{addressed(owner, audience)}/{folded(uid)}/{token_type}"


def type_in(key: str) -> str:
    """The TokenType of the token with that key."""
    return key.rsplit("/", 1)[1]


def type_of(document: Document) -> str:
    """Its TokenType."""
    return type_in(document.key)


def put_of(owner: Party, token: Token, body: bytes, *, audience: str = "", expect: int = ANY, arrived: str = "") -> Put:
    """The write of one token. `arrived`: when a change came whose time its owner did not tell."""
    uid, party = folded(token.uid), str(owner)
    return Put(
        TOKENS,
        f"{addressed(party, audience)}/{uid}/{token.type}",
        body,
        owner=party,
        audience=audience,
        last_updated=max(timestamp(token.last_updated), arrived),
        columns=(uid, token.contract_id.upper()),
        expect=expect,
    )


async def find(store: Store, owner: Party, uid: str, token_type: str, audience: str = "") -> Document | None:
    return await store.get(TOKENS, key_of(owner, uid, token_type, audience))


def learned_put(token: Token) -> Put:
    """The write of a token that an authorization told of."""
    owner, uid = Party.of(token.country_code, token.party_id), folded(token.uid)
    columns = (uid, token.contract_id.upper())
    key = key_of(owner, uid, token.type)
    return Put(LEARNED, key, token.json_bytes(), str(owner), "", timestamp(token.last_updated), columns)


async def by_uid(store: Store, uid: str, kind: Kind = TOKENS) -> list[Document]:
    """All tokens with this uid, of whatever owner and type, oldest first."""
    return await store.select(kind, equal={"uid": folded(uid)})


async def by_contract(store: Store, contract_id: str, kind: Kind = TOKENS) -> list[Document]:
    """All tokens of this contract, of whatever owner, oldest first."""
    return await store.select(kind, equal={"contract": contract_id.upper()})
