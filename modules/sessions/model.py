"""Charging sessions and the driver's preferences, in our own form (mod_sessions)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hub.core.types import (
    CiString36,
    CountryCode,
    Currency,
    DateTime,
    Flag,
    Id36,
    Many,
    Number,
    OcpiModel,
    PartyId,
    Price,
    key_of,
)
from hub.core.types.markers import Closed, string
from modules.cdrs.model import AuthMethod, CdrToken, ChargingPeriod
from modules.tokens.model import ProfileType

SessionStatus = Annotated[Literal["ACTIVE", "COMPLETED", "INVALID", "PENDING", "RESERVATION"], Closed("SessionStatus")]
"""mod_sessions_sessionstatus_enum"""
ChargingPreferencesResponse = Annotated[
    Literal["ACCEPTED", "DEPARTURE_REQUIRED", "ENERGY_NEED_REQUIRED", "NOT_POSSIBLE", "PROFILE_TYPE_NOT_SUPPORTED"],
    Closed("ChargingPreferencesResponse"),
]
"""mod_sessions_chargingpreferencesresponse_enum"""


class Session(OcpiModel):
    """One charge from plug to unplug; `kwh` so far. mod_sessions_session_object."""

    country_code: CountryCode
    party_id: PartyId
    id: Id36
    start_date_time: DateTime
    end_date_time: DateTime | None = None
    kwh: Number
    cdr_token: CdrToken
    auth_method: AuthMethod
    authorization_reference: CiString36 | None = None
    location_id: Id36
    evse_uid: Id36
    connector_id: Id36
    meter_id: Annotated[str, string(255)] | None = None
    currency: Currency
    charging_periods: Many[ChargingPeriod] = Field(default_factory=list)
    total_cost: Price | None = None
    status: SessionStatus
    last_updated: DateTime

    @property
    def key(self) -> str:
        """`DE*ABC/session1`."""
        return key_of(self.country_code, self.party_id, self.id)


class ChargingPreferences(OcpiModel):
    """What the driver wants; `energy_need` in kWh. mod_sessions_charging_preferences_object."""

    profile_type: ProfileType
    departure_time: DateTime | None = None
    energy_need: Number | None = None
    discharge_allowed: Flag | None = None
