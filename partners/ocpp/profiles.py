"""Limits of a charge in the words of OCPP 1.6 (sections 3.13, 5.7, 5.16): a TxProfile, and a composite schedule.

A partner's limits are TxProfiles on one stack level, under a number of ours; limits of our own have other purposes, and
the charger takes the least. What chargers answer is read leniently (rule R30): without a schedule nothing limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from hub.core.clock import timestamp
from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from hub.core.ports import LimitRules, Limits
from hub.core.types import parse_datetime

_LEVEL: Final = 0
_UNITS: Final = {"current": "A", "power": "W"}
"""As the configuration key spells them (9.4)."""


def rules_of(configuration: Mapping[str, str]) -> LimitRules:
    """ChargingScheduleAllowedChargingRateUnit and ChargingScheduleMaxPeriods."""
    told = configuration.get("ChargingScheduleAllowedChargingRateUnit", "").casefold().split(",")
    units = tuple(dict.fromkeys(_UNITS[word.strip()] for word in told if word.strip() in _UNITS))
    most = configuration.get("ChargingScheduleMaxPeriods", "")
    return LimitRules(units or ("A", "W"), int(most) if most.isascii() and most.isdigit() and len(most) < 10 else None)


def tx_profile(connector: int, transaction: Any, number: int, limits: Limits) -> Tree:
    """The payload of SetChargingProfile."""
    schedule: Tree = {
        "chargingRateUnit": limits.unit,
        "chargingSchedulePeriod": [{"startPeriod": start, "limit": limit} for start, limit in limits.periods],
    }
    if limits.start is not None:
        schedule["startSchedule"] = timestamp(limits.start)
    if limits.duration_s is not None:
        schedule["duration"] = limits.duration_s
    if limits.least is not None:
        schedule["minChargingRate"] = limits.least
    profile = {
        "chargingProfileId": number,
        "transactionId": transaction,
        "stackLevel": _LEVEL,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative" if limits.start is None else "Absolute",
        "chargingSchedule": schedule,
    }
    return {"connectorId": connector, "csChargingProfiles": profile}


def limits_in(answer: Tree, *, unit: str, now: datetime, duration_s: int) -> Limits:
    """What an accepted GetCompositeSchedule says; a negative limit is none."""
    schedule = answer.get("chargingSchedule")
    if not isinstance(schedule, dict):
        return Limits(unit, (), now, duration_s)
    start = _moment(answer.get("scheduleStart")) or _moment(schedule.get("startSchedule")) or now
    told = schedule.get("chargingSchedulePeriod")
    rows = [_period(row) for row in told] if isinstance(told, list) else []
    periods = tuple(row for row in rows if row is not None)
    if len(periods) != len(rows) or any(limit < 0 for _, limit in periods):
        periods = ()
    told_unit = schedule.get("chargingRateUnit")
    return Limits(told_unit if told_unit in ("A", "W") else unit, periods, start, duration_s)


def _period(row: Any) -> tuple[int, Decimal] | None:
    try:
        return int(row["startPeriod"]), Decimal(str(row["limit"]))
    except (KeyError, TypeError, ValueError, InvalidOperation):
        return None


def _moment(text: Any) -> datetime | None:
    try:
        return parse_datetime(text) if isinstance(text, str) else None
    except (InvalidRequest, ValueError):
        return None
