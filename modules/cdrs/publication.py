"""CDRs on their way to the owner of the token: POSTed, so each carries a delivery state. OCPI mod_cdrs_post_method.

    pending --> sending --> delivered
                   |   \\-> refused        (set aside by the lane, can be sent again)
                   v
                unknown                   a crash, or an answer that was lost

`sending` is on disk before the socket opens. Whoever finds `sending` on disk, or comes here again without knowing the
end of the last try, is in `unknown`: the CDR is first looked for at the partner (by the Location it gave, or below its
endpoint), and only then POSTed again, byte for byte the same.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

import msgspec

from hub.core.delivery import entitled
from hub.core.dialect import NotExpressible
from hub.core.errors import PeerFault, PeerRefused
from hub.core.failpoints import failpoint
from hub.core.operations import RECEIVER
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.units import Document, Put, Unit
from modules.cdrs.routes import rendition
from modules.cdrs.store import DELIVERIES, find

_SETTLED: Final = "delivered"


class Delivery(msgspec.Struct):
    """How far one CDR has come at one partner."""

    state: str = "pending"
    attempts: int = 0
    location: str = ""
    digest: str = ""
    at: str = ""


class CdrPublication:
    """See `hub.core.delivery.Publication`."""

    module = "cdrs"

    async def deliver(self, hub: Hub, partner: Partner, key: str, what: frozenset[str]) -> None:
        """POST the CDR once. Raises: PeerFault's children, NotExpressible."""
        document = await find(hub.store, key)
        if document is None or not entitled(partner, audience=document.audience):
            return
        body = await rendition.of(hub.store, document, partner.version or "")
        if body is None:
            raise NotExpressible("a credit CDR cannot be said in this version")
        delivery = await load(hub, partner.name, key)
        if delivery.state == _SETTLED:
            return
        if delivery.state != "pending" and await self._is_there(hub, partner, document, delivery):
            await _save(hub, partner.name, key, delivery, _SETTLED)
            return
        await self._post(hub, partner, document, delivery, body)

    async def _post(self, hub: Hub, partner: Partner, document: Document, delivery: Delivery, body: bytes) -> None:
        failpoint("out.claim")
        delivery.attempts += 1
        delivery.digest = sha256(body).hexdigest()
        await _save(hub, partner.name, document.key, delivery, "sending")
        failpoint("out.before_connect")
        try:
            answer = await hub.peers.send(
                partner, "POST", "cdrs", RECEIVER, body=body, owner=document.owner, to=document.audience
            )
        except PeerRefused:
            await _save(hub, partner.name, document.key, delivery, "pending")
            raise
        except PeerFault:
            await _save(hub, partner.name, document.key, delivery, "unknown")
            raise
        failpoint("out.after_send")
        delivery.location = answer.headers.get("location", "")[:255]
        failpoint("out.before_ack")
        await _save(hub, partner.name, document.key, delivery, _SETTLED)
        failpoint("out.after_ack")

    async def _is_there(self, hub: Hub, partner: Partner, document: Document, delivery: Delivery) -> bool:
        """Did the partner take it, when we do not know? Silence is raised, not taken for a no."""
        try:
            answer = await hub.peers.send(
                partner, "GET", "cdrs", RECEIVER, (document.columns["id"],), owner=document.owner
            )
        except PeerRefused:
            return False
        data = answer.data
        return isinstance(data, dict) and str(data.get("id", "")).upper() == document.columns["id"].upper()


async def load(hub: Hub, partner: str, key: str) -> Delivery:
    """The delivery of a CDR at a partner; `pending` when none was tried."""
    document = await hub.store.get(DELIVERIES, f"{partner}/{key}")
    return msgspec.json.decode(document.body, type=Delivery) if document is not None else Delivery()


async def _save(hub: Hub, partner: str, key: str, delivery: Delivery, state: str) -> None:
    delivery.state = state
    delivery.at = hub.clock.now().isoformat()
    put = Put(DELIVERIES, f"{partner}/{key}", msgspec.json.encode(delivery), columns=(state, key))
    await hub.store.commit(Unit().put(put))
