"""Who has which EVSE, or token, in which period: read, changed in memory, and written back in one unit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from hub.core.store import Store
from hub.core.units import ABSENT, Document, Put
from modules.bookings.calendar import Span
from modules.bookings.store import BOOKING_CALENDARS, Held, calendar_put, held_in

_REMEMBERED: Final = timedelta(days=1)


class Holds:
    """Some calendars as they were read, and what is to become of them."""

    def __init__(self, documents: dict[str, Document], keys: Iterable[str], now: datetime) -> None:
        self._versions = {key: documents[key].version if key in documents else ABSENT for key in keys}
        self._held = {key: held_in(documents.get(key)) for key in self._versions}
        self._changed: set[str] = set()
        self._now = now

    @classmethod
    async def read(cls, store: Store, keys: Iterable[str], now: datetime) -> Holds:
        """The calendars of these keys."""
        wanted = list(dict.fromkeys(keys))
        return cls(await store.get_many(BOOKING_CALENDARS, wanted), wanted, now)

    def is_free(self, key: str, span: Span, *, besides: str = "") -> bool:
        """Has nobody it in this period, but perhaps the booking `besides`?"""
        return not any(held.span.overlaps(span) for held in self._held[key] if held.booking != besides)

    def busy(self, key: str) -> list[Span]:
        return [held.span for held in self._held[key]]

    def hold(self, key: str, booking: str, span: Span) -> None:
        """Give it to a booking for this period, and for no other."""
        self.release(key, booking)
        self._held[key].append(Held(booking, span.start, span.end))
        self._changed.add(key)

    def release(self, key: str, booking: str) -> None:
        """Take it from a booking."""
        kept = [held for held in self._held[key] if held.booking != booking]
        if len(kept) != len(self._held[key]):
            self._held[key] = kept
            self._changed.add(key)

    def puts(self) -> list[Put]:
        """The writes; each fails where somebody else has written the calendar since it was read."""
        since = self._now - _REMEMBERED
        return [
            calendar_put(key, [held for held in self._held[key] if held.end > since], expect=self._versions[key])
            for key in sorted(self._changed)
        ]
