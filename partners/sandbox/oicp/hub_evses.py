"""The EVSEs that operators pushed: every push is a version, and the hub can tell what was at any moment.

OICP: fullLoad replaces everything; insert, update and delete succeed as a whole or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from partners.sandbox.oicp.call import Refused
from partners.sandbox.oicp.hub_members import Member
from partners.sandbox.oicp.ids import folded
from partners.sandbox.oicp.wire import moment
from partners.sandbox.wire import Json

Rows = Mapping[str, Json]
"""Records by folded id."""
_EPOCH = datetime.fromtimestamp(0, UTC)


def changed(rows: Rows, action: str, records: Sequence[Json], name: str = "EvseID") -> dict[str, Json]:
    """What becomes of `rows`. Raises: Refused, 009."""
    named = {folded(record[name]): record for record in records}
    if len(named) != len(records):
        raise Refused("009", "an id is there twice")
    if action == "fullLoad":
        return named
    known = named.keys() & rows.keys()
    if action == "insert" and known:
        raise Refused("009", f"known already: {min(known)}")
    if action in ("update", "delete") and len(known) < len(named):
        raise Refused("009", f"not known: {min(named.keys() - known)}")
    if action == "delete":
        return {each: record for each, record in rows.items() if each not in named}
    return {**rows, **named}


@dataclass
class Holding:
    """One operator's EVSEs."""

    operator: str
    name: str = ""
    versions: list[tuple[datetime, Rows]] = field(default_factory=lambda: [(_EPOCH, {})])
    touched: dict[str, datetime] = field(default_factory=dict)
    statuses: dict[str, Json] = field(default_factory=dict)

    @property
    def rows(self) -> Rows:
        """Those of now."""
        return self.versions[-1][1]

    def at(self, when: datetime) -> Rows:
        """Those of then."""
        return next(rows for since, rows in reversed(self.versions) if since <= when)

    def changes(self, since: datetime) -> list[dict[str, Json]]:
        """What is not as it was, each with its deltaType."""
        before, now = self.at(since), self.rows
        told = [self._told(name, now[name], "update" if name in before else "insert")
                for name in now if now[name] != before.get(name)]  # fmt: skip
        return told + [self._told(name, before[name], "delete") for name in before if name not in now]

    def everything(self) -> list[dict[str, Json]]:
        """All of now."""
        return [self._told(name, record, None) for name, record in self.rows.items()]

    def _told(self, name: str, record: Json, delta: str | None) -> dict[str, Json]:
        said = {**record, "OperatorID": self.operator, "OperatorName": self.name}
        return {**said, "deltaType": delta, "lastUpdate": moment(self.touched[name])}


class EvseBook:
    """All operators' EVSEs."""

    def __init__(self) -> None:
        self._holdings: dict[str, Holding] = {}

    def push(self, member: Member, action: str, data: Json) -> None:
        """PushEvseData. Raises: Refused, 009 or 018; nothing is changed then."""
        records = data.get("EvseDataRecord") or []
        foreign = [record["EvseID"] for record in records if not member.owns(record["EvseID"])]
        if foreign:
            raise Refused("018", foreign[0])
        holding = self._holdings.setdefault(folded(member.party), Holding(member.party))
        plain = [
            {name: v for name, v in record.items() if name not in ("deltaType", "lastUpdate")} for record in records
        ]
        before, now = holding.rows, datetime.now(UTC)
        after = changed(before, action, plain)
        holding.touched |= {name: now for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        holding.versions.append((now, after))
        holding.name = data["OperatorName"]
        holding.statuses = {name: record for name, record in holding.statuses.items() if name in after}

    def push_status(self, member: Member, action: str, data: Json) -> None:
        """PushEvseStatus. Raises: Refused, 009 for an EVSE without data."""
        holding = self._holdings.get(folded(member.party)) or Holding(member.party)
        records = data.get("EvseStatusRecord") or []
        for record in records:
            if folded(record["EvseID"]) not in holding.rows:
                raise Refused("009", f"no data of {record['EvseID']}")
        holding.statuses = changed(holding.statuses, action, records)

    def holdings(self, operators: Sequence[str] | None = None) -> list[Holding]:
        """Those of some operators, or all."""
        if operators is None:
            return list(self._holdings.values())
        return [self._holdings[name] for name in map(folded, operators) if name in self._holdings]

    def status(self, holding: Holding) -> list[Json]:
        """Of all its EVSEs; one that nobody told of is Unknown."""
        told = holding.statuses
        return [
            told.get(name) or {"EvseID": record["EvseID"], "EvseStatus": "Unknown"}
            for name, record in holding.rows.items()
        ]

    def find(self, member: Member, evse_id: str) -> Json:
        """The record; None where the operator pushed nothing, as then everything passes. Raises: Refused, 603."""
        holding = self._holdings.get(folded(member.party))
        if holding is None or not holding.rows:
            return None
        record = holding.rows.get(folded(evse_id))
        if record is None:
            raise Refused("603", evse_id)
        return record
