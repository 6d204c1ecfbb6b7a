"""What a partner or a driver wishes for a charge, as facts: OCPI ChargingProfiles and ChargingPreferences.

A wish only ever lowers: what a profile allows is the most that its charge gets, under every limit of the site. Above
the last period, before the first, and after its duration a profile says nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from hub.core.errors import InvalidRequest
from hub.core.ports import Limits
from partners.ocpp.energy.facts import Charge
from partners.ocpp.energy.timeline import Steps
from partners.ocpp.energy.units import ma_of_watts, milli

_WH_PER_KWH = 1000


def wish_of(limits: Limits, *, begun: datetime, mv: int) -> Steps[int | None]:
    """What `limits` allow over time, mA on each phase.

    begun: when the charge began, from which a profile without a start counts. mv: the voltages of the charge's phases
    together. Raises: InvalidRequest, where the periods are not in order or no limit is one.
    """
    if limits.unit not in ("A", "W") or any(limit < 0 for _, limit in limits.periods):
        raise InvalidRequest("a charging profile limits in A or W, and to no less than nothing")
    start = limits.start or begun
    changes: list[tuple[datetime, int | None]] = [
        (start + timedelta(seconds=after_s), milli(limit) if limits.unit == "A" else ma_of_watts(limit, mv))
        for after_s, limit in limits.periods
    ]
    if limits.duration_s is None:
        return Steps(None, tuple(changes))
    end = start + timedelta(seconds=limits.duration_s)
    return Steps(None, (*(each for each in changes if each[0] < end), (end, None)))


def with_preference(charge: Charge, *, departure: datetime | None, energy_kwh: Decimal | None) -> Charge:
    """`charge` with what its driver prefers, as far as it was said. CHEAP and GREEN need prices, which are not here."""
    wanted = charge.wanted_wh if energy_kwh is None else int(energy_kwh * _WH_PER_KWH)
    return replace(charge, departure=departure or charge.departure, wanted_wh=wanted)
