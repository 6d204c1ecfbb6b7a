"""Management tokens under the attacks of the trade. No token from outside raises anything but Unauthorized."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from jose import jwk, jws

from hub.core.errors import Unauthorized
from hub.core.jwt import MAX_TOKEN, OperatorRole, Provider, check, check_provider, issue

KEY = b"k" * 32
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
WEAK_KEY = rsa.generate_private_key(65537, 1024)
OWN = {"iss": "busbar", "aud": "busbar-management", "sub": "ada", "role": "admin"}
THEIRS = {"iss": "https://id.example", "aud": "hub", "sub": "ada", "groups": ["staff", "operator", "viewer"]}


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def pem(key: Any) -> bytes:
    written: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return written


def public(key: Any, encoding: serialization.Encoding) -> bytes:
    written: bytes = key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
    return written


def published(key: Any, algorithm: str, kid: str) -> dict[str, Any]:
    return {
        **jwk.construct(public(key, serialization.Encoding.PEM), algorithm).to_dict(),
        "kid": kid,
        "use": "sig",
    }


def times(now: datetime = NOW) -> dict[str, int]:
    return {"iat": int(now.timestamp()), "exp": int((now + HOUR).timestamp())}


def forged(claims: Mapping[str, Any] | str, *, header: Mapping[str, Any] | str | None = None, key: bytes = KEY) -> str:
    """A token with any header and claims, signed with HMAC-SHA256."""
    head = {"alg": "HS256", "typ": "JWT"} if header is None else header
    parts = [b64((part if isinstance(part, str) else json.dumps(part)).encode()) for part in (head, claims)]
    signature = hmac.new(key, ".".join(parts).encode(), hashlib.sha256).digest()
    return ".".join([*parts, b64(signature)])


PROVIDER = Provider(
    issuer="https://id.example",
    audience="hub",
    keys={
        "keys": [
            published(RSA_KEY, "RS256", "r"),
            published(EC_KEY, "ES256", "e"),
            published(WEAK_KEY, "RS256", "w"),
        ]
    },
    role_claim="groups",
)


@pytest.mark.parametrize("role", list(OperatorRole))
def test_a_token_we_issued_says_who_and_what_until_it_expires(role: OperatorRole) -> None:
    token = issue("ada", role, key=KEY, now=NOW, lifetime=HOUR)
    assert check(token, key=KEY, now=NOW) == ("ada", role)
    assert check(token, key=KEY, now=NOW + HOUR - timedelta(seconds=1)).subject == "ada"
    with pytest.raises(Unauthorized, match="expired"):
        check(token, key=KEY, now=NOW + HOUR)
    with pytest.raises(Unauthorized, match="not valid yet"):
        check(token, key=KEY, now=NOW - timedelta(seconds=1))
    with pytest.raises(Unauthorized, match="signature"):
        check(token, key=b"x" * 32, now=NOW)


def test_the_forger_of_this_file_can_make_a_good_token() -> None:
    assert check(forged(OWN | times()), key=KEY, now=NOW).role is OperatorRole.ADMIN


def test_a_higher_role_may_what_a_lower_one_may() -> None:
    assert OperatorRole.ADMIN.allows(OperatorRole.VIEWER)
    assert OperatorRole.OPERATOR.allows(OperatorRole.OPERATOR)
    assert not OperatorRole.VIEWER.allows(OperatorRole.OPERATOR)


@pytest.mark.parametrize(
    "change",
    [
        {"exp": None},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": [9999999999]},
        {"exp": float("inf")},
        {"exp": float("nan")},
        {"iat": None},
        {"iat": "1"},
        {"nbf": "1"},
        {"nbf": int((NOW + HOUR).timestamp())},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 201},
        {"aud": None},
        {"aud": "other"},
        {"aud": {"busbar-management": 1}},
        {"iss": None},
        {"iss": "other"},
        {"role": None},
        {"role": "root"},
        {"role": {"admin": 1}},
        {"role": ["ADMIN"]},
    ],
    ids=str,
)
def test_a_claim_that_is_missing_or_of_another_type_is_refused(change: dict[str, Any]) -> None:
    claims = {name: value for name, value in (OWN | times() | change).items() if value is not None}
    with pytest.raises(Unauthorized):
        check(forged(claims), key=KEY, now=NOW)


@pytest.mark.parametrize(
    "text",
    ["[]", "1", "null", "{", '{"exp":1e999}', '{"exp":9999999999,"exp":1}', "[" * 5000, '{"exp":Infinity}'],
)
def test_claims_that_are_no_strict_json_object_are_refused(text: str) -> None:
    with pytest.raises(Unauthorized):
        check(forged(text), key=KEY, now=NOW)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "None"},
        {"alg": "HS384"},
        {"alg": "RS256"},
        {"alg": ["HS256"]},
        {"alg": {}},
        {"typ": "JWT"},
        {"alg": "HS256", "crit": ["b64"], "b64": False},
        {"alg": "HS256", "crit": []},
        '{"alg":"none","alg":"HS256"}',
        "[]",
        "HS256",
        "",
    ],
    ids=str,
)
def test_a_header_that_names_anything_but_our_algorithm_is_refused(header: dict[str, Any] | str) -> None:
    with pytest.raises(Unauthorized):
        check(forged(OWN | times(), header=header), key=KEY, now=NOW)


def test_a_token_without_signature_is_refused() -> None:
    head, claims, _ = forged(OWN | times(), header={"alg": "none"}).split(".")
    for token in (f"{head}.{claims}.", f"{head}.{claims}", f"{forged(OWN | times()).rpartition('.')[0]}."):
        with pytest.raises(Unauthorized):
            check(token, key=KEY, now=NOW)


def test_a_token_over_eight_kibibytes_is_not_looked_at() -> None:
    with pytest.raises(Unauthorized):
        check(forged(OWN | times() | {"pad": "x" * MAX_TOKEN}), key=KEY, now=NOW)


def test_a_short_key_is_our_own_mistake_and_stops_us() -> None:
    with pytest.raises(ValueError, match="32"):
        issue("ada", OperatorRole.VIEWER, key=b"k" * 31, now=NOW, lifetime=HOUR)
    with pytest.raises(ValueError, match="32"):
        check("a.b.c", key=b"", now=NOW)


@pytest.mark.parametrize(("key", "algorithm", "kid"), [(RSA_KEY, "RS256", "r"), (EC_KEY, "ES256", "e")])
def test_a_token_of_the_provider_is_checked_against_its_published_key(key: Any, algorithm: str, kid: str) -> None:
    token = jws.sign(THEIRS | times(), pem(key), headers={"kid": kid}, algorithm=algorithm)
    assert check_provider(token, provider=PROVIDER, now=NOW) == ("ada", OperatorRole.OPERATOR)
    with pytest.raises(Unauthorized, match="expired"):
        check_provider(token, provider=PROVIDER, now=NOW + 2 * HOUR)
    with pytest.raises(Unauthorized):
        check(token, key=KEY, now=NOW)


@pytest.mark.parametrize("encoding", [serialization.Encoding.PEM, serialization.Encoding.DER])
@pytest.mark.parametrize("key", [RSA_KEY, EC_KEY], ids=["rsa", "ec"])
@pytest.mark.parametrize("algorithm", ["HS256", "RS256", "ES256"])
def test_a_public_key_does_not_sign(key: Any, encoding: serialization.Encoding, algorithm: str) -> None:
    header = {"alg": algorithm, "kid": "r" if key is RSA_KEY else "e"}
    with pytest.raises(Unauthorized):
        check_provider(forged(THEIRS | times(), header=header, key=public(key, encoding)), provider=PROVIDER, now=NOW)


@pytest.mark.parametrize(
    ("key", "headers"),
    [
        (RSA_KEY, {"kid": "x"}),
        (RSA_KEY, {"kid": ["r"]}),
        (RSA_KEY, {"kid": "w"}),
        (RSA_KEY, {}),
        (WEAK_KEY, {"kid": "w"}),
    ],
    ids=["unknown", "list", "another", "which-of-two", "1024-bits"],
)
def test_a_key_that_is_not_published_or_too_short_is_refused(key: Any, headers: dict[str, Any]) -> None:
    token = jws.sign(THEIRS | times(), pem(key), headers=headers, algorithm="RS256")
    with pytest.raises(Unauthorized):
        check_provider(token, provider=PROVIDER, now=NOW)


def test_a_provider_that_publishes_no_usable_key_is_no_crash() -> None:
    token = jws.sign(THEIRS | times(), pem(RSA_KEY), algorithm="RS256")
    broken: list[dict[str, Any]] = [
        {},
        {"keys": []},
        {"keys": [{"kty": "RSA"}]},
        {"keys": [{"kty": "RSA", "n": "AQ", "e": "AQ"}]},
    ]
    for keys in broken:
        with pytest.raises(Unauthorized):
            check_provider(token, provider=Provider("https://id.example", "hub", keys), now=NOW)


@given(st.text(max_size=80) | st.lists(st.binary(max_size=30).map(b64), min_size=3, max_size=3).map(".".join))
def test_no_text_raises_anything_but_unauthorized(token: str) -> None:
    with pytest.raises(Unauthorized):
        check(token, key=KEY, now=NOW)
    with pytest.raises(Unauthorized):
        check_provider(token, provider=PROVIDER, now=NOW)
