"""A roaming partner that sells charging: an EMP of OICP 2.3.

async with Emp("DE-EEE", papers, hub="https://127.0.0.1:9300/api/oicp") as emp:
    emp.counter.cards.add(Card("DE-EEE-C00000001-0", uid="04A1B2C3"))
    await emp.errands.pull_data()
    await emp.errands.remote("start", EvseID="DE*ABC*E1", evco_id="DE-EEE-C00000001-0")
    assert emp.complaints.texts() == []
"""

from __future__ import annotations

from typing import Any

from partners.sandbox.oicp.cards import Card
from partners.sandbox.oicp.emp_counter import EmpCounter
from partners.sandbox.oicp.emp_errands import Errands
from partners.sandbox.oicp.ends import End
from partners.sandbox.oicp.papers import Papers
from partners.sandbox.oicp.partner import Actions
from partners.sandbox.wire import Json


class Emp(End):
    """One EMP: `counter` answers, `errands` asks."""

    def __init__(self, party: str, papers: Papers, **rest: Any) -> None:
        super().__init__(party, papers, **rest)
        self.counter = EmpCounter(self)
        self.errands = Errands(self)
        self._furnish(self.counter.handlers(), self._actions())

    def state(self) -> dict[str, Json]:
        """For testers."""
        return super().state() | {
            "cards": self.counter.cards.listed(),
            "evses": self.errands.places.listed(),
            "statuses": self.errands.places.statuses,
            "records": list(self.counter.records.values()),
            "notifications": self.counter.notifications,
        }

    def _actions(self) -> Actions:
        return [
            ("POST", "cards", self._add_card),
            ("PUT", "delay", self._delay),
            ("POST", "pull", self._pull),
            ("POST", "pull-status", self._pull_status),
            ("POST", "pull-prices", self._pull_prices),
            ("POST", "pull-records", self._pull_records),
            ("POST", "push-cards", self._push_cards),
            ("POST", "remote", self._remote),
        ]

    async def _add_card(self, body: Json) -> Json:
        """`{evco_id, uid?, verdict?, pin?}`"""
        self.counter.cards.add(Card(**body))
        return self.counter.cards.listed()

    async def _delay(self, body: Json) -> Json:
        """`{seconds}`: how long it thinks before it says yes or no."""
        self.counter.cards.delay_s = float(body["seconds"])
        return {}

    async def _pull(self, body: Json) -> Json:
        """`{changes?, size?, ...filters}`"""
        answer = await self.errands.pull_data(**body)
        return {"http": answer.http, "code": answer.code, "evses": len(self.errands.places.listed())}

    async def _pull_status(self, body: Json) -> Json:
        """`{evses?, operators?}`"""
        answer = await self.errands.pull_status(**body)
        return {"http": answer.http, "code": answer.code, "statuses": self.errands.places.statuses}

    async def _pull_prices(self, body: Json) -> Json:
        """`{operators, since?}`"""
        products, evses = await self.errands.pull_prices(**body)
        return {"products": products.shown(), "evses": evses.shown()}

    async def _pull_records(self, body: Json) -> Json:
        """`{hours?, size?, SessionID?, OperatorID?, CDRForwarded?, From?, To?}`"""
        answer, records = await self.errands.records(**body)
        return {"http": answer.http, "code": answer.code, "records": records}

    async def _push_cards(self, body: Json) -> Json:
        """`{action?, identifications?}`"""
        return (await self.errands.push_cards(**body)).shown()

    async def _remote(self, body: Json) -> Json:
        """`{doing: start|stop|reserve|release, EvseID, evco_id?, SessionID?, ...}`"""
        return (await self.errands.remote(**body)).shown()
