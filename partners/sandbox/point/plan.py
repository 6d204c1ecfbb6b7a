"""Charging profiles: which limit holds when. OCPP 1.6 section 3.13."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

_VOLTS = 230
_DAY_S = {"Daily": 86_400, "Weekly": 604_800}
_PURPOSES = ("TxProfile", "TxDefaultProfile", "ChargePointMaxProfile")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


class Plan:
    """The profiles installed at a charge point, by id."""

    def __init__(self) -> None:
        self._installed: dict[int, tuple[int, dict[str, Any], datetime]] = {}

    def install(self, connector: int, profile: dict[str, Any], at: datetime) -> None:
        """Add, replacing the profile of the same id, or of the same level and purpose at the connector."""
        level = (connector, profile["stackLevel"], profile["chargingProfilePurpose"])
        self._installed = {
            identity: row
            for identity, row in self._installed.items()
            if (row[0], row[1]["stackLevel"], row[1]["chargingProfilePurpose"]) != level
        }
        self._installed[profile["chargingProfileId"]] = (connector, profile, at)

    def clear(self, criteria: dict[str, Any]) -> bool:
        """Remove what fits all criteria of a ClearChargingProfile. False when nothing did."""
        fitting = [identity for identity, row in self._installed.items() if _fits(identity, row, criteria)]
        for identity in fitting:
            del self._installed[identity]
        return bool(fitting)

    def end_of_transaction(self, connector: int) -> None:
        """TxProfiles live as long as the transaction."""
        self._installed = {
            identity: row
            for identity, row in self._installed.items()
            if row[0] != connector or row[1]["chargingProfilePurpose"] != "TxProfile"
        }

    def limit_w(self, connector: int, at: datetime, *, transaction_from: datetime | None) -> float | None:
        """The power that may flow, over all phases; None when nothing limits it.

        The highest stack level wins within a purpose; a TxProfile stands in for the default; the charge point's
        own maximum caps both.
        """
        limits = {purpose: self._limit(purpose, connector, at, transaction_from) for purpose in _PURPOSES}
        own = limits["TxProfile"] if limits["TxProfile"] is not None else limits["TxDefaultProfile"]
        bounds = [limit for limit in (own, limits["ChargePointMaxProfile"]) if limit is not None]
        return min(bounds, default=None)

    def _limit(self, purpose: str, connector: int, at: datetime, begun: datetime | None) -> float | None:
        rows = [
            row
            for row in self._installed.values()
            if row[0] in (0, connector) and row[1]["chargingProfilePurpose"] == purpose
        ]
        for _, profile, installed in sorted(rows, key=lambda row: -row[1]["stackLevel"]):
            limit = _limit_of(profile, at, begun or installed)
            if limit is not None:
                return limit
        return None


def _fits(identity: int, row: tuple[int, dict[str, Any], datetime], criteria: dict[str, Any]) -> bool:
    if "id" in criteria:
        return bool(criteria["id"] == identity)
    found = {
        "connectorId": row[0],
        "chargingProfilePurpose": row[1]["chargingProfilePurpose"],
        "stackLevel": row[1]["stackLevel"],
    }
    return all(found[name] == value for name, value in criteria.items())


def _limit_of(profile: dict[str, Any], at: datetime, begun: datetime) -> float | None:
    schedule = profile["chargingSchedule"]
    start = _moment(schedule["startSchedule"]) if "startSchedule" in schedule else begun
    if profile["chargingProfileKind"] == "Relative":
        start = begun
    passed = (at - start).total_seconds()
    if profile["chargingProfileKind"] == "Recurring":
        passed %= _DAY_S[profile.get("recurrencyKind", "Daily")]
    outside = "validFrom" in profile and at < _moment(profile["validFrom"])
    outside |= "validTo" in profile and at > _moment(profile["validTo"])
    if outside or passed < 0 or passed >= schedule.get("duration", float("inf")):
        return None
    periods = [p for p in schedule["chargingSchedulePeriod"] if p["startPeriod"] <= passed]
    if not periods:
        return None
    period = periods[-1]
    if schedule["chargingRateUnit"] == "A":
        return float(period["limit"]) * _VOLTS * float(period.get("numberPhases", 3))
    return float(period["limit"])


def composite(
    plan: Plan, connector: int, at: datetime, *, duration_s: int, unit: str, transaction_from: datetime | None
) -> list[dict[str, Any]]:
    """The limits of the coming `duration_s`, by the minute, as schedule periods in `unit` (W or A)."""
    periods: list[dict[str, Any]] = []
    for second in range(0, max(duration_s, 1), 60):
        moment = at + timedelta(seconds=second)
        limit = plan.limit_w(connector, moment, transaction_from=transaction_from)
        watts = 22_000.0 if limit is None else limit
        shown = round(watts if unit == "W" else watts / 3 / _VOLTS, 1)
        if not periods or periods[-1]["limit"] != shown:
            periods.append({"startPeriod": second, "limit": shown})
    return periods
