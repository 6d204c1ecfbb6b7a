"""The states of a booking and of its requests, as tables. OCPI mod_bookings_flow_and_lifecycle.

    PENDING  -> RESERVED | REJECTED | FAILED | CANCELED
    RESERVED -> FULFILLED | CANCELED | NO_SHOW, and PENDING again while a change is looked at (the diagram has that)

What ends is final. Bookings of others reach us joined (the lane that brings them tells the last state alone), so of
those only this is asked: that a final state stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub.core.errors import InvalidRequest

PENDING: Final = "PENDING"
RESERVED: Final = "RESERVED"
REJECTED: Final = "REJECTED"
CANCELED: Final = "CANCELED"
FULFILLED: Final = "FULFILLED"
NO_SHOW: Final = "NO_SHOW"

NEXT: Final[Mapping[str, frozenset[str]]] = {
    PENDING: frozenset({RESERVED, REJECTED, "FAILED", CANCELED}),
    RESERVED: frozenset({PENDING, FULFILLED, CANCELED, NO_SHOW}),
    "UNKNOWN": frozenset({PENDING, RESERVED, REJECTED, "FAILED", CANCELED, FULFILLED, NO_SHOW}),
    REJECTED: frozenset(),
    "FAILED": frozenset(),
    CANCELED: frozenset(),
    FULFILLED: frozenset(),
    NO_SHOW: frozenset(),
}
"""ReservationStatus -> what may follow it."""
FINAL: Final = frozenset(state for state, following in NEXT.items() if not following)

ACCEPTED: Final = "ACCEPTED"
DECLINED: Final = "DECLINED"


def may_follow(state: str, before: str) -> bool:
    """May our own booking go from `before` to `state`?"""
    return state in NEXT[before]


def check_told(state: str, before: str) -> None:
    """Raises: InvalidRequest, when somebody else's booking has ended in another state."""
    if before in FINAL and state != before:
        raise InvalidRequest(f"/reservation_status: the booking has ended as {before}, and stays so")
