"""Lists: filters, pages, `Link`, and the cache that makes a warm page cost a look-up.

Order is that of creation, so an object that changes never jumps behind a crawler's offset. The cache holds the finished
end of the envelope per (list, version, who may see it, filters) and is valid while nothing of the kind changed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import quote

from hub.core.addressed import FOR_ALL, counting
from hub.core.answers import Answer
from hub.core.dispatch import Call
from hub.core.errors import InvalidRequest
from hub.core.pages import Order, Page
from hub.core.reading import Reading
from hub.core.renditions import Rendition, is_stored_form
from hub.core.store import Leaf, Store
from hub.core.types import timestamp_of
from hub.core.units import Document, Kind

QUERY: Final = ("date_from", "date_to", "offset", "limit")
_CACHE_BYTES: Final = 64 * 1024 * 1024
_GZIP_LEAST: Final = 1024
_LONGEST_NUMBER: Final = 40
_FARTHEST: Final = 10**15
"""Databases count in 64 bits."""
_MOST_ASKED: Final = 2_000
_MOST_ORDERS: Final = 100

Headers = list[tuple[bytes, bytes]]


class Window(NamedTuple):
    """What was asked for: `date_from` inclusive, `date_to` exclusive, as stored timestamps."""

    date_from: str | None
    date_to: str | None
    offset: int
    limit: int


def window(query: Mapping[str, str], *, default: int, most: int) -> Window:
    """From the query of a list request. A limit above ours is not an error (REQ-019). Raises: InvalidRequest."""
    offset = _whole(query, "offset", 0, least=0)
    if offset > _FARTHEST:
        raise InvalidRequest(f"offset is larger than any list of ours: {_FARTHEST} at most")
    return Window(
        date_from=_moment(query, "date_from"),
        date_to=_moment(query, "date_to"),
        offset=offset,
        limit=min(_whole(query, "limit", default, least=1), most),
    )


def _moment(query: Mapping[str, str], name: str) -> str | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        return timestamp_of(text)
    except (ValueError, OverflowError):
        raise InvalidRequest(f"{name} is not a timestamp") from None


def _whole(query: Mapping[str, str], name: str, default: int, *, least: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > _LONGEST_NUMBER or int(text) < least:
        raise InvalidRequest(f"{name} must be a whole number, at least {least}")
    return int(text)


class Listing:
    """One list that partners may pull. `among` of `page` says who may see what, by column.

    A request in words that were used before costs a look-up (`_asked`); pages are kept once for all the ways to ask
    for them (`_pages`), the least recently used go first.
    """

    def __init__(self, kind: Kind, rendition: Rendition) -> None:
        self._kind = kind
        self._rendition = rendition
        self._store: Store | None = None
        self._asked: dict[Reading, tuple[Page, Headers]] = {}
        self._orders: dict[tuple[object, ...], Order] = {}
        self._pages: OrderedDict[tuple[object, ...], Page] = OrderedDict()
        self._bytes = 0

    async def page(self, call: Call, among: Mapping[str, Sequence[str]]) -> Answer:
        """The page that `call` asks for, of the documents whose columns are among the given values."""
        self._belong_to(call.hub.store)
        kept = self._kept(call)
        if kept is not None:
            return kept
        page, headers = known = await self._find(call, among)
        call.lose(page.lost)
        self._remember(call.reading, known)
        call.reading.ready = self._kept
        return _answer(page, headers)

    def _kept(self, call: Call) -> Answer | None:
        """The page, if these words were used before and nothing has changed since."""
        known = self._asked.get(call.reading)
        if (
            known is None
            or known[0].revision != call.hub.store.revision(self._kind)
            or call.hub.store is not self._store
        ):
            return None
        page, headers = known
        page.join()
        self._pages.move_to_end(page.at)
        return _answer(page, headers)

    async def _find(self, call: Call, among: Mapping[str, Sequence[str]]) -> tuple[Page, Headers]:
        """The page, kept or new, and the headers that go with it."""
        settings = call.hub.settings
        asked = window(call.query, default=settings.page_default, most=settings.page_max)
        at = (call.version, asked, *((name, *values) for name, values in among.items()))
        page = self._pages.get(at)
        if page is None or page.revision != call.hub.store.revision(self._kind):
            page = await self._make(call, at, asked, among)
            self._keep(page)
        else:
            page.join()
        headers = [(b"x-total-count", b"%d" % page.total), (b"x-limit", b"%d" % settings.page_max)]
        if asked.offset + page.count < page.total and page.count:
            headers.append((b"link", _link(call, asked, page.count)))
        if page.length >= _GZIP_LEAST:
            headers.append((b"vary", b"accept-encoding"))
        return page, headers

    def _belong_to(self, store: Store) -> None:
        """Revisions are counted by a store; pages of another one say nothing."""
        if store is not self._store:
            self._store = store
            self._asked.clear()
            self._orders.clear()
            self._pages.clear()
            self._bytes = 0

    async def _make(
        self, call: Call, at: tuple[object, ...], asked: Window, among: Mapping[str, Sequence[str]]
    ) -> Page:
        store, audiences = call.hub.store, among.get("audience", FOR_ALL)
        revision, order = store.revision(self._kind), self._order_of(store, at[2:], asked)
        has_copies = self._kind.copied and len(audiences) > len(FOR_ALL)
        if order is not None and not has_copies and not is_stored_form(call.version):
            seqs = order.at(asked.offset, asked.limit)
            kept = self._rendition.at_hand(store, seqs, call.version) if seqs else None
            if kept is not None and await self._are_current(store, among, seqs, kept.versions):
                return Page(at, revision, call.hub.clock, kept.bodies, order.total, len(seqs), kept.lost)
        leaves, total = await self._leaves(store, at[2:], asked, among)
        count = len(leaves)
        if has_copies:
            leaves = await counting(store, self._kind, leaves, audiences)
        bodies, lost = await self._rendition.of_all(store, self._kind, leaves, call.version)
        return Page(at, revision, call.hub.clock, bodies, total, count, lost)

    async def _are_current(
        self, store: Store, among: Mapping[str, Sequence[str]], seqs: Sequence[int], versions: int
    ) -> bool:
        """Are just these documents there now, in versions of this sum?"""
        found = await store.tally(self._kind, among=among, first_seq=seqs[0], last_seq=seqs[-1])
        return found == (len(seqs), versions)

    def _order_of(self, store: Store, of: tuple[object, ...], asked: Window) -> Order | None:
        """What is known of the list, if that is enough to find the beginning of the page."""
        order = self._orders.get(of) if asked.date_from is asked.date_to is None else None
        if order is None or order.arrangement != store.arrangement(self._kind) or asked.offset > len(order.seqs):
            return None
        return order

    async def _leaves(
        self, store: Store, of: tuple[object, ...], asked: Window, among: Mapping[str, Sequence[str]]
    ) -> tuple[Sequence[Leaf | Document], int]:
        """What belongs on the page, and how long the list is; `of` are the columns and values of `among`."""
        arrangement, order = store.arrangement(self._kind), self._order_of(store, of, asked)
        if order is not None:
            after = order.before(asked.offset)
            leaves = await store.leaves(self._kind, among=among, after_seq=after, limit=asked.limit)
            order.note(asked.offset, [leaf.seq for leaf in leaves])
            return leaves, order.total
        found = await store.page(
            self._kind,
            date_from=asked.date_from,
            date_to=asked.date_to,
            offset=asked.offset,
            limit=asked.limit,
            among=among,
        )
        before = self._orders.get(of)
        if asked.date_from is asked.date_to is None and (before is None or before.arrangement != arrangement):
            order = self._keep_order(of, Order(arrangement, found.total))
            order.note(asked.offset, [document.seq for document in found.documents])
        return found.documents, found.total

    def _keep_order(self, of: tuple[object, ...], order: Order) -> Order:
        if len(self._orders) >= _MOST_ORDERS:
            self._orders.clear()
        self._orders[of] = order
        return order

    def _keep(self, page: Page) -> None:
        old = self._pages.pop(page.at, None)
        self._bytes += page.size - (old.size if old else 0)
        self._pages[page.at] = page
        if old is not None:
            self._asked.clear()
        while self._bytes > _CACHE_BYTES and len(self._pages) > 1:
            _, gone = self._pages.popitem(last=False)
            self._bytes -= gone.size
            self._asked.clear()

    def _remember(self, words: Reading, known: tuple[Page, Headers]) -> None:
        if len(self._asked) >= _MOST_ASKED:
            self._asked.clear()
        self._asked[words] = known


def _answer(page: Page, headers: Headers) -> Answer:
    tail, *rest = page.parts
    gzip = page.compressed if page.length >= _GZIP_LEAST else None
    return Answer(tail=tail, rest=rest, rest_length=page.length - len(tail), headers=headers.copy(), gzip=gzip)


def _link(call: Call, asked: Window, count: int) -> bytes:
    """The next page: every filter of this request, on our public address (REQ-018)."""
    dates = [f"{name}={quote(call.query[name], safe=':')}" for name in ("date_from", "date_to") if name in call.query]
    text = "&".join([*dates, f"offset={asked.offset + count}", f"limit={asked.limit}"])
    return f'<{call.hub.settings.base_url}{call.path}?{text}>; rel="next"'.encode()
