"""A certificate authority for tests: makes certificates of servers and clients, good for the loopback."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PEM = serialization.Encoding.PEM
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Identity:
    """A certificate with its key, also as files."""

    certificate: x509.Certificate
    pem: str
    chain_file: Path
    key_file: Path

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()


class Authority:
    """One authority; `directory` gets the files."""

    def __init__(self, directory: Path, name: str = "Test CA") -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = named(name)
        unlimited = x509.BasicConstraints(ca=True, path_length=None)
        builder = _builder(self._name, self._name, self._key.public_key(), timedelta(days=3650))
        self.certificate = builder.add_extension(unlimited, critical=True).sign(self._key, hashes.SHA256())
        self.pem = self.certificate.public_bytes(PEM).decode()
        self.file = directory / f"{name.replace(' ', '-')}.pem"
        self.file.write_text(self.pem)

    def identity(self, name: str, *, lasts: timedelta = timedelta(days=365)) -> Identity:
        """A new key and its certificate, for a server and a client alike."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(named(name), key.public_key(), lasts)
        pem = certificate.public_bytes(PEM).decode()
        chain_file, key_file = self._directory / f"{name}.pem", self._directory / f"{name}.key"
        chain_file.write_text(pem)
        private = (PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        key_file.write_bytes(key.private_bytes(*private))
        return Identity(certificate, pem, chain_file, key_file)

    def sign(self, csr: str, *, lasts: timedelta = timedelta(days=365)) -> str:
        """The certificate for a signing request, in PEM."""
        request = x509.load_pem_x509_csr(csr.encode())
        assert request.is_signature_valid
        key = request.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        return self._sign(request.subject, key, lasts).public_bytes(PEM).decode()

    def _sign(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, lasts: timedelta) -> x509.Certificate:
        here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("localhost")])
        uses = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
        builder = _builder(subject, self._name, key, lasts)
        return (
            builder.add_extension(here, critical=False)
            .add_extension(uses, critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def trusting(self, shown: Identity | None = None) -> ssl.SSLContext:
        """A client that trusts this authority, and shows `shown`."""
        context = ssl.create_default_context(cadata=self.pem)
        if shown is not None:
            context.load_cert_chain(shown.chain_file, shown.key_file)
        return context

    def serving(self, own: Identity) -> ssl.SSLContext:
        """A server that wants to see a certificate of this authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(own.chain_file, own.key_file)
        context.load_verify_locations(cadata=self.pem)
        context.verify_mode = ssl.CERT_REQUIRED
        return context


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, lasts: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(LONG_AGO)
        .not_valid_after(datetime.now(UTC) + lasts)
    )
