"""Who is let in: passwords, security profiles, certificates."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from structlog.testing import capture_logs
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from hub.core.clock import SystemClock
from hub.core.errors import InvalidRequest
from partners.ocpp.passwords import Passwords
from partners.ocpp.register import STATIONS
from tests.partners.ocpp.site import OCPP16, PASSWORD, Point, Site, a_site, basic, station, until


async def refusal(site: Site, identity: str = "CP1", **how: object) -> int:
    """The HTTP status with which the upgrade is refused."""
    with pytest.raises(InvalidStatus) as refused:
        await site.point(identity, **how)
    return refused.value.response.status_code


async def test_an_unknown_identity_is_not_found(site: Site) -> None:
    assert await refusal(site, "NOBODY") == 404
    assert await refusal(site, "%00") == 404
    assert await refusal(site, "%ff") == 404
    assert await refusal(site, "X" * 5000) == 404


async def test_a_wrong_or_missing_password_is_unauthorized(site: Site) -> None:
    assert await refusal(site, password="wrong" * 4) == 401
    assert await refusal(site, password=None) == 401
    assert not site.gateway.stations.reachable("CP1")


async def test_the_user_must_be_the_identity(site: Site) -> None:
    with pytest.raises(InvalidStatus):
        await connect(f"{site.url}/CP1", subprotocols=OCPP16, additional_headers=basic("CP2", PASSWORD), proxy=None)


@pytest.mark.parametrize("form", [PASSWORD, PASSWORD.upper(), bytes.fromhex(PASSWORD)])
async def test_the_same_key_is_taken_as_text_and_as_raw_bytes(site: Site, form: str | bytes) -> None:
    async with await site.point(password=form) as cp:
        assert await cp.boot() == "Accepted"


async def test_a_short_password_is_taken_too(site: Site) -> None:
    await site.gateway.stations.put("CP1", station("E1", password="kurz-8-oder"))
    (document,) = await site.hub.store.select(STATIONS, equal={"key": "cp1"})
    assert b"argon2id" in document.body
    for _ in range(2):
        async with await site.point(password="kurz-8-oder"):
            pass
    assert await refusal(site, password="kurz-8-odes") == 401


async def test_no_password_is_on_disk(site: Site) -> None:
    assert all(PASSWORD.encode() not in document.body for document in await site.hub.store.select(STATIONS))


async def test_too_many_wrong_passwords_from_one_address_are_refused_for_a_while(tmp_path: Path) -> None:
    async with a_site(tmp_path, failed_logins_per_min=2) as site:
        assert [await refusal(site, password="wrong" * 4) for _ in range(3)] == [401, 401, 429]


async def test_the_right_password_passes_however_often_somebody_guessed(tmp_path: Path) -> None:
    async with a_site(tmp_path, failed_logins_per_min=2) as site:
        assert [await refusal(site, password="wrong" * 4) for _ in range(3)] == [401, 401, 429]
        async with await site.point() as cp:
            assert await cp.boot() == "Accepted"


async def test_who_guesses_at_one_charger_locks_out_no_other_behind_the_same_address(tmp_path: Path) -> None:
    async with a_site(tmp_path, failed_logins_per_min=2) as site:
        await site.gateway.stations.put("CP3", station("E4", password="kurz-8-oder"))
        assert [await refusal(site, password="wrong" * 4) for _ in range(3)] == [401, 401, 429]
        assert [await refusal(site, "NOBODY") for _ in range(3)] == [404, 404, 429]
        async with await site.point("CP3", password="kurz-8-oder") as cp:
            assert await cp.boot() == "Accepted"


async def test_a_short_password_that_was_right_today_passes_while_somebody_guesses(tmp_path: Path) -> None:
    async with a_site(tmp_path, failed_logins_per_min=2) as site:
        await site.gateway.stations.put("CP1", station("E1", password="kurz-8-oder"))
        async with await site.point(password="kurz-8-oder"):
            pass
        assert [await refusal(site, password="kurz-8-odes") for _ in range(2)] == [401, 429]
        async with await site.point(password="kurz-8-oder") as cp:
            assert await cp.boot() == "Accepted"


async def test_guesses_at_a_short_password_that_come_at_once_are_bounded_too(tmp_path: Path) -> None:
    async with a_site(tmp_path, failed_logins_per_min=2) as site:
        await site.gateway.stations.put("CP1", station("E1", password="kurz-8-oder"))
        told = await asyncio.gather(*(refusal(site, password="kurz-8-odes") for _ in range(6)))
        assert sorted(told) == [401, 401, 429, 429, 429, 429]


async def test_a_charger_that_is_not_let_in_is_logged_and_counted_without_what_it_presented(site: Site) -> None:
    with capture_logs() as logs:
        await refusal(site, password="wrong" * 4)
        await refusal(site, "NOBODY", password="wrong" * 4)
    told = [line for line in logs if line["event"] == "login failed"]
    assert [(line["log_level"], line["address"], line["identity"], line["why"]) for line in told] == [
        ("warning", "127.0.0.1", "CP1", "wrong password"),
        ("warning", "127.0.0.1", "NOBODY", "unknown identity"),
    ]
    assert "wrongwrong" not in str(logs)
    assert site.hub.logins.counts()["ocpp"] == 2


async def test_a_password_is_minted_when_none_is_given_and_shown_once(site: Site) -> None:
    made = await site.gateway.stations.put("CP3", station("E4", password=None))
    assert len(made["password"]) == 40
    assert "password" not in await site.gateway.stations.put("CP3", station("E4", password=None))
    async with await site.point("CP3", password=made["password"]) as cp:
        assert await cp.boot() == "Accepted"


async def test_profile_0_asks_nothing_and_must_be_chosen(site: Site) -> None:
    view = await site.gateway.stations.put("CP3", station("E4", password=None, security_profile=0))
    assert "password" not in view
    async with await site.point("CP3", password=None) as cp:
        assert await cp.boot() == "Accepted"


async def test_profiles_2_and_3_are_refused_without_tls(site: Site) -> None:
    for profile in (2, 3):
        await site.gateway.stations.put("CP1", station("E1", security_profile=profile))
        assert await refusal(site) == 403


async def test_a_new_password_is_tried_out_before_the_old_one_is_void(site: Site) -> None:
    async with await site.point() as cp:
        cp.answers["ChangeConfiguration"] = {"status": "Accepted"}
        called = await site.gateway.stations.change_password("CP1")
        assert called.payload == {"status": "Accepted"}
    fresh = bytes.fromhex(cp.asked[0][1]["value"])
    for secret, outcome in ((PASSWORD, 0), (fresh, 0), (PASSWORD, 401)):
        if outcome:
            assert await refusal(site, password=secret) == outcome
        else:
            async with await site.point(password=secret):
                pass


async def test_a_new_password_over_2x_is_tried_out_before_the_old_one_is_void(site: Site) -> None:
    about = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    async with await site.point(protocols=["ocpp2.0.1"]) as cp:
        stations = site.gateway.stations
        cp.answers["SetVariables"] = {"setVariableResult": [{"attributeStatus": "Rejected", **about}]}
        assert (await stations.change_password("CP1", "sixteen-or-more!")).outcome == "result"
        assert await refusal(site, password="sixteen-or-more!") == 401
        cp.answers["SetVariables"] = {"setVariableResult": [{"attributeStatus": "Accepted", **about}]}
        await stations.change_password("CP1", "sixteen-or-more!")
        for wrong in ("fifteen--------", "4" * 41):
            with pytest.raises(InvalidRequest):
                await stations.change_password("CP1", wrong)
    for password in (PASSWORD, "sixteen-or-more!"):
        async with await site.point(protocols=["ocpp2.0.1"], password=password) as cp:
            assert cp.asked == []
    assert await refusal(site) == 401


async def test_a_password_that_the_station_refuses_is_not_kept(site: Site) -> None:
    async with await site.point() as cp:
        cp.answers["ChangeConfiguration"] = {"status": "Rejected"}
        await site.gateway.stations.change_password("CP1")
    async with await site.point():
        pass


async def test_a_password_of_seven_characters_is_refused() -> None:
    keeper = Passwords(lambda text: text, SystemClock())
    with pytest.raises(InvalidRequest):
        await keeper.kept("1234567")


class Authority:
    """A certificate authority in a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._signed("Test authority", self.key, ca=True)
        self.cert_file = self._write("ca.pem", self.certificate)
        self.key_file = self._write_key("ca.key", self.key)

    def issue(self, name: str) -> tuple[str, str]:
        """Files of a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._write(f"{name}.pem", self._signed(name, key)), self._write_key(f"{name}.key", key)

    def _signed(self, name: str, key: ec.EllipticCurvePrivateKey, *, ca: bool = False) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if ca else self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.now(UTC) - timedelta(days=1))
            .not_valid_after(datetime.now(UTC) + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        )
        return builder.sign(self.key, hashes.SHA256())

    def _write(self, name: str, certificate: x509.Certificate) -> str:
        (self.directory / name).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return str(self.directory / name)

    def _write_key(self, name: str, key: ec.EllipticCurvePrivateKey) -> str:
        plain = serialization.NoEncryption()
        form = serialization.PrivateFormat.PKCS8
        (self.directory / name).write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
        return str(self.directory / name)


async def over_tls(
    site: Site, authority: Authority, identity: str, *, certificate: str = "", password: str | None
) -> Point:
    """A charger that connected over TLS."""
    context = ssl.create_default_context(cafile=authority.cert_file)
    if certificate:
        context.load_cert_chain(*authority.issue(certificate))
    socket = await connect(
        f"wss://localhost:{site.gateway.tls_port}/{identity}",
        host="127.0.0.1",
        subprotocols=OCPP16,
        additional_headers=basic(identity, password),
        ssl=context,
        proxy=None,
    )
    return Point(socket)


async def test_profile_2_is_a_password_over_tls_and_profile_3_a_certificate_of_that_name(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cert, key = authority.issue("localhost")
    tls = {"ocpp_tls_port": 0, "ocpp_tls_cert": cert, "ocpp_tls_key": key, "ocpp_client_ca": authority.cert_file}
    async with a_site(tmp_path, **tls) as site:
        await site.gateway.stations.put("CP1", station("E1", security_profile=2))
        async with await over_tls(site, authority, "CP1", password=PASSWORD) as cp:
            assert await cp.boot() == "Accepted"
        with pytest.raises(InvalidStatus):
            await over_tls(site, authority, "CP1", password="wrong" * 4)
        await site.gateway.stations.put("CP1", station("E1", security_profile=3))
        async with await over_tls(site, authority, "CP1", certificate="CP1", password=None) as cp:
            assert await cp.boot() == "Accepted"
        for name in ("CP2", ""):
            with pytest.raises(InvalidStatus):
                await over_tls(site, authority, "CP1", certificate=name, password=PASSWORD)


def request_for(name: str) -> str:
    """A signing request for a common name, as PEM."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


async def test_a_signing_request_of_the_right_name_is_signed_and_handed_over(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    own = {"ocpp_ca_cert": authority.cert_file, "ocpp_ca_key": authority.key_file}
    async with a_site(tmp_path, **own) as site, await site.point() as cp:
        cp.answers["CertificateSigned"] = {"status": "Accepted"}
        assert await cp.call("SignCertificate", {"csr": request_for("CP1")}) == {"status": "Accepted"}
        await until(lambda: bool(cp.asked))
        chain = x509.load_pem_x509_certificates(cp.asked[0][1]["certificateChain"].encode())
        assert chain[0].subject.rfc4514_string() == "CN=CP1"
        chain[0].verify_directly_issued_by(authority.certificate)
        assert await cp.call("SignCertificate", {"csr": request_for("CP2")}) == {"status": "Rejected"}
        assert await cp.call("SignCertificate", {"csr": "nonsense"}) == {"status": "Rejected"}


async def test_without_an_authority_a_signing_request_is_kept(site: Site) -> None:
    async with await site.point() as cp:
        assert await cp.call("SignCertificate", {"csr": request_for("CP1")}) == {"status": "Accepted"}
        assert cp.asked == []
