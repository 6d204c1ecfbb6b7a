"""What a charger is owed: to be told again what is in force, where it may go by something else.

    asked      owed from when the answer must be there; on disk with the wish, so that no stop of ours loses it
    ACCEPTED   what was asked is in force, and nothing is owed
    REJECTED   nothing is owed, where the charger refused what nobody else had asked before
    silence, a lost socket, no effect: it is told at once (`take_back`). Where that fails it is owed, and told once the
               charger is there again (`service.settle`)
    a boot     in the middle of the charge, or a profile that was cleared late: what is in force is owed, as the charger
               may have lost it (`lost`)

`owed` is also a lease: who tells the charger moves it ahead, so that nobody else does meanwhile, and takes it away only
where it is still its own. A newer wish has its own, which stands for those before. With the charge all of it ends, as
its profiles do.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec
import structlog
from msgspec.structs import replace

from hub.core.ports import Hub, Limits, ProfileOutcome
from modules.chargingprofiles import store as profiles
from modules.chargingprofiles.keeping import change
from modules.chargingprofiles.store import Profile
from modules.commands.results import announced_s
from modules.sessions.charge import Charge

log = structlog.get_logger()

_MARGIN_S: Final = 5
"""A wish is at its end so long after the announced time, at the latest."""
_STEPS: Final = 4
"""A look that a result waits for, and taking back, have so small a part of the time of a command: the result is due
soon."""


def brief_s(hub: Hub) -> float:
    """The time of a charger to answer what a result waits for."""
    return hub.settings.command_timeout_s / _STEPS


def asked(hub: Hub, known: Profile, what: str, now: datetime) -> Profile:
    """A wish is about to go to the charger: `set`, `clear`, or `active`, which changes nothing there."""
    was_owed = known.owed is not None
    if what == "active" or (what == "clear" and not was_owed and limits_in(known) is None):
        return known
    due = now + timedelta(seconds=announced_s(hub) + _MARGIN_S)
    return replace(known, owed=due, in_doubt=known.in_doubt or was_owed)


def done(known: Profile, own: datetime | None) -> Profile:
    """The charger goes by what is noted: nothing is owed, but to a newer wish than that which has `own`."""
    return replace(known, owed=None, in_doubt=False) if known.owed == own else known


async def call_in(hub: Hub, session_id: str) -> None:
    """What came of a wish will never be known: what is owed for it is due."""
    now = hub.clock.now()
    await change(hub, session_id, lambda kept: kept if kept.owed is None else replace(kept, owed=now))


async def lost(hub: Hub, charge: Charge) -> bool:
    """The charger may go by a profile no more that it took. Returns: is it owed now? No, where somebody is at it."""
    now = hub.clock.now()

    def owing(kept: Profile) -> Profile:
        limits = limits_in(kept)
        is_owed = kept.owed is None and limits is not None and not _is_over(limits, charge, now)
        return replace(kept, owed=now) if is_owed else kept

    kept = await change(hub, charge.session_id, owing)
    return kept is not None and kept.owed == now


async def is_due(hub: Hub, session_id: str) -> bool:
    """Is something owed that nobody is at?"""
    document = await profiles.find(hub.store, session_id)
    due = profiles.profile_in(document).owed if document is not None else None
    return due is not None and due <= hub.clock.now()


async def heard_late(hub: Hub, session_id: str) -> bool:
    """The charger took a profile after its time. Returns: is it owed something now? Once for each silence."""
    now = hub.clock.now()
    kept = await change(
        hub, session_id, lambda kept: replace(kept, owed=now, in_doubt=False) if kept.in_doubt else kept
    )
    return kept is not None and kept.owed == now


async def take_back(hub: Hub, charge: Charge, own: datetime | None, *, in_doubt: bool = False) -> bool:
    """What was before is in force again, unless somebody has asked for something else since `own` was owed.

    `in_doubt`: the charger may still take what is taken back here. Returns: is it done?
    """
    lease = hub.clock.now() + timedelta(seconds=2 * brief_s(hub))
    is_ours = False

    def leased(kept: Profile) -> Profile:
        nonlocal is_ours
        is_ours = kept.owed == own
        return replace(kept, owed=lease, in_doubt=kept.in_doubt or in_doubt) if is_ours else kept

    known = await change(hub, charge.session_id, leased) if own is not None else None
    if known is None or not is_ours:
        return False
    is_done = await _told(hub, charge, known)
    owed = None if is_done else hub.clock.now()
    await change(hub, charge.session_id, lambda kept: replace(kept, owed=owed) if kept.owed == lease else kept)
    return is_done


async def _told(hub: Hub, charge: Charge, known: Profile) -> bool:
    document, limits = await profiles.find(hub.store, charge.session_id), limits_in(known)
    if document is None:
        return False
    if limits is not None and _is_over(limits, charge, hub.clock.now()):
        limits = None
    outcome = await hub.chargers.restore(
        charge.station,
        transaction=charge.session_id,
        number=document.seq,
        limits=limits,
        timeout_s=brief_s(hub),
    )
    is_done = outcome not in (None, ProfileOutcome.REJECTED)
    if not is_done:
        log.warning("rejected profile not taken back", station=charge.station, session=charge.session_id)
    return is_done


def limits_in(known: Profile) -> Limits | None:
    """What is in force by the word of its party."""
    return msgspec.json.decode(known.limits, type=Limits | None)


def as_kept(limits: Limits | None) -> msgspec.Raw:
    """The same, as it is noted."""
    return msgspec.Raw(msgspec.json.encode(limits))


def _is_over(limits: Limits, charge: Charge, now: datetime) -> bool:
    start = limits.start or charge.start
    return limits.duration_s is not None and start + timedelta(seconds=limits.duration_s) <= now
