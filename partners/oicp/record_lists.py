"""Charge detail records that an EMP fetches from us: those of its drivers, whether they reached it or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.core.clock import timestamp
from hub.core.ports import Hub
from partners.oicp import ids
from partners.oicp.answers import Code, Refused, status
from partners.oicp.face import Call
from partners.oicp.mapping.times import instant
from partners.oicp.paging import page_of, paging_of
from partners.oicp.record_store import DELIVERED, HELD, OICP_RECORDS, REFUSED, WAITING, read

Message = Mapping[str, Any]

_FORWARDED: Final = (DELIVERED,)
_NOT_FORWARDED: Final = (HELD, WAITING, REFUSED)
_ALL: Final = (*_FORWARDED, *_NOT_FORWARDED)
"""Of what is new it is not decided yet whether an agreement withholds it."""
_MOST_NAMED: Final = 1000


class RecordLists:
    """GetChargeDetailRecords. `From` and `To` are about when sessions ended; To is not in it."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def records(self, call: Call) -> Message:
        """Raises: Refused, InvalidRequest."""
        paging, message = paging_of(call.query), call.message
        date_from, date_to = (timestamp(instant(message[name])) for name in ("From", "To"))
        if date_to < date_from:
            raise Refused(Code.DATA_ERROR, info="To lies before From")
        found = await self._hub.store.page(
            OICP_RECORDS,
            date_from=date_from,
            date_to=date_to,
            offset=paging.number * paging.size,
            limit=paging.size,
            among=_chosen(call),
        )
        content = [read(document).record for document in found.documents]
        return page_of(paging, content, found.total) | {"StatusCode": status(Code.SUCCESS)}


def _chosen(call: Call) -> dict[str, list[str]]:
    """By column, the values that a record may have. Raises: Refused."""
    message = call.message
    chosen = {"provider": [str(ids.ProviderID.parse(call.id).party())], "state": list(_ALL)}
    sessions = message.get("SessionID") or []
    if len(sessions) > _MOST_NAMED:
        raise Refused(Code.DATA_ERROR, info=f"at most {_MOST_NAMED} sessions may be asked for at once")
    if sessions:
        chosen["session"] = [each.lower() for each in sessions]
    operators = message.get("OperatorID") or []
    if operators:
        told = [operators] if isinstance(operators, str) else operators
        chosen["operator"] = [str(ids.OperatorID.parse(each).party(call.connection.countries)) for each in told]
    if message.get("CDRForwarded") is not None:
        chosen["state"] = list(_FORWARDED if message["CDRForwarded"] else _NOT_FORWARDED)
    return chosen
