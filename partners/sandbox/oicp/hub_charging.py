"""The hub's way with sessions: remote orders, notifications and records.

A record is taken and acknowledged, and passed on afterwards: an EMP that does not get it finds it by asking.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import httpx

from partners.sandbox.oicp.call import Call, Handlers, Refused, Reply
from partners.sandbox.oicp.hub_ledger import Kept, Session
from partners.sandbox.oicp.hub_members import Member
from partners.sandbox.oicp.hub_onward import onward, relayed
from partners.sandbox.oicp.hub_records import asked_for, implausible
from partners.sandbox.oicp.ids import folded
from partners.sandbox.oicp.wire import acknowledgement, sessions_of
from partners.sandbox.wire import instant

if TYPE_CHECKING:
    from partners.sandbox.oicp.hub import Hub

_BETWEEN_PROGRESS: Final = timedelta(minutes=5)


class HubCharging:
    """One hub's sessions."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.cpo_timeout_s = 60.0
        self.emp_timeout_s = 30.0

    def handlers(self) -> Handlers:
        """For the desk."""
        return {
            "ChargingNotification": self.notify,
            "ChargeDetailRecord": self.take_record,
            "GetChargeDetailRecords": self.give_records,
            **dict.fromkeys(("RemoteStart", "ReservationStart"), self.begin_remotely),
            **dict.fromkeys(("RemoteStop", "ReservationStop"), self.end_remotely),
        }

    async def begin_remotely(self, call: Call) -> Reply:
        """eRoamingAuthorizeRemoteStart and eRoamingAuthorizeRemoteReservationStart."""
        emp, tree, name = self._hub.members.sender(call), call.tree, call.caller.operation.name
        cpo = self._hub.members.owner_of("CPO", tree["EvseID"])
        if cpo is None:
            raise Refused("300", "no such operator", http=404)
        if not (cpo.deals(emp.party) and emp.deals(cpo.party) and cpo.deals(name)):
            raise Refused("210")
        record = self._hub.data.book.find(cpo, tree["EvseID"])
        if record is not None and not record["IsHubjectCompatible"]:
            raise Refused("604")
        session = Session(cpo.party, emp.party, name, tree["Identification"])
        self._hub.ledger.open(session)
        asked = {**tree, "SessionID": session.session_id}
        answer = await onward(self._hub.line, cpo, name, emp.party, asked, timeout_s=self.cpo_timeout_s)
        if answer.is_yes:
            return relayed(answer, SessionID=session.session_id)
        self._hub.ledger.drop(session)
        return relayed(answer, SessionID=None)

    async def end_remotely(self, call: Call) -> Reply:
        """eRoamingAuthorizeRemoteStop and eRoamingAuthorizeRemoteReservationStop."""
        emp, tree = self._hub.members.sender(call), call.tree
        session = self._hub.ledger.of_emp(tree["SessionID"], emp)
        cpo, name = self._hub.members.find("CPO", session.cpo), call.caller.operation.name
        return relayed(await onward(self._hub.line, cpo, name, emp.party, tree, timeout_s=self.cpo_timeout_s))

    async def notify(self, call: Call) -> Reply:
        """eRoamingChargingNotifications: the EMP's own acknowledgement comes back."""
        tree = call.tree
        cpo = self._hub.members.speaking(call.caller, tree["OperatorID"])
        session = self._hub.ledger.of_cpo(tree["SessionID"], cpo)
        if tree["Type"] == "Progress":
            now = instant(tree["EventOccurred"])
            if session.progressed is not None and now - session.progressed < _BETWEEN_PROGRESS:
                raise Refused("022", "less than five minutes after the last progress")
            session.progressed = now
        emp = self._hub.members.find("EMP", session.emp)
        answer = await onward(
            self._hub.line, emp, "ChargingNotification", cpo.party, tree, timeout_s=self.emp_timeout_s
        )  # fmt: skip
        return relayed(answer)

    async def take_record(self, call: Call) -> Reply:
        """eRoamingChargeDetailRecord: taken once, acknowledged before anybody else has it."""
        cpo, record = self._hub.members.sender(call), call.tree
        if record["SessionID"] in self._hub.ledger.kept:
            raise Refused("400", "the session is closed", http=404)
        session = self._hub.ledger.of_cpo(record["SessionID"], cpo)
        cpo.must_own(record["EvseID"])
        if why := implausible(record, self._hub.data.book.find(cpo, record["EvseID"])):
            raise Refused("022", why)
        if call.mode.rejects:
            raise Refused("022", "rejected by mode")
        session.closed = True
        kept = self._hub.ledger.kept[record["SessionID"]] = Kept(dict(record), session, datetime.now(UTC))
        self._hub.later(self._pass_on(kept, cpo))
        return Reply(acknowledgement(**sessions_of(record)))

    async def give_records(self, call: Call) -> Reply:
        """eRoamingGetChargeDetailRecords."""
        mine = [kept for kept in self._hub.ledger.kept.values() if folded(kept.session.emp) == folded(call.party)]
        return Reply(self._hub.data.page(call, [kept.record for kept in mine if asked_for(kept, call.tree)]))

    async def _pass_on(self, kept: Kept, cpo: Member) -> None:
        emp = self._hub.members.find("EMP", kept.session.emp)
        if emp is None or not emp.url or kept.session.origin == "offline":
            kept.outcome = "offline"
            return
        line, limit = self._hub.line, self.emp_timeout_s
        try:
            answer = await line.ask(emp.url, "ChargeDetailRecord", cpo.party, kept.record, timeout_s=limit)
        except httpx.TimeoutException:
            kept.outcome = "Timeout"
        except httpx.HTTPError:
            kept.outcome = "NotAvailable"
        else:
            kept.outcome = "delivered" if answer.is_yes else "ValidationError"
