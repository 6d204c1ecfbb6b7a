"""The words that OICP lists."""

from __future__ import annotations

from typing import Annotated, Final

from partners.oicp.wire.kinds import one_of

ACCESSIBILITY: Final = (
    *("Free publicly accessible", "Restricted access", "Paying publicly accessible", "Test Station"),
)
ACCESSIBILITY_LOCATION: Final = ("OnStreet", "ParkingLot", "ParkingGarage", "UndergroundParkingGarage")
ACTION_TYPES: Final = ("fullLoad", "update", "insert", "delete")
ADDITIONAL_REFERENCES: Final = ("START FEE", "FIXED FEE", "PARKING FEE", "MINIMUM FEE", "MAXIMUM FEE")
AUTHENTICATION_MODES: Final = (
    *("NFC RFID Classic", "NFC RFID DESFire", "PnC", "REMOTE", "Direct Payment", "No Authentication Required"),
)
AUTHORIZATION_STATUS: Final = ("Authorized", "NotAuthorized")
CALIBRATION_LAW: Final = ("Local", "External", "Not Available")
CHARGING_MODES: Final = ("Mode_1", "Mode_2", "Mode_3", "Mode_4", "CHAdeMO")
DAYS: Final = (
    *("Everyday", "Workdays", "Weekend"),
    *("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
)
DELTA_TYPES: Final = ("update", "insert", "delete")
DYNAMIC_INFO: Final = ("true", "false", "auto")
ENERGY: Final = (
    *("Solar", "Wind", "HydroPower", "GeothermalEnergy", "Biomass", "Coal", "NuclearEnergy", "Petroleum"),
    "NaturalGas",
)
ERROR_TYPES: Final = ("ConnectorError", "CriticalError")
EVSE_STATUS: Final = ("Available", "Reserved", "Occupied", "OutOfService", "EvseNotFound", "Unknown")
GEO_FORMATS: Final = ("Google", "DegreeMinuteSeconds", "DecimalDegree")
HASH_FUNCTIONS: Final = ("Bcrypt",)
METERING_STATUS: Final = ("Start", "Progress", "End")
NOTIFICATIONS: Final = ("Start", "Progress", "End", "Error")
PAYMENT_OPTIONS: Final = ("No Payment", "Direct", "Contract")
PLUGS: Final = (
    *("Small Paddle Inductive", "Large Paddle Inductive", "AVCON Connector", "Tesla Connector", "NEMA 5-20"),
    *("Type E French Standard", "Type F Schuko", "Type G British Standard", "Type J Swiss Standard"),
    *("Type 1 Connector (Cable Attached)", "Type 2 Outlet", "Type 2 Connector (Cable Attached)", "Type 3 Outlet"),
    *("IEC 60309 Single Phase", "IEC 60309 Three Phase"),
    *("CCS Combo 2 Plug (Cable Attached)", "CCS Combo 1 Plug (Cable Attached)", "CHAdeMO"),
)
POWER_TYPES: Final = ("AC_1_PHASE", "AC_3_PHASE", "DC")
REFERENCE_UNITS: Final = ("HOUR", "KILOWATT_HOUR", "MINUTE")
RFID_TYPES: Final = ("mifareCls", "mifareDes", "calypso", "nfc", "mifareFamily")
VALUE_ADDED_SERVICES: Final = (
    *("Reservation", "DynamicPricing", "ParkingSensors", "MaximumPowerCharging", "PredictiveChargePointUsage"),
    *("ChargingPlans", "RoofProvided", "None"),
)

AccessibilityType = Annotated[str, one_of(*ACCESSIBILITY)]
AccessibilityLocationType = Annotated[str, one_of(*ACCESSIBILITY_LOCATION)]
Action = Annotated[str, one_of(*ACTION_TYPES, is_closed=True)]
AdditionalReferenceType = Annotated[str, one_of(*ADDITIONAL_REFERENCES)]
AuthenticationModeType = Annotated[str, one_of(*AUTHENTICATION_MODES)]
AuthorizationStatusType = Annotated[str, one_of(*AUTHORIZATION_STATUS)]
CalibrationLawDataAvailabilityType = Annotated[str, one_of(*CALIBRATION_LAW)]
ChargingModeType = Annotated[str, one_of(*CHARGING_MODES)]
DayType = Annotated[str, one_of(*DAYS)]
DeltaType = Annotated[str, one_of(*DELTA_TYPES)]
DynamicInfoType = Annotated[str, one_of(*DYNAMIC_INFO)]
EnergyType = Annotated[str, one_of(*ENERGY)]
ErrorClassType = Annotated[str, one_of(*ERROR_TYPES)]
EvseStatusType = Annotated[str, one_of(*EVSE_STATUS)]
GeoCoordinatesResponseFormatType = Annotated[str, one_of(*GEO_FORMATS, is_closed=True)]
HashFunctionType = Annotated[str, one_of(*HASH_FUNCTIONS)]
MeteringStatusType = Annotated[str, one_of(*METERING_STATUS)]
ChargingNotificationType = Annotated[str, one_of(*NOTIFICATIONS)]
PaymentOptionType = Annotated[str, one_of(*PAYMENT_OPTIONS)]
PlugType = Annotated[str, one_of(*PLUGS)]
PowerKind = Annotated[str, one_of(*POWER_TYPES)]
ReferenceUnitType = Annotated[str, one_of(*REFERENCE_UNITS)]
RFIDType = Annotated[str, one_of(*RFID_TYPES)]
ValueAddedServiceType = Annotated[str, one_of(*VALUE_ADDED_SERVICES)]
