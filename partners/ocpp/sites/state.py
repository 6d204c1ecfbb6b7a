"""One EVSE of a site as the gateway knows it: what it was told and what came of it, and what partners wish of it.

`EvseRow` is on disk; it is written before a charger is told anything, with the most that may come of it. The rest of
`EvseState` is of this process alone.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from hub.core.units import Document, Put
from partners.ocpp.energy.facts import Drawn, Told, Turn
from partners.ocpp.energy.shares import Share
from partners.ocpp.sites.rows import SITE_EVSES


class Wish(msgspec.Struct, frozen=True):
    """A partner's limits, under the number by which it clears them."""

    number: int
    unit: str
    periods: tuple[tuple[int, Decimal], ...]
    start: datetime | None = None
    duration_s: int | None = None


class EvseRow(msgspec.Struct, omit_defaults=True):
    """`charge` is the key of the transaction's record. `safe_ma`: what it accepted as its safe current."""

    site: str
    evse: str
    station: str = ""
    connector: int = 0
    charge: str = ""
    session: str = ""
    arrival: datetime | None = None
    told_ma: int = 0
    told_since: datetime | None = None
    told_until: datetime | None = None
    told_lately: tuple[tuple[int, datetime], ...] = ()
    is_on: bool = False
    turn_since: datetime | None = None
    uses: tuple[int, ...] | None = None
    wish: Wish | None = None
    departure: datetime | None = None
    need_wh: int | None = None
    safe_ma: int | None = None
    is_deaf: bool = False
    is_accepted: bool = False
    """The charger has said yes to what it was told last."""
    drew: Drawn | None = None
    """What its meter read last, where that was more than it was told: until it reads less, that is known of it."""


class EvseState:
    """A row at work. `retry_at`, for shares, and `prepare_at`, for the safe current, are monotonic seconds."""

    __slots__ = (
        "is_busy",
        "is_unruly",
        "prepare_at",
        "ready_for",
        "refusals",
        "retry_at",
        "row",
        "saved",
        "sent",
        "settled",
        "share",
    )

    def __init__(self, row: EvseRow, saved: bytes = b"") -> None:
        self.row = row
        self.saved = saved
        self.share: Share | None = None
        self.ready_for = -1
        """The generation of the link over which it accepted its safe current."""
        self.is_busy = False
        self.sent: Told | None = None
        """What is on its way: it may reach the charger when the next charge has begun."""
        self.is_unruly = False
        """By the last step of the site its charger does not do what it is told: it draws more, or refuses."""
        self.refusals = 0
        self.retry_at = 0.0
        self.prepare_at = 0.0
        self.settled = 0
        """The last step of the site after which there was nothing to tell it."""

    @property
    def told(self) -> Told | None:
        row = self.row
        if row.told_since is None or row.told_until is None:
            return None
        return Told(row.told_ma, row.told_since, row.told_until, row.told_lately)

    @told.setter
    def told(self, told: Told | None) -> None:
        row = self.row
        row.told_ma = told.ma if told is not None else 0
        row.told_since, row.told_until = (told.since, told.until) if told is not None else (None, None)
        row.told_lately = told.lately if told is not None else ()

    @property
    def turn(self) -> Turn | None:
        row = self.row
        return Turn(row.is_on, row.turn_since) if row.turn_since is not None else None

    @turn.setter
    def turn(self, turn: Turn) -> None:
        self.row.is_on, self.row.turn_since = turn.on, turn.since

    def begin(self, charge: str, session: str, connector: int, now: datetime) -> None:
        """A charge began: nothing was told of it yet, and nobody wished anything."""
        row = self.row
        self.row = EvseRow(
            *(row.site, row.evse, row.station, connector, charge, session, now),
            safe_ma=row.safe_ma,
            is_deaf=row.is_deaf,
        )
        self.told = self.sent
        self.share, self.is_unruly, self.refusals, self.retry_at = None, False, 0, 0.0

    def end(self) -> None:
        """Nobody charges there any more."""
        row = self.row
        self.row = EvseRow(row.site, row.evse, row.station, safe_ma=row.safe_ma, is_deaf=row.is_deaf)
        self.share, self.refusals, self.retry_at = None, 0, 0.0

    def unsaved(self) -> Put | None:
        """The write of what changed; None, when nothing did. `saved` is to be set once it is on disk."""
        body = msgspec.json.encode(self.row)
        if body == self.saved:
            return None
        return Put(SITE_EVSES, f"{self.row.site}/{self.row.evse}", body, columns=(self.row.site,))


def state_in(document: Document) -> EvseState:
    """As it was left."""
    return EvseState(msgspec.json.decode(document.body, type=EvseRow), document.body)
