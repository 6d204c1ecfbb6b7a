"""A stored object in the words of a version: derived once per change, kept as bytes.

The stored form is that of the newest version, so there it is the stored bytes themselves. What a version cannot express
at all is None: it is left out of lists, and held in lanes.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

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


@dataclass(slots=True)
class _Rendered:
    """An object as a version has it, made from that writing of it; None where it cannot be said."""

    version: int
    body: bytes | None
    lost: tuple[str, ...]


_NOTHING: Final = _Rendered(-1, None, ())


class Rendition:
    """One kind of object in every version. `context` gives what an older version embeds (2.1.1: the location).

    Of each version at most `capacity` derived documents are kept, the least recently used go first. What is kept
    belongs to one store, and is found by `seq`: an object that was deleted and made anew has another one.
    """

    def __init__(
        self, wires: Mapping[str, Wire[Any]], *, context: Context | None = None, capacity: int = 10_000
    ) -> None:
        self._wires = wires
        self._context = context
        self._capacity = capacity
        self._kept: dict[str, OrderedDict[int, _Rendered]] = {}
        self._store: Store | None = None
        self._fields: dict[tuple[str, ...], tuple[str, ...]] = {}
        """Each set of lost fields once, so that equal ones are the same object."""
        self.losses: dict[tuple[str, str], int] = {}
        """How often a field was lost, by (version, JSON pointer)."""

    async def of(self, store: Store, document: Document, version: str) -> bytes | None:
        """The object as `version` writes it, or None when it cannot be said there."""
        return document.body if is_stored_form(version) else (await self._of(store, document, version)).body

    async def _of(self, store: Store, document: Document, version: str) -> _Rendered:
        kept = self._kept_of(store, version)
        known = kept.get(document.seq)
        if known is not None and known.version == document.version:
            kept.move_to_end(document.seq)
            return known
        body, lost = await self._render(store, document, version)
        rendered = kept[document.seq] = _Rendered(document.version, body, self._fields.setdefault(lost, lost))
        if len(kept) > self._capacity:
            kept.popitem(last=False)
        return rendered

    def _kept_of(self, store: Store, version: str) -> OrderedDict[int, _Rendered]:
        if store is not self._store:
            self._store = store
            self._kept = {}
        return self._kept.setdefault(version, OrderedDict())

    def lost(self, document: Document, version: str) -> tuple[str, ...]:
        """What the object lost when it was last made for `version`, by JSON pointer."""
        known = self._kept[version].get(document.seq) if version in self._kept else None
        return known.lost if known is not None and known.version == document.version else ()

    async def answer(self, call: Call, document: Document) -> bytes | None:
        """As `of`, for who asked for it: what is lost is counted."""
        body = await self.of(call.hub.store, document, call.version)
        call.lose(self.lost(document, call.version))
        return body

    async def of_all(
        self, store: Store, kind: Kind, leaves: Sequence[Leaf | Document], version: str
    ) -> tuple[list[bytes], Mapping[str, int]]:
        """Those of the objects that can be said in `version`, in their order; and how often they lost which field.

        Only for the stored form the leaves need their bodies.
        """
        if is_stored_form(version):
            return [leaf.body for leaf in leaves], {}
        known = self._kept_of(store, version).get
        found = [known(leaf.seq) for leaf in leaves]
        missing = [
            at
            for at, (leaf, rendered) in enumerate(zip(leaves, found, strict=True))
            if rendered is None or rendered.version != leaf.version
        ]
        documents = await store.get_many(kind, [leaves[at].key for at in missing]) if missing else {}
        for at in missing:
            document = documents.get(leaves[at].key)
            found[at] = None if document is None else await self._of(store, document, version)
        made = [rendered for rendered in found if rendered is not None]
        return [rendered.body for rendered in made if rendered.body is not None], _times(made)

    def at_hand(
        self, store: Store, seqs: list[int], versions: list[int], version: str
    ) -> tuple[list[bytes], Mapping[str, int]] | None:
        """As `of_all`, where all of it is kept; else None. The objects by `seq`, each with its version."""
        found = list(map(self._kept_of(store, version).get, seqs, repeat(_NOTHING)))
        if [rendered.version for rendered in found] != versions:
            return None
        return [body for rendered in found if (body := rendered.body) is not None], _times(found)

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


def is_stored_form(version: str) -> bool:
    """Is what is stored already in the words of `version`?"""
    return version == VERSIONS[-1]


def _times(made: Sequence[_Rendered]) -> Mapping[str, int]:
    """How often which field was lost. Most objects of a list lose the same, and equal sets are one object."""
    sets = {id(rendered.lost): rendered.lost for rendered in made if rendered.lost}
    if not sets:
        return {}
    times: Counter[str] = Counter()
    for which, count in Counter(id(rendered.lost) for rendered in made).items():
        for field in sets.get(which, ()):
            times[field] += count
    return times


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
