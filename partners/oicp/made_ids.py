"""EvseIDs for EVSEs whose operator gave them none, as OICP names everything by them.

    uid 1042            of DE*ABC   DE*ABC*E1042                            plain: letters and digits alone, up to 29
    uid ABC-left/2      of DE*ABC   DE*ABC*EABCLEFT2000C1F5E9B7A6D3E208421  else 30: what is plain of it, then a digest

A plain one is read back as its uid, and those with a digest are the only ones of 30 characters, so two EVSEs of one
operator never get the same. What the operator himself wrote wins: a plain one that he gave to another EVSE is passed
over for the one with a digest (`spare`).
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from hub.core.parties import Party
from partners.oicp import ids

_PLAIN: Final = re.compile(r"[A-Z0-9]{1,29}", re.ASCII)
_NOT_PLAIN: Final = re.compile(r"[^A-Z0-9]", re.ASCII)
_LENGTH: Final = 30
_DIGEST: Final = 20


def made_id(owner: str, evse_uid: str) -> str:
    """The EvseID of that EVSE of `owner` (`DE*ABC`)."""
    uid = evse_uid.upper()
    party = Party.parse(owner)
    if _is_ones_own(uid, party):
        return ids.written(uid)
    return _of(party, uid) if _PLAIN.fullmatch(uid) else spare(owner, evse_uid)


def spare(owner: str, evse_uid: str) -> str:
    """Another one, for where the plain one is taken."""
    uid = evse_uid.upper()
    digest = hashlib.sha256(uid.encode()).hexdigest()[:_DIGEST].upper()
    return _of(Party.parse(owner), _NOT_PLAIN.sub("", uid)[: _LENGTH - _DIGEST].ljust(_LENGTH - _DIGEST, "0") + digest)


def _of(party: Party, outlet: str) -> str:
    return f"{party.country_code}*{party.party_id}*E{outlet}"


def _is_ones_own(uid: str, party: Party) -> bool:
    """Many write the EvseID where OCPI has the uid."""
    try:
        return ids.EvseID.parse(uid).operator == ids.OperatorID.of(party)
    except ids.InvalidId:
        return False
