"""A location of OCPI as rows of the table of EVSEs, and what of that differs from the rows there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from msgspec import structs

from hub.core.clock import timestamp
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.units import ABSENT, Delete, Document, Put
from modules.locations.service import LIMIT
from partners.oicp.evse_table import OICP_EVSES, OICP_STATES, EvseRow, key_of, read, state_put
from partners.oicp.findings import finding
from partners.oicp.made_ids import made_id, spare
from partners.oicp.mapping.enums import STATUS_TO_OICP
from partners.oicp.mapping.evse_data import operator_of, records_of
from partners.oicp.mapping.terms import Terms
from partners.oicp.places import EvsePlace

_NOT_THERE: Final = frozenset({"PLANNED", "REMOVED"})


@dataclass(slots=True)
class Known:
    """What the table has. Rows by canonical EvseID; findings by location."""

    is_connected: Callable[[str], bool]
    rows: dict[str, tuple[Document, EvseRow]] = field(default_factory=dict)
    states: Mapping[str, Document] = field(default_factory=dict)
    findings: Mapping[str, Document] = field(default_factory=dict)

    def add_rows(self, documents: Iterable[Document]) -> None:
        for document in documents:
            self.rows.setdefault(document.key, (document, read(document)))

    def is_sourced(self, row: EvseRow) -> bool:
        """Did it come in OICP, from a partner that is still connected?"""
        return bool(row.source) and self.is_connected(row.source.partition("/")[0])


@dataclass(frozen=True, slots=True)
class Rendered:
    """The EVSEs of a location that can be told, by canonical EvseID, and why others cannot, by uid."""

    location: str
    owner: str
    places: Mapping[str, EvsePlace]
    records: Mapping[str, dict[str, Any]]
    statuses: Mapping[str, str]
    unsaid: Mapping[str, str]

    @property
    def keys(self) -> list[str]:
        """Of all rows that this may write: those with a spare id too."""
        return [*self.places, *(key_of(spare(self.owner, place.evse_uid)) for place in self.places.values())]

    def differing(self, known: Known, *, now: datetime) -> list[Put | Delete]:
        """What is to be written. `known` is told of it, so that two locations of one step do not contradict."""
        moment, reasons = timestamp(now), dict(self.unsaid)
        writes: list[Put | Delete] = []
        told: set[str] = set()
        for key, place in self.places.items():
            row = self._row(key, place, known, moment)
            taken = known.rows.get(row.key)
            if taken is not None and known.is_sourced(taken[1]):
                continue
            if taken is not None and _is_anothers(taken[1], row):
                reasons[place.evse_uid] = f"its EvseID is that of an EVSE of {taken[1].place.owner} already"
                continue
            told.add(row.key)
            writes += _put(row, known) + self._state(row, key, known, moment)
        for document, row in list(known.rows.values()):  # those that are not there any more
            if row.place.location == self.location and not row.gone and document.key not in told:
                writes += [] if known.is_sourced(row) else _buried(document, row, known, moment)
        return writes + self._finding(reasons, known)

    def _row(self, key: str, place: EvsePlace, known: Known, moment: str) -> EvseRow:
        taken, record = known.rows.get(key), self.records[key]
        row = EvseRow(place=place, record=record, created=moment, changed=moment)
        is_made = place.evse_id == made_id(self.owner, place.evse_uid)
        if taken is not None and is_made and _is_anothers(taken[1], row):
            evse_id = spare(self.owner, place.evse_uid)
            row = structs.replace(row, place=replace(place, evse_id=evse_id), record={**record, "EvseID": evse_id})
            taken = known.rows.get(row.key)
        return row if taken is None or taken[1].gone else structs.replace(row, created=taken[1].created)

    def _state(self, row: EvseRow, key: str, known: Known, moment: str) -> list[Put | Delete]:
        status, state = self.statuses[key], known.states.get(row.key)
        if state is not None and state.columns["status"] == status:
            return []
        return [state_put(row.place.evse_id, self.owner, self.location, status, moment)]

    def _finding(self, reasons: dict[str, str], known: Known) -> list[Put | Delete]:
        new, old = finding(self.location, self.owner, reasons), known.findings.get(self.location)
        is_same = old is None if isinstance(new, Delete) else old is not None and old.body == new.body
        return [] if is_same else [new]


def _is_anothers(taken: EvseRow, row: EvseRow) -> bool:
    """One that moved to another location has kept its uid."""
    one, other = taken.place, row.place
    return not taken.gone and (one.owner, one.evse_uid.upper()) != (other.owner, other.evse_uid.upper())


def _put(row: EvseRow, known: Known) -> list[Put | Delete]:
    """The write of a row, where that changes anything."""
    taken = known.rows.get(row.key)
    put = row.put(expect=ABSENT if taken is None else taken[0].version)
    if taken is not None and (taken[0].body, tuple(taken[0].columns.values())) == (put.body, put.columns):
        return []
    columns = dict(zip(OICP_EVSES.columns, put.columns, strict=True))
    document = Document(0, row.key, put.expect + 1, put.owner, "", put.last_updated, put.body, columns)
    known.rows[row.key] = (document, row)
    return [put]


def _buried(document: Document, row: EvseRow, known: Known, moment: str) -> list[Put | Delete]:
    gone = structs.replace(row, gone=True, changed=moment, source="")
    known.rows[document.key] = (structs.replace(document, version=document.version + 1), gone)
    return [gone.put(expect=document.version), Delete(OICP_STATES, document.key)]


def rendered(document: Document, terms: Terms) -> Rendered:
    """A location as it is on record. Losses are those of the table of losses; they are not counted for each look."""
    location: Tree = parse(document.body, limit=LIMIT)
    owner = document.owner
    named = [_named(owner, evse) for evse in location.get("evses") or ()]
    by_uid = {evse["uid"]: evse for evse in named}
    found = records_of({**location, "evses": named}, terms)
    operator = operator_of(location, terms)
    places: dict[str, EvsePlace] = {}
    records: dict[str, dict[str, Any]] = {}
    statuses: dict[str, str] = {}
    unsaid = {uid: why for uid, why in found.unsaid.items() if _is_a_finding(location, by_uid[uid])}
    for uid, mapped in found.said.items():
        record, evse = mapped.value, by_uid[uid]
        key = key_of(record["EvseID"])
        if key in places:
            unsaid[uid] = f"its EvseID is that of {places[key].evse_uid} too"
            continue
        places[key] = _place(document, location, evse, record)
        records[key] = {**record, **operator}
        statuses[key] = STATUS_TO_OICP[evse["status"]] or "Unknown"
    return Rendered(document.key, owner, places, records, statuses, unsaid)


def _named(owner: str, evse: Tree) -> Tree:
    """With an EvseID that OICP can write, where it has none."""
    return evse if evse.get("evse_id") else {**evse, "evse_id": made_id(owner, evse["uid"])}


def _is_a_finding(location: Tree, evse: Tree) -> bool:
    """What its operator does not want to be shown, is nobody's concern."""
    return bool(location["publish"]) and evse["status"] not in _NOT_THERE


def _place(document: Document, location: Tree, evse: Tree, record: Mapping[str, Any]) -> EvsePlace:
    connectors = evse["connectors"]
    return EvsePlace(
        evse_id=record["EvseID"],
        owner=document.owner,
        location=document.key,
        location_id=location["id"],
        evse_uid=evse["uid"],
        connector_id=connectors[0]["id"] if len(connectors) == 1 else "",
        is_remote=bool(record.get("IsHubjectCompatible", True)),
    )
