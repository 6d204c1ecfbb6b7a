"""OCSP (RFC 6960): the question about a certificate, and what an answer is worth.

An answer counts only if it is about that certificate, of now, and signed by its issuer, or by whom the issuer let
answer. The issuer is who has the key whose hash the charger told: its certificate is among those that came with the
answer, or that the operator trusts (`BUSBAR_CONTRACT_CAS`). Most responders are asked over plain http, so an answer
whose signer is not known says nothing to us; a charger that knows the root may still read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from partners.ocpp.pnc import CertificateId, Status, Verdict

_ALGORITHMS: Final[dict[str, hashes.HashAlgorithm]] = {
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}
_SKEW: Final = timedelta(minutes=5)
_WITHOUT_UPDATE: Final = timedelta(hours=1)
"""For how long an answer holds that names no next update."""
_VERDICTS: Final = {
    ocsp.OCSPCertStatus.GOOD: Verdict.GOOD,
    ocsp.OCSPCertStatus.REVOKED: Verdict.REVOKED,
    ocsp.OCSPCertStatus.UNKNOWN: Verdict.UNKNOWN,
}
_NOT_READABLE: Final = (ValueError, TypeError, UnsupportedAlgorithm)


def question(certificate: CertificateId) -> bytes:
    """The request, as DER. Raises: ValueError, for what names no certificate."""
    algorithm = _ALGORITHMS.get(certificate.algorithm)
    if algorithm is None:
        raise ValueError("not a hash algorithm of OCPP")
    names = (bytes.fromhex(certificate.issuer_name), bytes.fromhex(certificate.issuer_key))
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(*names, int(certificate.serial, 16), algorithm)
    return builder.build().public_bytes(serialization.Encoding.DER)


def read(der: bytes, certificate: CertificateId, trusted: Sequence[x509.Certificate], now: datetime) -> Status:
    """What an answer says of the certificate; FAILED, where it says nothing that can be trusted.

    One of which only the signer is not known comes along all the same.
    """
    try:
        answer = ocsp.load_der_ocsp_response(der)
        if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return Status(Verdict.FAILED)
        single = next((each for each in answer.responses if _is_about(each, certificate)), None)
        if single is None or not _is_of_now(single, now):
            return Status(Verdict.FAILED)
        if not _is_signed(answer, certificate, trusted, now):
            return Status(Verdict.FAILED, der)
        until = single.next_update_utc or now + _WITHOUT_UPDATE
        return Status(_VERDICTS[single.certificate_status], der, until)
    except _NOT_READABLE:
        return Status(Verdict.FAILED)


def _is_about(single: ocsp.OCSPSingleResponse, certificate: CertificateId) -> bool:
    told = (single.issuer_name_hash, single.issuer_key_hash, single.serial_number)
    wanted = (bytes.fromhex(certificate.issuer_name), bytes.fromhex(certificate.issuer_key))
    return told == (*wanted, int(certificate.serial, 16))


def _is_of_now(single: ocsp.OCSPSingleResponse, now: datetime) -> bool:
    end = single.next_update_utc
    return single.this_update_utc <= now + _SKEW and (end is None or end >= now - _SKEW)


def _is_signed(
    answer: ocsp.OCSPResponse, certificate: CertificateId, trusted: Iterable[x509.Certificate], now: datetime
) -> bool:
    """By the issuer, or by one to whom it gave a certificate for that."""
    brought = answer.certificates
    issuers = [
        each
        for each in (*trusted, *brought)
        if _key_hash(each, certificate.algorithm) == certificate.issuer_key.lower()
    ]
    for issuer in issuers:
        if _signed_by(answer, issuer):
            return True
        if any(_may_answer(each, issuer, now) and _signed_by(answer, each) for each in brought):
            return True
    return False


def _key_hash(certificate: x509.Certificate, algorithm: str) -> str:
    """Of the key's bits alone, as OCSP has it."""
    digest = hashes.Hash(_ALGORITHMS[algorithm])
    digest.update(_bits(certificate.public_key()))
    return digest.finalize().hex()


def _bits(key: CertificatePublicKeyTypes) -> bytes:
    """Raises: ValueError, for a key that signs nothing here."""
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        return key.public_bytes_raw()
    raise ValueError("not a key of an authority")


def _may_answer(delegate: x509.Certificate, issuer: x509.Certificate, now: datetime) -> bool:
    try:
        usage = delegate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        delegate.verify_directly_issued_by(issuer)
    except (x509.ExtensionNotFound, InvalidSignature, *_NOT_READABLE):
        return False
    is_valid = delegate.not_valid_before_utc <= now <= delegate.not_valid_after_utc
    return is_valid and ExtendedKeyUsageOID.OCSP_SIGNING in usage


def _signed_by(answer: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    key, algorithm = signer.public_key(), answer.signature_hash_algorithm
    signed = (answer.signature, answer.tbs_response_bytes)
    try:
        if isinstance(key, rsa.RSAPublicKey) and algorithm is not None:
            key.verify(*signed, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm is not None:
            key.verify(*signed, ec.ECDSA(algorithm))
        elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            key.verify(*signed)
        else:
            return False
    except InvalidSignature:
        return False
    return True
