"""What EVSEs do, as EMPs pull it from us: all, by operator, or by their ids."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Final

from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.units import Document
from partners.oicp import ids
from partners.oicp.answers import Code, Refused, status
from partners.oicp.evse_choice import within
from partners.oicp.evse_lists import EvseLists, record_in
from partners.oicp.evse_table import OICP_STATES, EvseTable, key_of
from partners.oicp.face import Call
from partners.oicp.mapping.evse_status import NOT_FOUND

Message = Mapping[str, Any]

MOST_IDS: Final = 100
_SCAN: Final = 1000
_UNKNOWN: Final = "Unknown"


class StatusLists:
    """The three pulls of status."""

    def __init__(self, hub: Hub, table: EvseTable, lists: EvseLists) -> None:
        self._hub = hub
        self._table = table
        self._lists = lists

    async def all(self, call: Call) -> Message:
        """Raises: Refused."""
        wanted, chosen = call.message.get("EvseStatus"), None
        if call.message.get("SearchCenter"):
            test = within(call.message["SearchCenter"])
            scan = self._lists.scan(call.partner, bodies=True)
            chosen = {leaf.key async for leaf in scan if test(record_in(leaf))}
        owners = self._hub.agreements.owners(call.partner, "locations")
        states = [
            state
            async for state in self._scan(owners)
            if (not wanted or state.columns["status"] == wanted) and (chosen is None or state.key in chosen)
        ]
        return self._by_operator(call, states)

    async def by_operator(self, call: Call) -> Message:
        """Operators that the EMP may not have, or that are not known, have no EVSEs."""
        countries = call.connection.countries
        wanted: dict[str, None] = {}
        for operator in call.message["OperatorID"]:
            try:
                wanted[str(ids.OperatorID.parse(operator).party(countries))] = None
            except ids.InvalidId:
                continue
        may_have = self._hub.agreements.owners(call.partner, "locations")
        owners = [owner for owner in wanted if owner in may_have]
        return self._by_operator(call, [state async for state in self._scan(owners)])

    async def by_id(self, call: Call) -> Message:
        """Raises: Refused, for more than OICP lets it ask at once."""
        asked = dict.fromkeys(map(ids.written, call.message["EvseID"]))
        if len(asked) > MOST_IDS:
            raise Refused(Code.DATA_ERROR, info=f"at most {MOST_IDS} EvseIDs may be asked for at once")
        keys = {evse_id: key_of(evse_id) for evse_id in asked}
        rows = await self._table.get_many(keys.values())
        states = await self._table.states(keys.values())
        owners = self._owners(call.partner)
        records = []
        for evse_id, key in keys.items():
            row = rows.get(key)
            is_known = row is not None and not row.gone and row.place.owner in owners
            records.append({"EvseID": evse_id, "EvseStatus": states.get(key, _UNKNOWN) if is_known else NOT_FOUND})
        return {"EVSEStatusRecords": {"EvseStatusRecord": records}, "StatusCode": status(Code.SUCCESS)}

    def _owners(self, partner: Partner) -> frozenset[str]:
        return frozenset(self._hub.agreements.owners(partner, "locations"))

    async def _scan(self, owners: Iterable[str]) -> AsyncIterator[Document]:
        for owner in owners:
            after = 0
            while found := await self._hub.store.select(
                OICP_STATES, equal={"owner": owner}, limit=_SCAN, after_seq=after
            ):
                for document in found:
                    yield document
                after = found[-1].seq
                await asyncio.sleep(0)

    def _by_operator(self, call: Call, states: list[Document]) -> Message:
        by_owner: dict[str, list[dict[str, str]]] = {}
        for state in states:
            record = {"EvseID": state.body.decode(), "EvseStatus": state.columns["status"]}
            by_owner.setdefault(state.owner, []).append(record)
        operators = [
            {"OperatorID": self._operator(call, owner), "EvseStatusRecord": records}
            for owner, records in sorted(by_owner.items())
        ]
        return {"EvseStatuses": {"OperatorEvseStatus": operators}, "StatusCode": status(Code.SUCCESS)}

    @staticmethod
    def _operator(call: Call, owner: str) -> str:
        return ids.OperatorID.parse(owner).styled(call.connection.operator_style)
