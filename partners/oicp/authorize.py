"""May a driver charge? Both ways: a CPO of OICP asks eMSPs of any protocol, a CPO of any protocol asks OICP.

    OICP CPO --AuthorizeStart--> hub --POST tokens/{uid}/authorize--> eMSP             `start`
    OCPI CPO, our charger --POST tokens/{uid}/authorize--> hub --AuthorizeStart--> EMP, hub    `ask`

A SessionID is issued by the hub that routes: by us, or where we ask another hub by that. It is on disk before anybody
is told that the driver may charge. What OICP's refusals mean in OCPI, and the other way, is in `mapping`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
from partners.oicp.answers import Code, Refused, status
from partners.oicp.bridge import Bridge
from partners.oicp.connections import Connection
from partners.oicp.face import Call
from partners.oicp.ledger import ACTIVE, ENDED, PENDING, OicpSession, new_session_id
from partners.oicp.original import being_served, original

Message = Mapping[str, Any]

_UNKNOWN_TOKEN: Final = 2004
_EMAID: Final = "EMAID"
_RFID: Final = "RFID"
_NOBODYS: Final = frozenset(
    {Code.WRONG_PIN, Code.UNKNOWN_CARD, Code.UNREADABLE_CARD, Code.UNKNOWN_CONTRACT, Code.PLUG_CONTRACT}
)
_SILENT: Final = frozenset({Code.PARTNER_SILENT, Code.APP_TIMEOUT, Code.PLUG_TIMEOUT})
_BROKEN: Final = frozenset({Code.HUB_ERROR, Code.DATABASE_ERROR, Code.SYSTEM_ERROR, Code.NOT_OFFERED})
_NO: Final = (Code.CONTRACT_LOCKED, Code.NOBODY_POSITIVE)
"""BLOCKED, EXPIRED or NO_CREDIT; NOT_ALLOWED."""
_TOO_LONG: Final = 36


@dataclass(frozen=True, slots=True)
class Medium:
    """How a driver shows who he is."""

    name: str
    token_type: str
    uid: str
    unknown: Code
    """StatusCode of one that nobody knows."""


def medium_of(identification: Message) -> Medium:
    """Raises: Refused, for what says nothing that can be asked about."""
    rfid = identification.get("RFIDMifareFamilyIdentification") or identification.get("RFIDIdentification")
    if rfid is not None:
        return Medium("rfid", "RFID", str(rfid["UID"]).upper(), Code.UNKNOWN_CARD)
    plug = identification.get("PlugAndChargeIdentification")
    if plug is not None:
        return Medium("pnc", "EMAID", _contract(plug["EvcoID"]), Code.UNKNOWN_CONTRACT)
    remote = identification.get("RemoteIdentification")
    if remote is not None:
        return Medium("remote", "APP_USER", _contract(remote["EvcoID"]), Code.UNKNOWN_CARD)
    # A contract id is printed and told to many: without its PIN it allows nothing, and OCPI cannot ask about a PIN.
    raise Refused(Code.WRONG_PIN, "a QR code cannot be checked with the provider")


def _contract(text: str) -> str:
    try:
        return str(ids.EvcoID.parse(text).complete)
    except ids.InvalidId:
        return text


class Authorizing:
    """AuthorizeStart and AuthorizeStop, served and asked."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    async def start(self, call: Call) -> Message:
        """A CPO asks: AuthorizationStart. Raises: Refused."""
        message = call.message
        medium = medium_of(message["Identification"])
        place = await self._bridge.places.find(message.get("EvseID", ""))
        asker = await self._asker(call)
        references = (
            {"location_id": place.location_id, "evse_uids": [place.evse_uid]}
            if place is not None and place.owner == asker
            else None
        )
        with being_served(message):
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
            raise Refused(_refusal(said.http, said.code, medium), said.message)
        info: Tree = said.data
        if info["allowed"] != "ALLOWED":
            raise Refused(_NO[info["allowed"] == "NOT_ALLOWED"], info=str(info["allowed"]))
        session = await self._opened(call, medium, info, asker)
        return _answer(call.connection, session)

    async def _asker(self, call: Call) -> str:
        """The CPO that asks: whose EVSE it is, else the operator; behind a hub it may be a new one."""
        message, connection = call.message, call.connection
        party = voices.party_of_operator(connection, message["OperatorID"], message.get("EvseID", ""))
        if connection.kind == "hub":
            await self._bridge.connections.learn(connection, PartyRole.CPO, party)
        return str(party)

    async def _opened(self, call: Call, medium: Medium, info: Tree, asker: str) -> OicpSession:
        """The session that is allowed, under the SessionID that it has or gets."""
        message, token = call.message, info["token"]
        party = Party.of(token["country_code"], token["party_id"])
        reference = str(info.get("authorization_reference") or "")
        known = await self._bridge.ledger.find(reference) if reference else None
        told: dict[str, Any] = {
            "cpo": call.partner.name,
            "cpo_party": asker,
            "operator_id": message["OperatorID"],
            "cpo_partner_session": message.get("CPOPartnerSessionID", ""),
            "product": message.get("PartnerProductID", ""),
            "evse_id": message.get("EvseID", ""),
        }
        if known is not None and not known.cpo:  # asked of an OICP partner on our way: it has a SessionID already
            return await self._bridge.ledger.change(known.id, lambda session: replace(session, **told))
        session_id = message["SessionID"] if call.connection.kind == "hub" else new_session_id()
        holder = self._bridge.hub.registry.find_party(party)
        return await self._bridge.ledger.open(
            OicpSession(
                id=session_id.lower(),
                emp=holder.name if holder is not None and holder.interpreter else "",
                emp_party=str(party),
                provider_id=str(ids.ProviderID.of(party)),
                identification=dict(message["Identification"]),
                token=token,
                reference=reference or session_id,
                opened=self._bridge.hub.clock.now(),
                **told,
            )
        )

    async def stop(self, call: Call) -> Message:
        """A CPO asks whether a driver may stop: only by what he started with. Raises: Refused."""
        message = call.message
        session = await self._bridge.ledger.find(message["SessionID"])
        if session is None or session.cpo != call.partner.name or session.state not in (PENDING, ACTIVE, ENDED):
            raise Refused(Code.SESSION_INVALID)
        medium = medium_of(message["Identification"])
        began = medium_of(session.identification)
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
        path_id = message["OperatorID"]
        answer = await self._bridge.client.call(
            connection, "AuthorizeStart", message, id=path_id, deadline_s=deadline_s, wait=False
        )
        said: Message = answer.tree
        code = str(said.get("StatusCode", {}).get("Code", ""))
        token = await self._token(partner, connection, uid, token_type, said)
        if said.get("AuthorizationStatus") != "Authorized":
            return _refused(code, token)
        session = await self._allowed(partner, message, said, token, asker=sender or self._bridge.hub.settings.party)
        return {"allowed": "ALLOWED", "token": token, "authorization_reference": session.reference}

    async def _question(
        self, connection: Connection, uid: str, token_type: str, references: Tree | None, sender: str
    ) -> dict[str, Any]:
        """Raises: PeerRefused, for what OICP cannot ask."""
        asker = sender or self._bridge.hub.settings.party
        message: dict[str, Any] = {
            "OperatorID": voices.operator(connection, asker),
            "Identification": _identified(uid, token_type),
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
                operator_id=message["OperatorID"],
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

    async def _token(self, partner: Partner, connection: Connection, uid: str, token_type: str, said: Message) -> Tree:
        """The token on record, else one made of what the answer says: whose it is."""
        party = self._who_answered(connection, said)
        provider = ids.ProviderID.of(party)
        if connection.kind == "hub":
            await self._bridge.connections.learn(connection, PartyRole.EMSP, party)
        found = await tokens.find(self._bridge.hub.store, party, uid, token_type)
        if found is not None:
            known: Tree = parse(found.body, limit=SMALL)
            return known
        return {
            "country_code": party.country_code,
            "party_id": party.party_id,
            "uid": uid,
            "type": token_type,
            "contract_id": uid if token_type == _EMAID else f"{provider}-{uid}"[:_TOO_LONG],
            "issuer": str(provider),
            "valid": True,
            "whitelist": "NEVER",
            "last_updated": timestamp(self._bridge.hub.clock.now()),
        }


def _answer(connection: Connection, session: OicpSession) -> Message:
    """AuthorizationStart or AuthorizationStop, of a driver who may."""
    answer = {
        "AuthorizationStatus": "Authorized",
        "StatusCode": status(Code.SUCCESS),
        "SessionID": session.id,
        "ProviderID": voices.styled_provider(connection, session.provider_id),
        "CPOPartnerSessionID": session.cpo_partner_session,
        "EMPPartnerSessionID": session.emp_partner_session,
    }
    return {name: value for name, value in answer.items() if value}


def _refusal(http: int, code: int, medium: Medium) -> Code:
    """The StatusCode for what OCPI answered."""
    if code == _UNKNOWN_TOKEN or http == 404:
        return medium.unknown
    if code in (2001, 2002):
        return Code.NOBODY_POSITIVE
    return Code.PARTNER_SILENT if code >= 3000 else Code.NOBODY_POSITIVE


def _refused(code: str, token: Tree) -> Tree:
    """AuthorizationInfo for a refusal. Raises: PeerRefused, PeerTimeout, PeerUnreachable."""
    if code in _NOBODYS:
        raise PeerRefused("the token is not known", http=404, status_code=_UNKNOWN_TOKEN)
    if code in _SILENT:
        raise PeerTimeout("the provider did not answer the hub in time")
    if code in _BROKEN:
        raise PeerUnreachable(f"StatusCode {code}")
    return {"allowed": "BLOCKED" if code == Code.CONTRACT_LOCKED else "NOT_ALLOWED", "token": token}


def _identified(uid: str, token_type: str) -> dict[str, Any]:
    """Raises: PeerRefused, for a card or contract that OICP cannot write: nobody there can know it."""
    try:
        if token_type == _EMAID:
            return {"PlugAndChargeIdentification": {"EvcoID": str(ids.EvcoID.parse(uid).complete)}}
        if token_type == _RFID:
            return {"RFIDMifareFamilyIdentification": {"UID": ids.card_uid(uid)}}
    except ids.InvalidId as fault:
        raise PeerRefused(str(fault), http=404, status_code=_UNKNOWN_TOKEN) from None
    raise PeerRefused("OICP asks about cards and contracts only", http=404, status_code=_UNKNOWN_TOKEN)


def _carried(*names: str) -> dict[str, Any]:
    """What goes on as it came, where the question came in OICP."""
    message = original() or {}
    return {name: message[name] for name in names if name in message}
