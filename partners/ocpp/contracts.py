"""The certificate of a contract (ISO 15118), as Authorize brings it: what can be said of it, and no more (C07).

A charger that knows the root sends what is needed to ask whether the certificate was revoked; one that does not sends
the certificate. We hold no roots and ask no responder. So a certificate may be found to be over, unreadable, or another
contract's; one of which nothing of that is so is *unchecked*, and the charger is told that. Who trusts its chargers'
contracts has the eMAID on its list, or its provider is asked: that is the token's part of the answer.
"""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import NameOID

from hub.core.jsontypes import Tree
from modules.tokens.contract_ids import spellings
from partners.ocpp.answers import Contract


def found_of(payload: Tree, contract_id: str, now: datetime) -> Contract | None:
    """What can be said of the certificate that an Authorize brings; None, when it brings none."""
    pem, hashes = payload.get("certificate"), payload.get("iso15118CertificateHashData")
    if not pem and not hashes:
        return None
    return _read(str(pem), contract_id, now) if pem else Contract.UNCHECKED


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
