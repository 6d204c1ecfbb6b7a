"""Who may charge: the hub asks the cards that were uploaded, then those of its own, then all EMPs at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from partners.sandbox.oicp.call import Call, Handlers, Refused, Reply
from partners.sandbox.oicp.cards import Cards
from partners.sandbox.oicp.hub_ledger import Session
from partners.sandbox.oicp.hub_members import Member
from partners.sandbox.oicp.hub_onward import onward, relayed
from partners.sandbox.oicp.line import Answer
from partners.sandbox.oicp.wire import SUCCESS, given, medium, sessions_of, status, unknown
from partners.sandbox.wire import Json

if TYPE_CHECKING:
    from partners.sandbox.oicp.hub import Hub

_NAME_A_PROVIDER: Final = ("QRCodeIdentification", "PlugAndChargeIdentification", "RemoteIdentification")
_NOBODY, _SILENT = "106", "310"


class HubAuthorizing:
    """One hub's authorizations."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.cards = Cards()
        """Customers of providers that are not there: the hub answers for them."""
        self.timeout_s = 8.0

    def handlers(self) -> Handlers:
        """For the desk."""
        return {"AuthorizeStart": self.start, "AuthorizeStop": self.stop}

    async def start(self, call: Call) -> Reply:
        """eRoamingAuthorizeStart. The SessionID that the CPO may have sent is of no meaning."""
        cpo, tree = self._hub.members.sender(call), call.tree
        cpo.must_own(tree.get("EvseID"))
        identification = tree["Identification"]
        if "HashedPIN" in (identification.get("QRCodeIdentification") or {}):
            raise Refused("101", "a hashed PIN is for authentication data")
        session = Session(cpo.party, "", "card", identification)
        said = self._uploaded(session) or await self._listed(session) or await self._online(session, cpo, tree)
        if said is None:
            raise Refused(unknown(identification))
        self._hub.ledger.open(session)
        ids = {**sessions_of(tree), "SessionID": session.session_id}
        return Reply({"AuthorizationStatus": "Authorized", "StatusCode": status(SUCCESS), **ids, **said})

    async def stop(self, call: Call) -> Reply:
        """eRoamingAuthorizeStop: the EMP decides; where the hub said yes, the same medium may end it."""
        cpo, tree = self._hub.members.sender(call), call.tree
        session = self._hub.ledger.of_cpo(tree["SessionID"], cpo)
        if session.origin != "offline":
            emp = self._hub.members.find("EMP", session.emp)
            answer = await onward(self._hub.line, emp, "AuthorizeStop", cpo.party, tree, timeout_s=self.timeout_s)
            return relayed(answer)
        if medium(session.identification) != medium(tree["Identification"]):
            raise Refused(unknown(tree["Identification"]))
        said = {"ProviderID": session.emp, **sessions_of(tree)}
        return Reply({"AuthorizationStatus": "Authorized", "StatusCode": status(SUCCESS), **said})

    def _uploaded(self, session: Session) -> dict[str, Json] | None:
        """Yes from what EMPs uploaded. A PIN cannot be compared here, so codes with one are not looked up."""
        kind, name = medium(session.identification)
        found = self._hub.data.card(name) if kind != "QRCodeIdentification" else None
        return self._offline(session, found[0]) if found is not None else None

    async def _listed(self, session: Session) -> dict[str, Json] | None:
        """Yes from the hub's own list. Raises: Refused, for a card that is on it but may not."""
        card = self.cards.find(session.identification)
        if card is None:
            return None
        code = await self.cards.judge(session.identification)
        if code != SUCCESS:
            raise Refused(code)
        return self._offline(session, card.provider)

    def _offline(self, session: Session, provider: str) -> dict[str, Json]:
        session.emp, session.origin = provider, "offline"
        return {"ProviderID": provider}

    async def _online(self, session: Session, cpo: Member, tree: Json) -> dict[str, Json] | None:
        """Ask the EMP that the medium names, or all of them; the first yes counts. Raises: Refused."""
        asked = {**tree, "SessionID": session.session_id}
        waiting = [asyncio.create_task(self._asked(emp, cpo, asked)) for emp in self._to_ask(session, cpo)]
        refusals = []
        try:
            for done in asyncio.as_completed(waiting):
                emp, answer = await done
                if answer.is_yes and answer.tree.get("AuthorizationStatus") == "Authorized":
                    session.emp = emp.party
                    names = ("ProviderID", "EMPPartnerSessionID", "AuthorizationStopIdentifications")
                    return {"ProviderID": emp.party, **given({name: answer.tree.get(name) for name in names})}
                refusals.append(answer.code or _SILENT)
        finally:
            for task in waiting:
                task.cancel()
        if refusals:
            raise Refused(refusals[0] if len(refusals) == 1 else _NOBODY)
        return None

    def _to_ask(self, session: Session, cpo: Member) -> list[Member]:
        kind, name = medium(session.identification)
        emps = self._hub.members.of_role("EMP")
        if kind in _NAME_A_PROVIDER:
            emps = [emp for emp in emps if emp.owns(name)]
        return [emp for emp in emps if emp.url and emp.deals(cpo.party) and cpo.deals(emp.party)]

    async def _asked(self, emp: Member, cpo: Member, tree: Json) -> tuple[Member, Answer]:
        return emp, await onward(
            self._hub.line, emp, "AuthorizeStart", cpo.party, tree, timeout_s=self.timeout_s
        )  # fmt: skip
