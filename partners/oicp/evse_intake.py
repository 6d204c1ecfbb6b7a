"""EVSEs and statuses as they come in OICP, written to the table: pushed by CPOs, or pulled from a hub.

A record is kept and handed on as it came, in OICP's own spelling, with its operator; where it is not OICP's to the
letter, EMPs are told of it so far as it is (`evse_amends`). Beside each row stands a note that
its location is to be made anew (`evse_projection`), in the same unit: what is acknowledged reaches OCPI's partners too,
also when we are stopped in between.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from msgspec import structs

from hub.core.ports import Hub
from hub.core.units import ABSENT, Delete, Document, Kind, Put, Unit
from partners.oicp import ids
from partners.oicp.evse_amends import AS_IT_CAME, Amends
from partners.oicp.evse_table import (
    OICP_EVSES,
    OICP_STATES,
    EvseRow,
    key_of,
    now_of,
    read,
    state_put,
)
from partners.oicp.findings import finding
from partners.oicp.mapping.evse_status import NOT_FOUND
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.locations import location_key, unsayable
from partners.oicp.mapping.terms import Terms
from partners.oicp.places import EvsePlace
from partners.oicp.wire.enums import EVSE_STATUS

Record = Mapping[str, Any]
Known = Mapping[str, tuple[Document, EvseRow]]

OICP_PROJECTIONS: Final = Kind("oicp_projections")
"""Keys of OCPI locations that are to be made anew of their rows."""
_A_BREATH: Final = 100
"""After so many rows others get their turn."""
_UNKNOWN: Final = "Unknown"
"""What an EVSE does of which nobody says it in a word of OICP."""
_INDEX: Final = re.compile(r"/\d+(?=/|$)")
_THE_HUBS: Final = ("deltaType", "lastUpdate", "OperatorID", "OperatorName")


@dataclass(frozen=True, slots=True)
class Source:
    """Who tells: the partner, and the operator in whose name."""

    partner: str
    operator_id: str
    operator_name: str
    terms: Terms

    @property
    def name(self) -> str:
        """As rows have it."""
        return f"{self.partner}/{ids.OperatorID.parse(self.operator_id).canonical}"


class EvseIntake:
    """See the module."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._listeners: list[Callable[[], None]] = []

    def on_written(self, callback: Callable[[], None]) -> None:
        """Call back whenever something was written."""
        self._listeners.append(callback)

    async def known(self, keys: Iterable[str]) -> Known:
        """The rows of these, tombstones too, by canonical EvseID."""
        found = await self._hub.store.get_many(OICP_EVSES, list(keys))
        rows: dict[str, tuple[Document, EvseRow]] = {}
        for at, (key, document) in enumerate(found.items()):
            if at % _A_BREATH == 0:
                await asyncio.sleep(0)
            rows[key] = (document, read(document))
        return rows

    async def write(
        self,
        source: Source,
        told: Mapping[str, Record],
        gone: Known,
        known: Known,
        amends: Mapping[str, Amends] = MappingProxyType({}),
    ) -> int:
        """Keep what is `told`, by canonical EvseID, and bury what is `gone`: all of it, or nothing.

        `amends`: how EMPs are told of those that are not OICP's to the letter.
        Returns: how many rows it changed. Raises: InvalidId, for an EVSE of a country that nobody can tell; Conflict,
        when somebody was faster.
        """
        now, unit = now_of(self._hub), Unit()
        locations: dict[str, None] = {}
        found: list[Put | Delete] = []
        for at, (key, record) in enumerate(told.items()):
            if at % _A_BREATH == 0:
                await asyncio.sleep(0)
            before = known.get(key)
            row = _row(source, record, amends.get(key, AS_IT_CAME), before, now)
            put = row.put(expect=ABSENT if before is None else before[0].version)
            if before is None or not _is_same(before[0], put):
                unit.put(put)
                found += _found(row, before[1] if before is not None else None, source.terms)
                locations[row.place.location] = None
                if before is not None and not before[1].gone:
                    locations[before[1].place.location] = None
        for key, (document, row) in gone.items():
            unit.put(structs.replace(row, gone=True, changed=now).put(expect=document.version))
            unit.delete(Delete(OICP_STATES, key))
            locations[row.place.location] = None
            found += _found(None, row, source.terms)
        changed = sum(isinstance(write, Put) for write in unit.writes)
        unit.writes.extend(found)
        await self._commit(unit, locations)
        return changed

    async def write_states(self, statuses: Mapping[str, str], known: Known) -> int:
        """Keep what EVSEs do, by canonical EvseID; of all of them there are rows. Returns: how many are news."""
        now, unit = now_of(self._hub), Unit()
        before = await self._hub.store.get_many(OICP_STATES, list(statuses))
        locations: dict[str, None] = {}
        for at, (key, status) in enumerate(statuses.items()):
            if at % _A_BREATH == 0:
                await asyncio.sleep(0)
            state, place = before.get(key), known[key][1].place
            word = status if status in EVSE_STATUS and status != NOT_FOUND else _UNKNOWN
            if state is None or state.columns["status"] != word:
                unit.put(state_put(place.evse_id, place.owner, place.location, word, now))
                locations[place.location] = None
        changed = len(unit.writes)
        await self._commit(unit, locations)
        return changed

    async def forget_states(self, keys: Iterable[str], known: Known) -> None:
        """Nobody tells any more what these do."""
        unit = Unit()
        for key in keys:
            unit.delete(Delete(OICP_STATES, key))
        await self._commit(unit, {known[key][1].place.location: None for key in keys if key in known})

    async def _commit(self, unit: Unit, locations: Mapping[str, None]) -> None:
        if not unit.writes:
            return
        for location in locations:
            if location:
                unit.put(Put(OICP_PROJECTIONS, location, b""))
        await self._hub.store.commit(unit)
        for listener in self._listeners:
            listener()


def _found(row: EvseRow | None, before: EvseRow | None, terms: Terms) -> list[Put | Delete]:
    """What there is to find about an EVSE of which partners are, or were, not told all."""
    reasons = _reasons(row, terms) if row is not None else {}
    told = row or before
    if told is None or not (reasons or (before is not None and _reasons(before, terms))):
        return []
    return [finding(f"evse/{told.key}", told.place.owner, reasons)]


def _reasons(row: EvseRow, terms: Terms) -> dict[str, str]:
    evse_id, unsaid = row.place.evse_id, unsayable(row.record, terms)
    left_out = {
        f"{evse_id} {place}": f"not told over OICP: {_INDEX.sub('', place)}: {why}"
        for place, why in row.amends.left_out.items()
    }
    return {evse_id: f"not told over OCPI: {unsaid}", **left_out} if unsaid else left_out


def _row(source: Source, record: Record, amends: Amends, before: tuple[Document, EvseRow] | None, now: str) -> EvseRow:
    """Raises: InvalidId."""
    is_new = before is None or before[1].gone
    place = _place(record, source.terms)
    return EvseRow(
        place=place,
        amends=amends,
        record={
            **{name: value for name, value in record.items() if name not in _THE_HUBS},
            "EvseID": place.evse_id,
            "OperatorID": source.operator_id,
            "OperatorName": source.operator_name,
        },
        created=now if before is None or is_new else before[1].created,
        changed=now,
        source=source.name,
    )


def _place(record: Record, terms: Terms) -> EvsePlace:
    evse_id = ids.EvseID.parse(record["EvseID"])
    try:
        location = location_key(record, terms)
    except NotSayable:
        location = ""  # a place that cannot be told in OCPI: partners of OICP get it all the same
    plugs = record.get("Plugs") or ()
    return EvsePlace(
        evse_id=ids.written(record["EvseID"]),
        owner=str(evse_id.operator.party(terms.countries)),
        location=location,
        location_id=location.partition("/")[2],
        evse_uid=evse_id.uid,
        connector_id="1" if len(plugs) == 1 else "",
        is_remote=bool(record.get("IsHubjectCompatible", True)),
    )


def _is_same(before: Document, put: Put) -> bool:
    return (before.body, tuple(before.columns.values())) == (put.body, put.columns)


def by_key(records: Iterable[Record]) -> dict[str, Record]:
    """Records by canonical EvseID; of one that is there twice the last."""
    return {key_of(record["EvseID"]): record for record in records}
