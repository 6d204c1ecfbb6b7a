"""Bookings in our own form: module 1.1 (mod_bookings of the bookings edition of 2.3.0)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hub.core.types import (
    CiString36,
    CountryCode,
    DateTime,
    Flag,
    Id36,
    Many,
    Number,
    OcpiModel,
    PartyId,
    Some,
    Url,
    Whole,
    key_of,
)
from hub.core.types.markers import Closed, string
from modules.credentials.model import Role
from modules.locations.model import ConnectorFormat, ConnectorType, EVSEPosition, PowerType, VehicleType
from modules.tokens.model import TokenType

AccessMethod = Annotated[
    Literal["OPEN", "TOKEN", "LICENSE_PLATE", "ACCESS_CODE", "INTERCOM", "PARKING_TICKET"], Closed("AccessMethod")
]
"""mod_bookings_access_method_enum"""
CanceledReason = Annotated[
    Literal[
        "POWER_OUTAGE",
        "BROKEN_CHARGER",
        "FULL",
        "BLOCKED",
        "TRAFFIC",
        "BROKEN_VEHICLE",
        "NO_CANCELED",
        "UNKNOWN",
    ],
    Closed("CanceledReason"),
]
"""mod_bookings_canceled_reason_enum"""
ReservationRequestStatus = Annotated[
    Literal["PENDING", "ACCEPTED", "DECLINED", "FAILED"], Closed("ReservationRequestStatus")
]
"""mod_bookings_request_status_enum"""
ReservationStatus = Annotated[
    Literal["PENDING", "RESERVED", "CANCELED", "FAILED", "NO_SHOW", "FULFILLED", "REJECTED", "UNKNOWN"],
    Closed("ReservationStatus"),
]
"""mod_bookings_reservation_status_enum"""


class AccessInformation(OcpiModel):
    """How one gets to the charger; `value` is a licence plate or a code. mod_bookings_access_information_class."""

    method: AccessMethod
    value: Annotated[str, string(None)] | None = None


class BookingOption(OcpiModel):
    """What is booked, as closely as is said; weights in kg, lengths in cm. mod_bookings_booking_option_class."""

    evse_uid: CiString36 | None = None
    connector_id: CiString36 | None = None
    parking_id: CiString36 | None = None
    evse_position: Many[EVSEPosition] = Field(default_factory=list)
    vehicle_types: Many[VehicleType] = Field(default_factory=list)
    connector_format: Many[ConnectorFormat] = Field(default_factory=list)
    connector_types: Many[ConnectorType] = Field(default_factory=list)
    power_types: Many[PowerType] = Field(default_factory=list)
    max_vehicle_weight: Number | None = None
    max_vehicle_height: Number | None = None
    max_vehicle_length: Number | None = None
    max_vehicle_width: Number | None = None
    min_parking_space_length: Number | None = None
    min_parking_space_width: Number | None = None
    dangerous_goods_allowed: Flag | None = None
    drive_through: Flag | None = None
    refrigeration_outlet: Flag | None = None


class Period(OcpiModel):
    """From a start to an end. mod_bookings_period_class."""

    start_date_time: DateTime
    end_date_time: DateTime


class Timeslot(OcpiModel):
    """A period and the power in it, in W. mod_bookings_timeslot_class."""

    start_date_time: DateTime
    end_date_time: DateTime
    min_power: Number | None = None
    max_power: Number | None = None
    green_energy_support: Flag | None = None


class Cancellation(OcpiModel):
    """Why a booking was cancelled, and by whom. mod_bookings_cancellation_class."""

    cancellation_reason: CanceledReason
    who_canceled: Role


class BookingToken(OcpiModel):
    """A token by which a booking may be used. mod_bookings_booking_token_object."""

    country_code: CountryCode
    party_id: PartyId
    uid: Id36
    type: TokenType
    contract_id: Id36


class BookingTerms(OcpiModel):
    """Under what terms one books; times in minutes. mod_bookings_booking_terms_class."""

    rfid_auth_required: Flag | None = None
    token_groups_supported: Flag | None = None
    remote_auth_supported: Flag | None = None
    supported_access_methods: Some[AccessMethod]
    change_until_minutes: Number
    cancel_until_minutes: Number
    change_not_allowed: Flag | None = None
    early_start_allowed: Flag | None = None
    early_start_time: Number | None = None
    noshow_timeout: Number | None = None
    noshow_fee: Flag | None = None
    late_stop_allowed: Flag | None = None
    late_stop_time: Number | None = None
    overlapping_bookings_allowed: Flag | None = None
    min_booking_duration: Number | None = None
    max_booking_duration: Number | None = None
    booking_terms: Url | None = None


class Policy(OcpiModel):
    """Must one book, and how many places may be used without? mod_bookings_policy_object."""

    reservation_required: Flag
    ad_hoc: Number | None = None


class BookingRequest(OcpiModel):
    """A wish for a booking, a change of it, or its end (`canceled`); power in kW. mod_bookings_request_class."""

    country_code: CountryCode
    party_id: PartyId
    request_id: Id36
    booking_option: BookingOption | None = None
    location_id: Id36
    booking_location_id: Id36
    tokens: Many[BookingToken] = Field(default_factory=list)
    access_information: Many[AccessInformation] = Field(default_factory=list)
    period: Period
    authorization_reference: Id36
    power_required: Whole | None = None
    canceled: Cancellation | None = None


class BookingRequestStatus(OcpiModel):
    """A request, and what became of it. mod_bookings_request_status_class."""

    request_status: ReservationRequestStatus
    booking_request: BookingRequest
    request_received: DateTime


class Calendar(OcpiModel):
    """When one may book; the increment in minutes. mod_bookings_calendar_object."""

    id: Id36
    begin_from: DateTime
    end_before: DateTime
    timeslot_increment: Whole | None = None
    available_timeslots: Some[Timeslot]
    last_updated: DateTime


class BookingLocation(OcpiModel):
    """What can be booked at a location. mod_bookings_bookinglocation_object."""

    country_code: CountryCode
    party_id: PartyId
    id: Id36
    location_id: Id36
    booking_option: BookingOption | None = None
    policy: Policy | None = None
    tariff_ids: Many[CiString36] = Field(default_factory=list)
    booking_terms: BookingTerms | None = None
    calendars: Many[Calendar] = Field(default_factory=list)
    last_updated: DateTime

    @property
    def key(self) -> str:
        """`DE*ABC/bl1`."""
        return key_of(self.country_code, self.party_id, self.id)


class Booking(OcpiModel):
    """A booking, and every request that was made for it. mod_bookings_booking_object."""

    id: Id36
    country_code: CountryCode
    party_id: PartyId
    request_id: Id36
    booking_option: BookingOption | None = None
    location_id: Id36
    booking_tokens: Many[BookingToken] = Field(default_factory=list)
    tariff_ids: Many[CiString36] = Field(default_factory=list)
    period: Timeslot
    reservation_status: ReservationStatus
    canceled: Cancellation | None = None
    access_information: Many[AccessInformation] = Field(default_factory=list)
    authorization_reference: Id36
    booking_terms: BookingTerms
    booking_requests: Some[BookingRequestStatus]
    last_updated: DateTime

    @property
    def key(self) -> str:
        """`DE*ABC/booking1`."""
        return key_of(self.country_code, self.party_id, self.id)
