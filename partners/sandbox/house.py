"""What the parts of one eMSP share."""

from __future__ import annotations

from dataclasses import dataclass

from partners.sandbox.complaints import Complaints
from partners.sandbox.drivers import Drivers
from partners.sandbox.hubline import HubLine
from partners.sandbox.mirror import Mirror
from partners.sandbox.modes import Temper
from partners.sandbox.registration import Accounts
from partners.sandbox.wire import Party, Rules


@dataclass(frozen=True)
class House:
    """One eMSP: its manners, its name and address, its books and its line to the hub."""

    rules: Rules
    party: Party
    base_url: str
    accounts: Accounts
    complaints: Complaints
    temper: Temper
    mirror: Mirror
    drivers: Drivers
    line: HubLine

    def ocpi_url(self, *parts: str) -> str:
        """An absolute URL below our version."""
        return "/".join((self.base_url, "ocpi", self.rules.version, *parts))
