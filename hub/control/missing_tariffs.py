"""Connectors of ours that name a tariff that is not here: what they charge cannot be priced, and is held."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from hub.core.store import Store
from hub.core.units import Document
from modules.locations.store import LOCATIONS
from modules.tariffs.store import TARIFFS, key_of

_AT_ONCE: Final = 1000
_SHOWN: Final = 5


class _Connector(msgspec.Struct):
    id: str
    tariff_ids: list[str] | None = None


class _Evse(msgspec.Struct):
    uid: str
    status: str = ""
    connectors: list[_Connector] = []


class _Location(msgspec.Struct):
    id: str
    evses: list[_Evse] | None = None


class Missing(NamedTuple):
    """A tariff that is not here, and the connectors that name it, as `LOC1/E1/1`."""

    tariff_id: str
    connectors: list[str]

    def words(self) -> str:
        """For an operator: the tariff, some of the connectors, and what comes of it."""
        more = len(self.connectors) - _SHOWN
        shown = ", ".join(self.connectors[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
        return f"tariff {self.tariff_id} is not here, but named by {shown}: charges there are held, and not billed"


async def missing_at(store: Store, owner: str, location: Document) -> list[Missing]:
    """What one location of `owner` names."""
    return await _not_here(store, owner, _named_in([location]))


async def missing_everywhere(store: Store, owner: str, *, only: str | None = None) -> list[Missing]:
    """What all locations of `owner` name; with `only`, no other tariff than that."""
    found: list[tuple[str, str]] = []
    after = 0
    while part := await store.select(LOCATIONS, equal={"owner": owner}, limit=_AT_ONCE, after_seq=after):
        after = part[-1].seq
        found += [named for named in _named_in(part) if only is None or named[0].upper() == only.upper()]
    return await _not_here(store, owner, found)


def _named_in(locations: Iterable[Document]) -> Iterator[tuple[str, str]]:
    """Tariffs with the connectors that name them; who is REMOVED charges nobody."""
    read: Callable[[bytes], _Location] = msgspec.json.Decoder(_Location).decode
    for location in (read(document.body) for document in locations):
        for evse in location.evses or ():
            for connector in evse.connectors if evse.status != "REMOVED" else ():
                for tariff_id in connector.tariff_ids or ():
                    yield tariff_id, f"{location.id}/{evse.uid}/{connector.id}"


async def _not_here(store: Store, owner: str, named: Iterable[tuple[str, str]]) -> list[Missing]:
    by_key: dict[str, Missing] = {}
    for tariff_id, connector in named:
        by_key.setdefault(key_of(owner, tariff_id), Missing(tariff_id, [])).connectors.append(connector)
    here = await store.versions(TARIFFS, list(by_key))
    return [missing for key, missing in by_key.items() if key not in here]
