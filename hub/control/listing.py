"""Lists for an operator: the newest first, by the columns that a kind has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from hub.control.asks import Ask
from hub.core.errors import InvalidRequest
from hub.core.store import Page, Store
from hub.core.types import timestamp_of
from hub.core.units import Document, Kind

if TYPE_CHECKING:
    from hub.app import Program

MOST: Final = 1_000


class Filter(Ask):
    """What a list is to be narrowed to; each list takes those that mean something there."""

    partner: str | None = None
    station: str | None = None
    open: bool | None = None
    held: bool = False
    withheld: bool = False
    date_from: str | None = None
    limit: Annotated[int, Field(ge=1, le=MOST)] = 50
    offset: Annotated[int, Field(ge=0, le=10**12)] = 0

    def since(self) -> str | None:
        """`date_from` as it is compared with what is stored. Raises: InvalidRequest."""
        if self.date_from is None:
            return None
        try:
            return timestamp_of(self.date_from)
        except (ValueError, OverflowError):
            raise InvalidRequest("date_from is not a timestamp") from None


@dataclass(frozen=True, slots=True)
class Found:
    """A part of a list, newest first, and how many there are in all."""

    documents: list[Document]
    total: int


async def newest(
    store: Store,
    kind: Kind,
    asked: Filter,
    *,
    audiences: Sequence[str] | None = None,
    among: Mapping[str, Sequence[str]] | None = None,
    since: str | None = None,
) -> Found:
    """The documents of `kind`, the one created last first. `since` compares with their last_updated."""

    async def page(offset: int, limit: int) -> Page:
        return await store.page(
            kind, date_from=since, date_to=None, offset=offset, limit=limit, audiences=audiences, among=among or {}
        )

    total = (await page(0, 0)).total
    end = max(total - asked.offset, 0)
    start = max(end - asked.limit, 0)
    found = await page(start, end - start) if end > start else Page([], total)
    return Found(found.documents[::-1], total)


def parties_of(program: Program, partner: str | None) -> Sequence[str] | None:
    """The parties that a partner speaks for; None for no partner. Raises: NotFound."""
    return None if partner is None else tuple(program.hub.registry.get(partner).parties)
