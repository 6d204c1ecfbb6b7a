"""The client certificate that a caller showed: from its TLS connection, or told by a proxy that ends TLS before us.

Whether it may be trusted was decided in the handshake; here it is known by its fingerprint. Proxies spell certificates
in several ways: percent-encoded PEM (nginx), Base64 of the DER form (HAProxy, Traefik), the same between colons
(RFC 9440).
"""

from __future__ import annotations

import hashlib
import ssl
from base64 import b64decode
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote

from cryptography import x509

_LONGEST: Final = 16 * 1024
_BEGIN: Final = "-----BEGIN CERTIFICATE-----"


class Shown(NamedTuple):
    """A client certificate, as far as we go by it."""

    fingerprint: str
    """SHA-256, lower-case hexadecimal."""
    expires: datetime


@lru_cache(maxsize=1024)
def from_pem(pem: str) -> Shown | None:
    """None: this is no certificate."""
    try:
        return _of(ssl.PEM_cert_to_DER_cert(pem.strip()))
    except (ValueError, x509.InvalidVersion):
        return None


@lru_cache(maxsize=1024)
def from_header(value: str) -> Shown | None:
    """What a proxy says of a client certificate, in any of the spellings. None: this is no certificate."""
    if len(value) > _LONGEST:
        return None
    text = unquote(value).strip().strip('":')
    if text.startswith(_BEGIN):
        return from_pem(text)
    try:
        return _of(b64decode("".join(text.split()), validate=True))
    except (ValueError, x509.InvalidVersion):
        return None


def _of(der: bytes) -> Shown:
    """Raises: ValueError."""
    certificate = x509.load_der_x509_certificate(der)
    return Shown(hashlib.sha256(der).hexdigest(), certificate.not_valid_after_utc)
