"""EVSE data on their way to a hub: a plan carried out, and what was acknowledged written down, request by request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from hub.core.units import Unit
from partners.oicp.acknowledged import REFUSED, UNTOLD, Acknowledged, AcknowledgedStore, as_pushed, digest_of
from partners.oicp.agreed import terms_with
from partners.oicp.bridge import Bridge
from partners.oicp.connections import Connection
from partners.oicp.evse_plan import Plan, words_of
from partners.oicp.evse_sending import WRITES, Items, Record, Sending, cut
from partners.oicp.evse_table import EvseRow, EvseTable
from partners.oicp.findings import finding
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.points import point_of
from partners.oicp.wire import write
from partners.oicp.wire.evse_data import EvseDataRecordType

_OPERATION: Final = "PushEvseData"
_POINTS: Final = ("GeoCoordinates", "GeoChargingPointEntrance")


class DataPush:
    """See the module."""

    def __init__(self, bridge: Bridge, table: EvseTable, acknowledged: AcknowledgedStore) -> None:
        self._bridge = bridge
        self._table = table
        self._acknowledged = acknowledged

    async def send(self, connection: Connection, plan: Plan, *, deletes: bool) -> None:
        """One request after the other. Raises: PeerFault's children, Refusal."""
        for action, keys_of in (("insert", plan.inserts), ("update", plan.updates)):
            for operator, keys in keys_of.items():
                for some in cut(keys, connection.push_size):
                    await self._put(connection, operator, action, some)
        if deletes:
            for operator, keys in plan.deletes.items():
                for some in cut(keys, connection.push_size):
                    await self._take_back(connection, operator, some)

    async def load(self, connection: Connection, plan: Plan) -> None:
        """All of it anew, one request an operator. Raises: PeerFault's children, Refusal."""
        for operator, keys in plan.wanted.items():
            rows, items = await self._items(connection, keys)
            await self._sending(connection, operator).once("fullLoad", items)
            known = await self._acknowledged.get_many(connection.partner, rows)
            await self._keep(connection, operator, [rows[key] for key, _ in items], known)
        gone = [key for keys in plan.deletes.values() for key in keys]
        known = await self._acknowledged.get_many(connection.partner, gone)
        await self._forget(known.values())

    async def _put(self, connection: Connection, operator: str, action: str, keys: Sequence[str]) -> None:
        rows, items = await self._items(connection, keys)
        if not items:
            return
        known = await self._acknowledged.get_many(connection.partner, rows)

        async def taken(some: Items) -> None:
            await self._keep(connection, operator, [rows[key] for key, _ in some], known)

        async def refused(key: str, code: str, why: str) -> None:
            await self._set_aside(connection, operator, rows[key], why)

        await self._sending(connection, operator).push(action, items, taken=taken, refused=refused)

    async def _take_back(self, connection: Connection, operator: str, keys: Sequence[str]) -> None:
        known = await self._acknowledged.get_many(connection.partner, keys)
        there = {key: each for key, each in known.items() if each.is_there}
        rows = await self._table.get_many(there)
        items = [(key, {"EvseID": each.evse_id}) for key, each in there.items()]
        items = [(key, as_pushed(rows[key].told) if key in rows else record) for key, record in items]

        async def taken(some: Items) -> None:
            await self._forget(known[key] for key, _ in some)

        async def refused(key: str, code: str, why: str) -> None:
            await self._forget([known[key]])

        await self._forget(each for each in known.values() if not each.is_there)
        if items:
            await self._sending(connection, operator).push("delete", items, taken=taken, refused=refused)

    async def _items(
        self, connection: Connection, keys: Sequence[str]
    ) -> tuple[dict[str, EvseRow], list[tuple[str, Record]]]:
        """Rows as they are now, and what is pushed of those that can be said."""
        rows = {key: row for key, row in (await self._table.get_many(keys)).items() if not row.gone}
        geo_format = terms_with(connection).geo_format
        items: list[tuple[str, Record]] = []
        for key, row in rows.items():
            try:
                items.append((key, _written(row.told, geo_format)))
            except NotSayable as fault:
                await self._set_aside(connection, connection.operator_ids[0], row, fault.reason)
        return rows, items

    async def _keep(
        self, connection: Connection, operator: str, rows: Sequence[EvseRow], known: dict[str, Acknowledged]
    ) -> None:
        for some in cut(rows, WRITES):
            unit = Unit()
            for row in some:
                before = known.get(row.key)
                status = before.status if before is not None and before.is_there else UNTOLD
                digest = digest_of(row.told, salt=words_of(connection))
                place = row.place
                unit.put(Acknowledged(connection.partner, row.key, place.evse_id, operator, digest, status).put())
                if before is not None and not before.is_there:
                    unit.writes.append(finding(_finding(connection, row), place.owner, {}))
            await self._bridge.hub.store.commit(unit)

    async def _set_aside(self, connection: Connection, operator: str, row: EvseRow, why: str) -> None:
        place, digest = row.place, REFUSED + digest_of(row.told, salt=words_of(connection))
        unit = Unit().put(Acknowledged(connection.partner, row.key, place.evse_id, operator, digest).put())
        reasons = {place.evse_id: f"not told to {connection.partner}: {why}"}
        unit.writes.append(finding(_finding(connection, row), place.owner, reasons))
        await self._bridge.hub.store.commit(unit)

    async def _forget(self, gone: Iterable[Acknowledged]) -> None:
        for some in cut(list(gone), WRITES):
            unit = Unit()
            for each in some:
                unit.delete(each.delete())
                if not each.is_there:
                    unit.writes.append(finding(f"push/{each.partner}/{each.key}", "", {}))
            await self._bridge.hub.store.commit(unit)

    def _sending(self, connection: Connection, operator: str) -> Sending:
        name = terms_with(connection).operator_name or operator

        def message(action: str, items: Items) -> Record:
            records = [record for _, record in items]
            data = {"OperatorID": operator, "OperatorName": name, "EvseDataRecord": records}
            return {"ActionType": action, "OperatorEvseData": data}

        return Sending(self._bridge, connection, _OPERATION, message, operator)


def _written(record: Record, geo_format: str) -> dict[str, Any]:
    """Raises: NotSayable."""
    told = as_pushed(record)
    for name in _POINTS:
        point = point_of(told.get(name))
        if point is not None and geo_format not in told[name]:
            told[name] = point.said(geo_format)
    return write(EvseDataRecordType, told)


def _finding(connection: Connection, row: EvseRow) -> str:
    return f"push/{connection.partner}/{row.key}"
