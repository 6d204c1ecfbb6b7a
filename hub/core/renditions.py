"""A stored object in the words of a version: derived once per change, kept as bytes.

The stored form is that of the newest version, so there it is the stored bytes themselves. So it mostly is in 2.2.1 too:
of what came out as it is stored, and lost nothing, that much is noted, and is known when the bytes are long forgotten.
What a version cannot express at all is None: it is left out of lists, and held in lanes.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hub.core.dialect import VERSIONS, NotExpressible, Wire
from hub.core.inbound import encode, reread
from hub.core.jsontypes import Tree
from hub.core.losses import pointers
from hub.core.store import Leaf, Store
from hub.core.units import Document, Kind

if TYPE_CHECKING:
    from hub.core.dispatch import Call

Context = Callable[[Store, Document], Awaitable[Mapping[str, Any]]]

_MOST_NOTED: Final = 1_000_000
"""Of each version; some 80 bytes each."""


@dataclass(slots=True)
class _Rendered:
    """An object as a version has it, made from that writing of it; None where it cannot be said."""

    version: int
    body: bytes | None
    lost: tuple[str, ...]


class AtHand(NamedTuple):
    """Some objects as they are kept in a version."""

    versions: int
    """The sum of those that they were made from."""
    bodies: Sequence[bytes]
    lost: Mapping[str, int]


class Rendition:
    """One kind of object in every version. `context` gives what an older version embeds (2.1.1: the location).

    Of each version at most `capacity` derived documents are kept, the least recently used go first; and of `noted` it
    is known that they are as they are stored. All that belongs to one store, and is found by `seq`: an object that was
    deleted and made anew has another one.
    """

    def __init__(
        self,
        wires: Mapping[str, Wire[Any]],
        *,
        context: Context | None = None,
        capacity: int = 10_000,
        noted: int = _MOST_NOTED,
    ) -> None:
        self._wires = wires
        self._context = context
        self._capacity = capacity
        self._kept: dict[str, OrderedDict[int, _Rendered]] = {}
        self._noted = noted
        self._as_stored: dict[str, dict[int, int]] = {}
        """By version: which writing of an object (by `seq`) it has as it is stored."""
        self._store: Store | None = None
        self._fields: dict[tuple[str, ...], tuple[str, ...]] = {}
        """Each set of lost fields once, so that equal ones are the same object."""
        self._losing: set[str] = set()
        """The versions that ever lost something."""
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
        as_stored = self._as_stored[version]
        if as_stored.get(document.seq) == document.version:
            return _Rendered(document.version, document.body, ())
        body, lost = await self._render(store, document, version)
        if body == document.body and not lost:
            body = document.body
            if len(as_stored) >= self._noted:
                as_stored.clear()
            as_stored[document.seq] = document.version
        rendered = kept[document.seq] = _Rendered(document.version, body, self._fields.setdefault(lost, lost))
        if len(kept) > self._capacity:
            kept.popitem(last=False)
        return rendered

    def _kept_of(self, store: Store, version: str) -> OrderedDict[int, _Rendered]:
        if store is not self._store:
            self._store = store
            self._kept = {}
            self._as_stored = {}
        kept = self._kept.get(version)
        if kept is None:
            kept = self._kept[version] = OrderedDict()
            self._as_stored[version] = {}
        return kept

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
        """Those of the objects that can be said in `version`, in their order; and how often they lost which field."""
        if is_stored_form(version):
            return [leaf.body for leaf in leaves], {}
        kept, as_stored = self._kept_of(store, version), self._as_stored[version]
        found: list[_Rendered | None] = []
        missing: list[int] = []
        for at, leaf in enumerate(leaves):
            rendered = kept.get(leaf.seq)
            if rendered is None or rendered.version != leaf.version:
                rendered = None
                if as_stored.get(leaf.seq) == leaf.version:
                    rendered = _Rendered(leaf.version, leaf.body, ())
                else:
                    missing.append(at)
            found.append(rendered)
        documents = await _whole(store, kind, [leaves[at] for at in missing]) if missing else {}
        for at in missing:
            document = documents.get(leaves[at].key)
            found[at] = None if document is None else await self._of(store, document, version)
        made = [rendered for rendered in found if rendered is not None]
        return [rendered.body for rendered in made if rendered.body is not None], self._times(made, version)

    def at_hand(self, store: Store, seqs: Sequence[int], version: str) -> AtHand | None:
        """The objects of these `seqs` as they were last made, if all are kept; perhaps not as they are now."""
        kept = self._kept_of(store, version)
        try:
            found = [kept[seq] for seq in seqs]
        except KeyError:
            return None
        bodies = [body for rendered in found if (body := rendered.body) is not None]
        return AtHand(sum([rendered.version for rendered in found]), bodies, self._times(found, version))

    def _times(self, made: Sequence[_Rendered], version: str) -> Mapping[str, int]:
        """How often which field was lost, of which `version` may have lost none so far."""
        return _times(made) if version in self._losing else {}

    async def _render(self, store: Store, document: Document, version: str) -> tuple[bytes | None, tuple[str, ...]]:
        context = await self._context(store, document) if self._context is not None else {}
        tree: Tree = reread(document.body)
        try:
            written, losses = self._wires[version].write(tree, context=context)
        except NotExpressible:
            return None, ()
        lost = pointers(losses)
        if lost:
            self._losing.add(version)
        for pointer in lost:
            self.losses[version, pointer] = self.losses.get((version, pointer), 0) + 1
        return encode(written), lost


async def _whole(store: Store, kind: Kind, leaves: Sequence[Leaf | Document]) -> Mapping[str, Document]:
    """The documents of these leaves, by key."""
    found = {leaf.key: leaf for leaf in leaves if isinstance(leaf, Document)}
    rest = [leaf.key for leaf in leaves if leaf.key not in found]
    return {**found, **await store.get_many(kind, rest)} if rest else found


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
