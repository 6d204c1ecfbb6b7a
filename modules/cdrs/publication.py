"""CDRs on their way to the owner of the token: POSTed, so each carries a delivery state. OCPI mod_cdrs_post_method.

    pending --> sending --> delivered
                   |   \\-> refused        (set aside by the lane, can be sent again)
                   v
                unknown                   a crash, an answer that was lost, or one that tells of trouble there

`sending` is on disk before the socket opens. Whoever finds `sending` on disk, or comes here again without knowing the
end of the last try, is in `unknown`: the CDR is first looked for below the partner's endpoint, and where the partner
showed earlier ones (`whereabouts.py`), and only then POSTed again, byte for byte the same. A request that never left us
(no connection) leaves it `pending`.

A CDR of another CPO goes out in the very bytes in which it came, where both ends speak the same version.
"""

from __future__ import annotations

from collections.abc import Awaitable
from hashlib import sha256
from typing import Final

import msgspec

from hub.core.answers import is_passing
from hub.core.delivery import entitled, parties
from hub.core.dialect import NotExpressible
from hub.core.errors import EndpointsMissing, PartyAway, PeerFault, PeerRefused, PeerUnreachable
from hub.core.failpoints import failpoint
from hub.core.inbound import parse
from hub.core.operations import EMSP_LIKE, RECEIVER
from hub.core.ports import Hub, PeerAnswer
from hub.core.registry import Partner
from hub.core.renditions import up_to
from hub.core.units import Document, Put, Unit
from modules.cdrs.routes import rendition
from modules.cdrs.store import CREDITS_SINCE, DELIVERIES, deliveries_of, find, original_in
from modules.cdrs.whereabouts import place_of

_SETTLED: Final = "delivered"
_LIMIT: Final = 8 * 1024 * 1024
_IN_DOUBT: Final = frozenset({"sending", "unknown"})


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
    readers = EMSP_LIKE

    async def deliver(self, hub: Hub, partner: Partner, key: str, what: frozenset[str]) -> None:
        """POST the CDR once. Raises: PeerFault's children, NotExpressible."""
        document = await find(hub.store, key)
        if (
            document is None
            or not document.audience
            or not entitled(partner, audience=document.audience, owner=document.owner, roles=self.readers)
        ):
            return
        version = partner.version or ""
        original = await original_in(hub.store, document, version)
        body = original or await rendition.of(hub.store, document, version)
        if body is None or document.columns["lowest"] not in up_to(version):
            raise NotExpressible(_why_held(document))
        delivery = await self._begun(hub, partner, key)
        if delivery.state == _SETTLED:
            return
        if delivery.state in _IN_DOUBT and await self._is_there(hub, partner, document):
            await _save(hub, partner.name, key, delivery, _SETTLED)
            return
        await self._post(hub, partner, document, delivery, body)
        if original is None:
            hub.losses.note(partner.name, "out", self.module, rendition.lost(document, version))

    async def _begun(self, hub: Hub, partner: Partner, key: str) -> Delivery:
        """How far it is here. Where another connection of its party left it in doubt, so it is on this one."""
        delivery = await load(hub, partner.name, key)
        if not delivery.attempts:
            others = await deliveries_of(hub.store, key)
            if any(other.columns["state"] in _IN_DOUBT for other in others):
                delivery.state = "unknown"
        return delivery

    async def _post(self, hub: Hub, partner: Partner, document: Document, delivery: Delivery, body: bytes) -> None:
        failpoint("out.claim")
        delivery.attempts += 1
        delivery.digest = sha256(body).hexdigest()
        await _save(hub, partner.name, document.key, delivery, "sending")
        failpoint("out.before_connect")
        try:
            answer = await hub.peers.send(
                partner, "POST", "cdrs", RECEIVER, body=body, sender=document.owner, to=document.audience
            )
        except PeerFault as fault:
            await _save(hub, partner.name, document.key, delivery, _after(fault))
            raise
        failpoint("out.after_send")
        delivery.location = answer.headers.get("location", "")[:255]
        failpoint("out.before_ack")
        await _save(hub, partner.name, document.key, delivery, _SETTLED)
        failpoint("out.after_ack")

    async def _is_there(self, hub: Hub, partner: Partner, document: Document) -> bool:
        """Did the partner take it, when we do not know? Silence and server faults are raised, not taken for a no."""
        cdr_id = document.columns["id"]
        between = parties(hub, document.owner, document.audience)
        below = hub.peers.send(partner, "GET", "cdrs", RECEIVER, (cdr_id,), **between)
        if await _shows(below, cdr_id):
            return True
        url = await place_of(hub, partner, document)
        return url is not None and await _shows(hub.peers.get(partner, url, **between), cdr_id)


def _why_held(document: Document) -> str:
    """In words for who settles it outside OCPI."""
    if parse(document.body, limit=_LIMIT).get("credit"):
        return "a credit CDR cannot be said in this version"
    if document.columns["lowest"] == CREDITS_SINCE:
        return "this partner was billed for this charge already: a credit of that bill cannot be said in this version"
    return "this CDR cannot be said in this version"


async def _shows(asked: Awaitable[PeerAnswer], cdr_id: str) -> bool:
    """Is the answer this CDR? Raises: PeerFault's children, unless the partner plainly has no such thing there."""
    try:
        data = (await asked).data
    except PeerRefused as refused:
        if is_passing(refused.http, refused.status_code):
            raise
        return False
    return isinstance(data, dict) and str(data.get("id", "")).upper() == cdr_id.upper()


def _after(fault: PeerFault) -> str:
    """The state that a failed POST leaves. A refusal that is about the CDR is one; a server in trouble may have it."""
    if isinstance(fault, PartyAway) and fault.in_doubt:
        return "unknown"
    if isinstance(fault, PeerUnreachable | EndpointsMissing):
        return "pending"
    if isinstance(fault, PeerRefused) and not is_passing(fault.http, fault.status_code):
        return "refused"
    return "unknown"


async def load(hub: Hub, partner: str, key: str) -> Delivery:
    """The delivery of a CDR at a partner; `pending` when none was tried."""
    document = await hub.store.get(DELIVERIES, f"{partner}/{key}")
    return msgspec.json.decode(document.body, type=Delivery) if document is not None else Delivery()


async def _save(hub: Hub, partner: str, key: str, delivery: Delivery, state: str) -> None:
    delivery.state = state
    delivery.at = hub.clock.now().isoformat()
    put = Put(DELIVERIES, f"{partner}/{key}", msgspec.json.encode(delivery), partner, columns=(state, key))
    await hub.store.commit(Unit().put(put))
