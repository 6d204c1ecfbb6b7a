"""From a partner's charging profile to the limits that a charger takes, and back to what a partner is shown.

Where a charger takes the other unit alone, limits are converted by voltage and phases of the connector (W = V * A *
phases). More periods than it takes are refused, never cut. What nothing limits is shown as the most that the connector
gives: an ActiveChargingProfile says what may be charged, an empty one would say nothing (REQ-210).
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import Final

from hub.core.jsontypes import Tree
from hub.core.ports import LimitRules, Limits
from hub.core.types import moment_text
from modules.chargingprofiles.model import ChargingProfile
from modules.locations.service import connector_in, evse_in
from modules.sessions.charge import Charge

_TENTH: Final = Decimal("0.1")
_PHASES: Final = {"AC_3_PHASE": 3, "AC_2_PHASE": 2, "AC_2_PHASE_SPLIT": 2}


def limits_of(profile: ChargingProfile, charge: Charge, rules: LimitRules) -> Limits | None:
    """What the charger is to be told; None, where it cannot take this profile."""
    rows = profile.charging_profile_period
    starts = [row.start_period for row in rows]
    if not rows or starts[0] != 0 or starts != sorted(set(starts)) or any(row.limit < 0 for row in rows):
        return None
    if rules.most_periods is not None and len(rows) > rules.most_periods:
        return None
    unit = profile.charging_rate_unit
    factor = Decimal(1) if unit in rules.units else _factor(charge, unit)
    least = profile.min_charging_rate
    return Limits(
        unit if unit in rules.units else rules.units[0],
        tuple((row.start_period, _tenths(row.limit * factor)) for row in rows),
        profile.start_date_time,
        profile.duration,
        None if least is None else _tenths(least * factor),
    )


def active(limits: Limits, charge: Charge) -> Tree:
    """An ActiveChargingProfile in our form."""
    assert limits.start is not None  # noqa: S101 - what a charger will do has a begin
    periods = limits.periods or ((0, most(charge, limits.unit)),)
    shown: Tree = {
        "charging_rate_unit": limits.unit,
        "charging_profile_period": [{"start_period": start, "limit": _tenths(limit)} for start, limit in periods],
    }
    if limits.duration_s is not None:
        shown["duration"] = limits.duration_s
    start = moment_text(limits.start)
    return {"start_date_time": start, "charging_profile": {"start_date_time": start, **shown}}


def now(active: Tree) -> tuple[str, Decimal]:
    """Unit and limit at the begin of an ActiveChargingProfile in our form."""
    profile = active["charging_profile"]
    return profile["charging_rate_unit"], Decimal(str(profile["charging_profile_period"][0]["limit"]))


def most(charge: Charge, unit: str) -> Decimal:
    """The most that the connector gives."""
    connector = _connector(charge)
    if unit == "A":
        return Decimal(connector["max_amperage"])
    told = connector.get("max_electric_power")
    return Decimal(told) if told else Decimal(connector["max_amperage"]) * _watts_per_ampere(connector)


def of_amperes(charge: Charge, amperes: Decimal, unit: str) -> Decimal:
    """So many amperes a phase, in `unit`."""
    return amperes if unit == "A" else amperes * _watts_per_ampere(_connector(charge))


def _factor(charge: Charge, unit: str) -> Decimal:
    watts = _watts_per_ampere(_connector(charge))
    return watts if unit == "A" else 1 / watts


def _watts_per_ampere(connector: Tree) -> Decimal:
    return Decimal(connector["max_voltage"]) * _PHASES.get(connector["power_type"], 1)


def _connector(charge: Charge) -> Tree:
    return connector_in(evse_in(charge.tree_of_location(), charge.evse_uid), charge.connector_id)


def _tenths(value: Decimal) -> Decimal:
    """One decimal (REQ-211); never more than was allowed."""
    return value.quantize(_TENTH, ROUND_FLOOR)
