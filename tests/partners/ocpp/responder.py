"""An authority with an OCSP responder on a real port, and a service of contract certificates beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.partners.ocpp.site import Payload


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def certificate_of(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
    *,
    answers: bool = False,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
    )
    if answers:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
        builder = builder.add_extension(usage, critical=False)
    return builder.sign(signer, hashes.SHA256())


@dataclass
class Responder:
    """`brings`: the authority's certificate comes with each answer. `delegates`: another key answers for it.

    `liar`: who signs says that the authority lets him answer, and it does not.
    """

    url: str = ""
    revoked: set[int] = field(default_factory=set)
    asked: int = 0
    is_silent: bool = False
    brings: bool = True
    delegates: bool = False
    liar: bool = False
    age: timedelta = timedelta(0)
    given: list[Any] = field(default_factory=list)
    """What the service was asked, and with which authorization."""
    service_says: Any = None

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.authority = certificate_of("Authority", self.key, "Authority", self.key)
        self._delegate_key = ec.generate_private_key(ec.SECP256R1())
        self._delegate = certificate_of("Answers", self._delegate_key, "Authority", self.key, answers=True)
        self._liar_key = ec.generate_private_key(ec.SECP256R1())
        self._liar = certificate_of("Answers", self._liar_key, "Authority", self._liar_key, answers=True)

    def issue(self, name: str) -> x509.Certificate:
        return certificate_of(name, ec.generate_private_key(ec.SECP256R1()), "Authority", self.key)

    def told(self, certificate: x509.Certificate) -> Payload:
        """OCSPRequestDataType of a certificate."""
        builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, self.authority, hashes.SHA256())
        request = builder.build()
        return {
            "hashAlgorithm": "SHA256",
            "issuerNameHash": request.issuer_name_hash.hex(),
            "issuerKeyHash": request.issuer_key_hash.hex(),
            "serialNumber": f"{request.serial_number:x}",
            "responderURL": f"{self.url}/ocsp",
        }

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.is_silent:
            return web.Response(status=503)
        asked = ocsp.load_der_ocsp_request(await request.read())
        return web.Response(body=self._answer(asked), content_type="application/ocsp-response")

    def _answer(self, asked: ocsp.OCSPRequest) -> bytes:
        now = datetime.now(UTC) - self.age
        is_revoked = asked.serial_number in self.revoked
        signer, key = (self._delegate, self._delegate_key) if self.delegates else (self.authority, self.key)
        if self.liar:
            signer, key = self._liar, self._liar_key
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            asked.issuer_name_hash,
            asked.issuer_key_hash,
            asked.serial_number,
            asked.hash_algorithm,
            ocsp.OCSPCertStatus.REVOKED if is_revoked else ocsp.OCSPCertStatus.GOOD,
            now,
            now + timedelta(hours=1),
            now if is_revoked else None,
            None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer)
        brought = [*([signer] if signer is not self.authority else []), *([self.authority] if self.brings else [])]
        builder = builder.certificates(brought) if brought else builder
        signed = builder.sign(key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.DER)

    async def serve_contracts(self, request: web.Request) -> web.Response:
        self.given.append((request.headers.get("Authorization"), await request.json()))
        return web.json_response(self.service_says)


@asynccontextmanager
async def a_responder() -> AsyncIterator[Responder]:
    """On a port of this machine."""
    responder = Responder()
    app = web.Application()
    app.add_routes([web.post("/ocsp", responder.answer), web.post("/contracts", responder.serve_contracts)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    responder.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield responder
    finally:
        await runner.cleanup()
