"""What a gateway tells the other processes: that it lives, and whose sockets it holds.

One task writes: what changed at once and many together, and every few seconds the lease and whatever is not as it was
told. A row goes only as the one that this process wrote (rule R3): when the charger has meanwhile connected elsewhere,
the row is another gateway's.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final, NamedTuple
from uuid import uuid4

import structlog

from hub.core.errors import Conflict, NotReady
from hub.core.ports import Hub
from hub.core.units import Delete, Document, Unit
from partners.ocpp.apart.held import GATEWAYS, SOCKETS, lease_put, lives, socket_put
from partners.ocpp.live import Link
from partners.ocpp.register import MOST_STATIONS, folded
from partners.ocpp.stations import Stations

log = structlog.get_logger()

BEAT_S: Final = 5.0
_FORGOTTEN_AFTER: Final = timedelta(minutes=10)
_PAUSE_S: Final = 1.0
_TOGETHER: Final = 200


class _Told(NamedTuple):
    """What was written of a socket, and the version of that writing."""

    generation: int
    waits: bool
    version: int


class Announcer:
    """Of one gateway. Its name is new with each start."""

    def __init__(self, hub: Hub, stations: Stations) -> None:
        self._hub, self._stations = hub, stations
        self._told: dict[str, _Told] = {}
        self._changed: set[str] = set()
        self._bell = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.name = ""

    async def start(self, port: int) -> None:
        """Clear what an earlier life of this gateway left, and begin. Raises: NotReady."""
        place = f"{socket.gethostname()}:{port}/"
        self.name = f"{place}{uuid4().hex[:8]}"
        now = self._hub.clock.now()
        for lease in await self._hub.store.select(GATEWAYS, limit=MOST_STATIONS):
            if lease.key.startswith(place) or not lives(lease, now - _FORGOTTEN_AFTER):
                await self._clear(lease.key)
        await self._beat()
        self._task = asyncio.create_task(self._run(), name="sockets' announcer")

    async def stop(self) -> None:
        """Say that nothing is held any more."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        with contextlib.suppress(NotReady, Conflict):
            await self._clear(self.name)

    def changed(self, identity: str) -> None:
        """A socket came or went."""
        self._changed.add(folded(identity))
        self._bell.set()

    async def _run(self) -> None:
        due = self._hub.clock.monotonic() + BEAT_S
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._bell.wait(), max(0.0, due - self._hub.clock.monotonic()))
            self._bell.clear()
            try:
                if self._hub.clock.monotonic() >= due:
                    due = self._hub.clock.monotonic() + BEAT_S
                    await self._beat()
                await self._tell()
            except NotReady as fault:
                log.warning("sockets are not announced", why=fault.message)
                await self._hub.clock.sleep(_PAUSE_S)
            except Exception as error:  # the others must hear of all that comes later
                log.exception("sockets are not announced", error=type(error).__name__)
                await self._hub.clock.sleep(_PAUSE_S)

    async def _beat(self) -> None:
        """Renew the lease, and find what was not told. A lease that is new was cleared by others, and all with it."""
        (version,) = await self._hub.store.commit(Unit().put(lease_put(self.name, self._hub.clock.now())))
        if version == 1:
            self._told.clear()
        links = {folded(live.identity): live.link for live in self._stations if live.link is not None}
        self._changed |= {key for key, link in links.items() if not self._is_told(key, link)}
        self._changed |= self._told.keys() - links.keys()

    def _is_told(self, key: str, link: Link) -> bool:
        told = self._told.get(key)
        return told is not None and (told.generation, told.waits) == (link.generation, link.waits)

    async def _tell(self) -> None:
        changed, self._changed = sorted(self._changed), set()
        try:
            for first in range(0, len(changed), _TOGETHER):
                await self._tell_of(changed[first : first + _TOGETHER])
        except BaseException:
            self._changed.update(changed)
            raise

    async def _tell_of(self, keys: Sequence[str]) -> None:
        links = {key: live.link for key in keys if (live := self._stations.find(key)) is not None and live.link}
        if links:
            written = [(key, link.generation, link.waits) for key, link in links.items()]
            unit = Unit([socket_put(self.name, link) for link in links.values()])
            versions = await self._hub.store.commit(unit)
            for (key, generation, waits), version in zip(written, versions, strict=True):
                self._told[key] = _Told(generation, waits, version)
        for key in keys:
            if key not in links and (told := self._told.get(key)) is not None:
                with contextlib.suppress(Conflict):
                    await self._hub.store.commit(Unit().delete(Delete(SOCKETS, key, told.version)))
                self._told.pop(key, None)

    async def _clear(self, gateway: str) -> None:
        """Forget a gateway and all that it held."""
        while held := await self._hub.store.select(SOCKETS, equal={"owner": gateway}, limit=_TOGETHER):
            await self._forget(held)
        await self._hub.store.commit(Unit().delete(Delete(GATEWAYS, gateway)))

    async def _forget(self, held: Iterable[Document]) -> None:
        for document in held:
            with contextlib.suppress(Conflict):
                await self._hub.store.commit(Unit().delete(Delete(SOCKETS, document.key, document.version)))
