"""One page of EVSEs from a hub, taken into the table: by operator, with who comes to light behind the hub."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hub.core.parties import Party, PartyRole
from partners.oicp import ids
from partners.oicp.agreed import terms_with
from partners.oicp.bridge import Bridge
from partners.oicp.connection import Connection
from partners.oicp.evse_intake import EvseIntake, Record, Source
from partners.oicp.evse_table import HERE, OICP_EVSES, EvseTable, key_of
from partners.oicp.wire import Unfit, read
from partners.oicp.wire.evse_data import PulledEvseDataRecordType

_A_WRITE: Final = 250
_READ: Final = 2000
_NAME: Final = 60
_UNKNOWN: Final = "it is not told of which country its operator is: name it in the countries of the connection"
_NOT_ITS: Final = "its operator is connected by itself, or may not be learned"


@dataclass(slots=True)
class Behind:
    """Who is behind a hub, as far as one crawl has asked; and which EVSEs were not taken, with the reason."""

    connection: Connection
    may: dict[Party, bool] = field(default_factory=dict)
    odd: dict[str, str] = field(default_factory=dict)


class PulledPage:
    """See the module."""

    def __init__(self, bridge: Bridge, table: EvseTable, intake: EvseIntake) -> None:
        self._bridge = bridge
        self._table = table
        self._intake = intake

    async def take(self, connection: Connection, records: Sequence[Record], behind: Behind) -> None:
        """Raises: Conflict, NotReady."""
        groups: dict[tuple[str, str], list[Record]] = {}
        for record in records:
            operator = await self._operator(connection, record, behind)
            if operator:
                groups.setdefault((operator, record.get("OperatorName") or operator), []).append(record)
        terms = terms_with(connection)
        for (operator, name), some in groups.items():
            source = Source(connection.partner, operator, name, terms)
            for at in range(0, len(some), _A_WRITE):
                await self._write(source, some[at : at + _A_WRITE])

    async def note_unread(self, content: Sequence[Any], behind: Behind) -> None:
        """Why records of a page cannot be read."""
        behind.odd.update(await asyncio.to_thread(_unread, content))

    async def _operator(self, connection: Connection, record: Record, behind: Behind) -> str:
        """The OperatorID under which it came; "" where it is not taken."""
        operator = ids.EvseID.parse(record["EvseID"]).operator
        try:
            party = operator.party(connection.countries)
        except ids.InvalidId:
            behind.odd[record["EvseID"]] = _UNKNOWN
            return ""
        if party not in behind.may:
            partner = await self._bridge.connections.learn(connection, PartyRole.CPO, party)
            behind.may[party] = any((PartyRole.CPO, party) == claim.pair for claim in partner.claims)
        if not behind.may[party]:
            if str(party) not in self._bridge.hub.settings.own_parties:
                behind.odd[record["EvseID"]] = _NOT_ITS
            return ""
        return str(record.get("OperatorID") or operator)

    async def _write(self, source: Source, records: Sequence[Record]) -> None:
        told: dict[str, Record] = {}
        deleted: set[str] = set()
        for record in records:
            key = key_of(record["EvseID"])
            if record.get("deltaType") == "delete":
                deleted.add(key)
            else:
                told[key] = record
        known = await self._intake.known([*told, *deleted])
        gone = {key: known[key] for key in deleted if key in known and not known[key][1].gone and key not in told}
        await self._intake.write(source, told, gone, known)

    async def keys(self, connection: Connection) -> list[str]:
        """Of all EVSEs that are there from this hub."""
        claims = self._bridge.hub.registry.get(connection.partner).claims
        owners = [str(claim.party) for claim in claims if claim.role is PartyRole.CPO]
        keys, after = [], 0
        among: Mapping[str, Any] = {"owner": owners, "gone": [HERE]}
        while owners and (
            found := await self._bridge.hub.store.leaves(
                OICP_EVSES, among=among, after_seq=after, limit=_READ, bodies=False
            )
        ):
            keys += [leaf.key for leaf in found]
            after = found[-1].seq
        return keys

    async def bury(self, connection: Connection, keys: Sequence[str]) -> None:
        """Raises: Conflict, NotReady."""
        source = Source(connection.partner, "", "", terms_with(connection))
        for at in range(0, len(keys), _A_WRITE):
            known = await self._intake.known(keys[at : at + _A_WRITE])
            gone = {key: each for key, each in known.items() if each[1].source.startswith(f"{connection.partner}/")}
            await self._intake.write(source, {}, gone, known)


def _unread(content: Sequence[Any]) -> dict[str, str]:
    """By EvseID, or number on the page, the fields without which there is nothing to be done."""
    found: dict[str, str] = {}
    for at, record in enumerate(content):
        try:
            read(PulledEvseDataRecordType, record)
        except Unfit as fault:
            named = record.get("EvseID") if isinstance(record, Mapping) else None
            found[str(named or f"record {at + 1} of a page")[:_NAME]] = f"it cannot be read: {fault.message[:150]}"
    return found
