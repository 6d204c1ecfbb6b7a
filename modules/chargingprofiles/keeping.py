"""What is known of a session's profiles becomes something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hub.core import trace
from hub.core.errors import Conflict
from hub.core.ports import Hub
from hub.core.units import Document, Unit
from modules.chargingprofiles import store as profiles
from modules.chargingprofiles.store import Profile

ATTEMPTS: Final = 8

Into = Callable[[Profile], Profile]
"""What becomes of it; the same, where nothing does."""


async def change(hub: Hub, session_id: str, into: Into) -> Profile | None:
    """Note what became another. Returns: what is known now; None, where nothing was asked for this session."""
    for _ in range(ATTEMPTS):
        document = await profiles.find(hub.store, session_id)
        if document is None:
            return None
        known = profiles.profile_in(document)
        kept = into(known)
        if kept is known:
            return known
        try:
            await hub.store.commit(unit_of(hub, document, known, kept))
        except Conflict:
            continue
        return kept
    return None


def unit_of(hub: Hub, document: Document, known: Profile, kept: Profile) -> Unit:
    """The write; who follows the limits of the session is told of another ActiveChargingProfile."""
    now = hub.clock.now()
    unit = Unit().put(profiles.put_of(document.key, kept, now=now, expect=document.version))
    if kept.active is not known.active and kept.is_followed:
        unit.tells(profiles.change_of(document.key, hub.settings.party, kept.party, trace.correlation()))
    return unit
