"""A partner's profile at its charger: set, looked at, and taken back where it has no effect.

A sender that reads REJECTED may rely on it: the profile that was in force before is in force again, or none is; also
where the charger did not answer in time, and may have taken it, and where the charge was over by its yes. Where it
cannot be taken back now, it is once the charger is there again (`owed.py`); the sender is told no more than it can be
told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from msgspec.structs import replace

from hub.core.jsontypes import Tree
from hub.core.ports import Hub, Limits, ProfileOutcome
from hub.core.units import Document
from modules.chargingprofiles import owed
from modules.chargingprofiles import store as profiles
from modules.chargingprofiles.effect import first_restraint, is_denied
from modules.chargingprofiles.keeping import Into
from modules.sessions.charge import Charge, load

log = structlog.get_logger()

SHOWN_S: Final = 3600
"""How far ahead a party is shown what its session will get (5 to 60 min, REQ-210)."""
LONGEST_S: Final = 86_400

_BEYOND_S: Final = 60
"""So much of a profile that begins late is looked at."""
_SETTLES_S: Final = 2.0
"""A charger that shows no effect of what it accepted is looked at once more, so much later."""


def _same(known: profiles.Profile) -> profiles.Profile:
    return known


@dataclass(frozen=True, slots=True)
class Done:
    """What a charger did: the result, and what it goes by now, where it was asked for that.

    `is_taken_back`: it had or may have accepted a profile, and was told to go by what was before. `into`: what is known
    of the session's profiles with this result.
    """

    result: Tree
    shown: Limits | None = None
    is_taken_back: bool = False
    into: Into = _same


async def apply(hub: Hub, charge: Charge, wanted: Limits, asked: Document) -> Done:
    """Set a profile. `asked`: what was known of the session's profiles when it was asked for."""
    before = profiles.profile_in(asked)
    outcome = await hub.chargers.limit(
        charge.station,
        transaction=charge.session_id,
        number=asked.seq,
        limits=wanted,
        timeout_s=hub.settings.command_timeout_s,
    )
    if outcome is None:
        await owed.take_back(hub, charge, before.owed, in_doubt=True)
        return Done({"result": ProfileOutcome.REJECTED}, is_taken_back=True)
    if outcome is not ProfileOutcome.ACCEPTED:
        return await _refused(hub, charge, before, outcome)
    try:
        done = await _checked(hub, charge, wanted)
    except Exception:  # its sender is told REJECTED
        await owed.take_back(hub, charge, before.owed)
        raise
    if done.is_taken_back:
        await owed.take_back(hub, charge, before.owed)
        return done
    if not await _goes_on(hub, charge):  # its profiles have ended with it
        log.info("charging profile accepted after its charge", station=charge.station, session=charge.session_id)
        return Done({"result": ProfileOutcome.REJECTED}, into=lambda kept: owed.done(kept, before.owed))
    told = owed.as_kept(wanted)
    return Done(
        done.result,
        done.shown,
        into=lambda kept: replace(owed.done(kept, before.owed), limits=told, is_followed=True),
    )


async def _goes_on(hub: Hub, charge: Charge) -> bool:
    known = await load(hub.store, charge.session_id)
    return known is not None and known.is_open


async def withdraw(hub: Hub, charge: Charge, asked: Document) -> Done:
    """Clear the profile. REJECTED: that which was set stays in force."""
    before = profiles.profile_in(asked)
    outcome = await hub.chargers.unlimit(charge.station, number=asked.seq, timeout_s=hub.settings.command_timeout_s)
    if outcome is not ProfileOutcome.REJECTED:
        nothing = owed.as_kept(None)
        return Done({"result": outcome}, into=lambda kept: replace(owed.done(kept, before.owed), limits=nothing))
    is_told = before.owed is not None and await owed.take_back(hub, charge, before.owed)
    return Done({"result": outcome}, is_taken_back=is_told)


async def _refused(hub: Hub, charge: Charge, before: profiles.Profile, outcome: ProfileOutcome) -> Done:
    """Nothing came of it at the charger, which may still go by what was asked before."""
    if before.in_doubt:
        await owed.take_back(hub, charge, before.owed)
    return Done({"result": outcome}, into=lambda kept: owed.done(kept, before.owed))


async def limits_at(
    hub: Hub, charge: Charge, duration_s: int, *, unit: str = "", timeout_s: float | None = None
) -> Limits | ProfileOutcome:
    """What the charger goes by, in `unit` or one of its choice, told within the time of a command or `timeout_s`."""
    rules = await hub.chargers.limit_rules(charge.station)
    return await hub.chargers.limits(
        charge.station,
        transaction=charge.session_id,
        duration_s=duration_s,
        unit=unit or rules.units[0],
        timeout_s=timeout_s or hub.settings.command_timeout_s,
    )


async def _checked(hub: Hub, charge: Charge, wanted: Limits) -> Done:
    """What became of a profile that the charger accepted. One that will not show its schedule is taken at its word."""
    span_s = _span_s(wanted, charge, hub.clock.now())

    async def look() -> Limits | ProfileOutcome:
        return await limits_at(hub, charge, span_s, unit=wanted.unit, timeout_s=owed.brief_s(hub))

    def denies(shown: Limits) -> bool:
        return is_denied(wanted, shown, charge, began=charge.start, now=hub.clock.now())

    shown = await look()
    if isinstance(shown, Limits) and denies(shown):
        await hub.clock.sleep(_SETTLES_S)
        shown = await look()
    if not isinstance(shown, Limits):
        return Done({"result": ProfileOutcome.ACCEPTED})
    if denies(shown):
        log.warning("charging profile accepted without effect", station=charge.station, session=charge.session_id)
        return Done({"result": ProfileOutcome.REJECTED}, is_taken_back=True)
    return Done({"result": ProfileOutcome.ACCEPTED}, shown if span_s == SHOWN_S else None)


def _span_s(wanted: Limits, charge: Charge, now: datetime) -> int:
    """How much of the charger's schedule tells whether it goes by a profile: past its first limit."""
    first = first_restraint(wanted, charge, began=charge.start, now=now)
    ahead_s = 0 if first is None else int((first - now).total_seconds()) + _BEYOND_S
    return max(SHOWN_S, min(ahead_s, LONGEST_S))
