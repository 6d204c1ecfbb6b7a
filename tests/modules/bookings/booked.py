"""What the tests of bookings share: a place of ours that is open, requests, and how they are asked."""

from __future__ import annotations

from typing import Any

from hub.core.parties import Party
from modules.bookings import service
from modules.bookings.model import BookingRequest
from modules.bookings.requests import Decided
from modules.bookings.wire import BOOKING_REQUEST
from tests.world import World

DAY = "2026-05-05"
TERMS = {
    "supported_access_methods": ["TOKEN"],
    "change_until_minutes": 60,
    "cancel_until_minutes": 120,
    "early_start_time": 10,
    "noshow_timeout": 15,
    "late_stop_allowed": False,
    "min_booking_duration": 15,
    "max_booking_duration": 240,
}


def at(hour: float, day: str = DAY) -> str:
    """08:30 for 8.5."""
    return f"{day}T{int(hour):02d}:{round(hour % 1 * 60):02d}:00Z"


def slot(start: float, end: float, **fields: Any) -> dict[str, Any]:
    return {"start_date_time": at(start), "end_date_time": at(end), **fields}


def calendar(*slots: tuple[float, float], calendar_id: str = "CAL", step: int = 15) -> dict[str, Any]:
    return {
        "id": calendar_id,
        "begin_from": at(0),
        "end_before": at(23),
        "timeslot_increment": step,
        "available_timeslots": [slot(*each, max_power=22000) for each in slots],
        "last_updated": "2026-05-04T10:00:00Z",
    }


def place(place_id: str = "BL1", evse: str | None = "E1", **fields: Any) -> dict[str, Any]:
    """A booking location at LOC1: open from 8 to 20 on the day."""
    return {
        "id": place_id,
        "location_id": "LOC1",
        "booking_option": {"evse_uid": evse} if evse else {"connector_types": ["IEC_62196_T2"]},
        "booking_terms": TERMS,
        "tariff_ids": ["T1"],
        "calendars": [calendar((8, 20))],
        **fields,
    }


def asked(
    start: float = 10, end: float = 11, *, request_id: str = "REQ1", owner: str = "NL*EEE", **fields: Any
) -> dict[str, Any]:
    """A BookingRequest tree."""
    country_code, party_id = owner.split("*")
    token = {"country_code": country_code, "party_id": party_id, "uid": "CARD1", "type": "RFID"}
    return {
        "country_code": country_code,
        "party_id": party_id,
        "request_id": request_id,
        "location_id": "LOC1",
        "booking_location_id": "BL1",
        "tokens": [{**token, "contract_id": f"{country_code}-{party_id}-C1"}],
        "period": slot(start, end),
        "authorization_reference": f"ref-{request_id}",
        **fields,
    }


def canceling(start: float = 10, end: float = 11, **fields: Any) -> dict[str, Any]:
    return asked(start, end, canceled={"cancellation_reason": "TRAFFIC", "who_canceled": "EMSP"}, **fields)


def read(tree: dict[str, Any]) -> BookingRequest:
    request: BookingRequest = BOOKING_REQUEST["2.3.0"].read(tree)
    return request


async def open_place(world: World, tree: dict[str, Any] | None = None) -> None:
    tree = tree or place()
    await service.open_place(world.hub, tree["id"], tree, actor="jo")


async def ask(world: World, tree: dict[str, Any]) -> Decided:
    """The decision on a request of its own party."""
    return await service.request(world.hub, Party.of(tree["country_code"], tree["party_id"]), read(tree))


def slots_of(tree: dict[str, Any]) -> list[tuple[str, str]]:
    """The free timeslots, as (08:00, 20:00)."""
    return [
        (each["start_date_time"][11:16], each["end_date_time"][11:16])
        for calendar in tree.get("calendars", ())
        for each in calendar["available_timeslots"]
    ]
