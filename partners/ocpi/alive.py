"""Is a partner still there? A GET of its versions says so, and does nothing else. OCPI mod_hub_client_info_still_alive.

When it is to be asked, and what follows from the answers, is in `hub/core/pulse.py`.
"""

from __future__ import annotations

from typing import Final

import structlog

from hub.core import trace
from hub.core.errors import PeerFault
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.secrets import Seal
from partners.ocpi.handshake import Handshake
from partners.ocpi.peer import is_answer

log = structlog.get_logger()

_LOOK_EVERY_S: Final = 0.5


class StillAlive:
    """Asks whoever is due, each on its own: one that does not answer keeps nobody else waiting."""

    def __init__(self, hub: Hub, handshake: Handshake, seal: Seal) -> None:
        self._hub = hub
        self._handshake = handshake
        self._seal = seal
        self._asked: set[str] = set()

    async def run(self) -> None:
        """For ever."""
        while True:
            for partner in self._hub.registry.connected():
                if partner.interpreter or partner.name in self._asked:
                    continue
                if self._hub.pulses.is_due(partner.name):
                    self._asked.add(partner.name)
                    self._hub.background.start(self._ask(partner), name=f"still alive {partner.name}")
            await self._hub.clock.sleep(_LOOK_EVERY_S)

    async def _ask(self, partner: Partner) -> None:
        try:
            await self.check(partner)
        finally:
            self._asked.discard(partner.name)

    async def check(self, partner: Partner) -> None:
        """Ask, and take note of what came of it."""
        trace.begin()
        pulses, token = self._hub.pulses, self._seal.open(partner.their_token)
        try:
            await self._handshake.exchange("GET", partner.versions_url, token, partner.token_form)
        except PeerFault as fault:
            if not is_answer(fault):
                pulses.missed(partner.name, fault.message)
                log.info("partner does not answer", partner=partner.name, error=fault.message)
                return
        pulses.answered(partner.name)
