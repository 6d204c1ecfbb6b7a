"""What may be stored. A value that a database cannot hold is refused to its own caller, before it can spoil a batch.

PostgreSQL takes no NUL in a text, no driver takes a lone surrogate, and an index entry must fit into a third of a page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from hub.core.errors import InvalidRequest
from hub.core.units import Kind, Put, Unit

LONGEST_KEY: Final = 2_000
"""Bytes of UTF-8 in a key or in any column that a query may look for. OCPI's longest identifiers have 255 letters."""

LARGEST_BODY: Final = 16 * 2**20
"""Bytes of one document."""


def is_storable(text: str) -> bool:
    """Can both databases hold this text?"""
    if "\0" in text:
        return False
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def check_unit(unit: Unit, kinds: Mapping[str, Kind]) -> None:
    """Raises: InvalidRequest, for a value that cannot be stored; ValueError, for a kind or columns we do not have."""
    for write in unit.writes:
        kind = kinds.get(write.kind.name)
        if kind is not write.kind and kind != write.kind:
            raise ValueError(f"the store was not opened for the kind {write.kind.name}")
        if isinstance(write, Put):
            _check_put(write)
        else:
            _check_texts((write.key,), LONGEST_KEY)
    for change in unit.changes:
        texts = (change.module, change.key, change.owner, change.audience, change.what, change.correlation_id)
        _check_texts(texts, LARGEST_BODY)
    for audit in unit.audits:
        _check_texts((audit.actor, audit.action, audit.subject, audit.detail), LARGEST_BODY)


def _check_put(put: Put) -> None:
    if len(put.columns) != len(put.kind.columns):
        raise ValueError(f"{put.kind.name} has the columns {put.kind.columns}, {len(put.columns)} were given")
    if type(put.body) is not bytes:
        raise TypeError(f"the body of a document is bytes, not {type(put.body).__name__}")
    if len(put.body) > LARGEST_BODY:
        raise InvalidRequest(f"an object of more than {LARGEST_BODY} bytes cannot be stored")
    _check_texts((put.key, put.owner, put.audience, put.last_updated, *put.columns), LONGEST_KEY)


def _check_texts(texts: Iterable[str], longest: int) -> None:
    together = "".join(texts)
    if together.isascii() and "\0" not in together and len(together) <= longest:
        return
    for text in texts:
        if not is_storable(text):
            raise InvalidRequest("a NUL character or a lone surrogate cannot be stored")
        if len(text.encode()) > longest:
            raise InvalidRequest(f"an identifier of more than {longest} bytes cannot be stored")
