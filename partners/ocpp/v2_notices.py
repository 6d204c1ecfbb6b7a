"""What else a charger of OCPP 2.x may tell or ask, beside its transactions, its states and itself (`v2.py`).

Each does what is useful: it ends a reservation, tells a partner of new limits, keeps what an operator asks for. What
we do not offer is answered as the protocol says it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

from hub.core.jsontypes import Tree
from partners.ocpp.live import Link
from partners.ocpp.rpc import Incoming

if TYPE_CHECKING:
    from partners.ocpp.v2 import Version2


async def report(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """A part of its device model (B07, B08)."""
    await v2.stations.models.gather(link.live, "variables", incoming.payload)
    return {}


async def monitoring_report(v2: Version2, link: Link, incoming: Incoming) -> Tree:
    """A part of the list of its monitors (N02)."""
    await v2.stations.models.gather(link.live, "monitors", incoming.payload)
    return {}


Notice = Callable[["Version2", Link, Incoming], Awaitable[Tree]]

NOTICES: Final[Mapping[str, Notice]] = {
    "NotifyMonitoringReport": monitoring_report,
    "NotifyReport": report,
}
