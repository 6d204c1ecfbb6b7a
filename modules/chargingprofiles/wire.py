"""Charging profiles are the same in 2.2.1 and 2.3.0; 2.1.1 has none (mod_charging_profiles)."""

from __future__ import annotations

from typing import Final

from hub.core.dialect import Dialects, wires
from modules.chargingprofiles.model import (
    ActiveChargingProfile,
    ActiveChargingProfileResult,
    ChargingProfileResponse,
    ChargingProfileResult,
    ClearProfileResult,
    SetChargingProfile,
)

VERSIONS: Final = ("2.2.1", "2.3.0")
DIALECTS: Final[Dialects] = {}

SET_CHARGING_PROFILE: Final = wires(SetChargingProfile, DIALECTS, VERSIONS)
ACTIVE_CHARGING_PROFILE: Final = wires(ActiveChargingProfile, DIALECTS, VERSIONS)
CHARGING_PROFILE_RESPONSE: Final = wires(ChargingProfileResponse, DIALECTS, VERSIONS)
ACTIVE_CHARGING_PROFILE_RESULT: Final = wires(ActiveChargingProfileResult, DIALECTS, VERSIONS)
CHARGING_PROFILE_RESULT: Final = wires(ChargingProfileResult, DIALECTS, VERSIONS)
CLEAR_PROFILE_RESULT: Final = wires(ClearProfileResult, DIALECTS, VERSIONS)
