"""May a driver charge? Both ways: a CPO of OICP asks eMSPs of any protocol, a CPO of any protocol asks OICP.

    OICP CPO --AuthorizeStart--> hub --POST tokens/{uid}/authorize--> eMSP             `start`
    OCPI CPO, our charger --POST tokens/{uid}/authorize--> hub --AuthorizeStart--> EMP, hub    `ask`

A QR code goes a way of its own (`qr_codes`): its PIN is nothing that OCPI could ask about.
A SessionID is issued by the hub that routes: by us, or where we ask another hub by that. It is on disk before anybody
is told that the driver may charge. What OICP's refusals mean in OCPI, and the other way, is in `mapping`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from hub.core.clock import timestamp
from hub.core.errors import PeerRefused, PeerTimeout, PeerUnreachable
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.operations import SENDER, SMALL
from hub.core.parties import Party, PartyRole
from hub.core.registry import Partner
from modules.tokens import service as tokens
from partners.oicp import ids, voices
from partners.oicp.agreed import terms_with
from partners.oicp.answers import Code, Refused, code_of
from partners.oicp.asked_again import allowed_before
from partners.oicp.bridge import Bridge
from partners.oicp.cards import Card
from partners.oicp.connections import Connection
from partners.oicp.contracts import check_contract
from partners.oicp.emp_stops import emp_lets_stop
from partners.oicp.face import Call
from partners.oicp.ledger import ACTIVE, ENDED, PENDING, OicpSession, new_session_id
from partners.oicp.mapping import authorization
from partners.oicp.mapping import tokens as tokens_of_oicp
from partners.oicp.mapping.authorization import Verdict
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.terms import Terms
from partners.oicp.mapping.tokens import Medium, is_qr_code, without_pin, without_pins
from partners.oicp.original import being_served, original, refused_with
from partners.oicp.qr_codes import QrCodes

Message = Mapping[str, Any]

_UNKNOWN_TOKEN: Final = 2004


def medium_of(identification: Message, terms: Terms) -> Medium:
    """Raises: Refused, for what says nothing that can be asked about."""
    try:
        return tokens_of_oicp.medium_of(identification, terms)
    except NotSayable as refusal:
        code = Code.WRONG_PIN if is_qr_code(identification) else Code.DATA_ERROR
        raise Refused(code, refusal.reason) from None


class Authorizing:
    """AuthorizeStart and AuthorizeStop, served and asked."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._qr_codes = QrCodes(bridge)

    async def start(self, call: Call) -> Message:
        """A CPO asks: AuthorizationStart. Raises: Refused."""
        message = call.message
        if is_qr_code(message["Identification"]):
            return _answer(call.connection, await self._qr_codes.start(call, await self._asker(call)))
        medium = medium_of(message["Identification"], terms_with(call.connection))
        place = await self._bridge.places.find(message.get("EvseID", ""))
        asker = await self._asker(call)
        self._check_contract(call, medium)
        known = await allowed_before(self._bridge, call, without_pin(message["Identification"]))
        if known is not None:
            return _answer(call.connection, known)
        references = (
            {"location_id": place.location_id, "evse_uids": [place.evse_uid]}
            if place is not None and place.owner == asker
            else None
        )
        with being_served(message) as refusals:
            said = await self._bridge.inward.request(
                *(
                    self._bridge.hub.registry.get(call.partner.name),
                    "POST",
                    "tokens",
                    SENDER,
                    (medium.uid, "authorize"),
                ),
                query={"type": medium.token_type},
                body=references,
                sender=asker,
            )
        if not said.is_success:
            code = authorization.code_of_error(said.http, said.code, medium)
            raise Refused(authorization.own_code(refusals, code), said.message)
        info: Tree = said.data
        code, why = authorization.code_of_answer(info)
        if code is not Code.SUCCESS:
            raise Refused(authorization.own_code(refusals, code), info=why)
        session = await self._opened(call, medium, info, asker)
        return _answer(call.connection, session)

    async def _asker(self, call: Call) -> str:
        """The CPO that asks: whose EVSE it is, else the operator; behind a hub it may be a new one. Raises: Refused."""
        message, connection = call.message, call.connection
        party = voices.party_of_operator(connection, message["OperatorID"], message.get("EvseID", ""))
        partner = call.partner
        if connection.kind == "hub":
            partner = await self._bridge.connections.learn(connection, PartyRole.CPO, party)
        if str(party) not in partner.parties:
            raise Refused(Code.FOREIGN_EVSE)
        return str(party)

    def _check_contract(self, call: Call, medium: Medium) -> None:
        """A contract's id says whose it is; a card is asked about among those who have agreed. Raises: Refused."""
        if medium.token_type != tokens_of_oicp.EMAID:
            return
        try:
            provider = ids.EvcoID.parse(medium.uid).party()
        except ids.InvalidId:
            return
        check_contract(self._bridge.hub, call.partner, provider, "tokens")

    async def _opened(self, call: Call, medium: Medium, info: Tree, asker: str) -> OicpSession:
        """The session that is allowed, under the SessionID that it has or gets."""
        message, token = call.message, info["token"]
        party = Party.of(token["country_code"], token["party_id"])
        reference = str(info.get("authorization_reference") or "")
        known = await self._bridge.ledger.find(reference) if reference else None
        told: dict[str, Any] = {
            "cpo": call.partner.name,
            "cpo_party": asker,
            "cpo_partner_session": message.get("CPOPartnerSessionID", ""),
            "product": message.get("PartnerProductID", ""),
            "evse_id": message.get("EvseID", ""),
        }
        if known is not None and not known.cpo:  # asked of an OICP partner on our way: it has a SessionID already
            return await self._bridge.ledger.change(known.id, lambda session: replace(session, **told))
        issued = message.get("SessionID", "") if call.connection.kind == "hub" else ""
        session_id = issued or new_session_id()
        return await self._bridge.ledger.open(
            OicpSession(
                id=session_id.lower(),
                emp=self._bridge.interpreted(party),
                emp_party=str(party),
                provider_id=str(ids.ProviderID.of(party)),
                identification=without_pin(message["Identification"]),
                token=token,
                reference=reference or session_id,
                opened=self._bridge.hub.clock.now(),
                **told,
            )
        )

    async def stop(self, call: Call) -> Message:
        """A CPO asks whether a driver may stop: his EMP says so, if it speaks OICP; else only by what he started with.

        Raises: Refused.
        """
        message = call.message
        session = await self._bridge.ledger.find(message["SessionID"])
        if session is None or session.cpo != call.partner.name or session.state not in (PENDING, ACTIVE, ENDED):
            raise Refused(Code.SESSION_INVALID)
        if is_qr_code(message["Identification"]):
            await self._qr_codes.stop(call, session)
            return _answer(call.connection, session)
        if await emp_lets_stop(self._bridge, session, without_pins(message)):
            return _answer(call.connection, session)
        medium = medium_of(message["Identification"], terms_with(call.connection))
        if is_qr_code(session.identification):
            raise Refused(medium.unknown)
        began = medium_of(session.identification, terms_with(call.connection))
        if (medium.name, ids.folded_uid(medium.uid)) != (began.name, ids.folded_uid(began.uid)):
            raise Refused(medium.unknown)
        return _answer(call.connection, session)

    async def ask(
        self, partner: Partner, uid: str, token_type: str, references: Tree | None, *, sender: str, deadline_s: float
    ) -> Tree:
        """Ask an EMP, or another hub: AuthorizationInfo. Raises: PeerFault's children."""
        connection = self._bridge.connections.of(partner.name)
        if connection is None:
            raise PeerUnreachable("there is no OICP connection of this partner")
        message = await self._question(connection, uid, token_type, references, sender)
        left = await self._left_with_us(partner, connection, uid, token_type)
        if left is not None or not connection.base_url:
            return await self._in_its_place(partner, connection, message, left, token_type, uid, sender)
        path_id = message["OperatorID"]
        said: Message = await self._bridge.ask(
            connection, "AuthorizeStart", message, id=path_id, deadline_s=deadline_s, wait=False
        )
        verdict = authorization.verdict_of(said)
        if verdict is not Verdict.ALLOWED:
            refused_with(code_of(said))
        _raise(verdict)
        token = await self._token(connection, uid, token_type, said)
        if verdict is not Verdict.ALLOWED:
            return {"allowed": verdict.value, "token": token}
        session = await self._allowed(partner, message, said, token, asker=sender or self._bridge.hub.settings.party)
        return {"allowed": "ALLOWED", "token": token, "authorization_reference": session.reference}

    async def _left_with_us(self, partner: Partner, connection: Connection, uid: str, token_type: str) -> Card | None:
        """The card, if the EMP has left it with us to answer in its place."""
        if connection.kind != "emp":
            return None
        providers = (ids.ProviderID.parse(each).canonical for each in connection.provider_ids)
        return await self._bridge.cards.find([f"{partner.name}/{each}" for each in providers], uid, token_type)

    async def _in_its_place(
        self,
        partner: Partner,
        connection: Connection,
        message: Message,
        left: Card | None,
        token_type: str,
        uid: str,
        sender: str,
    ) -> Tree:
        """AuthorizationInfo by what an EMP left with us. Raises: PeerRefused."""
        if left is None:
            raise PeerRefused("the token is not known", http=404, status_code=_UNKNOWN_TOKEN)
        said = {"ProviderID": str(ids.ProviderID.of(Party.parse(left.owner)))}
        token = await self._token(connection, uid, token_type, said)
        if left.expires is not None and left.expires <= self._bridge.hub.clock.now():
            return {"allowed": "EXPIRED", "token": token}
        asker = sender or self._bridge.hub.settings.party
        session = await self._allowed(partner, message, said, token, asker=asker)
        return {"allowed": "ALLOWED", "token": token, "authorization_reference": session.reference}

    async def _question(
        self, connection: Connection, uid: str, token_type: str, references: Tree | None, sender: str
    ) -> dict[str, Any]:
        """Raises: PeerRefused, for what OICP cannot ask."""
        asker = sender or self._bridge.hub.settings.party
        message: dict[str, Any] = {
            "OperatorID": voices.operator(connection, asker),
            "Identification": _identified(connection, uid, token_type),
        }
        if connection.kind == "emp":
            message["SessionID"] = new_session_id()
        if references and references.get("evse_uids"):
            place = await self._bridge.places.named(asker, references["location_id"], references["evse_uids"][0])
            if place is not None:
                message["EvseID"] = place.evse_id
        return message | _carried("CPOPartnerSessionID", "PartnerProductID")

    async def _allowed(
        self, partner: Partner, message: Message, said: Message, token: Tree, *, asker: str
    ) -> OicpSession:
        session_id = str(message.get("SessionID") or said.get("SessionID") or "")
        if not session_id:
            raise PeerUnreachable("the hub allowed a charge without a SessionID")
        party = Party.of(token["country_code"], token["party_id"])
        return await self._bridge.ledger.open(
            OicpSession(
                id=session_id.lower(),
                cpo_party=asker,
                emp=partner.name,
                emp_party=str(party),
                provider_id=str(ids.ProviderID.of(party)),
                evse_id=message.get("EvseID", ""),
                identification=dict(message["Identification"]),
                token=token,
                cpo_partner_session=message.get("CPOPartnerSessionID", ""),
                emp_partner_session=str(said.get("EMPPartnerSessionID") or ""),
                reference=session_id,
                opened=self._bridge.hub.clock.now(),
            )
        )

    @staticmethod
    def _who_answered(connection: Connection, said: Message) -> Party:
        """The provider; the hub itself, where it names none. Raises: InvalidId."""
        if said.get("ProviderID"):
            return ids.ProviderID.parse(str(said["ProviderID"])).party()
        return Party.parse(connection.party if connection.kind == "hub" else connection.provider_ids[0])

    async def _token(self, connection: Connection, uid: str, token_type: str, said: Message) -> Tree:
        """The token on record, else one made of what the answer says: whose it is."""
        party = self._who_answered(connection, said)
        if connection.kind == "hub":
            await self._bridge.connections.learn(connection, PartyRole.EMSP, party)
        found = await tokens.find(self._bridge.hub.store, party, uid, token_type)
        if found is not None:
            known: Tree = parse(found.body, limit=SMALL)
            return known
        return authorization.token_behind(party, uid, token_type, received=timestamp(self._bridge.hub.clock.now()))


def _answer(connection: Connection, session: OicpSession) -> Message:
    """AuthorizationStart or AuthorizationStop, of a driver who may."""
    return authorization.allowed(
        session.id,
        voices.styled_provider(connection, session.provider_id),
        CPOPartnerSessionID=session.cpo_partner_session,
        EMPPartnerSessionID=session.emp_partner_session,
    )


def _raise(verdict: Verdict) -> None:
    """Raises: PeerRefused, PeerTimeout, PeerUnreachable, for what is no provider's word about the driver."""
    match verdict:
        case Verdict.UNKNOWN:
            raise PeerRefused("the token is not known", http=404, status_code=_UNKNOWN_TOKEN)
        case Verdict.SILENT:
            raise PeerTimeout("the provider did not answer the hub in time")
        case Verdict.BROKEN:
            raise PeerUnreachable("the hub could not ask the provider")


def _identified(connection: Connection, uid: str, token_type: str) -> dict[str, Any]:
    """Raises: PeerRefused, for a card or contract that OICP cannot write: nobody there can know it."""
    try:
        return tokens_of_oicp.asked_about(uid, token_type, terms_with(connection))
    except NotSayable as refusal:
        raise PeerRefused(refusal.reason, http=404, status_code=_UNKNOWN_TOKEN) from None


def _carried(*names: str) -> dict[str, Any]:
    """What goes on as it came, where the question came in OICP."""
    message = original() or {}
    return {name: message[name] for name in names if name in message}
