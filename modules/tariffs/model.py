"""Tariffs, in our own form (mod_tariffs)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hub.core.types import (
    CalendarDate,
    ClockTime,
    CountryCode,
    Currency,
    DateTime,
    DisplayText,
    Id36,
    Many,
    Number,
    OcpiModel,
    PartyId,
    PriceLimit,
    Some,
    Url,
    Whole,
    key_of,
)
from hub.core.types.markers import Closed
from modules.locations.model import EnergyMix

DayOfWeek = Annotated[
    Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"], Closed("DayOfWeek")
]
"""mod_tariffs_dayofweek_enum"""
ReservationRestrictionType = Annotated[
    Literal["RESERVATION", "RESERVATION_EXPIRES"], Closed("ReservationRestrictionType")
]
"""mod_tariffs_reservation_restriction_type_enum"""
TariffDimensionType = Annotated[Literal["ENERGY", "FLAT", "PARKING_TIME", "TIME"], Closed("TariffDimensionType")]
"""mod_tariffs_tariffdimensiontype_enum"""
TariffType = Annotated[
    Literal["AD_HOC_PAYMENT", "PROFILE_CHEAP", "PROFILE_FAST", "PROFILE_GREEN", "REGULAR"], Closed("TariffType")
]
"""mod_tariffs_tariff_type_enum"""
TaxIncluded = Annotated[Literal["YES", "NO", "N/A"], Closed("TaxIncluded")]
"""mod_tariffs_taxincluded_enum"""


class PriceComponent(OcpiModel):
    """Price of a unit (kWh or hour), `vat` in percent, `step_size` in Wh or s. mod_tariffs_pricecomponent_class."""

    type: TariffDimensionType
    price: Number
    vat: Number | None = None
    step_size: Whole


class TariffRestrictions(OcpiModel):
    """When an element applies; local time, kWh, A, kW, s. mod_tariffs_tariffrestrictions_class."""

    start_time: ClockTime | None = None
    end_time: ClockTime | None = None
    start_date: CalendarDate | None = None
    end_date: CalendarDate | None = None
    min_kwh: Number | None = None
    max_kwh: Number | None = None
    min_current: Number | None = None
    max_current: Number | None = None
    min_power: Number | None = None
    max_power: Number | None = None
    min_duration: Whole | None = None
    max_duration: Whole | None = None
    day_of_week: Many[DayOfWeek] = Field(default_factory=list)
    reservation: ReservationRestrictionType | None = None


class TariffElement(OcpiModel):
    """Prices that hold under the same restrictions. mod_tariffs_tariffelement_class."""

    price_components: Some[PriceComponent]
    restrictions: TariffRestrictions | None = None


class Tariff(OcpiModel):
    """What charging costs. mod_tariffs_tariff_object; `preauthorize_amount` is of the payments edition."""

    country_code: CountryCode
    party_id: PartyId
    id: Id36
    currency: Currency
    type: TariffType | None = None
    tariff_alt_text: Many[DisplayText] = Field(default_factory=list)
    tariff_alt_url: Url | None = None
    min_price: PriceLimit | None = None
    max_price: PriceLimit | None = None
    preauthorize_amount: Number | None = None
    elements: Some[TariffElement]
    tax_included: TaxIncluded
    start_date_time: DateTime | None = None
    end_date_time: DateTime | None = None
    energy_mix: EnergyMix | None = None
    last_updated: DateTime

    @property
    def key(self) -> str:
        """`DE*ABC/tariff1`."""
        return key_of(self.country_code, self.party_id, self.id)
