"""What a charge point knows of its connectors and transactions."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from partners.sandbox.point.meter import Meter


@dataclass
class Transaction:
    """One charge. `number` is what the CSMS gave in 1.6, None until it answered; in 2.x the station's own text.

    `said` counts its events, `state` is its chargingState of 2.x.
    """

    id_tag: str
    started: datetime
    meter_start: int
    offline: bool
    number: int | str | None = None
    said: int = 0
    state: str = "EVConnected"
    remote_start: int | None = None
    ended: bool = False
    answered: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class Reservation:
    """A connector kept for one card until it expires. `connector` 0 is any of them."""

    number: int
    connector: int
    id_tag: str
    parent_id_tag: str | None
    expires: datetime


@dataclass
class Connector:
    """One outlet. `authorized` is the card that may start as soon as a cable is in."""

    number: int
    status: str = "Available"
    error_code: str = "NoError"
    plugged: bool = False
    operative: bool = True
    goes_inoperative: bool = False
    authorized: str | None = None
    transaction: Transaction | None = None
    transaction_id: str = ""
    """Under which the next charge goes, in 2.x."""
    remote_start: int | None = None
    """The remoteStartId that asked for it, in 2.x."""
    was_plugged: bool = False
    meter: Meter = field(default_factory=Meter)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while a transaction is known to the CSMS."""

    def resting_status(self, *, reserved: bool) -> str:
        """The status when no transaction is under way."""
        if self.error_code != "NoError":
            return "Faulted"
        if not self.operative:
            return "Unavailable"
        if self.plugged:
            return "Preparing"
        return "Reserved" if reserved else "Available"
