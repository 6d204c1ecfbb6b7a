"""Objects of a CPO that are whole and plausible, from as little as a tester wants to say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from partners.sandbox.wire import Json

_RECORD: Final[Mapping[str, Json]] = {
    "ChargingStationID": "Yard 1",
    "ChargingStationNames": [{"lang": "en", "value": "Harbour Yard"}, {"lang": "de", "value": "Hafenhof"}],
    "Address": {
        "Country": "DEU",
        "City": "Hamburg",
        "Street": "Am Sandtorkai",
        "PostalCode": "20457",
        "HouseNum": "12",
        "TimeZone": "UTC+01:00",
    },
    "GeoCoordinates": {"Google": {"Coordinates": "53.543611 9.988889"}},
    "Plugs": ["Type 2 Outlet"],
    "ChargingFacilities": [
        {"PowerType": "AC_3_PHASE", "Power": 22, "Voltage": 230, "Amperage": 32, "ChargingModes": ["Mode_3"]}
    ],
    "RenewableEnergy": True,
    "CalibrationLawDataAvailability": "Local",
    "AuthenticationModes": ["NFC RFID Classic", "NFC RFID DESFire", "REMOTE"],
    "PaymentOptions": ["Contract"],
    "ValueAddedServices": ["Reservation"],
    "Accessibility": "Free publicly accessible",
    "AccessibilityLocation": "OnStreet",
    "HotlinePhoneNumber": "+4940123456789",
    "IsOpen24Hours": True,
    "IsHubjectCompatible": True,
    "DynamicInfoAvailable": "true",
}
_PRODUCT: Final[Mapping[str, Json]] = {
    "ProductID": "AC3",
    "ReferenceUnit": "KILOWATT_HOUR",
    "ProductPriceCurrency": "EUR",
    "PricePerReferenceUnit": 1,
    "MaximumProductChargingPower": 22,
    "IsValid24hours": True,
    "ProductAvailabilityTimes": [{"Periods": [{"begin": "00:00", "end": "24:00"}], "on": "Everyday"}],
}
_PRICES: Final[Mapping[str, Json]] = {
    "ProviderID": "*",
    "PricingDefaultPrice": 1,
    "PricingDefaultPriceCurrency": "EUR",
    "PricingDefaultReferenceUnit": "KILOWATT_HOUR",
}


def evse(said: Mapping[str, Json]) -> dict[str, Json]:
    """An EvseDataRecord: `{"EvseID": ...}` is enough. A field said as null is left out."""
    return {name: value for name, value in {**_RECORD, **said}.items() if value is not None}


def product(said: Mapping[str, Json]) -> dict[str, Json]:
    """A PricingProductDataRecord."""
    return {**_PRODUCT, **said}


def prices(said: Mapping[str, Json]) -> dict[str, Json]:
    """A PricingProductData with its products, of the operator that is said."""
    records: list[dict[str, Json]] = said.get("PricingProductDataRecords") or [{}]
    products = [product(each) for each in records]
    return {**_PRICES, **said, "PricingProductDataRecords": products}
