"""A charger of 2.x says that other limits hold now: who set a profile for a charge there is owed the new ones.

What holds is asked of the charger (its composite schedule), a moment after it spoke, since it may speak of each of its
EVSEs in turn; and never within the handling of its own message (rule R21).
"""

from __future__ import annotations

from typing import Final

from hub.core.ports import Hub
from modules.chargingprofiles import service as chargingprofiles
from partners.ocpp.live import Live
from partners.ocpp.numbering import socketed
from partners.ocpp.transactions import Transactions

PAUSE_S: Final = 1.0


class LimitsTold:
    """For all stations: one look at a time at each."""

    def __init__(self, hub: Hub, transactions: Transactions) -> None:
        self._hub, self._transactions = hub, transactions
        self._due: dict[str, set[int | None]] = {}

    def changed(self, live: Live, evse: int | None) -> None:
        """Other limits hold at this EVSE; None: at all of them."""
        is_waiting = live.identity in self._due
        self._due.setdefault(live.identity, set()).add(evse or None)
        if not is_waiting:
            self._hub.background.start(self._look(live), name=f"limits of {live.identity}")

    async def _look(self, live: Live) -> None:
        await self._hub.clock.sleep(PAUSE_S)
        evses = self._due.pop(live.identity)
        for connector, record in self._transactions.open_at(live.identity).items():
            if record.session and (None in evses or socketed(connector).evse in evses):
                await chargingprofiles.changed(self._hub, record.session)
