"""Charge detail records, in our own form (mod_cdrs)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hub.core.types import (
    CiString36,
    CiString39,
    CiString48,
    Country,
    CountryCode,
    Currency,
    DateTime,
    Flag,
    Id36,
    Id39,
    Many,
    Number,
    OcpiModel,
    PartyId,
    Price,
    Some,
    Whole,
    key_of,
)
from hub.core.types.markers import Closed, ci_string, string, verbatim
from modules.locations.model import ConnectorFormat, ConnectorType, GeoLocation, PowerType
from modules.tariffs.model import Tariff
from modules.tokens.model import TokenType

AuthMethod = Annotated[Literal["AUTH_REQUEST", "COMMAND", "WHITELIST"], Closed("AuthMethod")]
"""mod_cdrs_authmethod_enum"""
CdrDimensionType = Annotated[
    Literal[
        "CURRENT",
        "ENERGY",
        "ENERGY_EXPORT",
        "ENERGY_IMPORT",
        "MAX_CURRENT",
        "MIN_CURRENT",
        "MAX_POWER",
        "MIN_POWER",
        "PARKING_TIME",
        "POWER",
        "RESERVATION_EXPIRES",
        "RESERVATION_OVERTIME",
        "RESERVATION_TIME",
        "STATE_OF_CHARGE",
        "TIME",
    ],
    Closed("CdrDimensionType"),
]
"""mod_cdrs_cdrdimensiontype_enum, with the two that the bookings edition adds."""


class CdrDimension(OcpiModel):
    """A quantity: A, kWh, kW, h or percent, by its type. mod_cdrs_cdrdimension_class."""

    type: CdrDimensionType
    volume: Number


class CdrLocation(OcpiModel):
    """Where it was, as it was at the start. mod_cdrs_cdr_location_class.

    Its limits are below those of the Location it is copied from; texts of that length are read.
    """

    id: Id36
    name: Annotated[str, string(255)] | None = None
    address: Annotated[str, string(45, accept=255)]
    city: Annotated[str, string(45)]
    postal_code: Annotated[str, string(10)] | None = None
    state: Annotated[str, string(20, accept=45)] | None = None
    country: Country
    coordinates: GeoLocation
    evse_uid: Id36
    evse_id: CiString48
    connector_id: Id36
    connector_standard: ConnectorType
    connector_format: ConnectorFormat
    connector_power_type: PowerType


class CdrToken(OcpiModel):
    """With what it was started. mod_cdrs_cdr_token_object."""

    country_code: CountryCode
    party_id: PartyId
    uid: Id36
    type: TokenType
    contract_id: Id36


class ChargingPeriod(OcpiModel):
    """From `start_date_time` to the next period. mod_cdrs_chargingperiod_class."""

    start_date_time: DateTime
    dimensions: Some[CdrDimension]
    tariff_id: CiString36 | None = None


class SignedValue(OcpiModel):
    """A signed meter value: not one character may change. mod_cdrs_signed_value_class."""

    nature: Annotated[str, ci_string(32)]
    plain_data: Annotated[str, verbatim(5000)]
    signed_data: Annotated[str, verbatim(5000)]


class SignedData(OcpiModel):
    """Signed meter values and how to check them. mod_cdrs_signed_data_class."""

    encoding_method: CiString36
    encoding_method_version: Whole | None = None
    public_key: Annotated[str, verbatim(512)] | None = None
    signed_values: Some[SignedValue]
    url: Annotated[str, verbatim(512)] | None = None


class CDR(OcpiModel):
    """What is billed, once and for ever; kWh and h. mod_cdrs_cdr_object."""

    country_code: CountryCode
    party_id: PartyId
    id: Id39
    start_date_time: DateTime
    end_date_time: DateTime
    session_id: CiString36 | None = None
    cdr_token: CdrToken
    auth_method: AuthMethod
    authorization_reference: CiString36 | None = None
    booking_id: CiString36 | None = None
    cdr_location: CdrLocation
    meter_id: Annotated[str, string(255)] | None = None
    currency: Currency
    tariffs: Many[Tariff] = Field(default_factory=list)
    charging_periods: Some[ChargingPeriod]
    signed_data: SignedData | None = None
    total_cost: Price
    total_fixed_cost: Price | None = None
    total_energy: Number
    total_energy_cost: Price | None = None
    total_time: Number
    total_time_cost: Price | None = None
    total_parking_time: Number | None = None
    total_parking_cost: Price | None = None
    total_reservation_cost: Price | None = None
    remark: Annotated[str, string(255)] | None = None
    invoice_reference_id: CiString39 | None = None
    credit: Flag | None = None
    credit_reference_id: CiString39 | None = None
    home_charging_compensation: Flag | None = None
    last_updated: DateTime

    @property
    def key(self) -> str:
        """`DE*ABC/cdr1`."""
        return key_of(self.country_code, self.party_id, self.id)
