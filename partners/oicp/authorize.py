"""May a driver charge? A CPO of OICP asks eMSPs of any protocol; the other way is in `asking`.

    OICP CPO --AuthorizeStart--> hub --POST tokens/{uid}/authorize--> eMSP             `start`

A QR code goes a way of its own (`qr_codes`): its PIN is nothing that OCPI could ask about.
A SessionID is issued by the hub that routes: by us, or where we ask another hub by that. It is on disk before anybody
is told that the driver may charge. What OICP's refusals mean in OCPI, and the other way, is in `mapping`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from msgspec.structs import replace

from hub.core.jsontypes import Tree
from hub.core.operations import SENDER
from hub.core.parties import Party, PartyRole
from modules.tokens.unknown import Flights
from partners.oicp import ids, voices
from partners.oicp.agreed import terms_with
from partners.oicp.answers import Code, Refused
from partners.oicp.asked_again import allowed_before, issued_by, same_question
from partners.oicp.bridge import Bridge
from partners.oicp.connections import Connection
from partners.oicp.contracts import check_contract
from partners.oicp.emp_stops import emp_lets_stop
from partners.oicp.face import Call
from partners.oicp.ledger import ACTIVE, ENDED, PENDING, OicpSession, new_session_id
from partners.oicp.mapping import authorization
from partners.oicp.mapping import tokens as tokens_of_oicp
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.terms import Terms
from partners.oicp.mapping.tokens import Medium, is_qr_code, without_pin, without_pins
from partners.oicp.original import being_served
from partners.oicp.qr_codes import QrCodes

Message = Mapping[str, Any]


def medium_of(identification: Message, terms: Terms) -> Medium:
    """Raises: Refused, for what says nothing that can be asked about."""
    try:
        return tokens_of_oicp.medium_of(identification, terms)
    except NotSayable as refusal:
        code = Code.WRONG_PIN if is_qr_code(identification) else Code.DATA_ERROR
        raise Refused(code, refusal.reason) from None


class Authorizing:
    """AuthorizeStart and AuthorizeStop, served."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._qr_codes = QrCodes(bridge)
        self._flights = Flights()

    async def start(self, call: Call) -> Message:
        """A CPO asks: AuthorizationStart. Who asks again meanwhile waits for the same answer. Raises: Refused."""
        at = same_question(call)
        return await (self._flights.share(at, partial(self._start, call)) if at else self._start(call))

    async def _start(self, call: Call) -> Message:
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
        with being_served(_as_it_goes_on(call)) as refusals:
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
        asked, issued = await self._asked_of_oicp(reference, party, asker), issued_by(call)
        told: dict[str, Any] = {
            "cpo": call.partner.name,
            "cpo_party": asker,
            "cpo_partner_session": message.get("CPOPartnerSessionID", ""),
            "product": message.get("PartnerProductID", ""),
            "evse_id": message.get("EvseID", ""),
            "identification": without_pin(message["Identification"]),
        }
        if asked is not None and issued.lower() in ("", asked.id):  # it has a SessionID already
            return await self._bridge.ledger.change(asked.id, lambda session: replace(session, **told))
        session_id = issued or new_session_id()
        return await self._bridge.ledger.opened(
            OicpSession(
                id=session_id.lower(),
                emp="" if asked is not None else self._bridge.interpreted(party),
                emp_party=str(party),
                provider_id=str(ids.ProviderID.of(party)),
                token=token,
                reference=reference or session_id,
                opened=self._bridge.hub.clock.now(),
                **told,
            )
        )

    async def _asked_of_oicp(self, reference: str, provider: Party, asker: str) -> OicpSession | None:
        """The session of the partner of OICP that was asked on our way.

        Between two hubs it stays one of its own, as each hub has issued a SessionID: what is told of the charge under
        the one goes as a Session and a CDR of OCPI to the other.
        """
        known = await self._bridge.ledger.find(reference) if reference else None
        is_it = known is not None and (known.emp_party, known.cpo_party) == (str(provider), asker) and known.emp != ""
        return known if is_it else None

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


def _answer(connection: Connection, session: OicpSession) -> Message:
    """AuthorizationStart or AuthorizationStop, of a driver who may."""
    return authorization.allowed(
        session.id,
        voices.styled_provider(connection, session.provider_id),
        CPOPartnerSessionID=session.cpo_partner_session,
        EMPPartnerSessionID=session.emp_partner_session,
    )


def _as_it_goes_on(call: Call) -> Message:
    """The question with the SessionID that a hub has issued; that of a CPO is none, see `asked_again`."""
    if issued_by(call):
        return call.message
    return {name: value for name, value in call.message.items() if name != "SessionID"}
