"""The certificates that we present to partners: keys are made here, sealed, and never leave.

A certificate has a name, under which connections refer to it. What leaves is a signing request (CSR); what comes back
is the certificate. To renew one, ask again under the same name: the new key waits beside the one in use until its
certificate is installed.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final, Literal, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from pydantic import BaseModel, ConfigDict

from hub.core.errors import Conflict, InvalidRequest, NotFound
from hub.core.ports import Hub
from hub.core.secrets import Seal
from hub.core.units import ABSENT, Audit, Delete, Kind, Put, Unit

OICP_CERTIFICATES: Final = Kind("oicp_certificates")
_RSA_BITS: Final = 3072
_PEM: Final = serialization.Encoding.PEM

KeyType = Literal["ec", "rsa"]
_Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class Subject(NamedTuple):
    """Whom a certificate is to name."""

    common_name: str
    organization: str = ""
    country: str = ""


class KeyPair(BaseModel):
    """A key, its signing request, and its certificate once there is one."""

    model_config = ConfigDict(frozen=True)
    sealed_key: str
    csr: str
    chain: str = ""
    """PEM: the certificate, then those that issued it."""

    @property
    def expires(self) -> datetime | None:
        """When the certificate ends."""
        return x509.load_pem_x509_certificate(self.chain.encode()).not_valid_after_utc if self.chain else None


class OwnCertificate(BaseModel):
    """One by its name: what is in use, and what is asked for."""

    model_config = ConfigDict(frozen=True)
    name: str
    used: KeyPair | None = None
    asked: KeyPair | None = None


class Certificates:
    """All of ours, in memory, written through to the store."""

    def __init__(self, hub: Hub, seal: Seal) -> None:
        self._hub = hub
        self._seal = seal
        self._known: dict[str, OwnCertificate] = {}
        self._versions: dict[str, int] = {}
        self._revision = -1

    async def load(self) -> None:
        """Read all. Called at the start."""
        self._revision = self._hub.store.revision(OICP_CERTIFICATES)
        found = await self._hub.store.select(OICP_CERTIFICATES, limit=100_000)
        self._known = {each.key: OwnCertificate.model_validate_json(each.body) for each in found}
        self._versions = {each.key: each.version for each in found}

    async def refresh(self) -> None:
        """Read again, if another process wrote one."""
        if self._revision != self._hub.store.revision(OICP_CERTIFICATES):
            await self.load()

    def all(self) -> list[OwnCertificate]:
        """In order of their names."""
        return [self._known[name] for name in sorted(self._known)]

    def find(self, name: str) -> OwnCertificate | None:
        return self._known.get(name)

    def get(self, name: str) -> OwnCertificate:
        """Raises: NotFound."""
        try:
            return self._known[name]
        except KeyError:
            raise NotFound(f"there is no certificate named {name!r}") from None

    def key_of(self, name: str, pair: KeyPair) -> bytes:
        """The private key, in PEM. For a TLS context alone."""
        return self._seal.open(pair.sealed_key, about=_about(name)).encode()

    async def ask(self, name: str, subject: Subject, *, key_type: KeyType, actor: str) -> OwnCertificate:
        """Make a key and its signing request. Raises: InvalidRequest, Conflict."""
        key = await asyncio.to_thread(_new_key, key_type)
        csr = _request(key, subject)
        sealed = self._seal.seal(_private_pem(key), about=_about(name))
        known = self._known.get(name) or OwnCertificate(name=name)
        asked = known.model_copy(update={"asked": KeyPair(sealed_key=sealed, csr=csr)})
        return await self._commit(asked, Audit(actor, "oicp.certificate_asked", name, subject.common_name))

    async def install(self, name: str, pem: str, *, actor: str) -> OwnCertificate:
        """Take the certificate that was issued for our request. Raises: NotFound, InvalidRequest, Conflict."""
        known = self.get(name)
        chain = _chain(pem, self._hub.clock.now())
        pair = next((pair for pair in (known.asked, known.used) if pair is not None and _fits(chain[0], pair)), None)
        if pair is None:
            raise InvalidRequest("/certificate: is for another key than the one that was made here")
        whole = "".join(each.public_bytes(_PEM).decode() for each in chain)
        installed = OwnCertificate(name=name, used=pair.model_copy(update={"chain": whole}))
        if pair is known.used:
            installed = installed.model_copy(update={"asked": known.asked})
        detail = f"{chain[0].serial_number:x}"
        return await self._commit(installed, Audit(actor, "oicp.certificate_installed", name, detail))

    async def remove(self, name: str, *, actor: str) -> None:
        """Forget a certificate and its key. Raises: NotFound."""
        self.get(name)
        unit = Unit().delete(Delete(OICP_CERTIFICATES, name))
        await self._hub.store.commit(unit.audited(Audit(actor, "oicp.certificate_removed", name)))
        await self.load()

    async def _commit(self, certificate: OwnCertificate, audit: Audit) -> OwnCertificate:
        expect = self._versions.get(certificate.name, ABSENT)
        put = Put(OICP_CERTIFICATES, certificate.name, certificate.model_dump_json().encode(), expect=expect)
        try:
            await self._hub.store.commit(Unit().put(put).audited(audit))
        except Conflict:
            await self.load()
            raise
        await self.load()
        return certificate


def _about(name: str) -> str:
    return f"oicp-certificate/{name}"


def _new_key(key_type: KeyType) -> _Key:
    if key_type == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    return ec.generate_private_key(ec.SECP256R1())


def _private_pem(key: _Key) -> str:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


def _request(key: _Key, subject: Subject) -> str:
    """Raises: InvalidRequest, for a subject that no certificate can have."""
    words = zip((NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.COUNTRY_NAME), subject, strict=True)
    try:
        name = x509.Name([x509.NameAttribute(oid, text) for oid, text in words if text])
    except ValueError:
        raise InvalidRequest("/common_name: no certificate can have this subject") from None
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(name)
        .sign(key, hashes.SHA256())
        .public_bytes(_PEM)
        .decode()
    )


def _chain(pem: str, now: datetime) -> list[x509.Certificate]:
    """Raises: InvalidRequest."""
    try:
        chain = x509.load_pem_x509_certificates(pem.encode())
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise InvalidRequest("/certificate: is no certificate in PEM") from None
    if chain[0].not_valid_after_utc <= now:
        raise InvalidRequest("/certificate: has ended already")
    return chain


def _fits(certificate: x509.Certificate, pair: KeyPair) -> bool:
    """Is it for the key of this pair?"""
    spki = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    ours = x509.load_pem_x509_csr(pair.csr.encode()).public_key()
    return certificate.public_key().public_bytes(*spki) == ours.public_bytes(*spki)
