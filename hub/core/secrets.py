"""Tokens and keys: how they are made, recognised and kept.

Tokens that partners present to us are kept as keyed fingerprints and shown once. Tokens that we present to
partners must be known in full, so they are sealed. All keys come from one secret
(`settings.load_or_create_secret`), a different one for each purpose.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from secrets import token_urlsafe
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TOKEN_PREFIX: Final = "bb_"  # noqa: S105 (what all tokens have is no secret)
"""Secret scanners find it; and `_` is outside base64: a token never reads as the base64 of another."""

_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32


class Keys(NamedTuple):
    """The keys of this installation, 32 bytes each."""

    pepper: bytes
    seal: bytes
    jwt: bytes
    log_salt: bytes
    position: bytes

    @classmethod
    def from_secret(cls, secret: bytes) -> Keys:
        """Derive all from one secret. Raises: ValueError, when it is shorter than 32 bytes."""
        if len(secret) < _KEY_BYTES:
            raise ValueError("a secret needs 32 or more bytes")
        return cls(*(_derive(secret, purpose) for purpose in cls._fields))


def mint_token() -> str:
    """A new credentials token: `bb_` and 256 random bits in 43 characters (OCPI takes up to 64)."""
    return TOKEN_PREFIX + token_urlsafe(32)


def fingerprint(token: str, pepper: bytes) -> str:
    """What is stored of a token that others present: HMAC-SHA256, 64 hexadecimal digits."""
    return hmac.digest(pepper, token.encode("utf-8", "surrogatepass"), "sha256").hex()


def matches(token: str, stored: str, pepper: bytes) -> bool:
    """Is `stored` the fingerprint of `token`? Takes the same time whatever the answer."""
    return hmac.compare_digest(fingerprint(token, pepper), stored)


class BrokenSealError(ValueError):
    """A sealed text was changed, belongs elsewhere, or was sealed with a key that is not at hand."""


class Seal:
    """AES-256-GCM under a key that each sealed text names, so that keys can be rotated."""

    def __init__(self, key: bytes, *older: bytes) -> None:
        """Seals with `key`; opens what any of them sealed. Raises: ValueError, unless each has 32 bytes."""
        if any(len(each) != _KEY_BYTES for each in (key, *older)):
            raise ValueError("a sealing key has 32 bytes")
        self._key_id = _key_id(key)
        self._ciphers = {_key_id(each): AESGCM(each) for each in (key, *older)}

    def seal(self, text: str, *, about: str = "") -> str:
        """`text`, unreadable; opens only with the same `about` (whose it is, so that it cannot be moved)."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._key_id].encrypt(nonce, text.encode(), about.encode())
        return f"{self._key_id}.{urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *, about: str = "") -> str:
        """The text again. Raises: BrokenSealError."""
        key_id, _, content = sealed.partition(".")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise BrokenSealError("sealed with a key that is not at hand")
        try:
            raw = urlsafe_b64decode(content)
            return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], about.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise BrokenSealError("the sealed text was changed, or belongs elsewhere") from error

    def is_current(self, sealed: str) -> bool:
        """Was it sealed with the newest key?"""
        return sealed.startswith(f"{self._key_id}.")


def _derive(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, b"busbar/" + purpose.encode(), "sha256")


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"busbar/key-id/" + key).hexdigest()[:8]
