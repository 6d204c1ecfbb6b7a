"""What a hub allows in a way that nobody can use: a finding, until it allows a charge that can be told of.

A yes whose SessionID is none, or that of another charge, begins nothing: the charge could never be told of, nor billed.
The hub did answer, so it is no silence either, for which an operator's own rule might let the driver charge all the
same.
"""

from __future__ import annotations

from typing import Final

import structlog

from hub.core.ports import Hub
from hub.core.units import Unit
from partners.oicp.findings import finding

log = structlog.get_logger()

_WHAT: Final = "AuthorizeStart SessionID"


class Unusable(Exception):
    """No charge can be known by what was answered."""


async def note_unusable(hub: Hub, partner: str, why: str) -> None:
    """Keep it for its operator to read."""
    log.warning("authorization not usable", partner=partner, why=why)
    await hub.store.commit(Unit([finding(_key(partner), partner, {_WHAT: why})]))


async def note_usable(hub: Hub, partner: str) -> None:
    """What was found is mended."""
    write = finding(_key(partner), partner, {})
    if await hub.store.get(write.kind, write.key) is not None:
        await hub.store.commit(Unit([write]))


def _key(partner: str) -> str:
    return f"authorize/{partner}"
