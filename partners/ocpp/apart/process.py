"""One process of several: it may ask the others, and where chargers connect to it, the others may ask it."""

from __future__ import annotations

from hub.core.ports import Hub
from hub.core.secrets import Seal
from partners.ocpp.apart.announcer import Announcer
from partners.ocpp.apart.errands import Errands
from partners.ocpp.apart.runner import Runner
from partners.ocpp.gateway import Gateway


class Apart:
    """`errands` is for asking, from the beginning; `start` lets others ask."""

    def __init__(self, hub: Hub, seal: Seal, gateway: Gateway) -> None:
        self.errands = Errands(hub, seal)
        self._gateway = gateway
        self._announcer = Announcer(hub, gateway.stations)
        self._runner = Runner(hub, seal, gateway.stations)

    async def start(self) -> None:
        """The gateway has its port. Raises: NotReady."""
        await self._announcer.start(self._gateway.port)
        self._runner.start(self._announcer.name)
        self._gateway.socket_changed = self._announcer.changed

    async def stop(self) -> None:
        """The gateway has closed its sockets."""
        await self._runner.stop()
        await self._announcer.stop()
