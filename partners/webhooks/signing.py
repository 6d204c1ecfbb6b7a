"""How a receiver knows that a call is ours: the signatures of Standard Webhooks (standardwebhooks.com), version 1.

    webhook-id         of the event; the same however often it is told
    webhook-timestamp  of this call, seconds since 1970: an old call that somebody kept is told from a new one
    webhook-signature  v1,base64(HMAC-SHA256(key, "{id}.{timestamp}.{body}"))

A secret is `whsec_` and the base64 of the key, which has 24 to 64 bytes.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode, b64encode
from secrets import token_bytes
from typing import Final

from hub.core.errors import InvalidRequest

PREFIX: Final = "whsec_"
_MINTED_BYTES: Final = 32
_LEAST, _MOST = 24, 64


def minted() -> str:
    """A new secret."""
    return PREFIX + b64encode(token_bytes(_MINTED_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The key that a secret stands for. Raises: InvalidRequest."""
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not _LEAST <= len(key) <= _MOST:
        raise InvalidRequest(f"/secret: must be {PREFIX} and the base64 of {_LEAST} to {_MOST} bytes")
    return key


def headers(event_id: str, timestamp: int, body: bytes, key: bytes | None) -> dict[str, str]:
    """Of one call; without a key it is not signed."""
    found = {"webhook-id": event_id, "webhook-timestamp": str(timestamp)}
    if key is not None:
        signed = hmac.digest(key, f"{event_id}.{timestamp}.".encode() + body, "sha256")
        found["webhook-signature"] = f"v1,{b64encode(signed).decode()}"
    return found
