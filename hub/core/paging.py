"""Lists: filters, pages, `Link`, and the cache that makes a warm page cost a look-up.

Order is that of creation, so an object that changes never jumps behind a crawler's offset; and a `Link` also says
behind which object its page begins, so that what goes meanwhile moves nothing (`positions`). The cache holds the
finished end of the envelope per (list, version, who may see it, filters) and is valid while nothing of the kind
changed.
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

QUERY: Final = ("date_from", "date_to", "offset", "limit", "position")
_CACHE_BYTES: Final = 64 * 1024 * 1024
_GZIP_LEAST: Final = 1024
_LONGEST_NUMBER: Final = 40
_FARTHEST: Final = 10**15
"""Databases count in 64 bits."""
_MOST_ASKED: Final = 2_000
_MOST_ORDERS: Final = 100

Headers = list[tuple[bytes, bytes]]


class Window(NamedTuple):
    """What was asked for: `date_from` inclusive, `date_to` exclusive, as stored timestamps.

    `after_seq`: of the document that the page before ended with, where a `Link` of ours is followed.
    """

    date_from: str | None
    date_to: str | None
    offset: int
    limit: int
    after_seq: int | None = None

    @property
    def is_dated(self) -> bool:
        """Is it of what changed between two moments?"""
        return self.date_from is not None or self.date_to is not None


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
        if "position" in call.query:
            asked = asked._replace(after_seq=call.hub.positions.read(call.query["position"], asked.offset))
        at = (call.version, asked, *((name, *values) for name, values in among.items()))
        page = self._pages.get(at)
        if page is None or page.revision != call.hub.store.revision(self._kind):
            page = await self._make(call, at, asked, among)
            self._keep(page)
        else:
            page.join()
        headers = [(b"x-total-count", b"%d" % page.total), (b"x-limit", b"%d" % settings.page_max)]
        if page.goes_on_after:
            headers.append((b"link", _link(call, asked, page)))
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
        begins = order is not None and order.begins(asked.offset, asked.after_seq)
        if order is not None and begins and not has_copies and not is_stored_form(call.version):
            seqs = order.at(asked.offset, asked.limit)
            kept = self._rendition.at_hand(store, seqs, call.version) if seqs else None
            if kept is not None and await self._are_current(store, among, seqs, kept.versions):
                goes_on_after = seqs[-1] if asked.offset + len(seqs) < order.total else 0
                return Page(at, revision, call.hub.clock, kept.bodies, order.total, len(seqs), goes_on_after, kept.lost)
        leaves, total, is_last = await self._leaves(store, at[2:], asked, among)
        count, goes_on_after = len(leaves), 0 if is_last else leaves[-1].seq
        if has_copies:
            leaves = await counting(store, self._kind, leaves, audiences)
        bodies, lost = await self._rendition.of_all(store, self._kind, leaves, call.version)
        return Page(at, revision, call.hub.clock, bodies, total, count, goes_on_after, lost)

    async def _are_current(
        self, store: Store, among: Mapping[str, Sequence[str]], seqs: Sequence[int], versions: int
    ) -> bool:
        """Are just these documents there now, in versions of this sum?"""
        found = await store.tally(self._kind, among=among, first_seq=seqs[0], last_seq=seqs[-1])
        return found == (len(seqs), versions)

    def _order_of(self, store: Store, of: tuple[object, ...], asked: Window) -> Order | None:
        """What is known of the list, if it is the list as it is now."""
        order = None if asked.is_dated else self._orders.get(of)
        return None if order is None or order.arrangement != store.arrangement(self._kind) else order

    async def _leaves(
        self, store: Store, of: tuple[object, ...], asked: Window, among: Mapping[str, Sequence[str]]
    ) -> tuple[Sequence[Leaf | Document], int, bool]:
        """What belongs on the page, how long the list is, and whether it ends here; `of` is `among` as a key."""
        arrangement, order = store.arrangement(self._kind), self._order_of(store, of, asked)
        if order is not None and order.begins(asked.offset, asked.after_seq):
            after = order.before(asked.offset)
            leaves = await store.leaves(self._kind, among=among, after_seq=after, limit=asked.limit)
            order.note(asked.offset, [leaf.seq for leaf in leaves])
            return leaves, order.total, not leaves or asked.offset + len(leaves) >= order.total
        if order is not None and asked.after_seq is not None:
            leaves = await store.leaves(self._kind, among=among, after_seq=asked.after_seq, limit=asked.limit + 1)
            return leaves[: asked.limit], order.total, len(leaves) <= asked.limit
        found = await store.page(
            self._kind,
            date_from=asked.date_from,
            date_to=asked.date_to,
            offset=asked.offset if asked.after_seq is None else 0,
            limit=asked.limit + 1,
            after_seq=asked.after_seq or 0,
            among=among,
        )
        documents = found.documents[: asked.limit]
        if order is None and not asked.is_dated:
            order = self._keep_order(of, Order(arrangement, found.total))
            if asked.after_seq is None:
                order.note(asked.offset, [document.seq for document in documents])
        return documents, found.total, len(found.documents) <= asked.limit

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


def _link(call: Call, asked: Window, page: Page) -> bytes:
    """The next page: every filter of this request, on our public address (REQ-018)."""
    offset = asked.offset + page.count
    dates = [f"{name}={quote(call.query[name], safe=':')}" for name in ("date_from", "date_to") if name in call.query]
    position = call.hub.positions.told(offset, page.goes_on_after)
    text = "&".join([*dates, f"offset={offset}", f"limit={asked.limit}", f"position={position}"])
    return f'<{call.hub.settings.base_url}{call.path}?{text}>; rel="next"'.encode()
