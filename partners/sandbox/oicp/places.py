"""The EVSEs of other operators as an EMP pulled them from its hub."""

from __future__ import annotations

from collections.abc import Mapping

from partners.sandbox.complaints import Complaints
from partners.sandbox.oicp.check import check
from partners.sandbox.oicp.ids import folded
from partners.sandbox.wire import Json


class Places:
    """Data and status by EvseID, and when the data was last asked for."""

    def __init__(self, complaints: Complaints) -> None:
        self._complaints = complaints
        self._data: dict[str, dict[str, Json]] = {}
        self.statuses: dict[str, str] = {}
        self.last_call: str | None = None

    def take_all(self, records: list[Json]) -> None:
        """Everything there is: what is not among it is gone."""
        self._data = {}
        for record in records:
            if self._is_sound(record):
                self._data[folded(record["EvseID"])] = record

    def take_changes(self, records: list[Json]) -> None:
        """What changed since the last call."""
        for record in records:
            if not self._is_sound(record):
                continue
            delta, name = record.get("deltaType"), folded(record["EvseID"])
            if delta == "update" and name not in self._data:
                self._complaints.add("PullEvseData", f"update of {record['EvseID']}, which was never told")
            if delta == "delete":
                self._data.pop(name, None)
            else:
                self._data[name] = record

    def take_statuses(self, tree: Mapping[str, Json]) -> int:
        """An answer about status, of any of the three kinds. Returns: how many there were."""
        groups = (tree.get("EvseStatuses") or {}).get("OperatorEvseStatus") or [tree.get("EVSEStatusRecords") or {}]
        found = [record for group in groups for record in group.get("EvseStatusRecord") or ()]
        self.statuses |= {record["EvseID"]: record["EvseStatus"] for record in found}
        return len(found)

    def listed(self) -> list[dict[str, Json]]:
        """All records."""
        return list(self._data.values())

    def _is_sound(self, record: Json) -> bool:
        breaches = check("PulledEvseDataRecord", record)
        for breach in breaches:
            self._complaints.add("record of PullEvseData", breach)
        return not breaches
