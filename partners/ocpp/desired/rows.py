"""Templates as the hub keeps them, by name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from hub.core.clock import timestamp
from hub.core.errors import InvalidRequest, NotFound
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.store import Store
from hub.core.units import Audit, Delete, Document, Kind, Put, Unit
from partners.ocpp.desired.template import Template, parsed

TEMPLATES: Final = Kind("ocpp_templates")

MOST: Final = 1_000
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LIMIT: Final = 1024 * 1024


class Named(NamedTuple):
    """A template on record. `updated` is by our clock."""

    name: str
    template: Template
    updated: str

    def shown(self) -> Tree:
        """For the operator."""
        return {"name": self.name, **self.template.tree(), "updated": self.updated}


async def put(hub: Hub, name: str, tree: Tree, *, actor: str) -> bool:
    """Keep a template. Returns: True if it is new. Raises: InvalidRequest."""
    if not _NAME.fullmatch(name):
        raise InvalidRequest("a template's name has letters, digits, `.`, `_` and `-`, at most 64")
    template = parsed({field: value for field, value in tree.items() if field not in ("name", "updated")})
    known = await hub.store.get(TEMPLATES, name)
    if known is None and len(await hub.store.select(TEMPLATES, limit=MOST)) >= MOST:
        raise InvalidRequest(f"there are {MOST} templates already; remove some")
    row = Put(TEMPLATES, name, encode(template.tree()), last_updated=timestamp(hub.clock.now()))
    await hub.store.commit(Unit().put(row).audited(Audit(actor, "template.put", name)))
    return known is None


async def get(store: Store, name: str) -> Named:
    """Raises: NotFound."""
    document = await store.get(TEMPLATES, name)
    if document is None:
        raise NotFound("there is no such template")
    return _named(document)


async def listed(store: Store) -> list[Named]:
    """All, by name."""
    documents = await store.select(TEMPLATES, limit=MOST)
    return sorted(_named(document) for document in documents)


async def delete(hub: Hub, name: str, *, actor: str) -> None:
    """Forget a template; chargers stay as they are. Raises: NotFound."""
    await get(hub.store, name)
    await hub.store.commit(Unit().delete(Delete(TEMPLATES, name)).audited(Audit(actor, "template.delete", name)))


def fitting(templates: Iterable[Named], station: Tree) -> list[Named]:
    """Those that are for this charger, the most particular last: what it says counts over what others say."""
    mine = [each for each in templates if each.template.fits(station)]
    return sorted(mine, key=lambda each: (each.template.particularity, each.name))


def joined(templates: Iterable[Named]) -> dict[str, str]:
    """All values that they want, by name as it was written last."""
    found: dict[str, tuple[str, str]] = {}
    for each in templates:
        found |= {name.casefold(): (name, value) for name, value in each.template.values.items()}
    return dict(found.values())


def _named(document: Document) -> Named:
    return Named(document.key, parsed(parse(document.body, limit=_LIMIT)), document.last_updated)
