"""A card as OCPP 2.x names it: its text, and what kind of token that is.

OCPI tells the kind of a token (RFID, APP_USER), OCPP 1.6 knows the text alone. Where nobody told the kind, the form
of the text does: a uid of an RFID card is 4, 7 or 10 bytes in hexadecimal. A charger compares the kind as well, so what
is no uid of a card is never called one: an alias of ours (`modules/tokens/aliases.py`) is Central.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from hub.core.jsontypes import Tree
from modules.tokens.aliases import looks_made_up

_UID: Final = re.compile(r"(?:[0-9A-Fa-f]{2}){4}|(?:[0-9A-Fa-f]{2}){7}|(?:[0-9A-Fa-f]{2}){10}")
CENTRAL: Final = "Central"
CARD: Final = "ISO14443"

ID_TOKEN_TYPES: Final[Mapping[str, Mapping[str, str]]] = {
    "2.0.1": {"APP_USER": CENTRAL, "AD_HOC_USER": CENTRAL, "EMAID": "eMAID", "OTHER": CENTRAL, "RFID": CARD},
    "2.1": {"APP_USER": CENTRAL, "AD_HOC_USER": "DirectPayment", "EMAID": "eMAID", "OTHER": CENTRAL, "RFID": CARD},
}
"""TokenType (mod_tokens_token_type_enum) to the type of an IdToken."""


class Card(NamedTuple):
    """What a charger is told of a token. `type` is a TokenType of OCPI, "" where nobody said."""

    id_tag: str
    type: str = ""


def id_token(card: Card, version: str) -> Tree:
    """The IdTokenType of 2.x."""
    is_uid = _UID.fullmatch(card.id_tag) is not None and not looks_made_up(card.id_tag)
    kind = ID_TOKEN_TYPES[version].get(card.type, CARD if is_uid else CENTRAL)
    return {"idToken": card.id_tag, "type": CENTRAL if kind == CARD and not is_uid else kind}


def group_token(group_id: str) -> Tree:
    """A group of tokens; OCPI's is a text of the eMSP's own."""
    return {"idToken": group_id, "type": CENTRAL}
