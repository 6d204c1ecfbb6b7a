"""An answer to "may this token charge?" that is not as OCPI writes it: what does it mean all the same?

    it says                              then
    -----------------------------------  ---------------------------------------------------------------------------
    no, by a word of AllowedType         that is the answer, however odd the rest of it is
    anything else, also ALLOWED          NOT_ALLOWED, whatever the whitelist of the token

A yes is read exactly or not at all. Silence is no answer, and a server in trouble: then the whitelist decides
(mod_tokens_whitelisttype_enum). An eMSP that did answer is there, and may have refused: that its answer cannot be read
must not become a permission which it has to pay for.
"""

from __future__ import annotations

from typing import Final, get_args

import structlog

from hub.core.answers import is_error_of_ocpi
from hub.core.errors import PeerNonsense, PeerRefused
from hub.core.jsontypes import Json
from modules.tokens.model import AllowedType

log = structlog.get_logger()

ALLOWED: Final = "ALLOWED"
NOT_ALLOWED: Final = "NOT_ALLOWED"
_WORDS: Final = frozenset(get_args(get_args(AllowedType)[0]))


def meant_by(fault: PeerNonsense, partner: str) -> str:
    """The AllowedType that an unusable answer of `partner` comes to, never ALLOWED; "" where nothing was answered.

    The log names the answer, if there was one: its eMSP ought to hear of it.
    """
    if not fault.answered:
        return ""
    word = _word_in(fault.said)
    refusal = "" if word == ALLOWED else word
    log.warning("authorization is not valid", partner=partner, allowed=refusal, error=fault.message)
    return refusal or NOT_ALLOWED


def is_no_answer_of_ocpi(refused: PeerRefused) -> bool:
    """Is it a success of HTTP, under a status code that OCPI does not have?"""
    return 200 <= refused.http < 300 and not is_error_of_ocpi(refused.status_code)


def _word_in(data: Json) -> str:
    said = data.get("allowed") if isinstance(data, dict) else None
    word = said.strip().upper() if isinstance(said, str) else ""
    return word if word in _WORDS else ""
