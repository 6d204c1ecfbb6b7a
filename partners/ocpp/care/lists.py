"""Local lists, kept in step with the tokens of eMSPs at the stations whose switch says so.

What a station has is on record: the version of its list, and a mark for each entry. After each connect the version is
compared; one that is not ours means that the list is not, and it gets a full one. Else it gets what has changed, as
differential updates. Changes of tokens are looked at every few seconds, all that came meanwhile together. A message is
written down before it is sent: when the hub falls, or no answer comes, the next thing sent is a full list.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from itertools import islice
from typing import Final, Literal

import msgspec
import structlog
from msgspec.structs import replace

from hub.core.clock import timestamp
from hub.core.errors import BusbarError
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.registry import PARTNERS
from hub.core.units import Kind, Put, Unit
from modules.tokens.store import TOKENS
from partners.ocpp.care.list_entries import Listed, added, fitting, list_payload, removed, whitelisted
from partners.ocpp.care.list_limits import Limits, limits_in, question
from partners.ocpp.care.payloads import Order
from partners.ocpp.care.surroundings import Stations
from partners.ocpp.register import folded
from partners.ocpp.stations import Called

log = structlog.get_logger()

CARE_LISTS: Final = Kind("care_lists")
_TIMEOUT_S: Final = 30.0
_AGAIN_S: Final = 300.0
_MOST_VERSION: Final = 2**31 - 2

State = Literal["never sent", "in step", "behind", "not supported", "switched off at the charger"]


class LocalList(msgspec.Struct, frozen=True):
    """What a station has. `entries`: the mark of each, by uid. `is_unsure`: a message has perhaps not arrived."""

    station: str
    version: int = 0
    entries: dict[str, str] = {}
    is_unsure: bool = True
    state: State = "never sent"
    why: str = ""
    left_out: int = 0
    since: str = ""
    """The connection on which the version was compared."""
    limits: Limits = Limits()
    at: datetime | None = None

    def shown(self) -> Tree:
        """For the operator: how many, and no card."""
        at = timestamp(self.at) if self.at is not None else None
        return {"station": self.station, "version": self.version, "entries": len(self.entries),
                "left_out": self.left_out, "state": self.state, "why": self.why, "at": at}  # fmt: skip


class LocalLists:
    """All of them."""

    def __init__(self, hub: Hub, stations: Stations, *, every_s: float = 5.0) -> None:
        self._hub, self._stations, self._every_s = hub, stations, every_s
        self._revisions: tuple[int, ...] = ()
        self._cards: list[Listed] = []
        self._later: dict[str, float] = {}
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                await self.step()
            except BusbarError as fault:
                log.warning("local lists wait", why=fault.message)
            except Exception as error:  # one odd token must not be the end of all lists
                log.exception("local lists broke", error=type(error).__name__)
            await self._hub.clock.sleep(self._every_s)

    async def step(self) -> None:
        """Bring what is behind into step; one at a time, so that no message is sent twice."""
        async with self._turn:
            await self._step()

    async def _step(self) -> None:
        views = [view for view in await self._stations.views() if view["switches"].get("local_list")]
        views = [view for view in views if view["connected"]]
        if not views:
            return
        revisions = tuple(map(self._hub.store.revision, (TOKENS, PARTNERS)))
        if revisions != self._revisions:
            self._cards, self._revisions = await whitelisted(self._hub), revisions
        now = self._hub.clock.monotonic()
        for view in views:
            if self._later.get(view["identity"], 0) <= now and not await self._keep(view):
                self._later[view["identity"]] = now + _AGAIN_S

    async def _keep(self, view: Tree) -> bool:
        """One station. False: it is left alone for a while."""
        record, since = await get(self._hub, view["identity"]), str(view["since"])
        version = str(view["version"])
        if record.since != since:
            record = await self._compared(record, version, since)
        limits = record.limits
        if record.state in ("not supported", "switched off at the charger"):
            return True
        cards = list(fitting(self._cards, version, asks_list_first=limits.asks_list_first))
        wanted = {card.uid: card for card in islice(cards, limits.length)}
        record = replace(record, left_out=len(cards) - len(wanted))
        if not record.is_unsure and record.entries == {uid: card.mark for uid, card in wanted.items()}:
            return True
        return await self._bring(record, wanted, version, limits.items)

    async def _compared(self, record: LocalList, version: str, since: str) -> LocalList:
        """What the station says of its list, on a new connection."""
        told = await self._call(record.station, question(version))
        limits = limits_in(version, told.payload or {})
        answer = await self._call(record.station, Order("GetLocalListVersion", {}))
        name = "listVersion" if version == "1.6" else "versionNumber"
        number = (answer.payload or {}).get(name) if answer.outcome == "result" else None
        cannot = answer.outcome == "error" or (isinstance(number, int) and number < 0)
        state: State = record.state if record.state in ("in step", "behind") else "behind"
        if cannot or not limits.is_on:
            state = "not supported" if cannot else "switched off at the charger"
        is_same = isinstance(number, int) and number == record.version and not record.is_unsure
        above = max(record.version, number if isinstance(number, int) else 0)
        kept = record.version if is_same else above
        fresh = replace(record, version=kept, is_unsure=not is_same, state=state, limits=limits, since=since)
        return await self._save(fresh)

    async def _bring(self, record: LocalList, wanted: dict[str, Listed], version: str, items: int) -> bool:
        """Send what is missing, message by message. False: the station does not take it."""
        is_full = record.is_unsure
        known = {} if is_full else record.entries
        gone = [uid for uid in known if uid not in wanted]
        new = [card for card in wanted.values() if known.get(card.uid) != card.mark]
        entries = [(uid, "", removed(uid, version)) for uid in gone]
        entries += [(card.uid, card.mark, added(card, version)) for card in new]
        parts = [entries[first : first + items] for first in range(0, len(entries), items)] or [[]]
        for number, part in enumerate(parts):
            record = await self._save(replace(record, is_unsure=True, state="behind"))
            fresh = await self._sent(record, part, version, is_full=is_full and number == 0)
            if fresh is None:
                return False
            record = fresh
        await self._save(replace(record, state="in step", why="", at=self._hub.clock.now()))
        return True

    async def _sent(
        self, record: LocalList, part: list[tuple[str, str, Tree]], version: str, *, is_full: bool
    ) -> LocalList | None:
        """One message. Returns: what the station has now; None, when that is not what we want."""
        number = record.version % _MOST_VERSION + 1
        payload = list_payload(version, number, [entry for _, _, entry in part], is_full=is_full)
        called = await self._call(record.station, Order("SendLocalList", payload))
        status = str((called.payload or {}).get("status", called.outcome))
        if called.outcome != "result" or status != "Accepted":
            state: State = "not supported" if status == "NotSupported" else "behind"
            await self._save(replace(record, state=state, why=f"answered {called.code or status}"))
            return None
        entries = {} if is_full else dict(record.entries)
        for uid, mark, _ in part:
            if mark:
                entries[uid] = mark
            else:
                entries.pop(uid, None)
        return await self._save(replace(record, version=number, entries=entries, is_unsure=False))

    async def _call(self, station: str, order: Order) -> Called:
        return await self._stations.call(station, order.action, order.payload, timeout_s=_TIMEOUT_S, force=False)

    async def _save(self, record: LocalList) -> LocalList:
        body = msgspec.json.encode(record)
        await self._hub.store.commit(Unit().put(Put(CARE_LISTS, folded(record.station), body)))
        return record


async def get(hub: Hub, station: str) -> LocalList:
    """What a station has, as far as we know."""
    document = await hub.store.get(CARE_LISTS, folded(station))
    return msgspec.json.decode(document.body, type=LocalList) if document is not None else LocalList(station)
