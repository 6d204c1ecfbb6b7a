"""Booking locations on their way to all eMSPs, and bookings to the one that asked: always as PUT of the whole.

OCPI mod_bookings_emsp_interface.
"""

from __future__ import annotations

from hub.core.delivery import entitled
from hub.core.dialect import NotExpressible
from hub.core.inbound import parse
from hub.core.operations import ANYBODY, EMSP_LIKE, RECEIVER
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.units import Document
from modules.bookings import editions
from modules.bookings.places import LIMIT
from modules.bookings.service import may_see
from modules.bookings.store import BOOKING_LOCATIONS, BOOKINGS, MODULE, PLACES, find


class BookingPublication:
    """See `hub.core.delivery.Publication`."""

    module = MODULE
    readers = ANYBODY

    async def deliver(self, hub: Hub, partner: Partner, key: str, what: frozenset[str]) -> None:
        """PUT the booking location or the booking as it is now."""
        name = editions.identifier(partner, "RECEIVER")
        if name is None or partner.roles.isdisjoint(EMSP_LIKE):
            return
        kind, _, object_key = key.partition("/")
        document = await find(hub.store, BOOKING_LOCATIONS if kind == PLACES else BOOKINGS, object_key)
        if document is None or not self._is_for(hub, partner, document, kind):
            return
        rendition = editions.places if kind == PLACES else editions.bookings
        edition = editions.edition_of(partner)
        body = await rendition.of(hub.store, document, edition)
        if body is None:
            raise NotExpressible("this cannot be said in bookings 1.0")
        path = (*document.owner.split("*"), *([PLACES] if kind == PLACES else []), _spelled(document))
        sender = document.owner if document.audience else hub.settings.hub
        await hub.peers.send(partner, "PUT", name, RECEIVER, path, body=body, sender=sender, to=document.audience)
        hub.losses.note(partner.name, "out", self.module, rendition.lost(document, edition))

    def _is_for(self, hub: Hub, partner: Partner, document: Document, kind: str) -> bool:
        if not entitled(partner, audience=document.audience):
            return False
        if kind == PLACES:
            return may_see(hub, partner, document.owner)
        return bool(document.audience) and hub.agreements.may_be_sent(partner, document.owner, MODULE).allowed


def _spelled(document: Document) -> str:
    """Its id as its owner writes it: the key has it in upper case."""
    return str(parse(document.body, limit=LIMIT)["id"])
