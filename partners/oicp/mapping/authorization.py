"""May this one charge? OCPI's AuthorizationInfo and errors, OICP's AuthorizationStatus and codes.

A refusal of OICP means one of five things to OCPI; a code that nobody lists is a plain no. Only a provider's word is a
no: who cannot be reached leaves it to the operator's own policy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from hub.core.jsontypes import Tree
from hub.core.parties import Party
from partners.oicp import ids
from partners.oicp.answers import Code, code_of, is_nonsense, status
from partners.oicp.mapping.tokens import EMAID, Medium, synthetic_contract

AUTHORIZED: Final = "Authorized"


class Verdict(StrEnum):
    """What an answer of OICP means."""

    ALLOWED = "ALLOWED"
    BLOCKED = "BLOCKED"
    NOT_ALLOWED = "NOT_ALLOWED"
    UNKNOWN = "unknown token"
    """Nobody there knows the card or contract: HTTP 404 in OCPI."""
    SILENT = "silent"
    """The provider was not reached in time."""
    BROKEN = "broken"
    """Something there does not work."""


VERDICTS: Final[Mapping[Code, Verdict]] = {
    **dict.fromkeys(Code, Verdict.NOT_ALLOWED),
    Code.SUCCESS: Verdict.ALLOWED,
    Code.CONTRACT_LOCKED: Verdict.BLOCKED,
    **dict.fromkeys(
        (Code.WRONG_PIN, Code.UNKNOWN_CARD, Code.UNREADABLE_CARD, Code.UNKNOWN_CONTRACT, Code.PLUG_CONTRACT),
        Verdict.UNKNOWN,
    ),
    **dict.fromkeys((Code.PARTNER_SILENT, Code.APP_TIMEOUT, Code.PLUG_TIMEOUT), Verdict.SILENT),
    **dict.fromkeys((Code.HUB_ERROR, Code.DATABASE_ERROR, Code.SYSTEM_ERROR, Code.NOT_OFFERED), Verdict.BROKEN),
}
"""Every code that OICP lists."""

OF_EMPS: Final = frozenset(
    {
        *(Code.WRONG_PIN, Code.UNKNOWN_CARD, Code.UNREADABLE_CARD, Code.UNKNOWN_CONTRACT, Code.NOBODY_POSITIVE),
        *(Code.APP_TIMEOUT, Code.PLUG_CONTRACT, Code.PLUG_CERTIFICATE, Code.PLUG_TIMEOUT, Code.CONTRACT_LOCKED),
    }
)
"""What an EMP may refuse with."""
CODES: Final[Mapping[str, Code]] = {
    "ALLOWED": Code.SUCCESS,
    "BLOCKED": Code.CONTRACT_LOCKED,
    "EXPIRED": Code.CONTRACT_LOCKED,
    "NO_CREDIT": Code.CONTRACT_LOCKED,
    "NOT_ALLOWED": Code.NOBODY_POSITIVE,
}
"""Every AllowedType of OCPI."""


def verdict_of(answer: Mapping[str, Any]) -> Verdict:
    """What an AuthorizationStart or AuthorizationStop means. A yes whose code says no is a no; nonsense is neither."""
    if is_nonsense(answer):
        return Verdict.BROKEN
    code = code_of(answer)
    meant = next((verdict for member, verdict in VERDICTS.items() if member == code), Verdict.NOT_ALLOWED)
    if answer.get("AuthorizationStatus") == AUTHORIZED:
        return meant if code else Verdict.ALLOWED
    return Verdict.NOT_ALLOWED if meant is Verdict.ALLOWED else meant


def code_of_answer(info: Mapping[str, Any]) -> tuple[Code, str]:
    """The StatusCode for an AuthorizationInfo, and what is to stand beside it: OCPI tells more kinds of no."""
    allowed = str(info["allowed"])
    code = CODES.get(allowed, Code.NOBODY_POSITIVE)
    return code, "" if code is Code.SUCCESS else allowed


def code_of_error(http: int, ocpi_code: int, medium: Medium) -> Code:
    """The StatusCode where OCPI answered with an error, or not at all (`ocpi_code` of a hub or server error)."""
    if http == 404 or ocpi_code == 2004:
        return medium.unknown
    return Code.PARTNER_SILENT if ocpi_code >= 3000 else Code.NOBODY_POSITIVE


def own_code(refusals: Sequence[str], meant: Code) -> Code:
    """The StatusCode of the one provider of OICP that was asked, where it says more than `meant`, what OCPI made of it.

    Of several that refused, none speaks for the others. Who says that a contract is locked knows the driver, and counts
    before who does not.
    """
    said = next((member for member in OF_EMPS if [member] == list(refusals)), meant)
    return meant if meant is Code.CONTRACT_LOCKED else said


def allowed(session_id: str, provider_id: str, **partner_sessions: str) -> Tree:
    """AuthorizationStart, or AuthorizationStop, that says yes."""
    tree = {
        "SessionID": session_id,
        **partner_sessions,
        "ProviderID": provider_id,
        "AuthorizationStatus": AUTHORIZED,
        "StatusCode": status(Code.SUCCESS),
    }
    return {name: value for name, value in tree.items() if value}


def token_behind(provider: Party, uid: str, token_type: str, *, received: str) -> Tree:
    """The Token that AuthorizationInfo needs, where none is on record: OICP tells only whose it is."""
    is_contract = token_type == EMAID
    return {
        "country_code": provider.country_code,
        "party_id": provider.party_id,
        "uid": uid,
        "type": token_type,
        "contract_id": uid if is_contract else synthetic_contract(provider, uid),
        "issuer": str(ids.ProviderID.of(provider)),
        "valid": True,
        "whitelist": "NEVER",
        "last_updated": received,
    }
