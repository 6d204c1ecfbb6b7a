"""What is to be pushed to a hub: the EVSEs that are to be there against those that it has acknowledged.

Usually only rows that changed since the last look are compared. All are where it is another set of operators or other
terms, once a week, and when an operator confirmed that many may be taken back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from hub.core.inbound import encode
from hub.core.ports import Hub
from hub.core.units import Document
from partners.oicp import ids, voices
from partners.oicp.acknowledged import DOUBTED, REFUSED, Acknowledged, AcknowledgedStore, digest_of
from partners.oicp.connections import Connection
from partners.oicp.evse_table import GONE, HERE, OICP_EVSES, EvseRow, read
from partners.oicp.onward_evses import OnwardEvses

_SCAN: Final = 500


@dataclass(slots=True)
class Plan:
    """By OperatorID of ours there, canonical EvseIDs."""

    inserts: dict[str, list[str]] = field(default_factory=dict)
    updates: dict[str, list[str]] = field(default_factory=dict)
    deletes: dict[str, list[str]] = field(default_factory=dict)
    wanted: dict[str, list[str]] = field(default_factory=dict)
    """All that are to be there; of a look at changes alone: nothing."""
    removed: int = 0
    """How many the hub has that are to be there no more."""
    looked_at: int = 0
    """How many rows were compared."""

    def delete(self, known: Acknowledged) -> None:
        """It is to be there no more; what the hub never took is only forgotten."""
        self.deletes.setdefault(known.operator, []).append(known.key)
        self.removed += known.is_there


class Planner:
    """See the module."""

    def __init__(self, hub: Hub, onward: OnwardEvses, acknowledged: AcknowledgedStore) -> None:
        self._hub = hub
        self._onward = onward
        self._acknowledged = acknowledged

    def scope(self, connection: Connection) -> str:
        """Whose EVSEs go there, and in which words."""
        owners = self._onward.owners(connection)
        return sha256(encode([list(owners), words_of(connection)])).hexdigest()

    async def changed(self, connection: Connection, since: str) -> Plan:
        """From the rows that changed since then."""
        plan = Plan()
        async for documents in self._rows(connection, since):
            rows = [read(document) for document in documents]
            plan.looked_at += len(rows)
            known = await self._acknowledged.get_many(connection.partner, (row.key for row in rows))
            for row in rows:
                before = known.get(row.key)
                if not row.gone:
                    _compare(plan, connection, row, before.digest if before else "")
                elif before is not None:
                    plan.delete(before)
        return plan

    async def whole(self, connection: Connection) -> Plan:
        """From all rows, and all that was acknowledged."""
        plan = Plan()
        async for documents in self._rows(connection, ""):
            rows = [read(document) for document in documents]
            known = await self._acknowledged.get_many(connection.partner, (row.key for row in rows))
            for row in rows:
                before = known.get(row.key)
                _compare(plan, connection, row, before.digest if before else "")
                plan.wanted.setdefault(operator_there(connection, row), []).append(row.key)
        wanted = {key for keys in plan.wanted.values() for key in keys}
        async for each in self._acknowledged.of(connection.partner):
            if each.key not in wanted:
                plan.delete(each)
        return plan

    async def _rows(self, connection: Connection, since: str) -> AsyncIterator[list[Document]]:
        """In steps. What changes while this reads comes again: nothing is skipped."""
        owners = self._onward.owners(connection)
        read_so_far, gone = 0, [HERE, GONE] if since else [HERE]
        while owners:
            found = await self._hub.store.page(
                OICP_EVSES,
                date_from=since or None,
                date_to=None,
                offset=read_so_far,
                limit=_SCAN,
                owners=owners,
                among={"gone": gone},
            )
            if found.documents:
                yield found.documents
            read_so_far += len(found.documents)
            if len(found.documents) < _SCAN:
                return
            await asyncio.sleep(0)


def words_of(connection: Connection) -> str:
    """In which words EVSEs are told there."""
    told = [list(connection.operator_ids), connection.operator_style, connection.terms]
    return sha256(encode(told)).hexdigest()


def _compare(plan: Plan, connection: Connection, row: EvseRow, before: str) -> None:
    digest = digest_of(row.told, salt=words_of(connection))
    if digest in (before, before.removeprefix(REFUSED)):
        return
    is_there = before not in ("", DOUBTED) and not before.startswith(REFUSED)
    (plan.updates if is_there else plan.inserts).setdefault(operator_there(connection, row), []).append(row.key)


def operator_there(connection: Connection, row: EvseRow) -> str:
    """Under which of our ids there an EVSE is pushed: its operator's, where that is one of them, else its CPO's."""
    own = ids.EvseID.parse(row.place.evse_id).operator.canonical
    same = (each for each in connection.operator_ids if ids.OperatorID.parse(each).canonical == own)
    return next(same, "") or voices.operator(connection, row.place.owner)
