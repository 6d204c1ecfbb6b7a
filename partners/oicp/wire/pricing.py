"""Pricing products, and which EVSEs have them. All prices are without tax."""

from __future__ import annotations

from typing import Annotated, ClassVar

from partners.oicp.wire.common import PeriodType, StatusCodeType
from partners.oicp.wire.enums import Action, AdditionalReferenceType, DayType, ReferenceUnitType
from partners.oicp.wire.message import FILLED, Message, Unwrapped
from partners.oicp.wire.values import (
    Amount,
    CurrencyIDType,
    EvseIDText,
    Flag,
    Kilowatts,
    Moment,
    Name,
    OperatorIDText,
    ProductIDType,
    ProviderIDText,
    ProviderOrAll,
)


class ProductAvailabilityTimesType(Message):
    """On some days in these periods."""

    Periods: Annotated[list[PeriodType], FILLED]
    on: DayType


class AdditionalReferencesType(Message):
    """A fee beside the base price."""

    lenient = frozenset({"AdditionalReferenceUnit"})

    AdditionalReference: AdditionalReferenceType
    AdditionalReferenceUnit: ReferenceUnitType
    PricePerAdditionalReferenceUnit: Amount


class PricingProductDataRecordType(Message):
    """A product: one price for a unit, and fees."""

    lenient: ClassVar[frozenset[str]] = frozenset(
        {"MaximumProductChargingPower", "IsValid24hours", "ProductAvailabilityTimes"}
    )
    binding = frozenset({"AdditionalReferences"})

    ProductID: ProductIDType
    ReferenceUnit: ReferenceUnitType
    ProductPriceCurrency: CurrencyIDType
    PricePerReferenceUnit: Amount
    MaximumProductChargingPower: Kilowatts
    IsValid24hours: Flag
    ProductAvailabilityTimes: list[ProductAvailabilityTimesType]
    AdditionalReferences: list[AdditionalReferencesType] | None = None


class PricingProductDataType(Message):
    """The products of one operator for one provider, or for all."""

    lenient: ClassVar[frozenset[str]] = frozenset(
        {"PricingDefaultPrice", "PricingDefaultPriceCurrency", "PricingDefaultReferenceUnit"}
        | {"PricingProductDataRecords"}
    )

    OperatorID: OperatorIDText
    OperatorName: Name | None = None
    ProviderID: ProviderOrAll
    PricingDefaultPrice: Amount
    PricingDefaultPriceCurrency: CurrencyIDType
    PricingDefaultReferenceUnit: ReferenceUnitType
    PricingProductDataRecords: list[PricingProductDataRecordType]


class PushPricingProductData(Message):
    """Keep these, says an operator."""

    ActionType: Action
    PricingProductData: PricingProductDataType


class PullPricingProductData(Message):
    """Which are there? An EMP asks."""

    LastCall: Moment | None = None
    OperatorIDs: list[OperatorIDText]


class PricingProductDataAnswer(Message):
    """The answer to it."""

    lenient = frozenset({"PricingProductData"})

    PricingProductData: list[PricingProductDataType]
    StatusCode: StatusCodeType | None = None


class EVSEPricingType(Message):
    """The products of an EVSE for one provider, or for all."""

    binding = frozenset({"EvseIDProductList"})

    EvseID: EvseIDText
    ProviderID: ProviderOrAll
    EvseIDProductList: Annotated[list[Annotated[ProductIDType, Unwrapped("ProductID")]], FILLED]


class PushEVSEPricing(Message):
    """Keep these, says an operator."""

    ActionType: Action
    EVSEPricing: list[EVSEPricingType]


class PullEVSEPricing(Message):
    """Which EVSEs have which products? An EMP asks."""

    ProviderID: ProviderIDText
    LastCall: Moment | None = None
    OperatorIDs: list[OperatorIDText]


class OperatorEVSEPricingType(Message):
    """Those of one operator."""

    lenient = frozenset({"EVSEPricing"})

    OperatorID: OperatorIDText
    OperatorName: Name | None = None
    EVSEPricing: list[EVSEPricingType]


class EVSEPricingAnswer(Message):
    """The answer to it."""

    lenient = frozenset({"EVSEPricing"})

    EVSEPricing: list[OperatorEVSEPricingType]
    StatusCode: StatusCodeType | None = None
