"""What EVSEs do, on its way to a hub: of those alone whose data it acknowledged, and only what it does not know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from hub.core.clock import timestamp
from hub.core.units import Unit
from partners.oicp.acknowledged import DOUBTED, NO_STATUS, UNTOLD, Acknowledged, AcknowledgedStore, PushState
from partners.oicp.bridge import Bridge
from partners.oicp.connections import Connection
from partners.oicp.evse_sending import WRITES, Items, Record, Refusal, Sending, cut
from partners.oicp.evse_table import OICP_STATES, EvseTable

_OPERATION: Final = "PushEvseStatus"
_OVERLAP: Final = timedelta(seconds=30)
_SCAN: Final = 1000


class StatusPush:
    """See the module."""

    def __init__(self, bridge: Bridge, table: EvseTable, acknowledged: AcknowledgedStore) -> None:
        self._bridge = bridge
        self._table = table
        self._acknowledged = acknowledged

    async def push(self, connection: Connection, state: PushState) -> None:
        """What changed since, and what was never told. Raises: PeerFault's children, Refusal."""
        hub, now = self._bridge.hub, self._bridge.hub.clock.now()
        today = timestamp(now)[:10]
        if state.statuses_loaded_at and state.statuses_loaded_at < today and await self._load(connection):
            state.statuses_loaded_at = today
        state.statuses_loaded_at = state.statuses_loaded_at or today
        untold = [each async for each in self._acknowledged.of(connection.partner, status=UNTOLD)]
        await self._tell(connection, {each.key: each for each in untold if each.is_there}, state)
        read_so_far = 0
        while state.states_to:
            page = await hub.store.page(
                OICP_STATES, date_from=state.states_to, date_to=None, offset=read_so_far, limit=_SCAN
            )
            known = await self._acknowledged.get_many(connection.partner, (each.key for each in page.documents))
            await self._tell(connection, {key: each for key, each in known.items() if each.is_there}, state)
            read_so_far += len(page.documents)
            if len(page.documents) < _SCAN:
                break
        state.states_to = timestamp(now - _OVERLAP)

    async def _tell(self, connection: Connection, known: Mapping[str, Acknowledged], state: PushState) -> None:
        now = await self._table.states(known)
        silent = [each for key, each in known.items() if key not in now and each.status == UNTOLD]
        await self._keep([(each, NO_STATUS) for each in silent])
        differing = [each for key, each in known.items() if key in now and each.status != now[key]]
        groups: dict[tuple[str, str], list[Acknowledged]] = {}
        for each in differing:
            action = "insert" if each.status in (UNTOLD, NO_STATUS) else "update"
            groups.setdefault((each.operator, action), []).append(each)
        for (operator, action), some in groups.items():
            for piece in cut(some, connection.push_size):
                await self._send(connection, operator, action, piece, now, state)

    async def _send(
        self,
        connection: Connection,
        operator: str,
        action: str,
        some: Sequence[Acknowledged],
        now: Mapping[str, str],
        state: PushState,
    ) -> None:
        known = {each.key: each for each in some}
        items = [(each.key, {"EvseID": each.evse_id, "EvseStatus": now[each.key]}) for each in some]

        async def taken(told: Items) -> None:
            await self._keep([(known[key], now[key]) for key, _ in told])

        async def refused(key: str, code: str, why: str) -> None:
            """The hub does not have it, whatever we thought: its data are told again."""
            await self._bridge.hub.store.commit(Unit().put(replace(known[key], digest=DOUBTED, status=NO_STATUS).put()))
            state.scope = ""

        await self._sending(connection, operator).push(action, items, taken=taken, refused=refused)

    async def _load(self, connection: Connection) -> bool:
        """All of it anew, once a day, where it fits one request an operator. Raises: PeerFault's children."""
        by_operator: dict[str, list[Acknowledged]] = {}
        async for each in self._acknowledged.of(connection.partner):
            if each.is_there:
                by_operator.setdefault(each.operator, []).append(each)
        if any(len(some) > connection.push_size for some in by_operator.values()):
            return True
        for operator, some in by_operator.items():
            now = await self._table.states(each.key for each in some)
            told = [each for each in some if each.key in now]
            items = [(each.key, {"EvseID": each.evse_id, "EvseStatus": now[each.key]}) for each in told]
            try:
                if items:
                    await self._sending(connection, operator).once("fullLoad", items)
            except Refusal:
                continue  # what it does not take shows with the single changes
            await self._keep([(each, now[each.key]) for each in told])
        return True

    async def _keep(self, told: Sequence[tuple[Acknowledged, str]]) -> None:
        for some in cut(told, WRITES):
            unit = Unit()
            for each, status in some:
                unit.put(replace(each, status=status).put())
            await self._bridge.hub.store.commit(unit)

    def _sending(self, connection: Connection, operator: str) -> Sending:
        def message(action: str, items: Items) -> Record:
            status = {"OperatorID": operator, "EvseStatusRecord": [record for _, record in items]}
            return {"ActionType": action, "OperatorEvseStatus": status}

        return Sending(self._bridge, connection, _OPERATION, message, operator)
