"""Which tariff prices a period (mod_cdrs_chargingperiod_class, mod_tariffs_tariff_object)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.verifier.case import Period, Refused, Tariff
from tests.verifier.clock import instant

Choice = Mapping[int, Tariff | None]
"""By the period's index; None: it names no tariff although others do, so it is free."""


def choose(
    tariffs: Sequence[Tariff], periods: Sequence[Period], case: Mapping[str, Any], policy: Mapping[str, Any]
) -> Choice:
    """A named tariff, whatever the case of its id; where no period names one, the first that was in force
    when the session started and fits its type, until the end."""
    if not any(period.tariff_id for period in periods):
        return dict.fromkeys((period.index for period in periods), in_force(tariffs, case))
    return {period.index: _one(tariffs, period, case, policy) for period in periods}


def _one(
    tariffs: Sequence[Tariff], period: Period, case: Mapping[str, Any], policy: Mapping[str, Any]
) -> Tariff | None:
    if period.tariff_id:
        return _named(tariffs, period.tariff_id)
    return None if policy["period_without_tariff"] == "free" else in_force(tariffs, case)


def in_force(tariffs: Sequence[Tariff], case: Mapping[str, Any]) -> Tariff:
    start, kind = instant(case["start"]), case.get("tariff_type")
    for tariff in tariffs:
        if tariff.holds_at(start) and (kind is None or tariff.type in (None, kind)):
            return tariff
    raise Refused("no tariff is in force at the start of the session")


def _named(tariffs: Sequence[Tariff], name: str) -> Tariff:
    for tariff in tariffs:
        if tariff.id.lower() == name.lower():
            return tariff
    raise Refused(f"a period names a tariff {name} that is not there")
