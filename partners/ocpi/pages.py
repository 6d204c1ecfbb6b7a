"""A partner's list, page by page, however it pages.

A page is followed by its `Link`; where there is none, by counting on. `X-Total-Count` ends the count only where it can
be believed: some servers write the size of the page there. A page that is the same as the one before is the end, as
that server does not know `offset`. Links that go round in a circle, or to another host, are a fault (our token goes
along). When the total falls while we read, something moved up past us, and the list is to be read again (REQ-020).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlencode, urljoin, urlsplit

import structlog

from hub.core.errors import PeerNonsense
from hub.core.inbound import parse
from hub.core.jsontypes import Json
from hub.core.operations import SENDER, Side
from hub.core.ports import PeerAnswer
from hub.core.registry import Partner
from partners.ocpi.marks import Mark, mark_of

log = structlog.get_logger()

MOST_PAGES: Final = 100_000
LIMIT: Final = 500
_LINK: Final = re.compile(r'<([^>]+)>\s*;[^,]*rel="?next"?', re.IGNORECASE)


class Pages(Protocol):
    """The part of the peer client that a pull needs."""

    async def send(
        self, partner: Partner, method: str, module: str, side: Side, *, query: dict[str, str], known: Mark | None
    ) -> PeerAnswer: ...

    async def get(self, partner: Partner, url: str, *, known: Mark | None) -> PeerAnswer: ...


@dataclass(slots=True)
class Page:
    """One page. `at`: how many objects were on those before it. `mark` is None where it cannot be known again.

    objects: None where the page is as it was when it got its mark, and was not read this time.
    """

    at: int
    objects: list[Json] | None
    mark: Mark | None
    body: bytes

    def __len__(self) -> int:
        return self.mark.objects if self.mark is not None else len(self.objects or ())

    def read(self) -> list[Json]:
        """What is on it."""
        if self.objects is None:
            self.objects = parse(self.body, limit=len(self.body))["data"]
        return self.objects

    def repeats(self, other: Page | None) -> bool:
        """Is it the page before once more?"""
        if other is None or not len(self):
            return False
        if self.mark is None or other.mark is None:
            return self.read() == other.read()
        return self.mark.digest == other.mark.digest


class Crawl:
    """One reading of a list, from its beginning to its end."""

    def __init__(
        self,
        pages: Pages,
        partner: Partner,
        module: str,
        since: str | None,
        known: Callable[[int], Mark | None] = lambda _: None,
    ) -> None:
        """`known`: how the page looked the last time before which there are so many objects."""
        self._pages = pages
        self._partner = partner
        self._module = module
        self._known = known
        self._query = {"limit": str(LIMIT), **({"date_from": since} if since else {})}
        self._base = partner.endpoint(module, "SENDER") or ""
        self._seen = 0
        self._total: int | None = None
        self.shrank = False
        """Did the list get shorter while it was read? Then an object may have been missed."""

    async def pages(self) -> AsyncIterator[Page]:
        """Each page with something on it. Raises: PeerFault's children."""
        known = self._known(0)
        answer = await self._pages.send(
            self._partner, "GET", self._module, SENDER, query=dict(self._query), known=known
        )
        asked: set[str] = set()
        before: Page | None = None
        while len(asked) < MOST_PAGES:
            page = _page(self._seen, answer, known)
            if page.repeats(before):
                log.warning("pages repeat", partner=self._partner.name, module=self._module, seen=self._seen)
                return
            if len(page):
                yield page
            self._seen += len(page)
            following = self._next(answer, len(page))
            if not len(page) or following is None:
                return
            if following in asked:
                raise PeerNonsense("the pages of the list go round in a circle")
            asked.add(following)
            before, known = page, self._known(self._seen)
            answer = await self._pages.get(self._partner, following, known=known)
        raise PeerNonsense(f"the list has more than {MOST_PAGES} pages")

    def _next(self, answer: PeerAnswer, count: int) -> str | None:
        total = _number(answer, "x-total-count")
        self.shrank = self.shrank or (total is not None and self._total is not None and total < self._total)
        self._total = total
        match = _LINK.search(answer.headers.get("link", ""))
        if match is not None:
            return self._followed(match[1])
        if self._is_complete(total, count, _number(answer, "x-limit")):
            return None
        return f"{self._base}?{urlencode({**self._query, 'offset': str(self._seen)})}"

    def _is_complete(self, total: int | None, count: int, most: int | None) -> bool:
        if total is None or total > self._seen:
            return False
        return total != count or (most is not None and count < most)

    def _followed(self, link: str) -> str:
        """Behind a proxy servers write `http` where they are reached by https: what was agreed on is kept."""
        following, agreed = urlsplit(urljoin(self._base, link)), urlsplit(self._base)
        if following.netloc != agreed.netloc:
            raise PeerNonsense("the next page is on another host")
        return str(following._replace(scheme=agreed.scheme).geturl())


def _page(at: int, answer: PeerAnswer, known: Mark | None) -> Page:
    """Raises: PeerNonsense."""
    if answer.unread:
        return Page(at, None, known, answer.body)
    if not isinstance(answer.data, list):
        raise PeerNonsense("a list request was not answered with a list")
    return Page(at, answer.data, mark_of(answer.body, len(answer.data)), answer.body)


def _number(answer: PeerAnswer, header: str) -> int | None:
    text = answer.headers.get(header, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
