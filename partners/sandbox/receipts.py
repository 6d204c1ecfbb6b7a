"""The receipt log: what arrived and what was answered, written before the answer leaves.

It is the ground truth of crash tests: whatever a hub says it delivered must stand here, and what stands
here was processed whether or not the hub came to know. One JSON object a line; a half-written last line,
left by a killed process, is cut off when the file is opened again.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from partners.sandbox.wire import encode

_SECRET_FIELD = re.compile(r'("token"\s*:\s*)"[^"]*"')


@dataclass(frozen=True)
class Receipt:
    """One request. `outcome`: answered, refused (by the mode, unprocessed), silent (unprocessed) or lost."""

    at: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: str
    outcome: str
    status: int | None = None
    answer: str | None = None
    certificate: str | None = None
    """The fingerprint of the certificate that the sender showed, where there was TLS with one."""

    @property
    def status_code(self) -> int | None:
        """The OCPI status code of the answer, None when there is none."""
        try:
            tree = msgspec.json.decode(self.answer or "null")
        except msgspec.DecodeError:
            return None
        return tree.get("status_code") if isinstance(tree, dict) else None


def masked_headers(headers: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers for the log: of the credentials token only a digest, so that two tokens can be told apart."""
    shown = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
    if "authorization" in shown:
        digest = hashlib.sha256(shown["authorization"].encode()).hexdigest()[:8]
        shown["authorization"] = f"sha256:{digest}"
    return shown


def masked_body(path: str, body: bytes) -> str:
    """The body as text; on credentials without the tokens."""
    text = body.decode("utf-8", "backslashreplace")
    return _SECRET_FIELD.sub(r'\1"***"', text) if "/credentials" in path else text


class Receipts:
    """The log in memory and, when a path is given, in a file that outlives the process."""

    def __init__(self, path: Path | None = None) -> None:
        self._all: list[Receipt] = []
        self._file: BinaryIO | None = None
        if path is not None:
            self._all = _recover(path)
            self._file = path.open("ab")

    def add(self, receipt: Receipt) -> None:
        """Keep it. With a file: the operating system has it when this returns."""
        self._all.append(receipt)
        if self._file is not None:
            self._file.write(encode(asdict(receipt)) + b"\n")
            self._file.flush()

    def all(self) -> Sequence[Receipt]:
        """Every receipt, oldest first."""
        return tuple(self._all)

    def on(self, module: str, method: str | None = None) -> Sequence[Receipt]:
        """The receipts on one module's endpoints."""
        return tuple(r for r in self._all if f"/{module}" in r.path and (method is None or r.method == method))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def _recover(path: Path) -> list[Receipt]:
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)
    return [msgspec.json.decode(line, type=Receipt) for line in content[:whole].splitlines()]
