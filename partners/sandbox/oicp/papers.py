"""What a partner shows and whom it trusts on a TLS connection."""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Papers:
    """Files: the root certificate that is trusted, and our own certificate with its key."""

    root: Path
    certificate: Path
    key: Path

    @property
    def fingerprint(self) -> str:
        """SHA-256 of our certificate, in hex: what the other side may pin."""
        return fingerprint(self.certificate.read_text(encoding="ascii"))

    def for_serving(self, *, asks: bool) -> ssl.SSLContext:
        """TLS for our server. `asks`: nobody gets in without a certificate; else one that is shown is checked."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        context.load_verify_locations(self.root)
        context.verify_mode = ssl.CERT_REQUIRED if asks else ssl.CERT_OPTIONAL
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def for_calling(self) -> ssl.SSLContext:
        """TLS for our requests: our certificate is shown, theirs must be of the root."""
        context = ssl.create_default_context(cafile=self.root)
        context.load_cert_chain(self.certificate, self.key)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def fingerprint(pem: str) -> str:
    """SHA-256 of a certificate. Raises: ValueError, for what is none."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
