"""Locations, EVSEs and connectors, in our own form (mod_locations)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AliasChoices, Field

from hub.core.types import (
    BusinessDetails,
    CiString36,
    CiString48,
    ClockTime,
    Country,
    CountryCode,
    DateTime,
    DisplayText,
    Flag,
    Id36,
    Image,
    Latitude,
    Longitude,
    Many,
    Number,
    OcpiModel,
    PartyId,
    Some,
    Url,
    Whole,
    key_of,
)
from hub.core.types.markers import ByName, Closed, OpenEnum, ci_string, string, weekday
from modules.tokens.model import TokenType

Capability = Annotated[
    str,
    OpenEnum(
        "Capability",
        (
            "CHARGING_PROFILE_CAPABLE",
            "CHARGING_PREFERENCES_CAPABLE",
            "CHIP_CARD_SUPPORT",
            "CONTACTLESS_CARD_SUPPORT",
            "CREDIT_CARD_PAYABLE",
            "DEBIT_CARD_PAYABLE",
            "PED_TERMINAL",
            "REMOTE_START_STOP_CAPABLE",
            "RESERVABLE",
            "RFID_READER",
            "START_SESSION_CONNECTOR_REQUIRED",
            "TOKEN_GROUP_CAPABLE",
            "UNLOCK_CAPABLE",
        ),
    ),
]
"""mod_locations_capability_enum"""
ConnectorCapability = Annotated[
    str, OpenEnum("ConnectorCapability", ("ISO_15118_2_PLUG_AND_CHARGE", "ISO_15118_20_PLUG_AND_CHARGE"))
]
"""mod_locations_connectorcapability_enum"""
ConnectorFormat = Annotated[Literal["SOCKET", "CABLE"], Closed("ConnectorFormat")]
"""mod_locations_connectorformat_enum"""

CONNECTOR_TYPES_211 = (
    *("CHADEMO", *(f"DOMESTIC_{letter}" for letter in "ABCDEFGHIJKL")),
    *("IEC_60309_2_single_16", "IEC_60309_2_three_16", "IEC_60309_2_three_32", "IEC_60309_2_three_64"),
    *("IEC_62196_T1", "IEC_62196_T1_COMBO", "IEC_62196_T2", "IEC_62196_T2_COMBO", "IEC_62196_T3A", "IEC_62196_T3C"),
    *("TESLA_R", "TESLA_S"),
)
CONNECTOR_TYPES_221 = (
    *CONNECTOR_TYPES_211,
    *("CHAOJI", "DOMESTIC_M", "DOMESTIC_N", "DOMESTIC_O", "GBT_AC", "GBT_DC"),
    *("NEMA_5_20", "NEMA_6_30", "NEMA_6_50", "NEMA_10_30", "NEMA_10_50", "NEMA_14_30", "NEMA_14_50"),
    *("PANTOGRAPH_BOTTOM_UP", "PANTOGRAPH_TOP_DOWN"),
)
ConnectorType = Annotated[str, OpenEnum("ConnectorType", (*CONNECTOR_TYPES_221, "MCS", "SAE_J3400"))]
"""mod_locations_connectortype_enum"""
EnergySourceCategory = Annotated[
    Literal["NUCLEAR", "GENERAL_FOSSIL", "COAL", "GAS", "GENERAL_GREEN", "SOLAR", "WIND", "WATER"],
    Closed("EnergySourceCategory"),
]
"""mod_locations_energysourcecategory_enum"""
EnvironmentalImpactCategory = Annotated[
    str, OpenEnum("EnvironmentalImpactCategory", ("NUCLEAR_WASTE", "CARBON_DIOXIDE"))
]
"""mod_locations_environmentalimpactcategory_enum"""
EVSEPosition = Annotated[Literal["LEFT", "RIGHT", "CENTER"], Closed("EVSEPosition")]
"""mod_locations_evseposition_enum"""
Facility = Annotated[
    str,
    OpenEnum(
        "Facility",
        (
            *("HOTEL", "RESTAURANT", "CAFE", "MALL", "SUPERMARKET", "SPORT", "RECREATION_AREA", "NATURE", "MUSEUM"),
            *("BIKE_SHARING", "BUS_STOP", "TAXI_STAND", "TRAM_STOP", "METRO_STATION", "TRAIN_STATION", "AIRPORT"),
            *("PARKING_LOT", "CARPOOL_PARKING", "FUEL_STATION", "WIFI"),
        ),
    ),
]
"""mod_locations_facility_enum"""
ParkingDirection = Annotated[Literal["PARALLEL", "PERPENDICULAR", "ANGLE"], Closed("ParkingDirection")]
"""mod_locations_parkingdirection_enum"""
ParkingRestriction = Annotated[
    str,
    OpenEnum(
        "ParkingRestriction",
        ("CUSTOMERS", "DISABLED", "EMPLOYEES", "EV_ONLY", "MOTORCYCLES", "PLUGGED", "TAXIS", "TENANTS"),
    ),
]
"""mod_locations_parkingrestriction_enum"""
ParkingType = Annotated[
    str,
    OpenEnum(
        "ParkingType",
        ("ALONG_MOTORWAY", "PARKING_GARAGE", "PARKING_LOT", "ON_DRIVEWAY", "ON_STREET", "UNDERGROUND_GARAGE"),
    ),
]
"""mod_locations_parking_type_enum"""
PowerType = Annotated[Literal["AC_1_PHASE", "AC_2_PHASE", "AC_2_PHASE_SPLIT", "AC_3_PHASE", "DC"], Closed("PowerType")]
"""mod_locations_powertype_enum"""
Status = Annotated[
    Literal[
        "AVAILABLE",
        "BLOCKED",
        "CHARGING",
        "INOPERATIVE",
        "OUTOFORDER",
        "PLANNED",
        "REMOVED",
        "RESERVED",
        "UNKNOWN",
    ],
    Closed("Status"),
]
"""mod_locations_status_enum"""
VehicleType = Annotated[
    str,
    OpenEnum(
        "VehicleType",
        (
            *("MOTORCYCLE", "PERSONAL_VEHICLE", "PERSONAL_VEHICLE_WITH_TRAILER", "VAN", "SEMI_TRACTOR", "RIGID"),
            *("TRUCK_WITH_TRAILER", "BUS", "DISABLED"),
        ),
    ),
]
"""mod_locations_vehicletype_enum"""


class GeoLocation(OcpiModel):
    """A point, WGS 84, in degrees. mod_locations_geolocation_class."""

    latitude: Latitude
    longitude: Longitude


class AdditionalGeoLocation(OcpiModel):
    """A point that has to do with a location. mod_locations_additionalgeolocation_class."""

    latitude: Latitude
    longitude: Longitude
    name: DisplayText | None = None


class EnergySource(OcpiModel):
    """`percentage` of the energy from one source. mod_locations_energysource_class."""

    source: EnergySourceCategory
    percentage: Number


class EnvironmentalImpact(OcpiModel):
    """What one kWh leaves behind, in g/kWh. mod_locations_environmentalimpact_class.

    2.1.1 calls the category `source`, and so do peers of other versions.
    """

    category: EnvironmentalImpactCategory = Field(validation_alias=AliasChoices("category", "source"))
    amount: Number


class EnergyMix(OcpiModel):
    """Where the energy comes from. mod_locations_energymix_class."""

    is_green_energy: Flag
    energy_sources: Many[EnergySource] = Field(default_factory=list)
    environ_impact: Many[EnvironmentalImpact] = Field(default_factory=list)
    supplier_name: Annotated[str, string(64)] | None = None
    energy_product_name: Annotated[str, string(64)] | None = None


class RegularHours(OcpiModel):
    """Opening hours of a day of the week, 1 is Monday; local time. mod_locations_regularhours_class."""

    weekday: Annotated[int, weekday()]
    period_begin: ClockTime
    period_end: ClockTime


class ExceptionalPeriod(OcpiModel):
    """A time of opening or closing out of the ordinary, in UTC. mod_locations_exceptionalperiod_class."""

    period_begin: DateTime
    period_end: DateTime


class Hours(OcpiModel):
    """When the location is open. mod_locations_hours_class."""

    twentyfourseven: Flag
    regular_hours: Many[RegularHours] = Field(default_factory=list)
    exceptional_openings: Many[ExceptionalPeriod] = Field(default_factory=list)
    exceptional_closings: Many[ExceptionalPeriod] = Field(default_factory=list)


class StatusSchedule(OcpiModel):
    """A status that is planned. mod_locations_statusschedule_class."""

    period_begin: DateTime
    period_end: DateTime | None = None
    status: Status


class PublishTokenType(OcpiModel):
    """Who may see an unpublished location: a token that has all of these. mod_locations_publish_token_class."""

    uid: CiString36 | None = None
    type: TokenType | None = None
    visual_number: Annotated[str, string(64)] | None = None
    issuer: Annotated[str, string(64)] | None = None
    group_id: CiString36 | None = None


class Parking(OcpiModel):
    """A parking space; weights in kg, lengths in m, `time_limit` in minutes. mod_locations_parking_class."""

    id: Id36
    physical_reference: Annotated[str, string(12)] | None = None
    vehicle_types: Some[VehicleType]
    max_vehicle_weight: Number | None = None
    max_vehicle_height: Number | None = None
    max_vehicle_length: Number | None = None
    max_vehicle_width: Number | None = None
    parking_space_length: Number | None = None
    parking_space_width: Number | None = None
    dangerous_goods_allowed: Flag | None = None
    direction: ParkingDirection | None = None
    drive_through: Flag | None = None
    restricted_to_type: Flag
    reservation_required: Flag
    time_limit: Number | None = None
    roofed: Flag | None = None
    images: Many[Image] = Field(default_factory=list)
    lighting: Flag | None = None
    refrigeration_outlet: Flag | None = None
    standards: Many[CiString36] = Field(default_factory=list)
    apds_reference: Annotated[str, ci_string(None)] | None = None


class EVSEParking(OcpiModel):
    """A parking space from which an EVSE is reached. mod_locations_evseparking_class."""

    parking_id: Id36
    evse_position: EVSEPosition | None = None


class Connector(OcpiModel):
    """A socket or cable; V (line to neutral), A, W. mod_locations_connector_object."""

    id: Id36
    standard: ConnectorType
    format: ConnectorFormat
    power_type: PowerType
    max_voltage: Whole
    max_amperage: Whole
    max_electric_power: Whole | None = None
    tariff_ids: Many[CiString36] = Field(default_factory=list)
    terms_and_conditions: Url | None = None
    capabilities: Many[ConnectorCapability] = Field(default_factory=list)
    last_updated: DateTime

    @property
    def key(self) -> str:
        """Its id, unique in its EVSE."""
        return self.id.lower()


class EVSE(OcpiModel):
    """What charges one vehicle at a time. mod_locations_evse_object."""

    uid: Id36
    evse_id: CiString48 | None = None
    status: Status
    status_schedule: Many[StatusSchedule] = Field(default_factory=list)
    capabilities: Many[Capability] = Field(default_factory=list)
    connectors: Annotated[Some[Connector], ByName("id")]
    floor_level: Annotated[str, string(4)] | None = None
    coordinates: GeoLocation | None = None
    physical_reference: Annotated[str, string(16)] | None = None
    directions: Many[DisplayText] = Field(default_factory=list)
    parking_restrictions: Many[ParkingRestriction] = Field(default_factory=list)
    parking: Many[EVSEParking] = Field(default_factory=list)
    images: Many[Image] = Field(default_factory=list)
    accepted_service_providers: Many[Annotated[str, string(50)]] = Field(default_factory=list)
    last_updated: DateTime

    @property
    def key(self) -> str:
        """Its uid, unique in its location."""
        return self.uid.lower()


class Location(OcpiModel):
    """A group of EVSEs at one address. mod_locations_location_object."""

    country_code: CountryCode
    party_id: PartyId
    id: Id36
    publish: Flag
    publish_allowed_to: Many[PublishTokenType] = Field(default_factory=list)
    name: Annotated[str, string(255)] | None = None
    address: Annotated[str, string(255)]
    city: Annotated[str, string(45)]
    postal_code: Annotated[str, string(10)] | None = None
    state: Annotated[str, string(45)] | None = None
    country: Country
    coordinates: GeoLocation
    related_locations: Many[AdditionalGeoLocation] = Field(default_factory=list)
    parking_type: ParkingType | None = None
    evses: Annotated[Many[EVSE], ByName("uid")] = Field(default_factory=list)
    parking_places: Many[Parking] = Field(default_factory=list)
    directions: Many[DisplayText] = Field(default_factory=list)
    operator: BusinessDetails | None = None
    suboperator: BusinessDetails | None = None
    owner: BusinessDetails | None = None
    facilities: Many[Facility] = Field(default_factory=list)
    time_zone: Annotated[str, string(255)]
    opening_times: Hours | None = None
    charging_when_closed: Flag | None = None
    images: Many[Image] = Field(default_factory=list)
    energy_mix: EnergyMix | None = None
    help_phone: Annotated[str, ci_string(25)] | None = None
    last_updated: DateTime

    @property
    def key(self) -> str:
        """`DE*ABC/loc1`."""
        return key_of(self.country_code, self.party_id, self.id)
