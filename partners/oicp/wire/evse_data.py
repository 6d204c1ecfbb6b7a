"""What an EVSE is and where: how operators push it and EMPs pull it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar

from partners.oicp.wire.common import GeoCoordinatesType, InfoTextType, OpeningTimesType, Page, SearchCenterType
from partners.oicp.wire.enums import (
    AccessibilityLocationType,
    AccessibilityType,
    Action,
    AuthenticationModeType,
    CalibrationLawDataAvailabilityType,
    ChargingModeType,
    DeltaType,
    DynamicInfoType,
    EnergyType,
    GeoCoordinatesResponseFormatType,
    PaymentOptionType,
    PlugType,
    PowerKind,
    ValueAddedServiceType,
)
from partners.oicp.wire.kinds import number, text, whole
from partners.oicp.wire.message import FILLED, Message
from partners.oicp.wire.values import (
    CountryCodeType,
    EvseIDText,
    Flag,
    Moment,
    Name,
    OperatorIDText,
    PhoneNumberType,
    PoolID,
    ProviderIDText,
)


class AddressType(Message):
    """Where it is, by ISO 19773; `Country` is alpha-3."""

    lenient = frozenset({"Country", "City", "Street", "PostalCode", "HouseNum"})

    Country: CountryCodeType
    City: Annotated[str, text(50)]
    Street: Annotated[str, text(100, least=2)]
    PostalCode: Annotated[str, text(10)]
    HouseNum: Annotated[str, text(10)]
    Floor: Annotated[str, text(5)] | None = None
    Region: Annotated[str, text(50)] | None = None
    ParkingFacility: Flag | None = None
    ParkingSpot: Annotated[str, text(5)] | None = None
    TimeZone: Annotated[str, text(pattern=r"UTC[+-][0-9]{2}:[0-9]{2}")] | None = None


class ChargingFacilityType(Message):
    """What can flow: kW, V from line to neutral, A. Not bound to one of the plugs."""

    lenient = frozenset({"PowerType", "Power"})

    PowerType: PowerKind
    Voltage: Annotated[int, whole(1, 999)] | None = None
    Amperage: Annotated[int, whole(1, 99)] | None = None
    Power: Annotated[int, whole(1, 999)]
    ChargingModes: list[ChargingModeType] | None = None


class EnergySourceType(Message):
    """A source and its part."""

    Energy: EnergyType | None = None
    Percentage: Annotated[int, whole(0, 99)] | None = None


class EnvironmentalImpactType(Message):
    """What one kWh leaves behind, in g/kWh."""

    CO2Emission: Annotated[Decimal, number()] | None = None
    NuclearWaste: Annotated[Decimal, number()] | None = None


class EvseDataRecordType(Message):
    """An EVSE. `deltaType` and `lastUpdate` are the hub's. Records in the field lack any of it but their id.

    Of the mandatory lists AuthenticationModes alone may be empty: an EVSE of OCPI need not tell how a driver is known.
    """

    lenient: ClassVar[frozenset[str]] = frozenset(
        {"ChargingStationNames", "Address", "GeoCoordinates", "Plugs", "ChargingFacilities", "RenewableEnergy"}
        | {"CalibrationLawDataAvailability", "AuthenticationModes", "PaymentOptions", "ValueAddedServices"}
        | {"Accessibility", "HotlinePhoneNumber", "IsOpen24Hours", "IsHubjectCompatible", "DynamicInfoAvailable"}
    )

    deltaType: DeltaType | None = None
    lastUpdate: Moment | None = None
    EvseID: EvseIDText
    ChargingPoolID: PoolID | None = None
    ChargingStationID: Annotated[str, text(50)] | None = None
    ChargingStationNames: Annotated[list[InfoTextType], FILLED]
    HardwareManufacturer: Annotated[str, text(50)] | None = None
    ChargingStationImage: Annotated[str, text(200)] | None = None
    SubOperatorName: Name | None = None
    Address: AddressType
    GeoCoordinates: GeoCoordinatesType
    Plugs: Annotated[list[PlugType], FILLED]
    DynamicPowerLevel: Flag | None = None
    ChargingFacilities: Annotated[list[ChargingFacilityType], FILLED]
    RenewableEnergy: Flag
    EnergySource: list[EnergySourceType] | None = None
    EnvironmentalImpact: EnvironmentalImpactType | None = None
    CalibrationLawDataAvailability: CalibrationLawDataAvailabilityType
    AuthenticationModes: list[AuthenticationModeType]
    MaxCapacity: Annotated[int, whole(0, 99_999)] | None = None
    PaymentOptions: Annotated[list[PaymentOptionType], FILLED]
    ValueAddedServices: Annotated[list[ValueAddedServiceType], FILLED]
    Accessibility: AccessibilityType
    AccessibilityLocation: AccessibilityLocationType | None = None
    HotlinePhoneNumber: PhoneNumberType
    AdditionalInfo: list[InfoTextType] | None = None
    ChargingStationLocationReference: list[InfoTextType] | None = None
    GeoChargingPointEntrance: GeoCoordinatesType | None = None
    IsOpen24Hours: Flag
    OpeningTimes: list[OpeningTimesType] | None = None
    HubOperatorID: OperatorIDText | None = None
    ClearinghouseID: Annotated[str, text(20)] | None = None
    IsHubjectCompatible: Flag
    DynamicInfoAvailable: DynamicInfoType


class PulledEvseDataRecordType(EvseDataRecordType):
    """An EVSE as a hub hands it out, with its operator."""

    lenient: ClassVar[frozenset[str]] = EvseDataRecordType.lenient | {"OperatorID", "OperatorName"}

    OperatorID: OperatorIDText
    OperatorName: Name


class OperatorEvseDataType(Message):
    """The EVSEs of one operator."""

    lenient = frozenset({"OperatorName", "EvseDataRecord"})

    OperatorID: OperatorIDText
    OperatorName: Name
    EvseDataRecord: list[EvseDataRecordType]


class PushEvseData(Message):
    """Keep these, says an operator."""

    ActionType: Action
    OperatorEvseData: OperatorEvseDataType


class PullEvseData(Message):
    """Which are there, or what changed since `LastCall`? An EMP asks. LastCall excludes places and operators."""

    lenient = frozenset({"GeoCoordinatesResponseFormat"})

    ProviderID: ProviderIDText
    GeoCoordinatesResponseFormat: GeoCoordinatesResponseFormatType
    SearchCenter: SearchCenterType | None = None
    LastCall: Moment | None = None
    CountryCodes: list[CountryCodeType] | None = None
    OperatorIds: list[OperatorIDText] | None = None
    AuthenticationModes: list[AuthenticationModeType] | None = None
    Accessibility: list[AccessibilityType] | None = None
    CalibrationLawDataAvailability: list[CalibrationLawDataAvailabilityType] | None = None
    RenewableEnergy: Flag | None = None
    IsHubjectCompatible: Flag | None = None
    IsOpen24Hours: Flag | None = None


class EvseData(Page):
    """A page of them."""

    content: list[PulledEvseDataRecordType]
