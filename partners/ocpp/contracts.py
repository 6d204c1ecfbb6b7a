"""The certificate of a contract (ISO 15118), as Authorize brings it: what can be said of it, and no more (C07).

A charger that knows the root sends what is needed to ask whether a certificate of the chain was revoked; where that is
configured, the responders are asked before the token is decided on. One that does not know it sends the certificate,
and we hold no roots: it may be found to be over, unreadable, or another contract's. What nothing of that is so of is
*unchecked*, and the charger is told that. Who trusts its chargers' contracts has the eMAID on its list, or its provider
is asked: that is the token's part of the answer, and a revoked certificate has none.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from hub.core.jsontypes import Tree
from modules.tokens.contract_ids import spellings
from partners.ocpp.answers import Contract
from partners.ocpp.pnc import CertificateId, Contracts, Verdict

_MOST: Final = 4
"""Certificates of one chain, as the schema has it."""


async def found_of(payload: Tree, contract_id: str, now: datetime, asks: Contracts) -> Contract | None:
    """What can be said of the certificate that an Authorize brings; None, when it brings none."""
    pem, hashes = payload.get("certificate"), payload.get("iso15118CertificateHashData")
    if not pem and not hashes:
        return None
    read = _read(str(pem), contract_id, now) if pem else Contract.UNCHECKED
    told = [each for each in hashes if isinstance(each, dict)][:_MOST] if isinstance(hashes, list) else []
    return await _asked(told, asks) if told and read is Contract.UNCHECKED and asks.checks else read


async def _asked(told: list[Tree], asks: Contracts) -> Contract:
    """Good is a chain of which each is."""
    statuses = await asyncio.gather(
        *(asks.status(CertificateId.of(each), str(each.get("responderURL", ""))) for each in told)
    )
    verdicts = {status.verdict for status in statuses}
    if Verdict.REVOKED in verdicts:
        return Contract.REVOKED
    return Contract.GOOD if verdicts == {Verdict.GOOD} else Contract.UNCHECKED


def _read(pem: str, contract_id: str, now: datetime) -> Contract:
    try:
        chain = x509.load_pem_x509_certificates(pem.encode())
        names = chain[0].subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        is_over = any(not each.not_valid_before_utc <= now <= each.not_valid_after_utc for each in chain)
    except ValueError:
        return Contract.UNREADABLE
    if not any(set(spellings(str(name.value))) & set(spellings(contract_id)) for name in names):
        return Contract.OTHER_CONTRACT
    return Contract.EXPIRED if is_over else Contract.UNCHECKED
