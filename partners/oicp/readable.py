"""Certificates as a person reads them: whose they are, who issued them, until when they hold, their fingerprint."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes


class Readable(NamedTuple):
    """One certificate. Names are as in RFC 4514 (`CN=hub.example,O=Acme,C=DE`)."""

    subject: str
    issuer: str
    fingerprint: str
    """SHA-256, lower-case hexadecimal."""
    expires: datetime


def readable(pem: str) -> list[Readable]:
    """All in `pem`, in its order; as far as they can be read."""
    try:
        found = x509.load_pem_x509_certificates(pem.encode()) if pem else []
    except ValueError:
        found = [x509.load_pem_x509_certificate(pem.encode())]
    return [
        Readable(
            each.subject.rfc4514_string(),
            each.issuer.rfc4514_string(),
            each.fingerprint(hashes.SHA256()).hex(),
            each.not_valid_after_utc,
        )
        for each in found
    ]
