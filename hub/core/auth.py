"""The Authorization header of OCPI: `Token <value>` (transport_and_format, Authorization header).

What `<value>` is differs by version and by vendor (trap T-01): the token itself (2.1.1), its base64 (2.2
and later), the base64 of the token and a newline (the specification's own samples), base64 without padding
or in the url-safe alphabet. So a header has several candidates; who is calling is found by looking each up
by its fingerprint. Our own tokens contain `_` and cannot be read as the base64 of another token.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterator
from typing import Final, Literal

Form = Literal["raw", "base64"]

MAX_HEADER: Final = 256
"""Bytes; a token has at most 64 characters, 88 in base64."""

_HEADER = re.compile(rb"[Tt][Oo][Kk][Ee][Nn][ \t]+([!-~]+)[ \t]*")
_TOKEN = re.compile(rb"[!-~]{1,128}")
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")


def candidates(header_value: bytes) -> list[str]:
    """The tokens that an Authorization header may mean, the likeliest first; empty, when it is no such
    header.

    The first is always the value as it stands (form "raw"), the others are its decodings (form "base64").
    All are printable ASCII without spaces.
    """
    if len(header_value) > MAX_HEADER:
        return []
    header = _HEADER.fullmatch(header_value)
    if header is None:
        return []
    found: dict[str, None] = {}
    for reading in _readings(header[1]):
        if _TOKEN.fullmatch(reading):
            found[reading.decode("ascii")] = None
    return list(found)


def present(token: str, form: Form) -> str:
    """The header value with which we present `token`: one space, padded standard base64, no newline."""
    return f"Token {token if form == 'raw' else b64encode(token.encode()).decode()}"


def _readings(value: bytes) -> Iterator[bytes]:
    yield value
    for alphabet in (value, value.translate(_TO_STANDARD)):
        padded = alphabet.rstrip(b"=") + b"=" * (-len(alphabet.rstrip(b"=")) % 4)
        for text in (alphabet, padded):
            try:
                decoded = b64decode(text, validate=True)
            except NotBase64:
                continue
            yield decoded
            yield decoded.rstrip(b"\r\n")
