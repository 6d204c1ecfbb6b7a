"""May a driver charge who shows a QR code? By his contract and his PIN, which his own EMP checks, or we in its place.

    CPO --AuthorizeStart: EvcoID, PIN--> hub --AuthorizeStart--> the EMP that the contract names      is it reachable?
                                         \\-> what that EMP has left with us, hashed                  else

OCPI has no PIN, so this goes no way through it: there a contract would do by itself, which is printed and told to many,
and a yes would be remembered. The driver of an OCPI eMSP, or of somebody who may not be asked, is refused as if his PIN
were wrong. A PIN goes to that EMP and nowhere else; what stays here for the stop is a hash, until the session is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from hub.core.clock import timestamp
from hub.core.errors import PeerFault, PeerRefused
from hub.core.parties import PartyRole
from modules.tokens.asking import patience_s
from partners.oicp import voices
from partners.oicp.answers import Code, Refused, code_of
from partners.oicp.asked_again import allowed_before, opened
from partners.oicp.bridge import Bridge
from partners.oicp.connections import Connection
from partners.oicp.emp_stops import emp_lets_stop
from partners.oicp.face import Call
from partners.oicp.ids import EvcoID, InvalidId, ProviderID
from partners.oicp.ledger import OicpSession, new_session_id
from partners.oicp.mapping.authorization import OF_EMPS, Verdict, token_behind, verdict_of
from partners.oicp.mapping.tokens import EMAID, QR_CODE
from partners.oicp.pin_tries import PinTries
from partners.oicp.pins import USUAL_COST, PinWork, hash_in
from partners.oicp.qr_providers import provider_asked

Message = Mapping[str, Any]

_CARRIED: Final = ("EvseID", "CPOPartnerSessionID", "PartnerProductID")


class Shown(NamedTuple):
    """What a driver has shown."""

    contract: EvcoID
    pin: str


def shown_in(identification: Mapping[str, Any]) -> Shown:
    """Raises: Refused, for what nobody can check. A hash is no PIN: whoever got hold of one may not charge by it."""
    code = identification[QR_CODE]
    try:
        contract = EvcoID.parse(code["EvcoID"])
    except InvalidId:
        raise Refused(Code.WRONG_PIN) from None
    if not code.get("PIN"):
        raise Refused(Code.WRONG_PIN, info="the PIN is missing")
    return Shown(contract, code["PIN"])


class QrCodes:
    """See the module."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._work = PinWork()
        self._tries = PinTries(bridge.hub)

    async def start(self, call: Call, asker: str) -> OicpSession:
        """The session of a driver who may charge at CPO `asker`. Raises: Refused."""
        shown = shown_in(call.message["Identification"])
        connection = provider_asked(self._bridge, call.partner, shown.contract, asker)
        question = self._question(call, connection, shown, asker)
        async with self._tries.one(shown.contract, by=call.partner.name):
            said = await self._asked(connection, question)
            if said is None:
                await self._compared(connection, shown)
        return await self._opened(call, connection, shown, asker, {**(said or {}), **question})

    async def stop(self, call: Call, session: OicpSession) -> None:
        """May he stop it? His EMP says so; else it must be the code and the PIN that it began with. Raises: Refused."""
        shown = shown_in(call.message["Identification"])
        asked = {**call.message, "Identification": _told(shown)}
        is_his_emp = str(shown.contract.party()) == session.emp_party
        async with self._tries.one(shown.contract, by=call.partner.name):
            if is_his_emp and await emp_lets_stop(self._bridge, session, asked):
                return
            began = (session.identification.get(QR_CODE) or {}).get("EvcoID", "")
            kept = session.pin if began == str(shown.contract.complete) else ""
            if not await self._work.fits(shown.pin, kept, cost=USUAL_COST):
                raise Refused(Code.WRONG_PIN)

    def _question(self, call: Call, connection: Connection, shown: Shown, asker: str) -> dict[str, Any]:
        issued = call.message.get("SessionID", "") if call.connection.kind == "hub" else ""
        named = {"SessionID": issued or new_session_id()} if connection.kind == "emp" else {}
        return {
            **named,
            **{name: call.message[name] for name in _CARRIED if name in call.message},
            "OperatorID": voices.operator(connection, asker),
            "Identification": _told(shown),
        }

    async def _asked(self, connection: Connection, question: Message) -> Message | None:
        """The yes of the EMP; None, where it says neither yes nor no. Raises: Refused, for its no."""
        if not connection.base_url:
            return None
        hub = self._bridge.hub
        deadline_s = patience_s(hub, hub.registry.get(connection.partner))
        how = {"id": question["OperatorID"], "deadline_s": deadline_s, "wait": False}
        try:
            said = await self._bridge.ask(connection, "AuthorizeStart", question, **how)
        except PeerRefused as fault:
            _raise(f"{fault.status_code or 0:03}")
            return None
        except PeerFault:
            return None
        verdict = verdict_of(said)
        if verdict is Verdict.ALLOWED:
            return said
        _raise(code_of(said))
        if verdict in (Verdict.SILENT, Verdict.BROKEN):
            return None
        raise Refused(Code.NOBODY_POSITIVE)

    async def _compared(self, connection: Connection, shown: Shown) -> None:
        """By what the EMP has left with us. Raises: Refused; that it is silent, where it never left a PIN."""
        sources = [f"{connection.partner}/{ProviderID.parse(each).canonical}" for each in connection.provider_ids]
        cost = await self._bridge.cards.dearest(sources) if connection.kind == "emp" else None
        if cost is None:
            raise Refused(Code.PARTNER_SILENT if connection.base_url else Code.WRONG_PIN)
        card = await self._bridge.cards.code(sources, shown.contract)
        kept = hash_in(card.identification) if card is not None else ""
        if not await self._work.fits(shown.pin, kept, cost=cost):
            raise Refused(Code.WRONG_PIN)

    async def _opened(self, call: Call, connection: Connection, shown: Shown, asker: str, said: Message) -> OicpSession:
        """The row of the session, under the SessionID of whoever routes. Raises: Refused."""
        session_id, party = str(said.get("SessionID") or ""), shown.contract.party()
        if not session_id:
            raise Refused(Code.PARTNER_SILENT, "the hub allowed a charge without a SessionID")
        if connection.kind == "hub":
            await self._bridge.connections.learn(connection, PartyRole.EMSP, party)
        contract, now = str(shown.contract.complete), self._bridge.hub.clock.now()
        identification = {QR_CODE: {"EvcoID": contract}}
        known = await allowed_before(self._bridge, call, identification)
        return known or await opened(
            self._bridge,
            OicpSession(
                id=session_id.lower(),
                cpo=call.partner.name,
                cpo_party=asker,
                emp=connection.partner,
                emp_party=str(party),
                provider_id=str(ProviderID.of(party)),
                evse_id=call.message.get("EvseID", ""),
                identification=identification,
                token=token_behind(party, contract, EMAID, received=timestamp(now)),
                product=call.message.get("PartnerProductID", ""),
                cpo_partner_session=call.message.get("CPOPartnerSessionID", ""),
                emp_partner_session=str(said.get("EMPPartnerSessionID") or ""),
                reference=session_id,
                pin=await self._work.hashed(shown.pin),
                opened=now,
            ),
        )


def _told(shown: Shown) -> dict[str, Any]:
    """As the Identification of a question."""
    return {QR_CODE: {"EvcoID": str(shown.contract.complete), "PIN": shown.pin}}


def _raise(code: str) -> None:
    """Raises: Refused, if the code is an EMP's word about the driver."""
    if code in OF_EMPS:
        raise Refused(code)
