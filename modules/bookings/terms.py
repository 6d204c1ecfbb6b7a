"""What the terms of a booking allow, and when. Pure. OCPI mod_bookings_booking_terms_class.

Functions called `why_not_...` return the reason against, in words for the one who asks, or None.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from modules.bookings.calendar import Span

Terms = Mapping[str, Any]

DEFAULT: Final[Terms] = {
    "supported_access_methods": ["TOKEN"],
    "change_until_minutes": 0,
    "cancel_until_minutes": 0,
}
"""Where a booking location states none: changes and cancellation until it begins."""
_MOST: Final = Decimal(10 * 365 * 24 * 60)


def minutes(terms: Terms, name: str) -> timedelta:
    """A term in minutes; none where it is not stated."""
    value = min(max(Decimal(terms.get(name) or 0), Decimal(0)), _MOST)
    return timedelta(milliseconds=int(value * 60_000))


def why_not_change(terms: Terms, start: datetime, now: datetime) -> str | None:
    if terms.get("change_not_allowed"):
        return "the terms allow no change"
    if now > start - minutes(terms, "change_until_minutes"):
        return f"a change was possible until {terms['change_until_minutes']} minutes before the booking"
    return None


def why_not_cancel(terms: Terms, start: datetime, now: datetime) -> str | None:
    if now > start - minutes(terms, "cancel_until_minutes"):
        return f"a cancellation was possible until {terms['cancel_until_minutes']} minutes before the booking"
    return None


def why_not_period(terms: Terms, period: Span, now: datetime) -> str | None:
    if period.end <= period.start:
        return "the period ends before it begins"
    if period.start < now:
        return "the period lies in the past"
    length = period.end - period.start
    if length < minutes(terms, "min_booking_duration"):
        return f"shorter than {terms['min_booking_duration']} minutes"
    if terms.get("max_booking_duration") is not None and length > minutes(terms, "max_booking_duration"):
        return f"longer than {terms['max_booking_duration']} minutes"
    return None


def starts_from(terms: Terms, start: datetime) -> datetime:
    """From when on a charge is the booked one; early only as far as a time is stated."""
    if terms.get("early_start_allowed") is False:
        return start
    return start - minutes(terms, "early_start_time")


def no_show_at(terms: Terms, period: Span) -> datetime:
    """When nobody has come: after the timeout, and without one when the period is over."""
    if terms.get("noshow_timeout") is None:
        return period.end
    return min(period.start + minutes(terms, "noshow_timeout"), period.end)


def ends_by(terms: Terms, end: datetime) -> datetime | None:
    """When a charge must be over; None: the terms say nothing of it."""
    if terms.get("late_stop_allowed") is False:
        return end
    return end + minutes(terms, "late_stop_time") if terms.get("late_stop_time") is not None else None
