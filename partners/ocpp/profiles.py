"""Limits of a charge in the words of OCPP: a TxProfile, and a composite schedule (1.6: 3.13, 5.7, 5.16; 2.x: block K).

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
ANY: Final = LimitRules(("A", "W"))
"""What a charger takes that told nothing."""
_UNITS: Final = {"current": "A", "power": "W", "a": "A", "w": "W"}
"""As 1.6 (9.4) and 2.x spell them, folded."""
_RULES_2: Final = ("SmartChargingCtrlr.RateUnit", "SmartChargingCtrlr.PeriodsPerSchedule")
_RULE_KEYS: Final[Mapping[str, tuple[str, str]]] = {
    "1.6": ("ChargingScheduleAllowedChargingRateUnit", "ChargingScheduleMaxPeriods"),
    "2.0.1": _RULES_2,
    "2.1": _RULES_2,
}
"""Where a charger says which units it takes, and how many periods."""


def rules_of(configuration: Mapping[str, str], version: str = "1.6") -> LimitRules:
    """By the two keys, or variables, that say so."""
    unit_key, most_key = _RULE_KEYS[version]
    told = configuration.get(unit_key, "").casefold().split(",")
    units = tuple(dict.fromkeys(_UNITS[word.strip()] for word in told if word.strip() in _UNITS))
    most = configuration.get(most_key, "")
    return LimitRules(units or ANY.units, int(most) if most.isascii() and most.isdigit() and len(most) < 10 else None)


def tx_profile(connector: int, transaction: Any, number: int, limits: Limits) -> Tree:
    """The payload of SetChargingProfile."""
    profile = {
        "chargingProfileId": number,
        "transactionId": transaction,
        "stackLevel": _LEVEL,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": _kind_of(limits),
        "chargingSchedule": _schedule_of(limits),
    }
    return {"connectorId": connector, "csChargingProfiles": profile}


def tx_profile_2(evse: int, transaction: str, number: int, limits: Limits) -> Tree:
    """The payload of SetChargingProfile in 2.x: one schedule, which has the number of its profile."""
    profile = {
        "id": number,
        "stackLevel": _LEVEL,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": _kind_of(limits),
        "chargingSchedule": [{"id": number, **_schedule_of(limits)}],
        "transactionId": transaction,
    }
    return {"evseId": evse, "chargingProfile": profile}


def _kind_of(limits: Limits) -> str:
    return "Relative" if limits.start is None else "Absolute"


def _schedule_of(limits: Limits) -> Tree:
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
    return schedule


def limits_in(answer: Tree, *, unit: str, now: datetime, duration_s: int) -> Limits:
    """What an accepted GetCompositeSchedule says, in any version; a limit below zero, or left out (2.1), is none.

    Of a schedule that is shorter than was asked for, nothing is known beyond its end.
    """
    schedule = answer.get("chargingSchedule", answer.get("schedule"))
    if not isinstance(schedule, dict):
        return Limits(unit, (), now, duration_s)
    told_starts = (answer.get("scheduleStart"), schedule.get("startSchedule"), schedule.get("scheduleStart"))
    start = next((moment for text in told_starts if (moment := _moment(text)) is not None), now)
    told = schedule.get("chargingSchedulePeriod")
    rows = [_period(row) for row in told] if isinstance(told, list) else []
    periods = tuple(row for row in rows if row is not None)
    if len(periods) != len(rows) or any(limit < 0 for _, limit in periods):
        periods = ()
    told_unit, told_s = schedule.get("chargingRateUnit"), schedule.get("duration")
    if type(told_s) is int and told_s > 0:
        duration_s = min(duration_s, told_s)
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
