"""May a driver charge? A CPO of any protocol asks an EMP of OICP, or another hub.

    OCPI CPO, our charger --POST tokens/{uid}/authorize--> hub --AuthorizeStart--> EMP, hub

To an EMP the SessionID is ours, or that of the hub that asks us; another hub issues one itself. The session is on disk
before anybody is told that the driver may charge. An EMP may have left with us whom it lets charge (offline EMP).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import structlog

from hub.core.clock import timestamp
from hub.core.errors import Conflict, PeerRefused, PeerTimeout, PeerUnreachable
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.operations import SMALL
from hub.core.parties import Party, PartyRole
from hub.core.registry import Partner
from modules.tokens import service as tokens
from partners.oicp import ids, voices
from partners.oicp.agreed import terms_with
from partners.oicp.answers import code_of
from partners.oicp.bridge import Bridge
from partners.oicp.cards import Card
from partners.oicp.connections import Connection
from partners.oicp.ledger import OicpSession, new_session_id
from partners.oicp.mapping import authorization
from partners.oicp.mapping import tokens as tokens_of_oicp
from partners.oicp.mapping.authorization import Verdict
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.original import original, refused_with

log = structlog.get_logger()

Message = Mapping[str, Any]

_UNKNOWN_TOKEN: Final = 2004


class Asking:
    """AuthorizeStart, asked."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

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
        """Raises: PeerRefused, for what OICP cannot ask, or we may not there."""
        if connection.kind == "hub" and not connection.operator_ids:
            raise PeerRefused("we are no operator at this hub", http=404, status_code=_UNKNOWN_TOKEN)
        asker = sender or self._bridge.hub.settings.party
        message: dict[str, Any] = {
            "OperatorID": voices.operator(connection, asker),
            "Identification": _identified(connection, uid, token_type),
        }
        if connection.kind == "emp":
            message |= {"SessionID": new_session_id(), **_carried("SessionID")}
        if references and references.get("evse_uids"):
            place = await self._bridge.places.named(asker, references["location_id"], references["evse_uids"][0])
            if place is not None:
                message["EvseID"] = place.evse_id
        return {**_carried("EvseID", "CPOPartnerSessionID", "PartnerProductID"), **message}

    async def _allowed(
        self, partner: Partner, message: Message, said: Message, token: Tree, *, asker: str
    ) -> OicpSession:
        session_id = str(message.get("SessionID") or said.get("SessionID") or "")
        if not ids.is_session_id(session_id):
            raise self._no_charge(partner, "the hub allowed a charge without a SessionID in OICP's form")
        party = Party.of(token["country_code"], token["party_id"])
        session = OicpSession(
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
        try:
            return await self._bridge.ledger.opened(session)
        except Conflict:
            raise self._no_charge(partner, "the hub allowed a charge under the SessionID of another") from None

    @staticmethod
    def _no_charge(partner: Partner, why: str) -> PeerUnreachable:
        """It could never be told of, nor billed: so it must not begin."""
        log.warning("authorization not usable", partner=partner.name, why=why)
        return PeerUnreachable(why)

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
