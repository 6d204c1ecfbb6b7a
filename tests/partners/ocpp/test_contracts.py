"""Certificates of contracts: a real responder is asked whether they were revoked, a real service gives them."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import ocsp
from pydantic import SecretStr

from hub.core.outbound import Outbound
from modules.tokens import service as tokens
from modules.tokens.model import Token
from partners.ocpp.pnc.asking import AskedContracts
from tests.partners.ocpp.points2 import Point2, point2
from tests.partners.ocpp.responder import Responder, a_responder
from tests.partners.ocpp.site import OURS, Payload, Site, token

EMAID = "DEBSBC00000001"
HERE = ["127.0.0.0/8"]
EXI = {"iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef", "action": "Install", "exiRequest": "gJgB"}


@pytest.fixture
async def responder() -> AsyncIterator[Responder]:
    async with a_responder() as found:
        yield found


@asynccontextmanager
async def asking(
    site: Site, *, allowed: list[str] = HERE, version: str = "2.0.1", **given: Any
) -> AsyncIterator[Point2]:
    """A charger of a hub with these settings."""
    http = Outbound(allow_networks=allowed, plain=True)
    settings = site.hub.settings.model_copy(update={"contract_ocsp": True, "contract_timeout_s": 2.0, **given})
    site.gateway._v2.contracts = AskedContracts(settings, site.hub.clock, responders=http, service=http)
    contract = Token.model_validate(token(EMAID, country_code="DE", party_id="BSB", type="EMAID", contract_id=EMAID))
    await tokens.put(site.hub.store, OURS, EMAID, contract, now=site.hub.clock.now())
    try:
        async with await point2(site, version=version) as cp:
            await cp.boot()
            yield cp
    finally:
        await http.close()


async def authorized(cp: Point2, *told: Payload) -> tuple[str, str]:
    asked = {"idToken": {"idToken": EMAID, "type": "eMAID"}, "iso15118CertificateHashData": list(told)}
    answer = await cp.call("Authorize", asked)
    return answer["idTokenInfo"]["status"], answer["certificateStatus"]


async def status_of(cp: Point2, told: Payload) -> Payload:
    return await cp.call("GetCertificateStatus", {"ocspRequestData": told})


async def test_a_contract_charges_whose_whole_chain_is_good_and_not_when_one_of_it_was_revoked(
    site: Site, responder: Responder
) -> None:
    leaf, between = responder.issue("leaf"), responder.issue("between")
    async with asking(site) as cp:
        chain = [responder.told(leaf), responder.told(between)]
        assert await authorized(cp, *chain) == ("Accepted", "Accepted")
        responder.revoked.add(responder.issue("other").serial_number)
        bad = responder.issue("bad")
        responder.revoked.add(bad.serial_number)
        assert await authorized(cp, *chain, responder.told(bad)) == ("Invalid", "CertificateRevoked")


async def test_a_silent_responder_is_no_proof_of_anything_and_is_not_asked_again_at_once(
    site: Site, responder: Responder
) -> None:
    responder.is_silent = True
    told = responder.told(responder.issue("leaf"))
    async with asking(site) as cp:
        for _ in range(3):
            assert await authorized(cp, told) == ("Accepted", "NoCertificateAvailable")
        assert await status_of(cp, told) == {"status": "Failed"}
    assert responder.asked == 1


@pytest.mark.parametrize(
    ("odd", "passed_on"), [({"liar": True}, True), ({"brings": False}, True), ({"age": timedelta(days=2)}, False)]
)
async def test_an_answer_that_is_not_its_issuers_or_not_of_now_says_nothing_and_only_a_charger_may_read_the_first(
    site: Site, responder: Responder, odd: dict[str, Any], passed_on: bool
) -> None:
    for name, value in odd.items():
        setattr(responder, name, value)
    told = responder.told(responder.issue("leaf"))
    async with asking(site) as cp:
        assert await authorized(cp, told) == ("Accepted", "NoCertificateAvailable")
        assert (await status_of(cp, told))["status"] == ("Accepted" if passed_on else "Failed")


async def test_an_issuer_may_let_another_answer_and_need_not_be_brought_where_it_is_known(
    site: Site, responder: Responder, tmp_path: Path
) -> None:
    authorities = tmp_path / "cas.pem"
    authorities.write_bytes(responder.authority.public_bytes(serialization.Encoding.PEM))
    responder.delegates, responder.brings = True, False
    async with asking(site, contract_cas=str(authorities)) as cp:
        assert await authorized(cp, responder.told(responder.issue("leaf"))) == ("Accepted", "Accepted")


async def test_a_charger_gets_the_responders_own_answer_and_it_is_asked_once_until_it_is_over(
    site: Site, responder: Responder
) -> None:
    leaf = responder.issue("leaf")
    async with asking(site) as cp:
        for _ in range(3):
            answer = await status_of(cp, responder.told(leaf))
            assert answer["status"] == "Accepted"
    read = ocsp.load_der_ocsp_response(b64decode(answer["ocspResult"]))
    assert (read.serial_number, read.certificate_status) == (leaf.serial_number, ocsp.OCSPCertStatus.GOOD)
    assert responder.asked == 1


async def test_a_chain_of_2_1_is_answered_one_by_one_and_lists_are_not_read(site: Site, responder: Responder) -> None:
    good, bad = responder.issue("good"), responder.issue("bad")
    responder.revoked.add(bad.serial_number)
    async with asking(site, version="2.1") as cp:
        rows = []
        for certificate, source in ((good, "OCSP"), (bad, "OCSP"), (good, "CRL")):
            told = responder.told(certificate)
            url = told.pop("responderURL")
            rows.append({"certificateHashData": told, "source": source, "urls": ["http://127.0.0.1:1/none", url]})
        answer = await cp.call("GetCertificateChainStatus", {"certificateStatusRequests": rows})
    assert [row["status"] for row in answer["certificateStatus"]] == ["Good", "Revoked", "Failed"]


async def test_no_charger_leads_us_into_our_own_network_or_to_what_names_no_certificate(
    site: Site, responder: Responder
) -> None:
    told = responder.told(responder.issue("leaf"))
    async with asking(site, allowed=[]) as cp:
        assert await status_of(cp, told) == {"status": "Failed"}
        for wrong in ({"issuerKeyHash": "zz"}, {"serialNumber": "no number"}, {"responderURL": "ftp://x"}):
            assert await status_of(cp, {**told, **wrong}) == {"status": "Failed"}
    assert responder.asked == 0


async def test_without_configuration_nothing_is_asked_and_nothing_is_good(site: Site, responder: Responder) -> None:
    told = responder.told(responder.issue("leaf"))
    async with asking(site, contract_ocsp=False) as cp:
        assert await authorized(cp, told) == ("Accepted", "NoCertificateAvailable")
        assert await status_of(cp, told) == {"status": "Failed"}
        assert await cp.call("Get15118EVCertificate", EXI) == {"status": "Failed", "exiResponse": ""}
    assert responder.asked == 0


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_a_car_gets_what_the_service_gives(site: Site, responder: Responder, version: str) -> None:
    responder.service_says = {"status": "Accepted", "exiResponse": "gKAB", "remainingContracts": 2}
    given: dict[str, Any] = {
        "contract_service_url": f"{responder.url}/contracts",
        "contract_service_token": SecretStr("hush"),
    }
    async with asking(site, version=version, **given) as cp:
        answer = await cp.call("Get15118EVCertificate", EXI)
    left = {"remainingContracts": 2} if version == "2.1" else {}
    assert answer == {"status": "Accepted", "exiResponse": "gKAB", **left}
    assert responder.given == [("Bearer hush", {"station": "CP1", **EXI})]


@pytest.mark.parametrize("says", [{"status": "Failed"}, {"status": "Accepted", "exiResponse": "x" * 9000}, [], "text"])
async def test_what_the_service_does_not_give_is_refused_honestly(site: Site, responder: Responder, says: Any) -> None:
    responder.service_says = says
    async with asking(site, contract_service_url=f"{responder.url}/contracts") as cp:
        assert await cp.call("Get15118EVCertificate", EXI) == {"status": "Failed", "exiResponse": ""}
