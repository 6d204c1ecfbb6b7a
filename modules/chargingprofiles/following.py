"""What a party that set a profile is shown of its charge: an ActiveChargingProfile, as the charger goes by it."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from hub.core.inbound import encode
from hub.core.ports import Hub, Limits
from modules.chargingprofiles import plan
from modules.chargingprofiles import store as profiles
from modules.chargingprofiles.at_charger import SHOWN_S, limits_at
from modules.chargingprofiles.keeping import change
from modules.sessions.charge import Charge


async def look(hub: Hub, charge: Charge, known: Limits | None = None) -> None:
    """The limits are others now: who follows them hears what they are. `known`, if the charger was just asked."""
    limits = known or await limits_at(hub, charge, SHOWN_S)
    if isinstance(limits, Limits):
        await _show(hub, charge, limits)


async def tell(hub: Hub, charge: Charge, limits: Limits) -> None:
    """Who follows them hears these limits, if they are others just now than it was told."""
    document = await profiles.find(hub.store, charge.session_id)
    known = profiles.active_in(document) if document is not None else None
    if known is None or plan.now(plan.active(limits, charge)) != plan.now(known):
        await _show(hub, charge, limits)


async def lost(hub: Hub, charge: Charge) -> None:
    """A charger that is there did not take again what it may have lost. What it will not show limits nothing."""
    limits = await limits_at(hub, charge, SHOWN_S)
    if not isinstance(limits, Limits):
        if not await hub.chargers.reachable(charge.station):
            return
        (unit, *_) = (await hub.chargers.limit_rules(charge.station)).units
        limits = Limits(unit, (), hub.clock.now(), SHOWN_S)
    await tell(hub, charge, limits)


async def _show(hub: Hub, charge: Charge, limits: Limits) -> None:
    active = msgspec.Raw(encode(plan.active(limits, charge)))
    await change(hub, charge.session_id, lambda kept: replace(kept, active=active))
