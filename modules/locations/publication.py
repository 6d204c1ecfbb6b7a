"""Our locations on their way to partners. OCPI mod_locations_receiver_interface.

A change of status alone goes as PATCH of that EVSE, everything else as PUT of the location. A partner that does not
know the object of a PATCH gets the PUT (REQ-024).
"""

from __future__ import annotations

from hub.core.answers import says_unknown_object
from hub.core.dialect import NotExpressible
from hub.core.errors import PeerRefused, UnknownLocation
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.operations import READERS, RECEIVER
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.units import Document
from modules.locations import service
from modules.locations.routes import rendition
from modules.locations.store import find


class LocationPublication:
    """See `hub.core.delivery.Publication`."""

    module = "locations"

    def __init__(self) -> None:
        self._latest: tuple[bytes, Tree] = (b"", {})

    def _parsed(self, document: Document) -> Tree:
        """The tree of the document that was sent last is kept: all lanes ask for the same one at the same time."""
        if self._latest[0] != document.body:
            self._latest = (document.body, parse(document.body, limit=service.LIMIT))
        return self._latest[1]

    async def deliver(self, hub: Hub, partner: Partner, key: str, what: frozenset[str]) -> None:
        if not partner.roles & READERS or partner.endpoint("locations", "RECEIVER") is None:
            return
        document = await find(hub.store, key)
        if document is None:
            return
        version = partner.version or ""
        whole = await rendition.of(hub.store, document, version)
        if whole is None:
            raise NotExpressible("publish=false cannot be said in this version")
        if all(word.startswith(service.STATUS) for word in what):
            try:
                await self._patch_status(hub, partner, document, what)
            except PeerRefused as refused:
                if not says_unknown_object(refused.http, refused.status_code):
                    raise
            else:
                return
        path = (*document.owner.split("*"), document.columns["id"])
        await hub.peers.send(partner, "PUT", "locations", RECEIVER, path, body=whole, owner=document.owner)

    async def _patch_status(self, hub: Hub, partner: Partner, document: Document, what: frozenset[str]) -> None:
        tree = self._parsed(document)
        owner = document.owner
        for word in sorted(what):
            try:
                evse = service.evse_in(tree, word.removeprefix(service.STATUS))
            except UnknownLocation:
                continue
            body = encode({"status": evse["status"], "last_updated": evse["last_updated"]})
            path = (*owner.split("*"), tree["id"], evse["uid"])
            await hub.peers.send(partner, "PATCH", "locations", RECEIVER, path, body=body, owner=owner)
