"""At which EVSEs reservations stand: most chargers accept one and go on saying Available.

What counts is what is on record, and not who changed it: a reservation ends by a charge, a partner, an operator, the
clock, or a charger, in whichever process. So the record is read again when it has changed, and where nothing is
remembered, as after a restart, it is read before the first charger speaks.
"""

from __future__ import annotations

from hub.core.store import Store
from modules.commands.store import RESERVATIONS, held, reservation_in


class ReservedEvses:
    """Those of all stations."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: frozenset[tuple[str, str]] = frozenset()
        self._revision = -1

    def has(self, station: str, evse_uid: str) -> bool:
        """Did a reservation stand there when we last looked?"""
        return (station, evse_uid) in self._known

    async def refresh(self) -> set[str]:
        """Look, if any reservation has changed. Returns: stations of which others are reserved than before."""
        revision = self._store.revision(RESERVATIONS)
        if revision == self._revision:
            return set()
        reservations = map(reservation_in, await held(self._store))
        before, self._known = self._known, frozenset((each.station, each.evse_uid) for each in reservations)
        self._revision = revision
        return {station for station, _ in before ^ self._known}
