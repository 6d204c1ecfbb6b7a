"""A stored object in the words of a version: derived once per change, kept as bytes.

The stored form is that of the newest version, so there it is the stored bytes themselves. What a version cannot express
at all is None: it is left out of lists, and held in lanes.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub.core.dialect import VERSIONS, NotExpressible, Wire
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.losses import pointers
from hub.core.store import Leaf, Store
from hub.core.units import Document, Kind

if TYPE_CHECKING:
    from hub.core.dispatch import Call

Context = Callable[[Store, Document], Awaitable[Mapping[str, Any]]]

_LARGEST = 8 * 1024 * 1024


class Rendition:
    """One kind of object in every version. `context` gives what an older version embeds (2.1.1: the location).

    At most `capacity` derived documents are kept, the least recently used go first. What is kept belongs to one store,
    and to one writing of the object: one that was deleted and made anew counts its versions from the start.
    """

    def __init__(
        self, wires: Mapping[str, Wire[Any]], *, context: Context | None = None, capacity: int = 20_000
    ) -> None:
        self._wires = wires
        self._context = context
        self._capacity = capacity
        self._kept: OrderedDict[tuple[str, str], tuple[tuple[int, int], bytes | None, tuple[str, ...]]] = OrderedDict()
        self._store: Store | None = None
        self.losses: dict[tuple[str, str], int] = {}
        """How often a field was lost, by (version, JSON pointer)."""

    async def of(self, store: Store, document: Document, version: str) -> bytes | None:
        """The object as `version` writes it, or None when it cannot be said there."""
        if version == VERSIONS[-1]:
            return document.body
        if store is not self._store:
            self._store = store
            self._kept.clear()
        at, written = (version, document.key), (document.seq, document.version)
        kept = self._kept.get(at)
        if kept is not None and kept[0] == written:
            self._kept.move_to_end(at)
            return kept[1]
        rendered, lost = await self._render(store, document, version)
        self._kept[at] = (written, rendered, lost)
        if len(self._kept) > self._capacity:
            self._kept.popitem(last=False)
        return rendered

    def lost(self, document: Document, version: str) -> tuple[str, ...]:
        """What the object lost when it was last made for `version`, by JSON pointer."""
        kept = self._kept.get((version, document.key))
        return kept[2] if kept is not None and kept[0] == (document.seq, document.version) else ()

    async def answer(self, call: Call, document: Document) -> bytes | None:
        """As `of`, for who asked for it: what is lost is counted."""
        body = await self.of(call.hub.store, document, call.version)
        call.lose(self.lost(document, call.version))
        return body

    async def of_all(
        self, store: Store, kind: Kind, leaves: Sequence[Leaf | Document], version: str
    ) -> tuple[list[bytes], Mapping[str, int]]:
        """Those of the objects that can be said in `version`, in their order; and how often they lost which field."""
        if version == VERSIONS[-1]:
            return [leaf.body for leaf in leaves], {}
        kept = self._kept if store is self._store else {}
        found: list[bytes | None] = []
        lost: Counter[str] = Counter()
        missing: list[int] = []
        for at, leaf in enumerate(leaves):
            known = kept.get((version, leaf.key))
            if known is None or known[0] != (leaf.seq, leaf.version):
                missing.append(at)
                found.append(None)
            else:
                found.append(known[1])
                lost.update(known[2])
        documents = await store.get_many(kind, [leaves[at].key for at in missing]) if missing else {}
        for at in missing:
            document = documents.get(leaves[at].key)
            if document is not None:
                found[at] = await self.of(store, document, version)
                lost.update(self.lost(document, version))
        return [body for body in found if body is not None], lost

    async def _render(self, store: Store, document: Document, version: str) -> tuple[bytes | None, tuple[str, ...]]:
        context = await self._context(store, document) if self._context is not None else {}
        tree: Tree = parse(document.body, limit=_LARGEST)
        try:
            written, losses = self._wires[version].write(tree, context=context)
        except NotExpressible:
            return None, ()
        lost = pointers(losses)
        for pointer in lost:
            self.losses[version, pointer] = self.losses.get((version, pointer), 0) + 1
        return encode(written), lost


def lowest_version(wires: Mapping[str, Wire[Any]], tree: Tree, context: Mapping[str, Any] | None = None) -> str:
    """The oldest version that can say `tree`; it goes into a column, so that lists leave out what cannot be said."""
    for version in VERSIONS[:-1]:
        try:
            wires[version].write(tree, context=context or {})
        except NotExpressible:
            continue
        return version
    return VERSIONS[-1]


def up_to(version: str) -> tuple[str, ...]:
    """The values of that column which a partner of `version` may see."""
    return VERSIONS[: VERSIONS.index(version) + 1]
