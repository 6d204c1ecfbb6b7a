"""A hub that lost our answer asks again. The SessionID is its own, and tells that it is the same charge.

Whoever ignores that starts a charge twice, or says no to one that goes on. A SessionID of an EMP or a CPO says nothing:
there we are the hub, and give it one ourselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from partners.oicp.answers import Code, Refused
from partners.oicp.bridge import Bridge
from partners.oicp.face import Call
from partners.oicp.ledger import OicpSession


async def asked_before(
    bridge: Bridge, call: Call, *, origin: str, evse_id: str, identification: Mapping[str, Any]
) -> OicpSession | None:
    """The session that this very message has opened before; None: it is new. Raises: Refused, for another charge's."""
    issued = call.message.get("SessionID") if call.connection.kind == "hub" else None
    known = await bridge.ledger.find(issued) if issued else None
    if known is None:
        return None
    is_same = (known.origin, known.evse_id, known.identification) == (origin, evse_id, identification)
    if not is_same or call.partner.name not in (known.cpo, known.emp):
        raise Refused(Code.DATA_TRANSACTION, "the SessionID is that of another charge")
    return known


async def allowed_before(bridge: Bridge, call: Call, identification: Mapping[str, Any]) -> OicpSession | None:
    """The same for AuthorizeStart. Raises: Refused, also for a charge that is over."""
    evse_id = call.message.get("EvseID", "")
    known = await asked_before(bridge, call, origin="start", evse_id=evse_id, identification=identification)
    if known is not None and not known.is_open:
        raise Refused(Code.SESSION_INVALID)
    return known
