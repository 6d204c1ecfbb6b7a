"""A roaming hub of OICP 2.3, for those who connect to one as a CPO, as an EMP, or as both.

    async with Hub("DE*HUB", papers) as hub:
        hub.members.add("CPO", "DE*ABC", certificate_pem, url=cpo.url)
        hub.members.add("EMP", "DE-EEE", certificate_pem, url=emp.url)

A partner is its certificate: what speaks for an id shows the certificate that was given with it, or gets 017.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, ClassVar

from partners.sandbox.oicp.call import Caller
from partners.sandbox.oicp.cards import Card
from partners.sandbox.oicp.hub_authorizing import HubAuthorizing
from partners.sandbox.oicp.hub_charging import HubCharging
from partners.sandbox.oicp.hub_data import HubData
from partners.sandbox.oicp.hub_ledger import Ledger
from partners.sandbox.oicp.hub_members import Members
from partners.sandbox.oicp.papers import Papers
from partners.sandbox.oicp.partner import Actions, Partner
from partners.sandbox.wire import Json


class Hub(Partner):
    """One hub: `members` are connected, `data` is what they pushed, `charging` is what they do."""

    base: ClassVar[str] = "/api/oicp"
    is_hub: ClassVar[bool] = True

    def __init__(self, party: str, papers: Papers, **rest: Any) -> None:
        super().__init__(party, papers, **rest)
        self.members = Members()
        self.data = HubData(self)
        self.ledger = Ledger()
        self.authorizing = HubAuthorizing(self)
        self.charging = HubCharging(self)
        handlers = {**self.data.handlers(), **self.authorizing.handlers(), **self.charging.handlers()}
        self._furnish(handlers, self._actions())

    def admit(self, caller: Caller) -> None:
        """Raises: Refused."""
        self.members.admit(caller)

    def state(self) -> dict[str, Json]:
        """For testers."""
        holdings = self.data.book.holdings()
        return super().state() | {
            "members": [asdict(member) for member in self.members.listed()],
            "evses": [record for holding in holdings for record in holding.rows.values()],
            "statuses": {row["EvseID"]: row["EvseStatus"] for one in holdings for row in self.data.book.status(one)},
            "cards": self.authorizing.cards.listed(),
            "uploaded": {provider: list(rows) for provider, rows in self.data.cards.items()},
            **self.ledger.listed(),
        }

    def _actions(self) -> Actions:
        return [
            ("POST", "members", self._add_member),
            ("POST", "cards", self._add_card),
            ("PUT", "rules", self._settle),
        ]

    async def _add_member(self, body: Json) -> Json:
        """`{role: CPO|EMP, party, certificate, url?, locked?, without?, takes?}`; the certificate as PEM text."""
        return asdict(self.members.add(**body))

    async def _add_card(self, body: Json) -> Json:
        """`{evco_id, uid?, verdict?, pin?}`: a customer of a provider that is not there."""
        self.authorizing.cards.add(Card(**body))
        return self.authorizing.cards.listed()

    async def _settle(self, body: Json) -> Json:
        """`{push_takes?, authorize_timeout?, emp_timeout?, cpo_timeout?, limits?}`: seconds, and requests a minute."""
        self.data.push_takes_s = float(body.get("push_takes", self.data.push_takes_s))
        self.authorizing.timeout_s = float(body.get("authorize_timeout", self.authorizing.timeout_s))
        self.charging.emp_timeout_s = float(body.get("emp_timeout", self.charging.emp_timeout_s))
        self.charging.cpo_timeout_s = float(body.get("cpo_timeout", self.charging.cpo_timeout_s))
        self.members.limits = body.get("limits", self.members.limits)
        return {"limits": self.members.limits}
