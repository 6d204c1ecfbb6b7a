"""What came in OICP as locations of OCPI: each location whose rows have changed is made anew of them.

Times are ours, as OICP has none that could be compared: what is the same as before keeps its time, what differs is of
now. A change of status alone is written as one, so that partners of OCPI get that and not the whole location again. An
EVSE that is gone is REMOVED, as everywhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import structlog

from hub.core.clock import timestamp
from hub.core.dialect import VERSIONS
from hub.core.errors import Conflict, InvalidRequest, NotReady
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.units import Delete, Document, Unit
from modules.locations import foreign
from modules.locations.service import LIMIT
from modules.locations.store import LOCATIONS
from modules.locations.wire import LOCATION
from partners.oicp.agreed import terms_with
from partners.oicp.connections import Connections
from partners.oicp.evse_intake import OICP_PROJECTIONS
from partners.oicp.evse_table import EvseRow, EvseTable, key_in_oicp
from partners.oicp.findings import finding
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.locations import location_of
from partners.oicp.rounds import Rounds

log = structlog.get_logger()

TariffIds = Callable[[Sequence[EvseRow]], Awaitable[Mapping[str, Sequence[str]]]]
"""By canonical EvseID, the OCPI tariffs that hold there."""

_A_STEP: Final = 100
_MOST_ALONE: Final = 3
"""Of how many EVSEs of a location a change of status is told by itself; of more, the location is."""


async def _no_tariffs(rows: Sequence[EvseRow]) -> Mapping[str, Sequence[str]]:
    return {}


class EvseProjection:
    """See the module."""

    def __init__(self, hub: Hub, connections: Connections, table: EvseTable) -> None:
        self._hub = hub
        self._connections = connections
        self._table = table
        self._rounds = Rounds(hub, self.catch_up, waits="locations wait to be made of EVSEs")
        self.tariff_ids: TariffIds = _no_tariffs

    def wake(self) -> None:
        """There is something to do."""
        self._rounds.ring()

    async def run(self) -> None:
        """For ever, also over times without a database."""
        await self._rounds.run()

    async def catch_up(self) -> None:
        """Make all that is to be made anew. Raises: NotReady; Conflict, when somebody was faster."""
        store = self._hub.store
        while found := await store.select(OICP_PROJECTIONS, limit=_A_STEP):
            for noted in found:
                await self._guarded(noted.key)
                try:
                    await store.commit(Unit().delete(Delete(OICP_PROJECTIONS, noted.key, noted.version)))
                except Conflict:
                    continue  # it has changed again meanwhile, and is still noted

    async def _guarded(self, location: str) -> None:
        """Raises: NotReady, Conflict."""
        owner = location.partition("/")[0]
        reasons: dict[str, str] = {}
        try:
            await self._make(location)
        except (NotSayable, InvalidRequest) as fault:
            reasons = {location: f"OCPI has no words for it: {str(fault)[:150]}"}
        except (NotReady, Conflict):
            raise
        except Exception as error:  # one odd record must not stop all that come after it
            log.exception("a location was not made of its EVSEs", location=location, error=type(error).__name__)
            reasons = {location: "internal: it could not be made a location of OCPI"}
        write = finding(f"projection/{location}", owner, reasons)
        if reasons or await self._hub.store.get(write.kind, write.key) is not None:
            await self._hub.store.commit(Unit([write]))

    async def _make(self, location: str) -> None:
        """Raises: NotSayable, InvalidRequest, Conflict, NotReady."""
        rows = [row for row in await self._table.at(location) if row.source]
        living = [row for row in rows if not row.gone]
        known = await self._hub.store.get(LOCATIONS, location)
        before: Tree | None = parse(known.body, limit=LIMIT) if known is not None else None
        if living:
            new = await self._made(living, before)
        elif before is not None:
            gone = await self._gone(location, before)
            evses = [evse for evse in before.get("evses") or () if evse["uid"].upper() not in gone]
            new = {**before, "evses": evses}
        else:
            return
        await self._write(location, new, before, known)

    async def _gone(self, location: str, before: Tree) -> set[str]:
        """The uids of its EVSEs that came in OICP and are no more, or elsewhere now.

        The row of one that is elsewhere now may have another uid there: so they go by their EvseID.
        """
        by_key = {key_in_oicp(evse): evse["uid"].upper() for evse in before.get("evses") or ()}
        rows = await self._table.get_many(key for key in by_key if key)
        return {by_key[key] for key, row in rows.items() if row.gone or row.place.location != location}

    async def _made(self, rows: Sequence[EvseRow], before: Tree | None) -> Tree:
        """Raises: NotSayable, InvalidRequest."""
        partner = rows[0].source.partition("/")[0]
        connection = self._connections.get(partner)
        now = timestamp(self._hub.clock.now())
        statuses = await self._table.states(row.key for row in rows)
        mapped = location_of(
            [row.record for row in rows], terms_with(connection), received=now, statuses=statuses, known=before
        )
        self._hub.losses.note(partner, "in", "locations", mapped.lost)
        tariffs = await self.tariff_ids(rows)
        by_uid = {row.place.evse_uid: tariffs.get(row.key, ()) for row in rows}
        evses = [_priced(evse, by_uid.get(evse["uid"], ())) for evse in mapped.value["evses"]]
        tree: Tree = LOCATION[VERSIONS[-1]].read({**mapped.value, "evses": evses}).tree()
        return tree

    async def _write(self, location: str, new: Tree, before: Tree | None, known: Document | None) -> None:
        now = timestamp(self._hub.clock.now())
        spot = foreign.Spot(Party.parse(location.partition("/")[0]), new["id"])
        if before is None:
            await foreign.put(self._hub, spot, new)
            return
        now = max(now, known.last_updated if known is not None else now)
        timed = _timed(new, before, now)
        changed = _statuses_alone(timed, before)
        if changed is None or len(changed) > _MOST_ALONE:
            await foreign.put(self._hub, spot, timed)
            return
        for evse in changed:
            part = {"status": evse["status"], "last_updated": now}
            await foreign.patch(self._hub, spot, (evse["uid"],), part)


def _priced(evse: Tree, tariff_ids: Sequence[str]) -> Tree:
    if not tariff_ids:
        return evse
    return {**evse, "connectors": [{**each, "tariff_ids": list(tariff_ids)} for each in evse["connectors"]]}


def _timed(new: Tree, before: Tree, now: str) -> Tree:
    """`new`, of which all that is as `before` has its time from there, and the rest is of `now`."""
    known = {evse["uid"].upper(): evse for evse in before.get("evses") or ()}
    evses = [_timed_evse(evse, known.get(evse["uid"].upper()), now) for evse in new["evses"]]
    tree = {**new, "evses": evses, "last_updated": before["last_updated"]}
    return tree if tree == before else {**tree, "last_updated": now}


def _timed_evse(new: Tree, before: Tree | None, now: str) -> Tree:
    if before is None:
        return {
            **new,
            "last_updated": now,
            "connectors": [{**connector, "last_updated": now} for connector in new["connectors"]],
        }
    known = {connector["id"]: connector for connector in before["connectors"]}
    connectors = [_same_or(connector, known.get(connector["id"]), now) for connector in new["connectors"]]
    return _same_or({**new, "connectors": connectors}, before, now)


def _same_or(new: Tree, before: Tree | None, now: str) -> Tree:
    is_same = before is not None and {**new, "last_updated": before["last_updated"]} == before
    return before if is_same and before is not None else {**new, "last_updated": now}


_OF_STATUS: Final = frozenset({"status", "last_updated"})


def _statuses_alone(new: Tree, before: Tree) -> list[Tree] | None:
    """The EVSEs whose status differs, if that is all that differs; what is gone before is left out on both sides."""
    old = {evse["uid"]: evse for evse in before.get("evses") or ()}
    rest = {name: value for name, value in new.items() if name not in ("evses", "last_updated")}
    known = {name: value for name, value in before.items() if name not in ("evses", "last_updated")}
    living = {uid for uid, evse in old.items() if evse["status"] != "REMOVED"}
    if rest != known or living != {evse["uid"] for evse in new["evses"]}:
        return None
    changed = [evse for evse in new["evses"] if evse != old[evse["uid"]]]
    return changed if all(_differs_by_status(evse, old[evse["uid"]]) for evse in changed) else None


def _differs_by_status(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)} <= _OF_STATUS
