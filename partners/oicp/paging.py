"""Pages of a list, as OICP cuts them: numbered from 0, twenty a page where nobody says how many, at most 2,000."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from hub.core.errors import InvalidRequest

T = TypeVar("T")

USUAL: Final = 20
MOST: Final = 2000
_FURTHEST: Final = 10**6


class Paging(NamedTuple):
    """Which page is asked for."""

    number: int
    size: int

    def cut(self, items: Sequence[T]) -> Sequence[T]:
        """What of the whole list is on it."""
        return items[self.number * self.size : (self.number + 1) * self.size]


def paging_of(query: Mapping[str, str]) -> Paging:
    """From the query of a request. A size above the most is the most. Raises: InvalidRequest."""
    return Paging(_number(query, "page", 0, least=0), min(MOST, _number(query, "size", USUAL, least=1)))


def _number(query: Mapping[str, str], name: str, usual: int, *, least: int) -> int:
    text = query.get(name, "")
    if not text:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= _FURTHEST):
        raise InvalidRequest(f"{name}: is not a whole number from {least} on")
    return int(text)


def page_of(paging: Paging, content: list[dict[str, Any]], total: int) -> dict[str, Any]:
    """The page, with what it tells of all."""
    pages = -(-total // paging.size)
    return {
        "content": content,
        "number": paging.number,
        "size": paging.size,
        "totalElements": total,
        "last": paging.number >= pages - 1,
        "totalPages": pages,
        "first": paging.number == 0,
        "numberOfElements": len(content),
    }
