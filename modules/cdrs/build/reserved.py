"""The reservation before a session, cut where its price changes. OCPI mod_tariffs_reservation_restriction_type_enum.

A reservation has a clock of its own, no energy and nothing measured; so only clocks and calendars can cut it.
"""

from __future__ import annotations

from typing import Any, Final

from modules.cdrs.build.course import PLACES
from modules.cdrs.build.periods import period_tree
from modules.tariffs.pricing import HOUR, Compiled, cut_instants, rounded
from modules.tariffs.pricing.compile import Component, Dimension, Phase
from modules.tariffs.pricing.standing import component_for, standing_at

_NOTHING_MEASURED: Final = (None, None, None, None)


def reserved_periods(
    tariff: Compiled | None, zone: str | None, begin: int, end: int, *, expired: bool
) -> list[dict[str, Any]]:
    """The ChargingPeriods of a reservation from `begin` to `end`. Neighbours that cost the same are one.

    Raises: UnfitSession, if the tariff needs local time and there is no zone.
    """
    starts = [begin]
    if tariff:
        phase = Phase.EXPIRED if expired else Phase.RESERVED
        active = _active(tariff, zone, phase, begin, begin)
        for at in sorted(cut_instants(tariff, zone, begin, end)):
            now = _active(tariff, zone, phase, at, begin)
            if now != active:
                starts.append(at)
                active = now
    edges = [rounded(at - begin, HOUR, PLACES) for at in (*starts, end)]
    name = tariff.id if tariff else None
    return [period_tree(at, {"RESERVATION_TIME": edges[n + 1] - edges[n]}, name) for n, at in enumerate(starts)]


def _active(
    tariff: Compiled, zone: str | None, phase: Phase, at: int, begin: int
) -> tuple[Component | None, Component | None]:
    standing = standing_at(tariff, zone, at, energy=0, elapsed=at - begin, measures=_NOTHING_MEASURED)
    return (
        component_for(tariff.phases[phase], Dimension.TIME, standing),
        component_for(tariff.phases[phase], Dimension.FLAT, standing),
    )
