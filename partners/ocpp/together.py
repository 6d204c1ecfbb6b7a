"""Writes of one turn of the loop, as one unit: what fifty chargers say at once costs one commit, and no task."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from hub.core.errors import NotReady
from hub.core.store import Store
from hub.core.units import Delete, Put, Unit

Done = Callable[[BaseException | None], None]
"""Told once, when what was kept is on disk, or why it never will be."""


class Together:
    """What comes within one turn of the loop, from whatever chargers, is written as one unit."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._puts: list[Put | Delete] = []
        self._dones: list[Done] = []

    def keep(self, put: Put, done: Done) -> None:
        """Write it with the others."""
        if not self._puts:
            asyncio.get_running_loop().call_soon(self._write)
        self._puts.append(put)
        self._dones.append(done)

    def _write(self) -> None:
        puts, self._puts = self._puts, []
        dones, self._dones = self._dones, []
        try:
            kept = self._store.submit(Unit(puts))
        except Exception as error:  # every one of them must hear of it
            _tell(dones, error)
        else:
            kept.add_done_callback(lambda kept: _tell(dones, NotReady() if kept.cancelled() else kept.exception()))


def _tell(dones: Sequence[Done], error: BaseException | None) -> None:
    for done in dones:
        done(error)
