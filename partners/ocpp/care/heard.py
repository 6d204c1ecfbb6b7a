"""What a station says of itself while it is looked after, in whichever version of OCPP it speaks."""

from __future__ import annotations

from typing import Final

from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from partners.ocpp.care import logs, updates

_OF_LOGS: Final = frozenset({"DiagnosticsStatusNotification", "LogStatusNotification"})
_OF_FIRMWARE: Final = frozenset({"FirmwareStatusNotification", "SignedFirmwareStatusNotification"})


async def progress(hub: Hub, station: str, action: str, payload: Tree) -> None:
    """How far an update, or the upload of a log, has come."""
    if action in _OF_LOGS:
        await logs.heard(hub, station, action, payload)
    elif action in _OF_FIRMWARE:
        await updates.heard(hub, station, payload)


async def boot(hub: Hub, station: str, firmware: str) -> None:
    """With which firmware it has booted."""
    await updates.booted(hub, station, firmware)
