"""Terminals and confirmations of PTPs on their way to the CPO that they concern: POST, also when changed.

OCPI mod_payments_cpo_interface has no other way to say it. A second POST of the same object is the same object.
"""

from __future__ import annotations

from hub.core import by_name
from hub.core.delivery import entitled
from hub.core.operations import ANYBODY, CPO, RECEIVER
from hub.core.ports import Hub
from hub.core.registry import Partner
from modules.payments.store import KINDS, MODULE, PATHS, find, kept_for


class PaymentPublication:
    """See `hub.core.delivery.Publication`."""

    module = MODULE
    readers = ANYBODY

    async def running(self, hub: Hub, partner: Partner) -> list[str]:
        """Its terminals and confirmations: they may have come when it was elsewhere, and cannot be pulled."""
        found = [(kind, await kept_for(hub.store, kind, partner.parties)) for kind in KINDS.values()]
        return [f"{PATHS[kind]}/{document.key}" for kind, documents in found for document in documents]

    async def deliver(self, hub: Hub, partner: Partner, key: str, what: frozenset[str]) -> None:
        """POST the object as it is now."""
        path, _, object_key = key.partition("/")
        if by_name.keeps(hub, partner, object_key.split("/", 1)[0], MODULE, CPO):
            return
        document = await find(hub.store, KINDS[path], object_key)
        if document is None or not document.audience or not entitled(partner, audience=document.audience):
            return
        await hub.peers.send(
            partner, "POST", MODULE, RECEIVER, (path,), body=document.body, sender=document.owner, to=document.audience
        )
