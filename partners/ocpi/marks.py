"""Pages of a list that come again as they came before, known by their bytes.

What lies around the list differs each time, as it holds the time of the answer. So a mark says how many bytes lie
before and after the list, and keeps a digest of the list itself. A page is the same when what lies around it reads as
a success with an empty list in that very place, and the digest agrees: then reading it would give what it gave before.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec
import xxhash

from hub.core.answers import is_success
from hub.core.errors import Unreadable
from hub.core.inbound import parse

_MOST_AROUND: Final = 4096
"""Bytes; more than that around a list is read in the ordinary way."""


class Mark(NamedTuple):
    """A page as it came. In bytes: `before` and `after` the list, and the whole. `objects`: how many are in it.

    The digest keeps no secret: whoever could make two lists with one digest would only fool us about a list of his own.
    """

    before: int
    after: int
    size: int
    digest: bytes
    objects: int


class _Envelope(msgspec.Struct):
    data: msgspec.Raw


_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)


def mark_of(body: bytes, count: int) -> Mark | None:
    """The mark of a page that was read and holds `count` objects; None where it cannot be known again."""
    try:
        data = bytes(_ENVELOPE.decode(body).data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    before = body.find(data)
    mark = Mark(before, len(body) - before - len(data), len(body), xxhash.xxh3_128_digest(data), count)
    return mark if is_same(body, mark) else None


def is_same(body: bytes, mark: Mark) -> bool:
    """Does the page hold what the one with this mark held?"""
    before, after, size, digest, _ = mark
    if len(body) != size or before + after > _MOST_AROUND:
        return False
    end = size - after
    return _frames_a_list(body[:before], body[end:]) and xxhash.xxh3_128_digest(memoryview(body)[before:end]) == digest


def _frames_a_list(before: bytes, after: bytes) -> bool:
    try:
        around: Any = parse(b"%b[]%b" % (before, after), limit=_MOST_AROUND + 2)
    except Unreadable:
        return False
    return (
        isinstance(around, dict)
        and around.get("data") == []
        and isinstance(around.get("status_code"), int)
        and is_success(around["status_code"])
    )
