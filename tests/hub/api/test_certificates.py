"""Certificates of chargers over the API, in the words of each version."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from partners.ocpp import schemas
from partners.ocpp.certificates import signed_payload
from tests.hub.api.test_devices import CP1, a_charger
from tests.hub.house import House

HASH = {"hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "bb", "serialNumber": "1F"}
CHILD = {**HASH, "serialNumber": "20"}
VERSIONS = pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])


def has(version: str) -> dict[str, Any]:
    """How a charger tells what it has."""
    if version == "1.6":
        return {"status": "Accepted", "certificateHashData": [HASH]}
    chain = {"certificateType": "CSMSRootCertificate", "certificateHashData": HASH, "childCertificateHashData": [CHILD]}
    return {"status": "Accepted", "certificateHashDataChain": [chain]}


def pem() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "root")])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(31).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@VERSIONS
async def test_the_certificates_of_a_charger_are_listed_and_one_is_deleted(serving: House, version: str) -> None:
    answers = {"GetInstalledCertificateIds": has(version), "DeleteCertificate": {"status": "Accepted"}}
    async with a_charger(serving, version, answers) as asked:
        shown = (await serving.ask("GET", f"{CP1}/certificates")).tree["items"]
        assert {row["serialNumber"] for row in shown} == ({"1F"} if version == "1.6" else {"1F", "20"})
        assert (await serving.ask("DELETE", f"{CP1}/certificates/1f")).tree == {"status": "Accepted", "serial": "1F"}
        assert asked[-1] == ("DeleteCertificate", {"certificateHashData": HASH})
        assert (await serving.ask("DELETE", f"{CP1}/certificates/99")).status == 404


@VERSIONS
async def test_a_root_certificate_is_installed_for_its_purpose(serving: House, version: str) -> None:
    async with a_charger(serving, version, {"InstallCertificate": {"status": "Accepted"}}) as asked:
        told = await serving.ask("POST", f"{CP1}/certificates", {"certificate": pem()})
        assert told.tree == {"status": "Accepted", "serial": "1f"}
        kind = "CentralSystemRootCertificate" if version == "1.6" else "CSMSRootCertificate"
        assert asked[0][1]["certificateType"] == kind
        vehicle = await serving.ask("POST", f"{CP1}/certificates", {"certificate": pem(), "kind": "vehicle"})
        assert (vehicle.status == 200) is (version == "2.1")
        wrong = await serving.ask("POST", f"{CP1}/certificates", {"certificate": "no"})
        assert (wrong.status, wrong.code) == (422, "invalid_request")


async def test_a_charger_without_certificates_has_none(serving: House) -> None:
    async with a_charger(serving, "2.0.1", {"GetInstalledCertificateIds": {"status": "NotFound"}}):
        assert (await serving.ask("GET", f"{CP1}/certificates")).tree == {"items": [], "total": 0}


@VERSIONS
def test_a_certificate_that_we_signed_says_what_it_is_for(version: str) -> None:
    payload = signed_payload(version, "chain", 7)
    assert schemas.check(version, "CertificateSigned", payload, strict=True) is None
    assert ("certificateType" in payload, "requestId" in payload) == (version != "1.6", version == "2.1")
