"""A charge detail record on its way to a partner, and what is known of it after each try.

A hub that has a record refuses it the second time, its session being closed. So that refusal is an arrival where an
earlier try of the very same record ended without an answer, and only there. What a partner refuses for its content is
not sent again by itself: an operator has to look at it.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from hub.core.errors import PeerFault, PeerNonsense, PeerRefused, PeerTimeout
from hub.core.lane_faults import Fate, judge
from partners.oicp import voices
from partners.oicp.answers import Code, code_of, is_nonsense, says_yes
from partners.oicp.bridge import Bridge
from partners.oicp.connections import Connection
from partners.oicp.contracts import is_connected, may_have
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.record_store import DELIVERED, HELD, REFUSED, WAITING, WITHHELD, OicpRecord, RecordStore

_WAIT_S: Final = 30.0
_REFUSED: Final = 2000
_TROUBLE: Final = 3000
_OF_THEIR_SERVER: Final = frozenset({Code.HUB_ERROR, Code.DATABASE_ERROR, Code.SYSTEM_ERROR, Code.PARTNER_SILENT})
"""What says nothing of the record: it is brought again. Whatever else they answer, an operator has to look at."""
_REQUEST_TIMEOUT: Final = 408


class RecordSending:
    """See the module."""

    def __init__(self, bridge: Bridge, store: RecordStore) -> None:
        self._bridge = bridge
        self._store = store

    def kept_back(self, record: OicpRecord) -> tuple[str, str] | None:
        """The state in which a record stays here, and why, as long as its EMP is not to be brought it; None: it is."""
        connection = self._bridge.connections.of(record.emp)
        if connection is None or not is_connected(self._bridge.hub, record.emp):
            return WAITING, "its EMP is not connected"
        if not may_have(self._bridge.hub, record.emp, record.operator, "cdrs"):
            return WITHHELD, "an agreement keeps it from its EMP"
        return None if connection.base_url else (WAITING, "")

    async def bring(self, connection: Connection, record: OicpRecord) -> None:
        """One try, of which is kept what came of it. Raises: PeerFault's children, NotSayable."""
        tried = replace(record, state=WAITING, tries=record.tries + 1)
        await self._store.keep(replace(tried, unsure=True))
        try:
            await self._send(connection, record)
        except (PeerFault, NotSayable) as fault:
            unsure = record.unsure or _may_be_there(fault)
            await self._store.keep(replace(tried, state=_after(fault), why=str(fault)[:200], unsure=unsure))
            raise
        await self._store.keep(replace(tried, state=DELIVERED, why="", unsure=False))

    async def _send(self, connection: Connection, record: OicpRecord) -> None:
        try:
            answer = await self._bridge.ask(
                *(connection, "ChargeDetailRecord", record.record),
                id=voices.operator(connection, record.operator),
                deadline_s=_WAIT_S,
                wait=True,
            )
        except PeerRefused as refused:
            if record.unsure and refused.status_code == int(Code.SESSION_INVALID):
                return
            raise
        code = code_of(answer)
        if says_yes(answer) or (record.unsure and code == Code.SESSION_INVALID):
            return
        if is_nonsense(answer):
            raise PeerNonsense("the partner answered neither yes nor no")
        told = answer.get("StatusCode") or {}
        words = str(told.get("AdditionalInfo") or told.get("Description") or "")[:200]
        ocpi_code = _TROUBLE if code in _OF_THEIR_SERVER else _REFUSED
        raise PeerRefused(f"StatusCode {code}: {words}", http=200, status_code=ocpi_code)


def _may_be_there(fault: PeerFault | NotSayable) -> bool:
    """May the partner have taken it, whatever it said or left unsaid?"""
    if isinstance(fault, PeerRefused):
        return fault.http >= 500 or fault.http == _REQUEST_TIMEOUT
    return isinstance(fault, PeerTimeout | PeerNonsense)


def _after(fault: PeerFault | NotSayable) -> str:
    if isinstance(fault, NotSayable):
        return HELD
    return REFUSED if judge(fault).fate is Fate.REFUSED else WAITING
