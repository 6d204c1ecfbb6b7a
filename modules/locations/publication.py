"""Locations on their way to partners. OCPI mod_locations_receiver_interface.

A change of status alone goes as PATCH of that EVSE, everything else as PUT of the location. A partner that does not
know the object of a PATCH gets the PUT (REQ-024), and so does one that may have another copy of it (`addressed`).

A location that names other tariffs in 2.1.1 than before (`renaming.py`) is no news for partners of other versions.

Of a location that its version cannot say any more a partner gets that the EVSEs are REMOVED which it had (`unsaid.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from hub.core import kept_back
from hub.core.addressed import FOR_ALL
from hub.core.answers import says_unknown_object
from hub.core.delivery import may_have, parties
from hub.core.dialect import NotExpressible
from hub.core.errors import PeerRefused, UnknownLocation
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.operations import READERS, RECEIVER
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.renditions import up_to
from hub.core.store import Store
from hub.core.units import Document
from modules.locations import service
from modules.locations.renaming import NAMES_ANEW
from modules.locations.routes import rendition
from modules.locations.store import LOCATIONS, find
from modules.locations.unsaid import HIDDEN, can_say, hidden_in
from modules.tariffs.sendable import UNDATED

_MOST_KEPT = 1_000

Patch = tuple[tuple[str, ...], bytes]
"""Path and body."""


class _Current:
    """A location as it is now, for all lanes: they ask for the same one at the same time."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._patches: dict[tuple[str, frozenset[str]], tuple[Patch, ...] | None] = {}

    @cached_property
    def _tree(self) -> Tree:
        tree: Tree = parse(self.document.body, limit=service.LIMIT)
        return tree

    def patches(self, version: str, what: frozenset[str]) -> tuple[Patch, ...] | None:
        """What tells `what`, if that is changes of status alone; else None.

        An EVSE that is gone, or that is not in the location as `version` has it, is left out.
        """
        at = (version, what)
        if at not in self._patches:
            told = all(word.startswith(service.STATUS) for word in what)
            self._patches[at] = tuple(self._made(version, what)) if told else None
        return self._patches[at]

    def _made(self, version: str, what: frozenset[str]) -> Iterator[Patch]:
        for word in sorted(what):
            try:
                evse = service.evse_in(self._tree, word.removeprefix(service.STATUS))
            except UnknownLocation:
                continue
            if not can_say(version, evse):
                continue
            path = (*self.document.owner.split("*"), self._tree["id"], evse["uid"])
            yield path, encode({"status": evse["status"], "last_updated": evse["last_updated"]})


class LocationPublication:
    """See `hub.core.delivery.Publication`."""

    module = "locations"
    readers = READERS

    def __init__(self) -> None:
        self._store: Store | None = None
        self._revision = -1
        self._kept: dict[str, _Current | None] = {}

    async def _current(self, store: Store, key: str) -> _Current | None:
        revision = store.revision(LOCATIONS)
        if revision != self._revision or store is not self._store or len(self._kept) >= _MOST_KEPT:
            self._store, self._revision = store, revision
            self._kept = {}
        kept = self._kept
        if key not in kept:
            document = await find(store, key)
            kept[key] = None if document is None else _Current(document)
        return kept[key]

    async def deliver(self, hub: Hub, partner: Partner, key: str, what: frozenset[str]) -> None:
        if partner.endpoint("locations", "RECEIVER") is None:
            return
        if not may_have(hub, partner, "locations", key):
            await kept_back.keep(hub, partner, self.module, key, (word for word in what if word.startswith(HIDDEN)))
            return
        current = await self._current(hub.store, key)
        if current is None:
            return
        audiences = await hub.addressed.audiences(partner, "locations")
        standing = await hub.addressed.standing(LOCATIONS, key, audiences) if audiences != FOR_ALL else None
        if standing is not None and not standing.is_news:
            return
        document, version = current.document, partner.version or ""
        what = what if version == UNDATED else what - {NAMES_ANEW}
        if not what:
            return
        if document.columns["lowest"] not in up_to(version):
            await self._withdraw(hub, partner, document, what)
            raise NotExpressible("publish=false cannot be said in this version")
        between = parties(hub, document.owner, document.audience)
        patches = current.patches(version, what)
        if patches is not None and (standing is None or standing.is_only):
            try:
                for path, body in patches:
                    await hub.peers.send(partner, "PATCH", "locations", RECEIVER, path, body=body, **between)
            except PeerRefused as refused:
                if not says_unknown_object(refused.http, refused.status_code):
                    raise
            else:
                return
        whole = await rendition.of(hub.store, document, version)
        path = (*document.owner.split("*"), document.columns["id"])
        await hub.peers.send(partner, "PUT", "locations", RECEIVER, path, body=whole, **between)
        hub.losses.note(partner.name, "out", self.module, rendition.lost(document, version))

    async def _withdraw(self, hub: Hub, partner: Partner, document: Document, what: frozenset[str]) -> None:
        """A partner that does not know the EVSE is content."""
        body = encode({"status": "REMOVED", "last_updated": document.last_updated})
        between = parties(hub, document.owner, document.audience)
        for evse_uid in hidden_in(what):
            path = (*document.owner.split("*"), document.columns["id"], evse_uid)
            try:
                await hub.peers.send(partner, "PATCH", "locations", RECEIVER, path, body=body, **between)
            except PeerRefused as refused:
                if not says_unknown_object(refused.http, refused.status_code):
                    raise
