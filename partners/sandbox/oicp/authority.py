"""A certificate authority for tests: its root, and certificates for servers and clients, in a folder.

    papers = Authority(folder).issue("emp")

Keys are of P-256, certificates live for days, and servers are 127.0.0.1 and localhost. Every certificate serves both
ends of a connection, as a partner of OICP is server and client.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from partners.sandbox.oicp.papers import Papers

VALID_FOR: Final = timedelta(days=7)
_EARLIER: Final = timedelta(minutes=5)
"""Certificates are valid from a while ago: other clocks may be behind."""


class Authority:
    """The authority whose files are in `folder`; it is made when they are not there."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.root = folder / f"{name}.pem"
        self._key_file = folder / f"{name}.key"
        if self.root.exists():
            self._certificate = x509.load_pem_x509_certificate(self.root.read_bytes())
            self._key = _load_key(self._key_file)
        else:
            self._key = ec.generate_private_key(ec.SECP256R1())
            self._certificate = self._sign_root(f"Sandbox authority {name}")
            _write_key(self._key_file, self._key)
            self.root.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, *, valid_for: timedelta = VALID_FOR) -> Papers:
        """`<name>.pem` and `<name>.key` in the folder. A negative `valid_for` makes one that is over."""
        papers = Papers(self.root, self._folder / f"{name}.pem", self._folder / f"{name}.key")
        key = ec.generate_private_key(ec.SECP256R1())
        _write_key(papers.key, key)
        signed = self._sign(name, key.public_key(), valid_for)
        papers.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        return papers

    def sign(self, request: str, *, valid_for: timedelta = VALID_FOR) -> str:
        """The certificate for a signing request in PEM, whose key stays where it is; in PEM. Raises: ValueError."""
        asked = x509.load_pem_x509_csr(request.encode())
        key = asked.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise ValueError("only keys of an elliptic curve are signed here")
        name = str(asked.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
        return self._sign(name, key, valid_for).public_bytes(serialization.Encoding.PEM).decode()

    def _sign_root(self, name: str) -> x509.Certificate:
        key = self._key.public_key()
        return (
            _draft(name, name, key, VALID_FOR)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _sign(self, name: str, key: ec.EllipticCurvePublicKey, valid_for: timedelta) -> x509.Certificate:
        issuer = self._certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        loopback = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        return (
            _draft(name, str(issuer), key, valid_for)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(x509.SubjectAlternativeName(loopback), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _draft(subject: str, issuer: str, key: ec.EllipticCurvePublicKey, valid_for: timedelta) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    begins = min(now - _EARLIER, now + valid_for - _EARLIER)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(now + valid_for)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    names = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only")
    rest = dict.fromkeys((*names, "decipher_only"), False)
    return x509.KeyUsage(digital_signature=not signs, key_cert_sign=signs, crl_sign=signs, **rest)


def _write_key(file: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """For our eyes only."""
    file.touch(mode=0o600)
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _load_key(file: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(file.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{file.name} holds no key of an elliptic curve")
    return key
