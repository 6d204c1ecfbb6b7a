"""Certificates of chargers: a request is kept, and signed where the operator gave us an authority (whitepaper, A02).

A request is signed only when its common name is the station's identity, its signature is good and its key is strong
enough. The certificate goes to the station as CertificateSigned, outside of the answer to its request.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hub.core.clock import timestamp
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.units import Audit, Kind, Put, Unit
from partners.ocpp.live import Link

log = structlog.get_logger()

CERTIFICATE_REQUESTS: Final = Kind("ocpp_certificate_requests", columns=("station",), indexed=("station",))

STATION: Final = "ChargingStationCertificate"
VALID_FOR: Final = timedelta(days=400)
_CHARGER_TIME_S: Final = 60.0


async def requested(hub: Hub, link: Link, csr: str, *, kind: str = STATION, number: int | None = None) -> str:
    """Keep a signing request. Returns: the status to answer with.

    `kind` is the certificateType of 2.x, `number` the requestId of 2.1. Ours is no authority of ISO 15118: what a
    charger wants to show to cars is kept, and refused.
    """
    identity, now = link.live.identity, hub.clock.now()
    put = Put(CERTIFICATE_REQUESTS, f"{identity}/{timestamp(now)}", csr.encode(), columns=(identity,))
    await hub.store.commit(Unit().put(put).audited(Audit(identity, "station.certificate_requested", put.key)))
    if kind != STATION:
        return "Rejected"
    if not hub.settings.ocpp_ca_cert:
        return "Accepted"
    try:
        chain = sign(hub, identity, csr)
    except ValueError as refusal:
        log.warning("certificate not signed", station=identity, why=str(refusal))
        return "Rejected"
    hub.background.start(_hand_over(hub, link, chain, number), name=f"certificate {identity}")
    return "Accepted"


def sign(hub: Hub, identity: str, csr: str) -> str:
    """The certificate for a request, with our authority's behind it, as PEM. Raises: ValueError, with the reason."""
    request = _checked(identity, csr)
    authority = x509.load_pem_x509_certificate(Path(hub.settings.ocpp_ca_cert).read_bytes())
    key = serialization.load_pem_private_key(Path(hub.settings.ocpp_ca_key).read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ValueError("the authority's key is neither RSA nor EC")
    now = hub.clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(request.subject)
        .issuer_name(authority.subject)
        .public_key(request.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(min(now + VALID_FOR, authority.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return "".join(part.public_bytes(serialization.Encoding.PEM).decode() for part in (certificate, authority))


def _checked(identity: str, csr: str) -> x509.CertificateSigningRequest:
    try:
        request = x509.load_pem_x509_csr(csr.encode())
        is_good = request.is_signature_valid
        key = request.public_key()
    except (InvalidSignature, UnsupportedAlgorithm, ValueError) as error:
        raise ValueError("it cannot be read") from error
    names = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if [str(name.value).casefold() for name in names] != [identity.casefold()]:
        raise ValueError("its common name is not the station's identity")
    if not is_good:
        raise ValueError("its signature is wrong")
    strong = (isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048) or (
        isinstance(key, ec.EllipticCurvePublicKey) and key.key_size >= 224
    )
    if not strong:
        raise ValueError("its key is too weak")
    return request


def signed_payload(version: str, chain: str, number: int | None) -> Tree:
    """The payload of CertificateSigned."""
    kind = {} if version == "1.6" else {"certificateType": STATION}
    named = {"requestId": number} if version == "2.1" and number is not None else {}
    return {"certificateChain": chain, **kind, **named}


async def _hand_over(hub: Hub, link: Link, chain: str, number: int | None) -> None:
    payload = signed_payload(link.version, chain, number)
    outcome = await link.rpc.call("CertificateSigned", payload, timeout_s=_CHARGER_TIME_S)
    log.info("certificate handed over", station=link.live.identity, outcome=type(outcome).__name__)
