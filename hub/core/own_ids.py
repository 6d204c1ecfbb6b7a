"""What a CPO of 2.1.1 calls its own things, and what they are called here (decision ids-of-2.1.1-have-names-here).

    the CPO says         here, and to everybody else
    Loc-a                Loc-a                    it fits, and nobody held it
    LOC-A                LOC-A~k3v7q2mxza         it differs from one that is held in case alone
    <39 characters>      <25 of them>~t5ocn4e2dh  CiString(36) has no room for it

In the path of a request an id in a spelling that was never declared means the one that was; where several were, it
means nothing that is here.

A row says which id has a name. It is found by the name, without regard to case, and is neither changed nor removed: so
what is known of it in memory stays true, in whichever process it was written. An id without letters that fits is its
own name, and needs no row.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from typing import Any, Final, NamedTuple

from hub.core.dialect.ids import Id, Spots
from hub.core.errors import InvalidRequest
from hub.core.store import Store
from hub.core.units import ABSENT, Kind, Put, Unit

NAMES: Final = Kind("names", columns=("folded",), indexed=("folded",))
"""`folded`: the id as it would be called if nothing were in its way, the same in all spellings."""

SORTS: Final = ("location_id", "evse_uid", "connector_id", "tariff_id", "session_id")
"""What such ids are called in paths and in `Dialect.ids`."""
IN_PATHS: Final = Spots(refers={sort: sort for sort in SORTS})
NOWHERE: Final = Spots()
MARK: Final = "~"
"""In every name that is not the id itself."""
LONGEST_ID: Final = 39
"""Characters of an id in 2.1.1, where it has most."""
LONGEST_NAME: Final = 36
"""Characters of a CiString(36)."""
_HASH: Final = 10
_MOST_KEPT: Final = 200_000


class Said(NamedTuple):
    """Ids that a party says: in a body what it `declares` there to be and what it refers to, in the path of a request,
    and in a `list` of what may be here or not."""

    party: str
    declared: Sequence[Id] = ()
    referred: Sequence[Id] = ()
    in_path: Sequence[Id] = ()
    listed: Sequence[Id] = ()
    is_part: bool = False
    """Is it a PATCH? What that declares in another spelling than is known is what is known."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of what was said: those that are not the id itself, and the rows by which they last."""

    others: Mapping[Id, str]
    new: tuple[Put, ...] = ()


_SPOKEN: ContextVar[Names | None] = ContextVar("spoken", default=None)


class OwnIds:
    """The ids of all CPOs of 2.1.1, both ways."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._names: dict[str, dict[Id, str]] = {}
        """By party and id."""
        self._ids: dict[str, str] = {}
        """By the key of the row."""

    async def names(self, said: Said) -> Names:
        """What is called how here. New names last from the unit on that is made of what was said (`kept`).

        What was never declared in just that spelling is what was declared in another.
        Raises: InvalidRequest, where no name is left for an id, or a PATCH declares one that may be each of several.
        """
        known = self._names.get(said.party) or {}
        found: dict[Id, str] = {}
        unknown = []
        for each in (*said.declared, *said.referred, *said.in_path, *said.listed):
            name = known.get(each)
            if name is None:
                name = _plain_name(each.text)
            if name is None:
                unknown.append(each)
            elif name != each.text:
                found[each] = name
        return await self._looked_up(said, found, sorted(set(unknown))) if unknown else Names(found)

    async def _looked_up(self, said: Said, found: dict[Id, str], unknown: Sequence[Id]) -> Names:
        keys = {each: (_key(said.party, each), _key(said.party, _alias_of(each))) for each in unknown}
        rows = await self._store.get_many(NAMES, [key for pair in keys.values() for key in pair])
        holders = {key: row.body.decode() for key, row in rows.items()}
        declared, referred, new = set(said.declared), set(said.referred), list[Put]()
        for each, (plain, other) in keys.items():
            is_free = each not in declared or said.is_part or holders.get(plain, each.text) == each.text
            is_its_own = _fits(each.text) and is_free and holders.get(other) != each.text
            name, key = (each.text, plain) if is_its_own else (alias_of(each.text), other)
            if name != each.text:
                found[each] = name
            if holders.get(key) == each.text:
                self._remember(said.party, each, name, key)
            elif key in holders:
                if not is_its_own and each in declared | referred:
                    raise InvalidRequest(f"the name that this {each.sort} would have here is taken")
            elif each in declared or (each in referred and not is_its_own):
                new.append(Put(NAMES, key, each.text.encode(), said.party, columns=(plain,), expect=ABSENT))
                holders[key] = each.text
        aimed = {*said.in_path} | declared if said.is_part else {*said.in_path} - declared
        strange = [each for each in aimed if each in keys and each.text not in map(holders.get, keys[each])]
        return Names(found | await self._meant(said, {each: keys[each][0] for each in strange}), tuple(new))

    async def _meant(self, said: Said, strange: Mapping[Id, str]) -> dict[Id, str]:
        """What is meant by spellings that were never declared, by what they are when folded: the one that was."""
        found = {}
        for each, folded in strange.items():
            rows = await self._store.select(NAMES, equal={"folded": folded}, limit=2)
            if len(rows) == 1 and rows[0].key != folded:
                found[each] = alias_of(rows[0].body.decode())
            elif len(rows) > 1 and each in said.declared:
                raise InvalidRequest(f"there are several that differ from this {each.sort} in case alone")
            elif len(rows) > 1:
                found[each] = alias_of(each.text)
        return found

    @contextmanager
    def spoken(self, names: Names) -> Iterator[None]:
        """While the units are made of what was said with these names."""
        before = _SPOKEN.set(names)
        try:
            yield
        finally:
            _SPOKEN.reset(before)

    def kept(self, unit: Unit) -> Unit:
        """`unit`, which writes something that was said, and so makes its names last."""
        names = _SPOKEN.get()
        if names is not None:
            unit.writes += names.new
        return unit

    async def ids(self, party: str, named: Iterable[Id]) -> Mapping[Id, str]:
        """The ids by which `party` itself knows what is called so here, where they are spelled otherwise."""
        keys = {each: _key(party, each) for each in named if _may_stand_for_another(each.text)}
        texts = {key: self._ids[key] for key in keys.values() if key in self._ids}
        unknown = [key for key in keys.values() if key not in texts]
        if unknown:
            texts |= {key: row.body.decode() for key, row in (await self._store.get_many(NAMES, unknown)).items()}
            self._make_room()
            self._ids |= texts
        return {each: texts[key] for each, key in keys.items() if texts.get(key, each.text) != each.text}

    async def told(self, party: str, spots: Spots, tree: Any) -> Any:
        """`tree` in the words of `party`; the very same where nothing of it differs."""
        own = await self.ids(party, chain(*spots.ids(tree)))
        return spots.renamed(tree, own) if own else tree

    def _remember(self, party: str, each: Id, name: str, key: str) -> None:
        self._make_room()
        self._names.setdefault(party, {})[each] = name
        self._ids[key] = each.text

    def _make_room(self) -> None:
        if len(self._ids) >= _MOST_KEPT:
            self._names.clear()
            self._ids.clear()


def alias_of(text: str) -> str:
    """The name of an id that cannot be its own: the same for the same id, always."""
    readable = "".join(char for char in text if char.isascii())[: LONGEST_NAME - _HASH - len(MARK)]
    digest = b32encode(blake2b(text.encode(), digest_size=10).digest()).decode().lower()
    return f"{readable}{MARK}{digest[:_HASH]}"


def _alias_of(each: Id) -> Id:
    return Id(each.sort, alias_of(each.text))


def _key(party: str, name: Id) -> str:
    return f"{party}/{name.sort}/{name.text.upper()}"


def _fits(text: str) -> bool:
    return len(text) <= LONGEST_NAME and text.isascii()


@lru_cache(maxsize=8192)
def _plain_name(text: str) -> str | None:
    """The id itself, where nothing can be in its way, and where it is no id at all. None: that is to be looked up."""
    if not text or len(text) > LONGEST_ID or not text.isprintable():
        return text
    return None if not _fits(text) or _may_stand_for_another(text) else text


def _may_stand_for_another(text: str) -> bool:
    return MARK in text or text.upper() != text.lower()
