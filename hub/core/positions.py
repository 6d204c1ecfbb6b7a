"""Where a page of a list begins, as a `Link` says it.

An offset counts what stands before a page, and so moves when some of that goes. A position names the last document of
the page before, by its seq, and does not move. It is enciphered: seqs count what all parties bring to the hub. It holds
for its own offset alone: a client that counts on from a `Link` by itself, and leaves the rest as it was, is answered
by the offset.
"""

from __future__ import annotations

import os
import re
import struct
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from hub.core.errors import InvalidRequest

KEY_BYTES: Final = 32
_BLOCK: Final = struct.Struct(">QQ")
"""Offset and seq: one block of AES, and no two that are alike."""
_FORM: Final = re.compile("[0-9a-fA-F]{32}")


class Positions:
    """Those of one installation: any of its processes understands what another one said, also after a restart."""

    def __init__(self, key: bytes | None = None) -> None:
        """Without a key nobody else understands them."""
        self._cipher = Cipher(AES(key or os.urandom(KEY_BYTES)), ECB())  # noqa: S305 (a single block)

    def told(self, offset: int, after_seq: int) -> str:
        """The position of the page at `offset` that begins behind `after_seq`: 32 hexadecimal digits."""
        return self._cipher.encryptor().update(_BLOCK.pack(offset, after_seq)).hex()

    def read(self, text: str, offset: int) -> int | None:
        """The seq behind which the page begins; None where it was told for another offset.

        Raises: InvalidRequest, where it is none of ours by its form.
        """
        if not _FORM.fullmatch(text):
            raise InvalidRequest("position is not one that a Link gave")
        told_for, after_seq = _BLOCK.unpack(self._cipher.decryptor().update(bytes.fromhex(text)))
        return after_seq if told_for == offset else None
