"""When certificates end: ours, those of our port, and those of partners that we have whole.

An end that comes near is told in the log 60, 30 and 7 days before, then each day; the management API shows it always.
Alerts are about the last one of each (`last_ends`): who has a new one beside the old is not at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from hub.core.ports import Hub
from partners.oicp.certificates import Certificates
from partners.oicp.connections import Connections

log = structlog.get_logger()

TOLD_DAYS: Final = (60, 30, 7)
_LOOK_EVERY_S: Final = 3600.0


class End(NamedTuple):
    """A certificate and when it ends."""

    whose: str
    """`ours NAME`, `port`, `partner NAME`."""
    fingerprint: str
    expires: datetime

    def days(self, now: datetime) -> int:
        """Whole days that are left; negative when it is over."""
        return (self.expires - now).days


class Expiry:
    """The watch."""

    def __init__(self, hub: Hub, connections: Connections, certificates: Certificates) -> None:
        self._hub = hub
        self._connections = connections
        self._certificates = certificates
        self._told: dict[tuple[str, str], int] = {}
        self._unreadable = ""
        self._listeners: list[Callable[[], None]] = []

    def on_look(self, callback: Callable[[], None]) -> None:
        """Call back with every look, hourly."""
        self._listeners.append(callback)

    async def run(self) -> None:
        """For ever."""
        while True:
            self.look()
            await self._hub.clock.sleep(_LOOK_EVERY_S)

    def look(self) -> None:
        """Tell of what ends soon, once for each threshold that it has passed."""
        for listener in self._listeners:
            listener()
        now = self._hub.clock.now()
        for end in self.ends():
            days = end.days(now)
            at = _threshold(days)
            if at is not None and self._told.get((end.whose, end.fingerprint)) != at:
                self._told[end.whose, end.fingerprint] = at
                log.warning("certificate ends", whose=end.whose, days=days, expires=end.expires.isoformat())

    def ends(self) -> Iterator[End]:
        """All certificates that OICP rests on."""
        for own in self._certificates.all():
            if own.used is not None and own.used.chain:
                yield end_of(f"ours {own.name}", own.used.chain)
        yield from self._of_the_port()
        for connection in self._connections.all():
            for pem in connection.presented:
                yield end_of(f"partner {connection.partner}", pem)

    def last_ends(self) -> dict[str, datetime]:
        """By whose they are: when the last of them ends."""
        last: dict[str, datetime] = {}
        for end in self.ends():
            last[end.whose] = max(end.expires, last.get(end.whose, end.expires))
        return last

    def _of_the_port(self) -> Iterator[End]:
        path = self._hub.settings.oicp_certificate
        if not path:
            return
        try:
            found = end_of("port", Path(path).read_text(encoding="ascii"))
        except (OSError, ValueError) as error:
            self._tell_unreadable(type(error).__name__)
            return
        self._unreadable = ""
        yield found

    def _tell_unreadable(self, error: str) -> None:
        """Once, however often somebody looks."""
        if error != self._unreadable:
            log.error("the certificate of the OICP port cannot be read", error=error)
        self._unreadable = error


def end_of(whose: str, pem: str) -> End:
    """Of the first certificate in `pem`. Raises: ValueError."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    return End(whose, certificate.fingerprint(hashes.SHA256()).hex(), certificate.not_valid_after_utc)


def _threshold(days: int) -> int | None:
    """The threshold that is passed; below the last one each day is one of its own."""
    if days <= TOLD_DAYS[-1]:
        return days
    return next((each for each in reversed(TOLD_DAYS) if days <= each), None)
