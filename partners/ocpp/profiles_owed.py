"""What is in force for a charge is told its charger again, where that may go by something else.

A charger that was silent, or gone, or that we left before it answered, may have taken a profile all the same. It is
told once it is there again and has been left in peace (rule R18), and when its yes comes after its time. One that
booted amid a charge may have lost the profile that it took, and is told that again; so is one whose yes to clearing a
profile came when that had been set again.
"""

from __future__ import annotations

from typing import Final

from hub.core.ports import Hub
from modules.chargingprofiles import service as chargingprofiles
from partners.ocpp import rpc
from partners.ocpp.live import Live
from partners.ocpp.transactions import Transactions

_LATE: Final = {
    "SetChargingProfile": chargingprofiles.heard_late,
    "ClearChargingProfile": chargingprofiles.may_have_lost,
}
"""What follows of a yes to it that came after its time."""


class ProfilesOwed:
    """For all stations."""

    def __init__(self, hub: Hub, transactions: Transactions) -> None:
        self._hub, self._transactions = hub, transactions

    def settle(self, live: Live, *, booted: bool) -> None:
        """It is there; `booted`: it began anew, and may have lost what it took."""
        told = chargingprofiles.may_have_lost if booted else chargingprofiles.settle
        for session in self._sessions(live):
            self._hub.background.start(told(self._hub, session), name=f"owed to {session}")

    async def heard_late(self, live: Live, late: rpc.LateAnswer) -> None:
        """What it took or cleared after its time is put right. Of which of its charges, the answer does not say."""
        follows = _LATE.get(late.action)
        if follows is None or not isinstance(late.outcome, rpc.CallResult):
            return
        if late.outcome.payload.get("status") == "Accepted":
            for session in self._sessions(live):
                await follows(self._hub, session)

    def _sessions(self, live: Live) -> list[str]:
        return [record.session for record in self._transactions.open_at(live.identity).values() if record.session]
