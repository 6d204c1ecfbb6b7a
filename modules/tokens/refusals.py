"""An answer to "may this token charge?" that is not as OCPI writes it: what does it mean all the same?

    it says                              then
    -----------------------------------  ---------------------------------------------------------------------------
    no, by a word of AllowedType         that is the answer, however odd the rest of it is
    ALLOWED, and of a card on a list     yes, if nothing in it speaks of another card, another party or only some place
    nothing but that                     (its token may be missing or odd, its text no DisplayText)
    anything else                        NOT_ALLOWED, whatever the whitelist of the token

The word of a yes is read exactly or not at all. Silence is no answer, and a server in trouble: then the whitelist
decides (mod_tokens_whitelisttype_enum). An eMSP that did answer is there, and may have refused: that its answer cannot
be read must not become a permission which it has to pay for.
"""

from __future__ import annotations

from typing import Final, get_args

import structlog
from pydantic import TypeAdapter, ValidationError

from hub.core.answers import is_error_of_ocpi
from hub.core.errors import PeerNonsense, PeerRefused
from hub.core.jsontypes import Json, Tree
from hub.core.types import CiString36
from modules.tokens.model import AllowedType
from modules.tokens.store import folded

log = structlog.get_logger()

ALLOWED: Final = "ALLOWED"
NOT_ALLOWED: Final = "NOT_ALLOWED"
_IDENTIFYING: Final = ("country_code", "party_id", "uid", "contract_id")
_REFERENCE: Final[TypeAdapter[str]] = TypeAdapter(CiString36)
_WORDS: Final = frozenset(get_args(get_args(AllowedType)[0]))


def meant_by(fault: PeerNonsense, partner: str, token: Tree | None) -> Tree | None:
    """What an unusable answer of `partner` comes to: `allowed` of an AuthorizationInfo, for a yes with its reference.

    `token`: the one that was asked for, if it is on a list. None: nothing was answered. The log names the answer: its
    eMSP ought to hear of it.
    """
    if not fault.answered:
        return None
    meant = _plain_yes(fault.said, token) if token is not None else None
    if meant is None:
        word = _word_in(fault.said)
        meant = {"allowed": NOT_ALLOWED if word in ("", ALLOWED) else word}
    log.warning("authorization is not valid", partner=partner, taken_for=meant["allowed"], error=fault.message)
    return meant


def _plain_yes(said: Json, token: Tree) -> Tree | None:
    """What of an answer counts that allows `token` and speaks of nothing else; None, where it may."""
    if not isinstance(said, dict) or said.get("allowed") != ALLOWED or said.get("location") is not None:
        return None
    if not _may_be(said.get("token"), token):
        return None
    reference = said.get("authorization_reference")
    if reference is None:
        return {"allowed": ALLOWED}
    try:
        return {"allowed": ALLOWED, "authorization_reference": _REFERENCE.validate_python(reference)}
    except ValidationError:
        return None


def _may_be(named: Json, token: Tree) -> bool:
    """Does nothing of the token that was named belong to another one than `token`?"""
    if not isinstance(named, dict):
        return named is None
    told = {name: named[name] for name in _IDENTIFYING if named.get(name) is not None}
    return all(isinstance(value, str) and folded(value) == folded(token[name]) for name, value in told.items())


def is_no_answer_of_ocpi(refused: PeerRefused) -> bool:
    """Is it a success of HTTP, under a status code that OCPI does not have?"""
    return 200 <= refused.http < 300 and not is_error_of_ocpi(refused.status_code)


def _word_in(data: Json) -> str:
    said = data.get("allowed") if isinstance(data, dict) else None
    word = said.strip().upper() if isinstance(said, str) else ""
    return word if word in _WORDS else ""
