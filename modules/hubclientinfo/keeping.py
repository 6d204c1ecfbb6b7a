"""Keeps the client infos true: how everybody stands, and who may see it.

Both are worked out anew when a partner, a pulse, a hub's word or an agreement changes.

What happens together is looked at together. One process does this, the one that has the lanes; the others read what
it wrote.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

import structlog

from hub.core.agreements import AGREED, Agreement
from hub.core.behind import TOLD
from hub.core.errors import Conflict, NotReady
from hub.core.ports import Hub
from hub.core.registry import Claim, State
from hub.core.units import ChangeRow
from modules.hubclientinfo import service
from modules.hubclientinfo.roster import standings
from modules.hubclientinfo.store import Standing

log = structlog.get_logger()

_RINGS: Final = frozenset({TOLD, AGREED})
_AGAIN_S: Final = 1.0
_TOGETHER_S: Final = 0.1


class _Basis(NamedTuple):
    """All that decides how everybody stands, and who sees whom."""

    found: dict[str, Standing]
    partners: tuple[tuple[str, State, str | None, str, tuple[Claim, ...], tuple[Claim, ...]], ...]
    agreements: tuple[Agreement, ...]


def _basis_of(hub: Hub) -> _Basis:
    partners = tuple((p.name, p.state, p.version, p.represents, p.claims, p.invited) for p in hub.registry.all())
    return _Basis(standings(hub), partners, tuple(hub.agreements.all()))


class Keeping:
    """Runs `service.keep` when there is a reason to."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._bell = asyncio.Event()
        self._kept: _Basis | None = None

    def ring(self) -> None:
        """Something may have changed."""
        self._bell.set()

    def _committed(self, rows: Sequence[ChangeRow]) -> None:
        if any(row.change.module in _RINGS for row in rows):
            self.ring()

    async def begin(self) -> None:
        """Know how it stood before, and write down how it stands now: before a lane runs, or a partner registers."""
        hub = self._hub
        await service.recall(hub)
        hub.pulses.changed = self.ring
        hub.registry.on_change(self._partners_changed)
        hub.store.on_commit(self._committed)
        await self._keep()

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._bell.wait()
            await self._hub.clock.sleep(_TOGETHER_S)
            self._bell.clear()
            await self._keep()

    def _partners_changed(self) -> None:
        """The pulse of a partner that is not connected means nothing, and so when it comes back."""
        for partner in self._hub.registry.all():
            if partner.state is not State.CONNECTED:
                self._hub.pulses.forget(partner.name)
        self.ring()

    async def _keep(self) -> None:
        """What partners change of themselves is mostly another matter: then nothing is read or written."""
        try:
            await self._hub.behind.refresh()
            await self._hub.agreements.refresh()
            basis = _basis_of(self._hub)
            if basis != self._kept:
                await service.keep(self._hub, basis.found)
                self._kept = basis
        except (NotReady, Conflict) as fault:
            log.warning("client infos wait for the store", why=fault.message)
            await self._hub.clock.sleep(_AGAIN_S)
            self.ring()
        except Exception as error:  # one odd partner must not end this for all others
            log.exception("client infos were not kept", error=type(error).__name__)
