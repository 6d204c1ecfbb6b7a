"""What a CPO answers: remote starts and stops, reservations."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from partners.sandbox.oicp.call import Call, Handlers, Refused, Reply
from partners.sandbox.oicp.charges import Charge
from partners.sandbox.oicp.ids import folded
from partners.sandbox.oicp.wire import SUCCESS, acknowledgement, sessions_of
from partners.sandbox.wire import Json

if TYPE_CHECKING:
    from partners.sandbox.oicp.cpo import Cpo


@dataclass
class Manners:
    """What a CPO does with orders: answer `code` after `delay` seconds, and go on by itself, or wait to be told.

    `charges`: a remote start leads to a charge that begins at once; `ends` says whether it is over at once too,
    else it lasts until somebody stops it.
    """

    code: str = SUCCESS
    delay: float = 0.0
    charges: bool = True
    ends: bool = False
    minutes: float = 30.0
    kwh: Json = 10


class CpoCounter:
    """One CPO's side of the counter."""

    def __init__(self, cpo: Cpo) -> None:
        self._cpo = cpo
        self.manners = Manners()

    def handlers(self) -> Handlers:
        """For the desk."""
        return {
            "RemoteStart": self.start,
            "RemoteStop": self.stop,
            "ReservationStart": self.reserve,
            "ReservationStop": self.release,
        }

    async def start(self, call: Call) -> Reply:
        """eRoamingAuthorizeRemoteStart."""
        await self._willing(call)
        charge = self._new(call, "allowed")
        if self.manners.charges:
            self._cpo.later(self._by_itself(charge))
        return self._yes(charge, call)

    async def stop(self, call: Call) -> Reply:
        """eRoamingAuthorizeRemoteStop."""
        charge = self._known(call)
        await self._willing(call)
        if self.manners.charges:
            self._cpo.later(self._ended(charge))
        return self._yes(charge, call)

    async def reserve(self, call: Call) -> Reply:
        """eRoamingAuthorizeRemoteReservationStart: nobody else gets the EVSE, and all are told that it is reserved."""
        await self._willing(call)
        charge = self._new(call, "reserved")
        self._cpo.later(self._shows(charge, "Reserved"))
        return self._yes(charge, call)

    async def release(self, call: Call) -> Reply:
        """eRoamingAuthorizeRemoteReservationStop: the EVSE is free again, and a record of nothing follows.

        What is no reservation is not given up.
        """
        charge = self._known(call)
        if charge.state != "reserved":
            raise Refused("400")
        await self._willing(call)
        charge.lasts(minutes=0, kwh=0)
        self._cpo.later(self._ended(charge, notified=False))
        return self._yes(charge, call)

    async def _willing(self, call: Call) -> None:
        await asyncio.sleep(self.manners.delay)
        if call.mode.rejects or self.manners.code != SUCCESS:
            raise Refused("602" if self.manners.code == SUCCESS else self.manners.code)
        status = self._cpo.grounds.status_of(call.tree["EvseID"])
        if status is None:
            raise Refused("603")
        if status == "OutOfService":
            raise Refused("700")

    def _new(self, call: Call, state: str) -> Charge:
        tree = call.tree
        if not tree.get("SessionID"):
            self._cpo.complaints.add(call.caller.where, "/SessionID: the hub did not give the session an id")
            raise Refused("022", "SessionID is missing")
        identification = tree["Identification"]
        for other in self._cpo.charges.running_at(tree["EvseID"]):
            reserved_for_them = other.state == "reserved" and other.identification == identification
            if not reserved_for_them:
                raise Refused("601" if other.state == "reserved" else "602")
            other.state = "over"
            self._cpo.later(self._shows(other, "Occupied"))
        ids = {**sessions_of(tree), "CPOPartnerSessionID": f"cpo-{tree['SessionID'][:8]}"}
        product = tree.get("PartnerProductID")
        return self._cpo.charges.keep(Charge(ids, tree["EvseID"], identification, state, product))

    def _known(self, call: Call) -> Charge:
        charge = self._cpo.charges.all.get(call.tree["SessionID"])
        if charge is None or charge.state == "over":
            raise Refused("400")
        if folded(charge.evse_id) != folded(call.tree["EvseID"]):
            self._cpo.complaints.add(call.caller.where, f"/EvseID: the session is at {charge.evse_id}")
        return charge

    def _yes(self, charge: Charge, call: Call) -> Reply:
        return Reply(acknowledgement(**{**sessions_of(call.tree), **charge.ids}))

    async def _by_itself(self, charge: Charge) -> None:
        how = {"minutes": self.manners.minutes, "kwh": self.manners.kwh}
        if self.manners.ends:
            await self._cpo.charges.whole(charge, **how)
        else:
            await self._cpo.charges.begin(charge, **how)

    async def _ended(self, charge: Charge, *, notified: bool = True) -> None:
        if charge.state == "reserved":
            charge.kwh = Decimal(0)
        await self._cpo.charges.end(charge, notified=notified)
        if self._cpo.grounds.status_of(charge.evse_id) in ("Reserved", "Occupied"):
            await self._shows(charge, "Available")

    async def _shows(self, charge: Charge, status: str) -> None:
        await self._cpo.grounds.push_status("update", {charge.evse_id: status})
