"""What a charge costs so far, told to chargers of 2.x that show it (CostUpdated, I02).

The cost is that of the Session, as its partner is told it, at most once a minute and only when it is another; what it
comes to in the end is said in the answer to the charger's last event.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from hub.core.ports import Hub
from modules.sessions.costs import cost_of
from partners.ocpp.device_model import shows
from partners.ocpp.journal import Record
from partners.ocpp.live import Live
from partners.ocpp.stations import Stations
from partners.ocpp.transactions import Transactions

EVERY_S: Final = 60.0
_ACTION: Final = "CostUpdated"


class _Told(NamedTuple):
    cost: Decimal | None
    at: float


class CostsTold:
    """For all stations whose sockets are here."""

    def __init__(self, hub: Hub, stations: Stations, transactions: Transactions) -> None:
        self._hub, self._stations, self._transactions = hub, stations, transactions
        self._told: dict[str, _Told] = {}

    async def tick(self) -> None:
        """Tell what is due."""
        going_on: set[str] = set()
        for live in list(self._stations):
            if live.link is None or live.link.version == "1.6" or not shows(live, "Cost"):
                continue
            for record in list(self._transactions.open_at(live.identity).values()):
                if record.session and record.number is not None and _ACTION not in live.learned.not_supported:
                    going_on.add(record.session)
                    await self._look(live, record)
        self._told = {session: told for session, told in self._told.items() if session in going_on}

    async def _look(self, live: Live, record: Record) -> None:
        now = self._hub.clock.monotonic()
        known = self._told.get(record.session)
        if known is not None and now - known.at < EVERY_S:
            return
        cost = await cost_of(self._hub.store, record.session)
        if cost is None or (known is not None and known.cost == cost):
            return
        self._told[record.session] = _Told(cost, now)
        work = self._tell(live, str(record.number), cost)
        self._hub.background.start(work, name=f"cost at {live.identity}")

    async def _tell(self, live: Live, transaction: str, cost: Decimal) -> None:
        if live.link is None:
            return
        payload = {"totalCost": cost, "transactionId": transaction}
        outcome = await live.link.rpc.call(_ACTION, payload, same_as=(_ACTION, transaction))
        await self._stations.learn_from(live, _ACTION, outcome)
