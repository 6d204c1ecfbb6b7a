"""What the parts of one sandbox partner share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from partners.sandbox.complaints import Complaints
from partners.sandbox.hubline import HubLine
from partners.sandbox.modes import Temper
from partners.sandbox.registration import Accounts
from partners.sandbox.wire import Party, Rules

MODULES_OF: Final = {
    "EMSP": (
        ("credentials", "SENDER"),
        ("locations", "RECEIVER"),
        ("tariffs", "RECEIVER"),
        ("sessions", "RECEIVER"),
        ("cdrs", "RECEIVER"),
        ("tokens", "SENDER"),
        ("commands", "SENDER"),
        ("chargingprofiles", "SENDER"),
        ("hubclientinfo", "RECEIVER"),
    ),
    "CPO": (
        ("credentials", "SENDER"),
        ("locations", "SENDER"),
        ("tariffs", "SENDER"),
        ("sessions", "SENDER"),
        ("cdrs", "SENDER"),
        ("tokens", "RECEIVER"),
        ("commands", "RECEIVER"),
        ("chargingprofiles", "RECEIVER"),
        ("hubclientinfo", "RECEIVER"),
    ),
}
"""By role, what version details list."""


@dataclass(frozen=True)
class House:
    """One partner: its manners, its name and address, its books and its line to the hub."""

    rules: Rules
    role: str
    party: Party
    base_url: str
    accounts: Accounts
    complaints: Complaints
    temper: Temper
    line: HubLine

    def modules(self) -> tuple[tuple[str, str], ...]:
        """What our version details list: module and role of its interface."""
        new = () if self.rules.charging_profiles else ("chargingprofiles", "hubclientinfo")
        return tuple(row for row in MODULES_OF[self.role] if row[0] not in new)

    def ocpi_url(self, *parts: str) -> str:
        """An absolute URL below our version."""
        return "/".join((self.base_url, "ocpi", self.rules.version, *parts))
