"""Words that have a counterpart, as tables: each is total in the direction it is named for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from partners.oicp.wire import enums


class Outlet(NamedTuple):
    """A connector's standard and format in OCPI."""

    standard: str
    format: str


OUTLETS: Final[Mapping[str, Outlet | None]] = {
    "Small Paddle Inductive": None,
    "Large Paddle Inductive": None,
    "AVCON Connector": None,
    "Tesla Connector": Outlet("TESLA_S", "CABLE"),
    "NEMA 5-20": Outlet("NEMA_5_20", "SOCKET"),
    "Type E French Standard": Outlet("DOMESTIC_E", "SOCKET"),
    "Type F Schuko": Outlet("DOMESTIC_F", "SOCKET"),
    "Type G British Standard": Outlet("DOMESTIC_G", "SOCKET"),
    "Type J Swiss Standard": Outlet("DOMESTIC_J", "SOCKET"),
    "Type 1 Connector (Cable Attached)": Outlet("IEC_62196_T1", "CABLE"),
    "Type 2 Outlet": Outlet("IEC_62196_T2", "SOCKET"),
    "Type 2 Connector (Cable Attached)": Outlet("IEC_62196_T2", "CABLE"),
    "Type 3 Outlet": Outlet("IEC_62196_T3C", "SOCKET"),
    "IEC 60309 Single Phase": Outlet("IEC_60309_2_single_16", "SOCKET"),
    "IEC 60309 Three Phase": Outlet("IEC_60309_2_three_16", "SOCKET"),
    "CCS Combo 2 Plug (Cable Attached)": Outlet("IEC_62196_T2_COMBO", "CABLE"),
    "CCS Combo 1 Plug (Cable Attached)": Outlet("IEC_62196_T1_COMBO", "CABLE"),
    "CHAdeMO": Outlet("CHADEMO", "CABLE"),
}
"""OICP's plugs. None: OCPI has no word. The three-phase one is told apart by its amperage."""

PLUGS: Final[Mapping[str, str]] = {
    "CHADEMO": "CHAdeMO",
    "DOMESTIC_E": "Type E French Standard",
    "DOMESTIC_F": "Type F Schuko",
    "DOMESTIC_G": "Type G British Standard",
    "DOMESTIC_J": "Type J Swiss Standard",
    "IEC_60309_2_single_16": "IEC 60309 Single Phase",
    "IEC_60309_2_three_16": "IEC 60309 Three Phase",
    "IEC_60309_2_three_32": "IEC 60309 Three Phase",
    "IEC_60309_2_three_64": "IEC 60309 Three Phase",
    "IEC_62196_T1": "Type 1 Connector (Cable Attached)",
    "IEC_62196_T1_COMBO": "CCS Combo 1 Plug (Cable Attached)",
    "IEC_62196_T2_COMBO": "CCS Combo 2 Plug (Cable Attached)",
    "IEC_62196_T3A": "Type 3 Outlet",
    "IEC_62196_T3C": "Type 3 Outlet",
    "NEMA_5_20": "NEMA 5-20",
    "SAE_J3400": "Tesla Connector",
    "TESLA_R": "Tesla Connector",
    "TESLA_S": "Tesla Connector",
}
"""OCPI's standards, but IEC_62196_T2, whose plug depends on its format. OICP has no word for the others."""
TYPE_2: Final[Mapping[str, str]] = {"SOCKET": "Type 2 Outlet", "CABLE": "Type 2 Connector (Cable Attached)"}

DIRECT_CURRENT: Final = frozenset({"CHAdeMO", "CCS Combo 1 Plug (Cable Attached)", "CCS Combo 2 Plug (Cable Attached)"})
"""Plugs that carry direct current. The one of Tesla carries either."""
HOUSEHOLD: Final = frozenset(
    {"Type E French Standard", "Type F Schuko", "Type G British Standard", "Type J Swiss Standard", "NEMA 5-20"}
    | {"IEC 60309 Single Phase", "IEC 60309 Three Phase"}
)

POWER_TYPES: Final[Mapping[str, str]] = {
    "AC_1_PHASE": "AC_1_PHASE",
    "AC_2_PHASE": "AC_1_PHASE",
    "AC_2_PHASE_SPLIT": "AC_1_PHASE",
    "AC_3_PHASE": "AC_3_PHASE",
    "DC": "DC",
}
"""OCPI to OICP."""
PHASES: Final[Mapping[str, int]] = {
    "AC_1_PHASE": 1,
    "AC_2_PHASE": 2,
    "AC_2_PHASE_SPLIT": 2,
    "AC_3_PHASE": 3,
    "DC": 1,
}

STATUS_TO_OCPI: Final[Mapping[str, str]] = {
    "Available": "AVAILABLE",
    "Reserved": "RESERVED",
    "Occupied": "CHARGING",
    "OutOfService": "OUTOFORDER",
    "EvseNotFound": "UNKNOWN",
    "Unknown": "UNKNOWN",
}
STATUS_TO_OICP: Final[Mapping[str, str | None]] = {
    "AVAILABLE": "Available",
    "BLOCKED": "Occupied",
    "CHARGING": "Occupied",
    "INOPERATIVE": "OutOfService",
    "OUTOFORDER": "OutOfService",
    "PLANNED": None,
    "REMOVED": None,
    "RESERVED": "Reserved",
    "UNKNOWN": "Unknown",
}
"""None: such an EVSE is not told of at all."""

PARKING_TYPES: Final[Mapping[str, str]] = {
    "OnStreet": "ON_STREET",
    "ParkingLot": "PARKING_LOT",
    "ParkingGarage": "PARKING_GARAGE",
    "UndergroundParkingGarage": "UNDERGROUND_GARAGE",
}
"""OICP's AccessibilityLocation to OCPI."""
ACCESSIBILITY_LOCATIONS: Final[Mapping[str, str | None]] = {
    "ALONG_MOTORWAY": "ParkingLot",
    "PARKING_GARAGE": "ParkingGarage",
    "PARKING_LOT": "ParkingLot",
    "ON_DRIVEWAY": None,
    "ON_STREET": "OnStreet",
    "UNDERGROUND_GARAGE": "UndergroundParkingGarage",
}
"""OCPI's ParkingType to OICP."""
RESTRICTED: Final = frozenset({"CUSTOMERS", "EMPLOYEES", "TAXIS", "TENANTS"})
"""Parking restrictions that keep the public away."""

ENERGY_TO_OCPI: Final[Mapping[str, str]] = {
    "Solar": "SOLAR",
    "Wind": "WIND",
    "HydroPower": "WATER",
    "GeothermalEnergy": "GENERAL_GREEN",
    "Biomass": "GENERAL_GREEN",
    "Coal": "COAL",
    "NuclearEnergy": "NUCLEAR",
    "Petroleum": "GENERAL_FOSSIL",
    "NaturalGas": "GAS",
}
ENERGY_TO_OICP: Final[Mapping[str, str | None]] = {
    "NUCLEAR": "NuclearEnergy",
    "GENERAL_FOSSIL": None,
    "COAL": "Coal",
    "GAS": "NaturalGas",
    "GENERAL_GREEN": None,
    "SOLAR": "Solar",
    "WIND": "Wind",
    "WATER": "HydroPower",
}
IMPACTS: Final[Mapping[str, str]] = {"NuclearWaste": "NUCLEAR_WASTE", "CO2Emission": "CARBON_DIOXIDE"}

REMOTE: Final = "REMOTE_START_STOP_CAPABLE"
MODES_TO_OCPI: Final[Mapping[str, str | None]] = {
    "NFC RFID Classic": "RFID_READER",
    "NFC RFID DESFire": "RFID_READER",
    "PnC": None,
    "REMOTE": REMOTE,
    "Direct Payment": None,
    "No Authentication Required": None,
}
"""OICP's AuthenticationModes to capabilities of an EVSE. PnC is one of its connectors."""
PLUG_AND_CHARGE: Final = "ISO_15118_2_PLUG_AND_CHARGE"
PLUG_AND_CHARGE_ALL: Final = (PLUG_AND_CHARGE, "ISO_15118_20_PLUG_AND_CHARGE")
PAYABLE: Final = frozenset(
    {"CHIP_CARD_SUPPORT", "CONTACTLESS_CARD_SUPPORT", "CREDIT_CARD_PAYABLE", "DEBIT_CARD_PAYABLE", "PED_TERMINAL"}
)
"""Capabilities that let somebody pay on the spot."""
SERVICES_TO_OCPI: Final[Mapping[str, str | None]] = {
    "Reservation": "RESERVABLE",
    "DynamicPricing": None,
    "ParkingSensors": None,
    "MaximumPowerCharging": None,
    "PredictiveChargePointUsage": None,
    "ChargingPlans": None,
    "RoofProvided": None,
    "None": None,
}
"""OICP's ValueAddedServices to capabilities. One that promised an interface which is not there would do harm."""

WEEK: Final = enums.DAYS[3:]
"""Monday to Sunday."""
DAYS: Final[Mapping[str, tuple[int, ...]]] = {
    "Everyday": (1, 2, 3, 4, 5, 6, 7),
    "Workdays": (1, 2, 3, 4, 5),
    "Weekend": (6, 7),
    **{day: (number,) for number, day in enumerate(WEEK, 1)},
}
"""OICP's days as those of the week; 1 is Monday."""
