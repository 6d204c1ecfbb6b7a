"""Charging profiles, their answers and results, in our own form (mod_charging_profiles)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hub.core.types import DateTime, Many, Number, OcpiModel, Url, Whole
from hub.core.types.markers import Closed

ChargingRateUnit = Annotated[Literal["W", "A"], Closed("ChargingRateUnit")]
"""mod_charging_profiles_charging_rate_unit"""
ChargingProfileResponseType = Annotated[
    Literal["ACCEPTED", "NOT_SUPPORTED", "REJECTED", "TOO_OFTEN", "UNKNOWN_SESSION"],
    Closed("ChargingProfileResponseType"),
]
"""mod_charging_profiles_response_type_enum"""
ChargingProfileResultType = Annotated[
    Literal["ACCEPTED", "REJECTED", "UNKNOWN"],
    Closed("ChargingProfileResultType"),
]
"""mod_charging_profiles_result_type_enum"""


class ChargingProfilePeriod(OcpiModel):
    """From `start_period` (s after the profile's start) on, at most `limit`. One decimal (REQ-211)."""

    start_period: Whole
    limit: Number


class ChargingProfile(OcpiModel):
    """Limits of a session over time, in A per phase or W in total; without a start, from its begin on."""

    start_date_time: DateTime | None = None
    duration: Whole | None = None
    charging_rate_unit: ChargingRateUnit
    min_charging_rate: Number | None = None
    charging_profile_period: Many[ChargingProfilePeriod] = Field(default_factory=list)


class ActiveChargingProfile(OcpiModel):
    """What the EVSE will do, as far as it knows."""

    start_date_time: DateTime
    charging_profile: ChargingProfile


class SetChargingProfile(OcpiModel):
    """The wish for a session."""

    charging_profile: ChargingProfile
    response_url: Url


class ChargingProfileResponse(OcpiModel):
    """Whether the wish is passed on; `timeout` in s."""

    result: ChargingProfileResponseType
    timeout: Whole


class ActiveChargingProfileResult(OcpiModel):
    """What came of a GET."""

    result: ChargingProfileResultType
    profile: ActiveChargingProfile | None = None


class ChargingProfileResult(OcpiModel):
    """What came of a PUT."""

    result: ChargingProfileResultType


class ClearProfileResult(OcpiModel):
    """What came of a DELETE."""

    result: ChargingProfileResultType
