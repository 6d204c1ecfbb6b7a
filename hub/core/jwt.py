"""Bearer tokens of the management API; the only user of python-jose.

Two kinds are accepted. Ours are issued here (`busbar operator token`) and signed with HS256 under our own
key. The operator's identity provider (OIDC) signs with RS256 or ES256, and is checked against the keys it
published.

python-jose does the cryptography and nothing else, as it is lax elsewhere: it takes any algorithm that the
token names, keys of any length, unknown `crit` headers, and `exp` as text. Here the algorithm follows from
the key, never from the token; header and claims are read by `inbound.parse`; times are compared with the
clock that is passed in.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple

from jose import jwk, jws
from jose.backends.base import Key
from jose.exceptions import JOSEError

from hub.core.errors import BusbarError, Unauthorized
from hub.core.inbound import parse

ISSUER: Final = "busbar"
AUDIENCE: Final = "busbar-management"
MAX_TOKEN: Final = 8 * 1024
"""Bytes."""

_MIN_KEY_BYTES: Final = 32
_MIN_RSA_BITS: Final = 2048
_OWN_ALGORITHM: Final = "HS256"
_ALGORITHMS: Final[Mapping[tuple[str, str], str]] = {("RSA", ""): "RS256", ("EC", "P-256"): "ES256"}
_NO_LEEWAY: Final = timedelta(0)


class OperatorRole(StrEnum):
    """What a bearer of a management token may do; each may do what those before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def allows(self, needed: OperatorRole) -> bool:
        """May this role do what `needed` may do?"""
        order = list(OperatorRole)
        return order.index(self) >= order.index(needed)


class Bearer(NamedTuple):
    """Who presented a management token."""

    subject: str
    role: OperatorRole


@dataclass(frozen=True, slots=True)
class Provider:
    """The operator's own OIDC provider. `keys`: its JWKS document. `role_claim` holds a role, or several."""

    issuer: str
    audience: str
    keys: Mapping[str, Any]
    role_claim: str = "role"
    leeway: timedelta = timedelta(seconds=60)


def issue(subject: str, role: OperatorRole, *, key: bytes, now: datetime, lifetime: timedelta) -> str:
    """A token of our own. Raises: ValueError, for a key of less than 32 bytes."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "role": role.value,
        "iat": int(now.timestamp()),
        "exp": int((now + lifetime).timestamp()),
    }
    token: str = jws.sign(claims, _own_key(key), algorithm=_OWN_ALGORITHM)
    return token


def check(token: str, *, key: bytes, now: datetime) -> Bearer:
    """Whose token this is; one of our own.

    Raises: Unauthorized; ValueError, for a key of less than 32 bytes.
    """
    own = _own_key(key)
    _header(token, _OWN_ALGORITHM)
    claims = _verified(token, own, _OWN_ALGORITHM)
    return _bearer(claims, ISSUER, AUDIENCE, "role", now, _NO_LEEWAY)


def check_provider(token: str, *, provider: Provider, now: datetime) -> Bearer:
    """Whose token this is; one of the identity provider. Raises: Unauthorized."""
    header = _header(token, *_ALGORITHMS.values())
    key, algorithm = _provider_key(provider.keys, header)
    claims = _verified(token, key, algorithm)
    return _bearer(claims, provider.issuer, provider.audience, provider.role_claim, now, provider.leeway)


def _own_key(key: bytes) -> Key:
    if len(key) < _MIN_KEY_BYTES:
        raise ValueError("the key of management tokens needs 32 or more bytes")
    return jwk.construct(key, _OWN_ALGORITHM)


def _header(token: str, *algorithms: str) -> Mapping[str, Any]:
    """The header, as far as it may say anything. Raises: Unauthorized."""
    if len(token) > MAX_TOKEN or not token.isascii() or token.count(".") != 2:
        raise Unauthorized("not a management token")
    header = _object(token.partition(".")[0])
    if header.get("alg") not in algorithms or "crit" in header:
        raise Unauthorized("the token is not signed in a way we accept")
    return header


def _object(segment: str) -> Mapping[str, Any]:
    try:
        tree = parse(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)), limit=MAX_TOKEN)
    except (ValueError, BusbarError) as error:
        raise Unauthorized("not a management token") from error
    if not isinstance(tree, dict):
        raise Unauthorized("not a management token")
    return tree


def _verified(token: str, key: Key, algorithm: str) -> Mapping[str, Any]:
    """The claims, once the signature is checked. Raises: Unauthorized."""
    try:
        jws.verify(token, key, algorithms=[algorithm])
    except (JOSEError, ValueError, TypeError, ArithmeticError, AttributeError) as error:
        raise Unauthorized("the token's signature is not valid") from error
    return _object(token.split(".")[1])


def _provider_key(jwks: Mapping[str, Any], header: Mapping[str, Any]) -> tuple[Key, str]:
    """The published key that the token names; without a name, the only one for its algorithm.

    Raises: Unauthorized.
    """
    fitting = [
        each
        for each in jwks.get("keys", ())
        if _ALGORITHMS.get((each.get("kty", ""), each.get("crv", ""))) == header["alg"]
        and each.get("use", "sig") == "sig"
        and ("kid" not in header or each.get("kid") == header["kid"])
    ]
    if len(fitting) != 1:
        raise Unauthorized("the token is signed with a key that its issuer has not published")
    try:
        key = jwk.construct(fitting[0], header["alg"])
    except (JOSEError, ValueError, TypeError, KeyError) as error:
        raise Unauthorized("the issuer's key cannot be used") from error
    if fitting[0]["kty"] == "RSA" and key.prepared_key.key_size < _MIN_RSA_BITS:
        raise Unauthorized("the issuer's key is too short")
    return key, header["alg"]


def _bearer(
    claims: Mapping[str, Any], issuer: str, audience: str, role_claim: str, now: datetime, leeway: timedelta
) -> Bearer:
    """What the claims say, all of which must be there. Raises: Unauthorized."""
    moment, slack = Decimal(str(now.timestamp())), Decimal(str(leeway.total_seconds()))
    if _number(claims, "exp") + slack <= moment:
        raise Unauthorized("the token has expired")
    if _number(claims, "iat") - slack > moment or ("nbf" in claims and _number(claims, "nbf") - slack > moment):
        raise Unauthorized("the token is not valid yet")
    audiences = claims.get("aud")
    if claims.get("iss") != issuer or audience not in (audiences if isinstance(audiences, list) else [audiences]):
        raise Unauthorized("the token is meant for something else")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 200:
        raise Unauthorized("the token names nobody")
    return Bearer(subject, _role(claims.get(role_claim)))


def _number(claims: Mapping[str, Any], name: str) -> Decimal:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Unauthorized(f"the token's {name} is missing or not a number")
    return Decimal(value)


def _role(claim: object) -> OperatorRole:
    """The highest of the roles claimed. Raises: Unauthorized, when none is ours."""
    claimed: Collection[object] = claim if isinstance(claim, list) else [claim]
    roles = [role for role in OperatorRole if role.value in claimed]
    if not roles:
        raise Unauthorized("the token gives no role here")
    return roles[-1]
