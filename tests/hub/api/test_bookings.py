"""Bookings, as an operator has them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hub.core.clock import timestamp
from hub.core.parties import Party
from modules.bookings import service
from modules.bookings.editions import QUIRK
from tests.hub.house import House
from tests.modules.bookings.booked import TERMS, asked, place, read

BL1 = "/api/v1/booking_locations/DE/BSB/BL1"


async def opened(house: House) -> Any:
    await house.furnish()
    return await house.ask("PUT", BL1, place(calendars=None))


async def booked(house: House) -> str:
    """A booking for tomorrow. Returns: its path."""
    assert (await opened(house)).status == 201
    start = house.program.hub.clock.now() + timedelta(days=1)
    period = {"start_date_time": timestamp(start), "end_date_time": timestamp(start + timedelta(hours=1))}
    decided = await service.request(house.program.hub, Party.parse("NL*EEE"), read(asked(period=period)))
    assert decided.booking["reservation_status"] == "RESERVED"
    return f"/api/v1/bookings/DE/BSB/{decided.booking['id']}"


async def test_a_place_is_opened_and_shown(house: House) -> None:
    made = await opened(house)
    assert (made.status, made.tree["booking_terms"]) == (201, TERMS)
    assert (await house.ask("PUT", BL1, place(calendars=None))).status == 200
    assert (await house.ask("GET", BL1)).tree["id"] == "BL1"
    assert (await house.ask("GET", "/api/v1/booking_locations")).tree["total"] == 1
    assert (await house.ask("GET", f"{BL1}X")).status == 404
    assert (await house.ask("PUT", "/api/v1/booking_locations/NL/AAA/BL1", place())).status == 422


@pytest.mark.parametrize("calendars", ["x", {}, [1], [{"id": 1}], 7])
async def test_calendars_of_another_shape_are_refused(house: House, calendars: Any) -> None:
    await house.furnish()
    told = await house.ask("PUT", BL1, place(calendars=calendars))
    assert (told.status, told.code) == (422, "invalid_request"), told.tree


async def test_a_booking_is_listed_shown_and_cancelled_once(house: House) -> None:
    path = await booked(house)
    assert (await house.ask("GET", "/api/v1/bookings")).tree["total"] == 1
    assert (await house.ask("GET", path)).tree["reservation_status"] == "RESERVED"
    assert (await house.ask("POST", f"{path}/cancel", {"reason": "NONSENSE"})).status == 422
    told = await house.ask("POST", f"{path}/cancel", {"reason": "BROKEN_CHARGER"})
    assert (told.status, told.tree["reservation_status"]) == (200, "CANCELED")
    assert (await house.ask("POST", f"{path}/cancel", {"reason": "FULL"})).status == 422
    assert (await house.ask("GET", f"{path}X")).status == 404


async def test_a_partner_is_marked_as_one_of_1_0_and_back(house: House) -> None:
    await house.invite("acme")
    at = "/api/v1/partners/acme/bookings_edition"
    assert (await house.ask("PUT", at, {"edition": "1.0"})).status == 200
    assert house.program.hub.registry.get("acme").quirks == (QUIRK,)
    assert (await house.ask("PUT", at, {"edition": "1.1"})).status == 200
    assert house.program.hub.registry.get("acme").quirks == ()
    assert (await house.ask("PUT", at, {"edition": "2"})).status == 422
    assert (await house.ask("PUT", at.replace("acme", "none"), {"edition": "1.0"})).status == 404
