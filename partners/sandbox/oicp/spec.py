"""OICP 2.3 as data: messages, their parts and the values of their enumerations, as its tables state them.

A field reads `Name:type(length)cardinality`: no mark is one, `?` none or one, `*` any number, `+` some.
`IDS` are the forms of the restricted strings; those that the specification words too widely are as its text means them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from partners.sandbox.spec import Field, fields

_SESSION = "CPOPartnerSessionID:string(250)? EMPPartnerSessionID:string(250)?"
_PAGE = """
    number:int? size:int? totalElements:int? totalPages:int? first:boolean? last:boolean? numberOfElements:int?
    StatusCode:StatusCode?
"""
_NOTIFIED = f"""
    Type:NotificationType SessionID:SessionID EvseID:EvseID OperatorID:OperatorID Identification:Identification?
    {_SESSION}
"""
_METERED = "MeterValueStart:energy? MeterValueInBetween:MeterValues?"

_TABLES: Final = {
    "StatusCode": "Code:string(3) Description:string(200)? AdditionalInfo:string(1000)?",
    "Acknowledgement": f"Result:boolean StatusCode:StatusCode SessionID:SessionID? {_SESSION}",
    "AuthorizeStart": f"""
        SessionID:SessionID? OperatorID:OperatorID EvseID:EvseID? Identification:Identification
        PartnerProductID:string(50)? {_SESSION}
    """,
    "AuthorizationStart": f"""
        AuthorizationStatus:AuthorizationStatus StatusCode:StatusCode SessionID:SessionID? ProviderID:ProviderID?
        AuthorizationStopIdentifications:Identification* {_SESSION}
    """,
    "AuthorizeStop": f"""
        SessionID:SessionID OperatorID:OperatorID EvseID:EvseID? Identification:Identification
        PartnerProductID:string(50)? {_SESSION}
    """,
    "AuthorizationStop": f"""
        AuthorizationStatus:AuthorizationStatus StatusCode:StatusCode SessionID:SessionID? ProviderID:ProviderID?
        {_SESSION}
    """,
    "RemoteStart": f"""
        SessionID:SessionID? ProviderID:ProviderID EvseID:EvseID Identification:Identification
        PartnerProductID:string(50)? {_SESSION}
    """,
    "RemoteStop": f"SessionID:SessionID ProviderID:ProviderID EvseID:EvseID {_SESSION}",
    "ReservationStart": f"""
        SessionID:SessionID? ProviderID:ProviderID EvseID:EvseID Identification:Identification
        PartnerProductID:string(50)? Duration:int(2)? {_SESSION}
    """,
    "ReservationStop": f"SessionID:SessionID ProviderID:ProviderID EvseID:EvseID {_SESSION}",
    "ChargeDetailRecord": f"""
        SessionID:SessionID EvseID:EvseID Identification:Identification ChargingStart:DateTime ChargingEnd:DateTime
        SessionStart:DateTime SessionEnd:DateTime ConsumedEnergy:energy PartnerProductID:string(50)? {_METERED}
        MeterValueEnd:energy? SignedMeteringValues:SignedMeteringValue*
        CalibrationLawVerificationInfo:CalibrationLaw? HubOperatorID:OperatorID? HubProviderID:ProviderID? {_SESSION}
    """,
    "SignedMeteringValue": "SignedMeteringValue:string(3000)? MeteringStatus:MeteringStatus?",
    "CalibrationLaw": """
        CalibrationLawCertificateID:string(100)? PublicKey:string(1000)? MeteringSignatureUrl:string(200)?
        MeteringSignatureEncodingFormat:string(50)? SignedMeteringValuesVerificationInstruction:string(400)?
    """,
    "MeterValues": "meterValues:energy*",
    "ChargingNotification": _NOTIFIED,
    "StartNotification": f"""
        {_NOTIFIED} ChargingStart:DateTime SessionStart:DateTime? MeterValueStart:energy? PartnerProductID:string(50)?
    """,
    "ProgressNotification": f"""
        {_NOTIFIED} ChargingStart:DateTime EventOccurred:DateTime ChargingDuration:int? SessionStart:DateTime?
        ConsumedEnergyProgress:energy? {_METERED} PartnerProductID:string(50)?
    """,
    "EndNotification": f"""
        {_NOTIFIED} ChargingStart:DateTime? ChargingEnd:DateTime SessionStart:DateTime? SessionEnd:DateTime?
        ConsumedEnergy:energy? {_METERED} MeterValueEnd:energy? PartnerProductID:string(50)? PenaltyTimeStart:DateTime?
    """,
    "ErrorNotification": f"{_NOTIFIED} ErrorType:ErrorClass ErrorAdditionalInfo:string(250)?",
    "Identification": """
        RFIDMifareFamilyIdentification:RFIDMifareFamily? RFIDIdentification:RFID? QRCodeIdentification:QRCode?
        PlugAndChargeIdentification:Contract? RemoteIdentification:Contract?
    """,
    "RFIDMifareFamily": "UID:UID",
    "RFID": "UID:UID EvcoID:EvcoID? RFID:RFIDType PrintedNumber:string(150)? ExpiryDate:DateTime?",
    "QRCode": "EvcoID:EvcoID HashedPIN:HashedPIN? PIN:string(20)?",
    "HashedPIN": "Value:HashValue Function:HashFunction",
    "Contract": "EvcoID:EvcoID",
    "PushEvseData": "ActionType:ActionType OperatorEvseData:OperatorEvseData",
    "OperatorEvseData": "OperatorID:OperatorID OperatorName:string(100) EvseDataRecord:EvseDataRecord*",
    "EvseDataRecord": """
        EvseID:EvseID ChargingPoolID:PoolID? ChargingStationID:string(50)? ChargingStationNames:InfoText+
        HardwareManufacturer:string(50)? ChargingStationImage:string(200)? SubOperatorName:string(100)? Address:Address
        GeoCoordinates:GeoCoordinates Plugs:Plug+ DynamicPowerLevel:boolean? ChargingFacilities:ChargingFacility+
        RenewableEnergy:boolean EnergySource:EnergySource* EnvironmentalImpact:EnvironmentalImpact?
        CalibrationLawDataAvailability:CalibrationLawDataAvailability AuthenticationModes:AuthenticationMode+
        MaxCapacity:int? PaymentOptions:PaymentOption+ ValueAddedServices:ValueAddedService+
        Accessibility:Accessibility AccessibilityLocation:AccessibilityLocation? HotlinePhoneNumber:Phone
        AdditionalInfo:InfoText* ChargingStationLocationReference:InfoText* GeoChargingPointEntrance:GeoCoordinates?
        IsOpen24Hours:boolean OpeningTimes:OpeningTimes* HubOperatorID:OperatorID? ClearinghouseID:string(20)?
        IsHubjectCompatible:boolean DynamicInfoAvailable:DynamicInfo deltaType:DeltaType? lastUpdate:DateTime?
    """,
    "PulledEvseDataRecord": "OperatorID:OperatorID OperatorName:string(100)",
    "Address": """
        Country:Country City:string(50) Street:string(100) PostalCode:string(10) HouseNum:string(10) Floor:string(5)?
        Region:string(50)? ParkingFacility:boolean? ParkingSpot:string(5)? TimeZone:TimeZone?
    """,
    "GeoCoordinates": "Google:Google? DecimalDegree:DecimalDegree? DegreeMinuteSeconds:DegreeMinuteSeconds?",
    "Google": "Coordinates:GoogleCoordinates",
    "DecimalDegree": "Longitude:Degree Latitude:Degree",
    "DegreeMinuteSeconds": "Longitude:Sexagesimal Latitude:Sexagesimal",
    "InfoText": "lang:Language value:string(150)",
    "ChargingFacility": """
        PowerType:PowerType Power:int(3) Voltage:int(3)? Amperage:int(2)? ChargingModes:ChargingMode*
    """,
    "EnergySource": "Energy:Energy? Percentage:int(2)?",
    "EnvironmentalImpact": "CO2Emission:decimal? NuclearWaste:decimal?",
    "OpeningTimes": "Period:Period+ on:Days",
    "Period": "begin:Clock end:Clock",
    "PullEvseData": """
        ProviderID:ProviderID GeoCoordinatesResponseFormat:GeoFormat SearchCenter:SearchCenter? LastCall:DateTime?
        CountryCodes:Country* OperatorIds:OperatorID* AuthenticationModes:AuthenticationMode*
        Accessibility:Accessibility* CalibrationLawDataAvailability:CalibrationLawDataAvailability*
        RenewableEnergy:boolean? IsHubjectCompatible:boolean? IsOpen24Hours:boolean?
    """,
    "SearchCenter": "GeoCoordinates:GeoCoordinates Radius:decimal",
    "EvseDataPage": f"content:PulledEvseDataRecord* {_PAGE}",
    "PushEvseStatus": "ActionType:ActionType OperatorEvseStatus:OperatorEvseStatus",
    "OperatorEvseStatus": "OperatorID:OperatorID OperatorName:string(100)? EvseStatusRecord:EvseStatusRecord*",
    "EvseStatusRecord": "EvseID:EvseID EvseStatus:EvseStatus",
    "PullEvseStatus": "ProviderID:ProviderID SearchCenter:SearchCenter? EvseStatus:EvseStatus?",
    "PullEvseStatusById": "ProviderID:ProviderID EvseID:EvseID+",
    "PullEvseStatusByOperatorId": "ProviderID:ProviderID OperatorID:OperatorID+",
    "EvseStatusAnswer": "EvseStatuses:EvseStatuses? StatusCode:StatusCode?",
    "EvseStatuses": "OperatorEvseStatus:OperatorEvseStatus*",
    "EvseStatusByIdAnswer": "EVSEStatusRecords:EvseStatusRecords? StatusCode:StatusCode?",
    "EvseStatusRecords": "EvseStatusRecord:EvseStatusRecord*",
    "GetChargeDetailRecords": """
        ProviderID:ProviderID From:DateTime To:DateTime SessionID:SessionID* OperatorID:OperatorID*
        CDRForwarded:boolean?
    """,
    "CdrPage": f"content:ChargeDetailRecord* {_PAGE}",
    "PushAuthenticationData": "ActionType:ActionType ProviderAuthenticationData:ProviderAuthenticationData",
    "ProviderAuthenticationData": "ProviderID:ProviderID AuthenticationDataRecord:AuthenticationDataRecord*",
    "AuthenticationDataRecord": "Identification:Identification",
    "PushPricingProductData": "ActionType:ActionType PricingProductData:PricingProductData",
    "PricingProductData": """
        OperatorID:OperatorID OperatorName:string(100)? ProviderID:ProviderOrAll PricingDefaultPrice:decimal
        PricingDefaultPriceCurrency:Currency PricingDefaultReferenceUnit:ReferenceUnit
        PricingProductDataRecords:PricingProduct*
    """,
    "PricingProduct": """
        ProductID:string(50) ReferenceUnit:ReferenceUnit ProductPriceCurrency:Currency PricePerReferenceUnit:decimal
        MaximumProductChargingPower:decimal IsValid24hours:boolean ProductAvailabilityTimes:ProductAvailability*
        AdditionalReferences:AdditionalReference*
    """,
    "ProductAvailability": "Periods:Period+ on:Days",
    "AdditionalReference": """
        AdditionalReference:Fee AdditionalReferenceUnit:ReferenceUnit PricePerAdditionalReferenceUnit:decimal
    """,
    "PullPricingProductData": "OperatorIDs:OperatorID+ LastCall:DateTime?",
    "PricingProductDataAnswer": "PricingProductData:PricingProductData* StatusCode:StatusCode?",
    "PushEVSEPricing": "ActionType:ActionType EVSEPricing:EVSEPricing*",
    "EVSEPricing": "EvseID:EvseID ProviderID:ProviderOrAll EvseIDProductList:string(50)+",
    "PullEVSEPricing": "ProviderID:ProviderID OperatorIDs:OperatorID+ LastCall:DateTime?",
    "EVSEPricingAnswer": "EVSEPricing:OperatorEVSEPricing* StatusCode:StatusCode?",
    "OperatorEVSEPricing": "OperatorID:OperatorID OperatorName:string(100)? EVSEPricing:EVSEPricing*",
}
_TABLES["PulledEvseDataRecord"] += _TABLES["EvseDataRecord"]

OBJECTS: Mapping[str, Mapping[str, Field]] = {name: fields(table) for name, table in _TABLES.items()}
CHOICES: Final = frozenset({"Identification", "GeoCoordinates"})
"""Objects of which exactly one field is given."""
EITHER: Final = frozenset({"GetChargeDetailRecords/OperatorID"})
"""Lists where the specification shows a single one elsewhere."""

_NAME = r"[A-Za-z0-9]{3}"
_ISO_OPERATOR, _DIN_OPERATOR = rf"[A-Za-z]{{2}}\*?{_NAME}", r"\+?[0-9]{1,3}\*[0-9]{3}"
_PROVIDER = rf"[A-Za-z]{{2}}[*-]?{_NAME}"
IDS: Mapping[str, str] = {
    "SessionID": r"[A-Za-z0-9]{8}(-[A-Za-z0-9]{4}){3}-[A-Za-z0-9]{12}",
    "OperatorID": rf"{_ISO_OPERATOR}|{_DIN_OPERATOR}",
    "ProviderID": _PROVIDER,
    "ProviderOrAll": rf"\*|{_PROVIDER}",
    "EvseID": r"[A-Z]{2}\*?[A-Z0-9]{3}\*?E[A-Z0-9*]{1,30}|\+?[0-9]{1,3}\*[0-9]{3}\*[0-9*]{1,32}",
    "PoolID": r"[A-Z]{2}\*?[A-Z0-9]{3}\*?P[A-Z0-9*]{1,30}",
    "EvcoID": rf"[A-Za-z]{{2}}-?{_NAME}-?C[A-Za-z0-9]{{8}}-?[A-Za-z0-9]"
    rf"|[A-Za-z]{{2}}[*-]?{_NAME}[*-]?[A-Za-z0-9]{{6}}[*-]?[0-9X]",
    "UID": r"[0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20}",
    "HashValue": r"[0-9A-Za-z.+/=\\$]{10,100}",
    "Phone": r"\+[0-9]{5,15}",
    "TimeZone": r"UTC[+-][0-9]{2}:[0-9]{2}",
    "Clock": r"([01][0-9]|2[0-4]):[0-5][0-9]",
    "Country": r"[A-Z]{3}",
    "Currency": r"[A-Z]{3}",
    "Language": r"[a-z]{2,3}(-[A-Z]{2,3}(-[A-Za-z]{4})?)?(-x-[A-Za-z0-9]{1,8})?",
    "GoogleCoordinates": r"-?1?\d{1,2}\.\d{1,6}[\s,]\s*-?1?\d{1,2}\.\d{1,6}",
    "Degree": r"-?1?\d{1,2}\.\d{1,6}",
    "Sexagesimal": r"-?1?\d{1,2}°[ ]?\d{1,2}'[ ]?\d{1,2}\.\d+''",
}
ENUMS: Mapping[str, frozenset[str]] = {
    name: frozenset(values.split("|"))
    for name, values in {
        "ActionType": "fullLoad|update|insert|delete",
        "DeltaType": "update|insert|delete",
        "AuthorizationStatus": "Authorized|NotAuthorized",
        "NotificationType": "Start|Progress|End|Error",
        "ErrorClass": "ConnectorError|CriticalError",
        "MeteringStatus": "Start|Progress|End",
        "EvseStatus": "Available|Reserved|Occupied|OutOfService|EvseNotFound|Unknown",
        "RFIDType": "mifareCls|mifareDes|calypso|nfc|mifareFamily",
        "HashFunction": "Bcrypt",
        "GeoFormat": "Google|DegreeMinuteSeconds|DecimalDegree",
        "DynamicInfo": "true|false|auto",
        "PowerType": "AC_1_PHASE|AC_3_PHASE|DC",
        "ReferenceUnit": "HOUR|KILOWATT_HOUR|MINUTE",
        "Fee": "START FEE|FIXED FEE|PARKING FEE|MINIMUM FEE|MAXIMUM FEE",
        "Days": "Everyday|Workdays|Weekend|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday",
        "CalibrationLawDataAvailability": "Local|External|Not Available",
        "Accessibility": "Free publicly accessible|Restricted access|Paying publicly accessible|Test Station",
        "AccessibilityLocation": "OnStreet|ParkingLot|ParkingGarage|UndergroundParkingGarage",
        "ChargingMode": "Mode_1|Mode_2|Mode_3|Mode_4|CHAdeMO",
        "PaymentOption": "No Payment|Direct|Contract",
        "AuthenticationMode": "NFC RFID Classic|NFC RFID DESFire|PnC|REMOTE|Direct Payment|No Authentication Required",
        "ValueAddedService": "Reservation|DynamicPricing|ParkingSensors|MaximumPowerCharging"
        "|PredictiveChargePointUsage|ChargingPlans|RoofProvided|None",
        "Energy": "Solar|Wind|HydroPower|GeothermalEnergy|Biomass|Coal|NuclearEnergy|Petroleum|NaturalGas",
        "Plug": "Small Paddle Inductive|Large Paddle Inductive|AVCON Connector|Tesla Connector|NEMA 5-20"
        "|Type E French Standard|Type F Schuko|Type G British Standard|Type J Swiss Standard"
        "|Type 1 Connector (Cable Attached)|Type 2 Outlet|Type 2 Connector (Cable Attached)|Type 3 Outlet"
        "|IEC 60309 Single Phase|IEC 60309 Three Phase|CCS Combo 2 Plug (Cable Attached)"
        "|CCS Combo 1 Plug (Cable Attached)|CHAdeMO",
    }.items()
}
