"""Who did not get in: every failed login is counted, and told to the operator without flooding the log.

A line names the face, the address, why, and for a charger its identity; never what was presented. An address gets
ten lines a minute; what goes beyond is counted, and told in one line when somebody fails after that minute, or when
the metrics are read.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Final, Literal

import structlog

Face = Literal["ocpi", "api", "ocpp", "oicp", "files"]

FACES: Final[tuple[Face, ...]] = ("ocpi", "api", "ocpp", "oicp", "files")
LINES: Final = 10
"""Log lines of one address within a window."""
WINDOW_S: Final = 60.0
MAX_ADDRESSES: Final = 10_000
_LONGEST_IDENTITY: Final = 64

log = structlog.get_logger()


@dataclass(slots=True)
class _Window:
    until: float
    failures: int = 0


class FailedLogins:
    """Of one process, all faces together. May be called from any thread: the management API has several."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._counts: Counter[Face] = Counter()
        self._windows: dict[str, _Window] = {}
        self._lock = Lock()

    def failed(self, face: Face, address: str, why: str, *, identity: str | None = None) -> None:
        """Count one. `address`: as `limits.address_key` gives it; `identity`: the charger's, as far as it is known."""
        self.tell_overdue()
        with self._lock:
            self._counts[face] += 1
            window = self._windows.setdefault(address, _Window(self._monotonic() + WINDOW_S))
            window.failures += 1
            is_told = window.failures <= LINES
        if is_told:
            named = {} if identity is None else {"identity": identity[:_LONGEST_IDENTITY]}
            log.warning("login failed", face=face, address=address, why=why, **named)

    def counts(self) -> dict[Face, int]:
        """Failures since the start, of every face."""
        return {face: self._counts[face] for face in FACES}

    def tell_overdue(self) -> None:
        """Log how many failures were not, of each address whose minute is over."""
        with self._lock:
            over = list(self._ended())
        for address, window in over:
            if window.failures > LINES:
                log.warning("logins failed without a line each", address=address, failures=window.failures - LINES)

    def _ended(self) -> Iterator[tuple[str, _Window]]:
        """Windows are in the order of their ends. With too many of them, the oldest ends early."""
        now = self._monotonic()
        while self._windows:
            address, window = next(iter(self._windows.items()))
            if window.until > now and len(self._windows) < MAX_ADDRESSES:
                return
            yield address, self._windows.pop(address)
