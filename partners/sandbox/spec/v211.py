"""OCPI 2.1.1-d2: the objects and enums of the modules the sandbox speaks, as its tables state them.

A field reads `name:type(length)cardinality`: no mark is one, `?` none or one, `*` any number, `+` some.
"""

from __future__ import annotations

OBJECTS: dict[str, str] = {
    "AdditionalGeoLocation": "latitude:string(10) longitude:string(11) name:DisplayText?",
    "AuthorizationInfo": "allowed:Allowed location:LocationReferences? info:DisplayText?",
    "BusinessDetails": "name:string(100) website:URL? logo:Image?",
    "CDR": """
        id:CiString(36) start_date_time:DateTime stop_date_time:DateTime auth_id:string(36)
        auth_method:AuthMethod location:Location meter_id:string(255)? currency:string(3)
        tariffs:Tariff* charging_periods:ChargingPeriod+ total_cost:number total_energy:number
        total_time:number total_parking_time:number? remark:string(255)? last_updated:DateTime
    """,
    "CdrDimension": "type:CdrDimensionType volume:number",
    "ChargingPeriod": "start_date_time:DateTime dimensions:CdrDimension+",
    "CommandResponse": "result:CommandResponseType",
    "Connector": """
        id:string(36) standard:ConnectorType format:ConnectorFormat power_type:PowerType
        voltage:int amperage:int tariff_id:string(36)? terms_and_conditions:URL?
        last_updated:DateTime
    """,
    "Credentials": """
        token:string(64) url:URL business_details:BusinessDetails party_id:string(3)
        country_code:string(2)
    """,
    "DisplayText": "language:string(2) text:string(512)",
    "EVSE": """
        uid:string(39) evse_id:string(48)? status:Status status_schedule:StatusSchedule*
        capabilities:Capability* connectors:Connector+ floor_level:string(4)?
        coordinates:GeoLocation? physical_reference:string(16)? directions:DisplayText*
        parking_restrictions:ParkingRestriction* images:Image* last_updated:DateTime
    """,
    "Endpoint": "identifier:ModuleID url:URL",
    "EnergyMix": """
        is_green_energy:boolean energy_sources:EnergySource* environ_impact:EnvironmentalImpact*
        supplier_name:string(64)? energy_product_name:string(64)?
    """,
    "EnergySource": "source:EnergySourceCategory percentage:number",
    "EnvironmentalImpact": "source:EnvironmentalImpactCategory amount:number",
    "ExceptionalPeriod": "period_begin:DateTime period_end:DateTime",
    "GeoLocation": "latitude:string(10) longitude:string(11)",
    "Hours": """
        regular_hours:RegularHours* twentyfourseven:boolean?
        exceptional_openings:ExceptionalPeriod* exceptional_closings:ExceptionalPeriod*
    """,
    "Image": """
        url:URL thumbnail:URL? category:ImageCategory type:string(4) width:int(5)?
        height:int(5)?
    """,
    "Location": """
        id:string(39) type:LocationType name:string(255)? address:string(45) city:string(45)
        postal_code:string(10) country:string(3) coordinates:GeoLocation
        related_locations:AdditionalGeoLocation* evses:EVSE* directions:DisplayText*
        operator:BusinessDetails? suboperator:BusinessDetails? owner:BusinessDetails?
        facilities:Facility* time_zone:string(255)? opening_times:Hours?
        charging_when_closed:boolean? images:Image* energy_mix:EnergyMix? last_updated:DateTime
    """,
    "LocationReferences": "location_id:string(39) evse_uids:string(39)* connector_ids:string(36)*",
    "PriceComponent": "type:TariffDimensionType price:number step_size:int",
    "RegularHours": "weekday:int(1) period_begin:string(5) period_end:string(5)",
    "ReserveNow": """
        response_url:URL token:Token expiry_date:DateTime reservation_id:int
        location_id:string(39) evse_uid:string(39)?
    """,
    "Session": """
        id:string(36) start_datetime:DateTime end_datetime:DateTime? kwh:number
        auth_id:string(36) auth_method:AuthMethod location:Location meter_id:string(255)?
        currency:string(3) charging_periods:ChargingPeriod* total_cost:number?
        status:SessionStatus last_updated:DateTime
    """,
    "StartSession": "response_url:URL token:Token location_id:string(39) evse_uid:string(39)?",
    "StatusSchedule": "period_begin:DateTime period_end:DateTime? status:Status",
    "StopSession": "response_url:URL session_id:string(36)",
    "Tariff": """
        id:string(36) currency:string(3) tariff_alt_text:DisplayText* tariff_alt_url:URL?
        elements:TariffElement+ energy_mix:EnergyMix? last_updated:DateTime
    """,
    "TariffElement": "price_components:PriceComponent+ restrictions:TariffRestrictions?",
    "TariffRestrictions": """
        start_time:string(5)? end_time:string(5)? start_date:string(10)? end_date:string(10)?
        min_kwh:number? max_kwh:number? min_power:number? max_power:number? min_duration:int?
        max_duration:int? day_of_week:DayOfWeek*
    """,
    "Token": """
        uid:string(36) type:TokenType auth_id:string(36) visual_number:string(64)?
        issuer:string(64) valid:boolean whitelist:WhitelistType language:string(2)?
        last_updated:DateTime
    """,
    "UnlockConnector": """
        response_url:URL location_id:string(39) evse_uid:string(39) connector_id:string(36)
    """,
    "Version": "version:VersionNumber url:URL",
    "VersionDetails": "version:VersionNumber endpoints:Endpoint+",
}

ENUMS: dict[str, str] = {
    "Allowed": "ALLOWED BLOCKED EXPIRED NO_CREDIT NOT_ALLOWED",
    "AuthMethod": "AUTH_REQUEST WHITELIST",
    "Capability": """
        CHARGING_PROFILE_CAPABLE CREDIT_CARD_PAYABLE REMOTE_START_STOP_CAPABLE RESERVABLE
        RFID_READER UNLOCK_CAPABLE
    """,
    "CdrDimensionType": "ENERGY FLAT MAX_CURRENT MIN_CURRENT PARKING_TIME TIME",
    "CommandResponseType": "NOT_SUPPORTED REJECTED ACCEPTED TIMEOUT UNKNOWN_SESSION",
    "CommandType": "RESERVE_NOW START_SESSION STOP_SESSION UNLOCK_CONNECTOR",
    "ConnectorFormat": "SOCKET CABLE",
    "ConnectorType": """
        CHADEMO DOMESTIC_A DOMESTIC_B DOMESTIC_C DOMESTIC_D DOMESTIC_E DOMESTIC_F DOMESTIC_G
        DOMESTIC_H DOMESTIC_I DOMESTIC_J DOMESTIC_K DOMESTIC_L IEC_60309_2_single_16
        IEC_60309_2_three_16 IEC_60309_2_three_32 IEC_60309_2_three_64 IEC_62196_T1
        IEC_62196_T1_COMBO IEC_62196_T2 IEC_62196_T2_COMBO IEC_62196_T3A IEC_62196_T3C TESLA_R
        TESLA_S
    """,
    "DayOfWeek": "MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY SUNDAY",
    "EnergySourceCategory": "NUCLEAR GENERAL_FOSSIL COAL GAS GENERAL_GREEN SOLAR WIND WATER",
    "EnvironmentalImpactCategory": "NUCLEAR_WASTE CARBON_DIOXIDE",
    "Facility": """
        HOTEL RESTAURANT CAFE MALL SUPERMARKET SPORT RECREATION_AREA NATURE MUSEUM BUS_STOP
        TAXI_STAND TRAIN_STATION AIRPORT CARPOOL_PARKING FUEL_STATION WIFI
    """,
    "ImageCategory": "CHARGER ENTRANCE LOCATION NETWORK OPERATOR OTHER OWNER",
    "LocationType": "ON_STREET PARKING_GARAGE UNDERGROUND_GARAGE PARKING_LOT OTHER UNKNOWN",
    "ParkingRestriction": "EV_ONLY PLUGGED DISABLED CUSTOMERS MOTORCYCLES",
    "PowerType": "AC_1_PHASE AC_3_PHASE DC",
    "SessionStatus": "ACTIVE COMPLETED INVALID PENDING",
    "Status": """
        AVAILABLE BLOCKED CHARGING INOPERATIVE OUTOFORDER PLANNED REMOVED RESERVED UNKNOWN
    """,
    "TariffDimensionType": "ENERGY FLAT PARKING_TIME TIME",
    "TokenType": "OTHER RFID",
    "VersionNumber": "2.0 2.1 2.1.1",
    "WhitelistType": "ALWAYS ALLOWED ALLOWED_OFFLINE NEVER",
}

OPEN: frozenset[str] = frozenset({"VersionNumber"})
"""A list of versions may hold newer ones, which are passed over."""
