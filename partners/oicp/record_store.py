"""Charge detail records of OICP, as they came or went: kept before they are acknowledged, found again by EMPs.

new --> delivered            its OCPI CDR is on record, or the EMP took it
 |  \\-> held                 it cannot be priced or placed: an operator sees why, and it is tried again
 |\\-> waiting                 for an EMP that did not take it yet; it may fetch it any time
 |\\-> withheld                an agreement keeps it from its EMP, which cannot fetch it either, as long as that holds
 \\-> refused                 the EMP does not take it as it is: an operator sees why; it is not sent again by itself
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from hub.core.clock import timestamp
from hub.core.inbound import encode, parse
from hub.core.ports import Hub
from hub.core.types import parse_datetime
from hub.core.units import ANY, Audit, Document, Kind, Put, Unit
from partners.oicp.findings import finding

OICP_RECORDS: Final = Kind(
    "oicp_records", columns=("state", "provider", "operator", "session"), indexed=("state", "provider")
)
_LIMIT: Final = 1024 * 1024
NEW: Final = "new"
HELD: Final = "held"
WAITING: Final = "waiting"
WITHHELD: Final = "withheld"
REFUSED: Final = "refused"
STUCK: Final = (HELD, REFUSED)
"""What an operator has to look at."""
DELIVERED: Final = "delivered"


class OicpRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One record. `provider` and `operator` are parties; `record` is the message as it came, or as it goes out."""

    session: str
    state: str = NEW
    cpo: str = ""
    """The partner that brought it; "": an OCPI party did."""
    emp: str = ""
    """The partner of OICP that is to have it."""
    provider: str = ""
    operator: str = ""
    record: dict[str, Any]
    why: str = ""
    """Why it is held, refused, withheld, or still waiting."""
    tries: int = 0
    on_lane: bool = False
    """The lane of the EMP brings it, and nobody else."""
    unsure: bool = False
    """A try ended without an answer: it may have arrived."""

    def put(self, *, expect: int = ANY) -> Put:
        """The write of it; what EMPs ask for by From and To is when the session ended."""
        return Put(
            OICP_RECORDS,
            self.session,
            encode(msgspec.structs.asdict(self)),
            last_updated=_ended(self.record),
            columns=(self.state, self.provider, self.operator, self.session),
            expect=expect,
        )


def _ended(record: dict[str, Any]) -> str:
    moment = datetime.fromisoformat(str(record["SessionEnd"]))
    return timestamp(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment)


class RecordStore:
    """The records on disk."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def find(self, session_id: str) -> OicpRecord | None:
        document = await self._hub.store.get(OICP_RECORDS, session_id.lower())
        return None if document is None else read(document)

    async def keep(self, record: OicpRecord, *, expect: int = ANY, audit: Audit | None = None) -> None:
        """With a finding, as long as an operator has to look at it. Raises: Conflict."""
        stuck = {f"record {record.session}": f"its record is {record.state}: {record.why}"}
        unit = Unit().put(record.put(expect=expect))
        owner = record.cpo or record.emp
        unit.writes.append(finding(f"record/{record.session}", owner, stuck if record.state in STUCK else {}))
        if audit is not None:
            unit.audited(audit)
        await self._hub.store.commit(unit)

    async def in_state(self, state: str) -> list[OicpRecord]:
        found = await self._hub.store.select(OICP_RECORDS, equal={"state": state}, limit=10_000)
        return [read(document) for document in found]

    async def stuck_since(self) -> list[datetime]:
        """When the sessions ended whose records an operator has to look at."""
        found = [each for state in STUCK for each in await self.in_state(state)]
        return [parse_datetime(_ended(each.record)) for each in found]


def read(document: Document) -> OicpRecord:
    """As it is on disk; numbers exactly as they were."""
    return OicpRecord(**parse(document.body, limit=_LIMIT))
