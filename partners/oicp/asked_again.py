"""A hub, or a CPO, that lost our answer asks again: it is the same charge, and gets the same answer.

Whoever ignores that starts a charge twice, or says no to one that goes on. The SessionID of a hub is its own, and tells
that it is the same. A SessionID of an EMP or a CPO says nothing: there we are the hub, and give it one ourselves. What
a CPO calls the charge (CPOPartnerSessionID) tells it for a short time, as long as nothing came of it: some give all
their charges one name.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from hub.core.inbound import encode
from partners.oicp.answers import Code, Refused
from partners.oicp.bridge import Bridge
from partners.oicp.face import Call
from partners.oicp.ids import is_session_id
from partners.oicp.ledger import OicpSession

_SOON: Final = timedelta(minutes=2)
"""So long a CPO may ask again; later its EMP is to say how things are now."""


async def asked_before(
    bridge: Bridge, call: Call, *, origin: str, evse_id: str, identification: Mapping[str, Any]
) -> OicpSession | None:
    """The session that this very message has opened before; None: it is new.

    Raises: Refused, for the SessionID of another charge, and for one that is none: no record could be told under it.
    """
    issued = issued_by(call)
    if issued and not is_session_id(issued):
        raise Refused(Code.DATA_ERROR, info="/SessionID: not in the form that OICP gives it")
    known = await bridge.ledger.find(issued) if issued else None
    if known is None or _was_only_asked(known):
        return None
    is_same = (known.origin, known.evse_id, known.identification) == (origin, evse_id, identification)
    if not is_same or call.partner.name not in (known.cpo, known.emp):
        raise Refused(Code.SESSION_INVALID, "the SessionID is that of another charge")
    return known


def _was_only_asked(session: OicpSession) -> bool:
    """Was it allowed by an EMP, and we broke off before the answer was written down as that of whoever asked?"""
    return session.origin == "start" and not session.cpo


async def allowed_before(bridge: Bridge, call: Call, identification: Mapping[str, Any]) -> OicpSession | None:
    """The same for AuthorizeStart. Raises: Refused, also for a charge that is over."""
    evse_id = call.message.get("EvseID", "")
    if not issued_by(call):
        return await _named_before(bridge, call, evse_id, identification)
    known = await asked_before(bridge, call, origin="start", evse_id=evse_id, identification=identification)
    if known is not None and not known.is_open:
        raise Refused(Code.SESSION_INVALID)
    return known


async def _named_before(
    bridge: Bridge, call: Call, evse_id: str, identification: Mapping[str, Any]
) -> OicpSession | None:
    """The session of which nothing came yet, and that has this name of its CPO."""
    name, now = call.message.get("CPOPartnerSessionID", ""), bridge.hub.clock.now()
    for known in await bridge.ledger.pending_of_cpo(name, evse_id=evse_id) if name else ():
        is_its_own = known.cpo == call.partner.name and known.origin == "start"
        if is_its_own and known.identification == identification and now - known.opened < _SOON:
            return known
    return None


def issued_by(call: Call) -> str:
    """The SessionID of a question or an order, where a hub has issued it; "": it gets one of us."""
    return str(call.message.get("SessionID", "")) if call.connection.kind == "hub" else ""


def same_question(call: Call) -> tuple[str, ...]:
    """What makes two questions one, while the first is still being asked; (): nothing does."""
    is_named = issued_by(call) or call.message.get("CPOPartnerSessionID")
    return (call.partner.name, encode(call.message).decode()) if is_named else ()
