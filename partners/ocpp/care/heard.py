"""What a station says of itself while it is looked after, in whichever version of OCPP it speaks."""

from __future__ import annotations

from typing import Final

from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from partners.ocpp.care import logs

_OF_LOGS: Final = frozenset({"DiagnosticsStatusNotification", "LogStatusNotification"})


async def progress(hub: Hub, station: str, action: str, payload: Tree) -> None:
    """How far an update, or the upload of a log, has come."""
    if action in _OF_LOGS:
        await logs.heard(hub, station, action, payload)
