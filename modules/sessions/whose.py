"""Whose session is it, and may this partner order anything about it? OCPI mod_commands, mod_charging_profiles.

One that is nobody's is asked about again: whoever it is for may have come, or be let to have it.
"""

from __future__ import annotations

from typing import Final

from hub.core import trace
from hub.core.errors import Conflict, InvalidRequest
from hub.core.inbound import parse
from hub.core.on_record import how_one_is_named, on_record
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.units import Audit, Document, Unit
from modules.commands.references import with_reference
from modules.sessions.store import SESSIONS, active_at, change_of, key_of, nobodys, put_of
from modules.tokens.whose import addressed

_LIMIT: Final = 8 * 1024 * 1024


async def owner_of(hub: Hub, partner: Partner, session_id: str) -> str:
    """The CPO of the session of a driver of `partner` that has this id; "" when there is none.

    Raises: InvalidRequest, where several CPOs have such a one.
    """
    found = await on_record(hub, partner, SESSIONS, "sessions", session_id)
    owners = [each.owner for each in found if each.audience in partner.parties]
    if len(owners) > 1 and owners[0] != hub.settings.party:
        raise InvalidRequest(f"several CPOs have a session of this id; {how_one_is_named(partner)}")
    return owners[0] if owners else ""


async def is_drivers(hub: Hub, partner: Partner, session_id: str, owner: str) -> bool | None:
    """Is the session that CPO `owner` has under this id one of a driver of `partner`? None: it is not on record."""
    found = await on_record(hub, partner, SESSIONS, "sessions", session_id, owners=(owner,))
    return found[0].audience in partner.parties if found else None


async def others_at(hub: Hub, partner: Partner, owner: str, evse_uid: str) -> bool:
    """Does somebody else's driver charge at this EVSE of CPO `owner`, as far as is on record?"""
    active = await active_at(hub.store, evse_uid)
    return any(each.owner == owner and each.audience not in partner.parties for each in active)


async def driver_of(hub: Hub, cpo: Partner, session_id: str) -> str | None:
    """The party whose driver has this session of `cpo`; "": not on record. None: we know nobody for its driver."""
    keys = [key_of(party, session_id) for party in sorted(cpo.parties)]
    found = await hub.store.get_many(SESSIONS, keys)
    if not found:
        return ""
    return next((each.audience for each in found.values() if each.audience), None)


async def address_anew(hub: Hub) -> None:
    """Send on the sessions of other CPOs that were for nobody, and may go to somebody now."""
    after = 0
    while found := await nobodys(hub.store, after_seq=after):
        after = found[-1].seq
        for document in found:
            unit = await _addressed_anew(hub, document) if document.owner != hub.settings.party else None
            if unit is None:
                continue
            try:
                await hub.store.commit(unit)
            except Conflict:
                continue  # its CPO has told it anew meanwhile, and so it was decided


async def _addressed_anew(hub: Hub, document: Document) -> Unit | None:
    tree, goes = await addressed(hub, document.owner, "sessions", parse(document.body, limit=_LIMIT))
    if goes.waits is not None:
        return None
    tree, takes = await with_reference(hub, document.owner, tree)
    put = put_of(tree, goes.party, expect=document.version, arrived=document.last_updated)
    unit = Unit().put(put).joins(takes).tells(change_of(put, trace.correlation()))
    return unit.audited(Audit("busbar", "session.addressed", put.key, goes.rule))
