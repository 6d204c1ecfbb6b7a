"""What an EMP answers: authorizations, charge detail records, notifications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from partners.sandbox.oicp.call import Call, Handlers, Refused, Reply
from partners.sandbox.oicp.cards import Cards
from partners.sandbox.oicp.ids import folded, is_of
from partners.sandbox.oicp.wire import SUCCESS, acknowledgement, sessions_of, status
from partners.sandbox.wire import Json

if TYPE_CHECKING:
    from partners.sandbox.oicp.emp import Emp


class EmpCounter:
    """One EMP's side of the counter."""

    def __init__(self, emp: Emp) -> None:
        self._emp = emp
        self.cards = Cards()
        self.sessions: dict[str, dict[str, Json]] = {}
        """Who was allowed to charge, by SessionID: the identification that did it."""
        self.records: dict[str, Json] = {}
        """The CDRs by SessionID."""
        self.notifications: list[Json] = []

    def handlers(self) -> Handlers:
        """For the desk."""
        return {
            "AuthorizeStart": self.authorize_start,
            "AuthorizeStop": self.authorize_stop,
            "ChargeDetailRecord": self.take_record,
            "ChargingNotification": self.take_notification,
        }

    async def authorize_start(self, call: Call) -> Reply:
        """eRoamingAuthorizeStart."""
        tree = call.tree
        code = "102" if call.mode.rejects else await self.cards.judge(tree["Identification"])
        if not tree.get("SessionID"):
            self._emp.complaints.add(call.caller.where, "/SessionID: the hub did not give the session an id")
        if code == SUCCESS and tree.get("SessionID"):
            self.sessions[tree["SessionID"]] = tree["Identification"]
        return self._verdict(call, code)

    async def authorize_stop(self, call: Call) -> Reply:
        """eRoamingAuthorizeStop: who began may end."""
        begun = self.sessions.get(call.tree["SessionID"])
        if begun is None:
            return self._verdict(call, "400")
        return self._verdict(call, SUCCESS if begun == call.tree["Identification"] else "102")

    async def take_record(self, call: Call) -> Reply:
        """eRoamingChargeDetailRecord. The same again is no fault, other content is."""
        record = call.tree
        through_a_hub = folded(record.get("HubOperatorID", "")) == folded(call.party)
        if not (through_a_hub or is_of(record["EvseID"], call.party)):
            self._emp.complaints.add(call.caller.where, "/EvseID: is not of the operator, and no hub operator is named")
        if call.mode.rejects:
            raise Refused("022", "rejected by mode")
        known = self.records.setdefault(record["SessionID"], record)
        if known != record:
            self._emp.complaints.add(call.caller.where, "the same session was recorded before with other content")
            raise Refused("400", "this session is recorded with other content")
        return Reply(acknowledgement(**sessions_of(record)))

    async def take_notification(self, call: Call) -> Reply:
        """eRoamingChargingNotifications."""
        if call.mode.rejects:
            raise Refused("022", "rejected by mode")
        self.notifications.append(call.tree)
        return Reply(acknowledgement(**sessions_of(call.tree)))

    def _verdict(self, call: Call, code: str) -> Reply:
        repeated = sessions_of(call.tree)
        if code != SUCCESS:
            return Reply({"AuthorizationStatus": "NotAuthorized", "StatusCode": status(code), **repeated})
        said = {"AuthorizationStatus": "Authorized", "StatusCode": status(code), "ProviderID": self._emp.party}
        return Reply(said | repeated | {"EMPPartnerSessionID": f"emp-{call.tree['SessionID'][:8]}"})
