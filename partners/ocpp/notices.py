"""What chargers say in the same words in every version, and what it means: the time, updates, security, certificates.

Each is a handler of `v16.py` and of `v2.py`.
"""

from __future__ import annotations

from typing import Protocol

from hub.core.clock import timestamp
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.units import Audit, Unit
from partners.ocpp import certificates, vendor_data
from partners.ocpp.booting import text
from partners.ocpp.care import heard
from partners.ocpp.live import Link
from partners.ocpp.orders import ChargerOrders
from partners.ocpp.rpc import Incoming


class Version(Protocol):
    """What the handlers of any version work on."""

    @property
    def hub(self) -> Hub: ...

    @property
    def stations(self) -> ChargerOrders: ...


async def heartbeat(version: Version, link: Link, incoming: Incoming) -> Tree:
    """Our time (2.x: G02)."""
    return {"currentTime": timestamp(version.hub.clock.now())}


async def data_transfer(version: Version, link: Link, incoming: Incoming) -> Tree:
    """A vendor's message: its handler knows (`vendor_data.py`; 2.x: P02)."""
    return await vendor_data.answer(version.hub, link.live, incoming.payload)


async def progress(version: Version, link: Link, incoming: Incoming) -> Tree:
    """How far an update of its firmware, its publication, or the upload of logs or diagnostics has come.

    2.x: L01 to L03, N01.
    """
    learned = link.live.learned
    about = incoming.action.removesuffix("StatusNotification")
    learned.progress = {**learned.progress, about: text(incoming.payload.get("status"))}
    await version.stations.save_learned(link.live)
    await heard.progress(version.hub, link.live.identity, incoming.action, incoming.payload)
    return {}


async def security_event(version: Version, link: Link, incoming: Incoming) -> Tree:
    """Kept for good, in the audit log (2.x: A04)."""
    what, detail = text(incoming.payload.get("type")), text(incoming.payload.get("techInfo"))
    await version.hub.store.commit(Unit().audited(Audit(link.live.identity, "station.security_event", what, detail)))
    return {}


async def sign_certificate(version: Version, link: Link, incoming: Incoming) -> Tree:
    """The request is kept; where we have an authority of our own, the certificate follows as a call (2.x: A02).

    1.6 says neither of which kind it is to be, nor which request this is.
    """
    told = incoming.payload
    kind, number = told.get("certificateType", certificates.STATION), told.get("requestId")
    status = await certificates.requested(version.hub, link, str(told.get("csr") or ""), kind=kind, number=number)
    return {"status": status}
