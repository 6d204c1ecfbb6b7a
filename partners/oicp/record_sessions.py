"""The Session of a charge whose record is there: it is over, also where nobody told that it began.

A bill may be held for its price, or for want of a place; the charge has ended all the same. So its Session is COMPLETED
at once, as the record tells it and without a cost, which follows with the CDR.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import structlog

from hub.core.clock import timestamp
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.registry import Partner
from partners.oicp.answers import Refused
from partners.oicp.ledger import OicpSession
from partners.oicp.mapping.sessions import session_of
from partners.oicp.notifications import Notifications

log = structlog.get_logger()

Message = Mapping[str, Any]

_OVER: Final = frozenset({"COMPLETED", "INVALID"})
_OF_THE_CDR: Final = ("currency", "start_date_time", "end_date_time", "charging_periods", "total_cost", "last_updated")


class RecordSessions:
    """See the module."""

    def __init__(self, hub: Hub, notifications: Notifications) -> None:
        self._hub = hub
        self._notifications = notifications

    async def billed(self, partner: Partner, row: OicpSession, record: Message, cdr: Tree) -> None:
        """With what it costs."""
        base = await self._notifications.base_of(row, evse_id=record["EvseID"])
        told = {name: cdr[name] for name in _OF_THE_CDR}
        await self._put(partner, row, {**base, **told, "kwh": cdr["total_energy"], "status": "COMPLETED"})

    async def held(self, cpo: str, row: OicpSession, record: Message) -> None:
        """By what its CPO, partner `cpo`, has measured. One that is over is left as it is."""
        partner = self._hub.registry.find(cpo)
        if partner is None:
            return
        known = await self._notifications.on_record(row.cpo_party, row.id)
        if known is not None and known.columns["status"] in _OVER:
            return
        base = await self._notifications.base_of(row, evse_id=record["EvseID"])
        now = timestamp(self._hub.clock.now())
        await self._put(partner, row, session_of(base, {**record, "Type": "End"}, None, now))

    async def _put(self, partner: Partner, row: OicpSession, tree: Tree) -> None:
        try:
            await self._notifications.put_session(partner, row, tree)
        except Refused as fault:
            log.info("session of a record not taken", session=row.id, why=fault.info)
