"""How a partner calls this module, and which edition of it we write to it."""

from __future__ import annotations

from typing import Final

from hub.core.registry import Partner
from hub.core.renditions import Rendition
from modules.bookings.wire import BOOKING, BOOKING_LOCATION, BOOKING_REQUEST, CALENDAR, OLD, VERSIONS

IDENTIFIERS: Final = ("Booking", "bookings", "Bookings", "booking")
"""The text says `Booking`, its examples use `bookings`; both are met. We show the first in our version details."""
QUIRK: Final = "bookings-1.0"
"""The mark of a partner that speaks 1.0."""

PLACES: Final = {VERSIONS[0]: BOOKING_LOCATION["2.3.0"], OLD: BOOKING_LOCATION["2.3.0"].old}
BOOKINGS: Final = {VERSIONS[0]: BOOKING["2.3.0"], OLD: BOOKING["2.3.0"].old}
REQUESTS: Final = {VERSIONS[0]: BOOKING_REQUEST["2.3.0"], OLD: BOOKING_REQUEST["2.3.0"].old}
CALENDARS: Final = {VERSIONS[0]: CALENDAR["2.3.0"], OLD: CALENDAR["2.3.0"].old}

places: Final = Rendition(PLACES)
bookings: Final = Rendition(BOOKINGS)


def edition_of(partner: Partner) -> str:
    """What we write to it."""
    return OLD if QUIRK in partner.quirks else VERSIONS[0]


def identifier(partner: Partner, side: str) -> str | None:
    """What it calls the module in its version details; None, where it does not offer it."""
    return next((name for name in IDENTIFIERS if partner.endpoint(name, side) is not None), None)
