"""Remote starts, stops and reservations that EMPs and other hubs order here, for chargers of whatever CPO.

OICP wants the final result in the answer; OCPI gives it later. So the request is held until the CommandResult is there,
at most `WAIT_S`; a hub breaks off after 60 s. After that nobody may charge under this SessionID: what begins all the
same is stopped, since its CDR could never be delivered.

    EMP --AuthorizeRemoteStart--> hub --START_SESSION, response_url oicp:results/{SessionID}--> CPO
        <----Acknowledgement-----     <--CommandResult-----------------------------------------
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from msgspec.structs import replace

from hub.core.clock import timestamp
from hub.core.errors import NotFound, PeerRefused
from hub.core.jsontypes import Tree
from hub.core.operations import RECEIVER
from hub.core.parties import Party, PartyRole
from hub.core.registry import Partner
from modules.sessions import received as sessions
from partners.oicp import ids
from partners.oicp.agreed import terms_with
from partners.oicp.answers import Code, Refused, acknowledged
from partners.oicp.asked_again import asked_before, issued_by
from partners.oicp.authorize import medium_of
from partners.oicp.bridge import Bridge
from partners.oicp.contracts import check_contract, is_known
from partners.oicp.face import Call
from partners.oicp.inward import Answered
from partners.oicp.ledger import ACTIVE, CLOSED, PENDING, REFUSED, OicpSession, new_session_id
from partners.oicp.mapping.authorization import token_behind
from partners.oicp.mapping.terms import Terms
from partners.oicp.mapping.tokens import EMAID, without_pin
from partners.oicp.ordered import check_driver, is_same_evse, minutes_of, no_at_once, no_of, operator_of, told_anew
from partners.oicp.original import being_served
from partners.oicp.places import EvsePlace
from partners.oicp.untold import untold_place

Message = Mapping[str, Any]

WAIT_S: Final = 55.0
_LOOK_EVERY_S: Final = 0.5
_SESSION_WITHIN_S: Final = 8.0
RESULTS: Final = "oicp:results/"


async def _nobody_listens(session: OicpSession) -> None:
    """Where nothing is made of it."""


class Serving:
    """AuthorizeRemoteStart and -Stop, AuthorizeRemoteReservationStart and -Stop."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._rings: dict[str, asyncio.Event] = {}
        self.on_released: Callable[[OicpSession], Awaitable[None]] = _nobody_listens
        """Called with a reservation that was given up."""

    async def remote_start(self, call: Call) -> Message:
        """Start a charge. Raises: Refused."""
        place = await self._place(call)
        kept = await self._kept(call, place)
        is_named_as_kept = kept is not None and kept.id == issued_by(call).lower()
        known = None if is_named_as_kept else await self._asked_before(call, place, "remote")
        if known is not None:
            return await self._told_again(call, known, "START_SESSION")
        if kept is None:
            session = await self._opened(call, place, "remote")
            return await self._carried_out(call, session, "START_SESSION", self._order(session, place))
        session = await self._taken_over(call, kept)
        try:
            return await self._carried_out(call, session, "START_SESSION", self._order(session, place))
        except Refused:
            if session.origin != kept.origin:
                await self._given_back(session, kept)
            raise

    async def reservation_start(self, call: Call) -> Message:
        """Keep an EVSE free. Raises: Refused."""
        place = await self._place(call)
        minutes = minutes_of(call.message)
        if (known := await self._asked_before(call, place, "reservation")) is not None:
            return await self._told_again(call, known, "RESERVE_NOW")
        session = await self._opened(call, place, "reservation")
        expires = self._bridge.hub.clock.now() + timedelta(minutes=minutes)
        order = {
            **self._order(session, place),
            "expiry_date": timestamp(expires),
            "reservation_id": session.id,
        }
        return await self._carried_out(call, session, "RESERVE_NOW", order)

    async def remote_stop(self, call: Call) -> Message:
        """Stop a charge. Raises: Refused."""
        session = await self._own(call)
        named = await self._known_there(session) or await self._running(session)
        return await self._carried_out(call, session, "STOP_SESSION", {"session_id": named})

    async def reservation_stop(self, call: Call) -> Message:
        """Give a reservation up. Raises: Refused."""
        session = await self._own(call)
        if session.origin != "reservation":
            raise Refused(Code.SESSION_INVALID)
        answer = await self._carried_out(call, session, "CANCEL_RESERVATION", {"reservation_id": session.id})
        await self.on_released(session)
        return answer

    async def result(self, session_id: str, body: Tree) -> None:
        """A CommandResult came for an order of ours. Raises: PeerRefused, for one that nobody waits for."""
        result = str(body.get("result", ""))
        try:
            await self._bridge.ledger.change(session_id, lambda known: replace(known, result=result))
        except NotFound:
            raise PeerRefused("nobody waits for this result", http=404, status_code=2003) from None
        ring = self._rings.get(session_id)
        if ring is not None:
            ring.set()

    async def _place(self, call: Call) -> EvsePlace:
        """In the order of OICP's checks: partner, contract, EVSE. Raises: Refused."""
        place = await self._bridge.places.find(call.message["EvseID"])
        party = Party.parse(place.owner) if place is not None else operator_of(call)
        if party is not None and not is_known(self._bridge.hub, party):
            raise Refused(Code.UNKNOWN_EVSE if call.connection.kind == "hub" else Code.PARTNER_UNKNOWN)
        if party is not None:
            check_contract(self._bridge.hub, call.partner, party, "commands")
        check_driver(call)
        place = place or await untold_place(self._bridge, party, call.message["EvseID"])
        if place is None:
            raise Refused(Code.UNKNOWN_EVSE)
        if not place.is_remote:
            raise Refused(Code.EVSE_NOT_COMPATIBLE)
        return place

    async def _own(self, call: Call) -> OicpSession:
        """The session that is named, of who asks. Raises: Refused."""
        session = await self._bridge.ledger.find(call.message["SessionID"])
        if session is None or session.emp != call.partner.name or not session.is_open:
            raise Refused(Code.SESSION_INVALID)
        if session.evse_id and not is_same_evse(session.evse_id, call.message["EvseID"]):
            raise Refused(Code.SESSION_INVALID, "the session is one of another EVSE")
        check_contract(self._bridge.hub, call.partner, Party.parse(session.cpo_party), "commands")
        return session

    async def _kept(self, call: Call, place: EvsePlace) -> OicpSession | None:
        """What keeps one of our own EVSEs for this driver."""
        if place.owner not in self._bridge.hub.settings.own_parties:
            return None
        driver = medium_of(without_pin(call.message["Identification"]), terms_with(call.connection)).uid
        for known in reversed(await self._bridge.ledger.open_at(place.evse_id)):
            fits = known.emp == call.partner.name and known.token.get("uid") == driver
            if fits and known.is_open and known.origin == "reservation":
                return known
        return None

    async def _taken_over(self, call: Call, kept: OicpSession) -> OicpSession:
        """The charge that comes of a reservation: one Session of OCPI, and one record.

        It keeps the id of the reservation, unless a hub orders it under another: then that is its id from now on.
        """
        issued = issued_by(call).lower()
        if not issued:
            return await self._bridge.ledger.change(kept.id, lambda row: told_anew(row, call.message))
        session = replace(told_anew(kept, call.message), id=issued, origin="remote")
        if issued == kept.id:
            return await self._bridge.ledger.change(kept.id, lambda _: session)
        await self._bridge.ledger.exchange(kept, session)
        return session

    async def _given_back(self, session: OicpSession, kept: OicpSession) -> None:
        """It does not begin: the reservation stands, under its own id."""
        ledger, known = self._bridge.ledger, await self._bridge.ledger.get(session.id)
        stands = replace(known, id=kept.id, origin=kept.origin, state=kept.state)
        if session.id == kept.id:
            await ledger.change(kept.id, lambda _: stands)
        else:
            await ledger.exchange(known, stands)

    async def _asked_before(self, call: Call, place: EvsePlace, origin: str) -> OicpSession | None:
        """What a hub orders anew under the same SessionID. Raises: Refused, for that of another charge."""
        identification = without_pin(call.message["Identification"])
        return await asked_before(
            self._bridge, call, origin=origin, evse_id=place.evse_id, identification=identification
        )

    async def _told_again(self, call: Call, session: OicpSession, command: str) -> Message:
        """What came, or comes, of an order that has been given already. Raises: Refused."""
        if session.state == CLOSED:
            raise Refused(Code.SESSION_INVALID, "the charge is over")
        if not (session.session and session.is_open):
            ring = self._rings.get(session.id) or asyncio.Event()
            wait_s = 0.0 if session.state == REFUSED else WAIT_S
            why = await self._awaited(session, ring, command, terms_with(call.connection), wait_s)
            if why is not None:
                raise why
        return await self._acknowledged(session)

    async def _opened(self, call: Call, place: EvsePlace, origin: str) -> OicpSession:
        message, connection = call.message, call.connection
        party = ids.ProviderID.parse(message["ProviderID"]).party()
        if connection.kind == "hub":
            partner = await self._bridge.connections.learn(connection, PartyRole.EMSP, party)
            if str(party) not in partner.parties:
                raise Refused(Code.UNAUTHORIZED, "the provider is none of this hub's")
        identification = without_pin(message["Identification"])
        session_id = issued_by(call) or new_session_id()
        return await self._bridge.ledger.open(
            OicpSession(
                id=session_id.lower(),
                origin=origin,
                cpo=self._bridge.interpreted(Party.parse(place.owner)),
                cpo_party=place.owner,
                emp=call.partner.name,
                emp_party=str(party),
                provider_id=str(ids.ProviderID.of(party)),
                evse_id=place.evse_id,
                location=place.location,
                evse_uid=place.evse_uid,
                identification=identification,
                token=self._token(party, medium_of(identification, terms_with(connection)).uid),
                product=message.get("PartnerProductID", ""),
                emp_partner_session=message.get("EMPPartnerSessionID", ""),
                reference=session_id,
                opened=self._bridge.hub.clock.now(),
            )
        )

    def _token(self, party: Party, contract: str) -> Tree:
        now = timestamp(self._bridge.hub.clock.now())
        return {**token_behind(party, contract, EMAID, received=now), "type": "APP_USER"}

    def _order(self, session: OicpSession, place: EvsePlace) -> Tree:
        order: Tree = {
            "token": session.token,
            "location_id": place.location_id,
            "evse_uid": place.evse_uid,
            "authorization_reference": session.reference,
        }
        return {**order, "connector_id": place.connector_id} if place.connector_id else order

    async def _known_there(self, session: OicpSession) -> str:
        """The SessionID by which its CPO knows it, if that speaks OICP too: the same, or that of the hub before it."""
        connection = self._bridge.connections.of(session.cpo)
        if connection is None or connection.kind == "cpo":
            return session.id if connection is not None else ""
        row = await self._bridge.ledger.by_reference(session.reference)
        return row.id if row is not None and row.cpo == session.cpo else ""

    async def _running(self, session: OicpSession) -> str:
        """What OCPI calls a charge that goes on. Raises: Refused, for one that is over, or does not begin soon."""
        session = await self._begun(session)
        owner, _, name = session.session.partition("/")
        with suppress(NotFound):
            document = await sessions.get(self._bridge.hub, Party.parse(owner), name)
            if document.columns["status"] in ("COMPLETED", "INVALID"):
                raise Refused(Code.SESSION_INVALID, "the charge is over")
        return name

    async def _begun(self, session: OicpSession) -> OicpSession:
        """The session once OCPI has a name for it. Raises: Refused, where that does not come soon."""
        clock = self._bridge.hub.clock
        until = clock.now() + timedelta(seconds=_SESSION_WITHIN_S)
        while not session.session:
            if clock.now() >= until:
                raise Refused(Code.EVSE_UNREACHABLE, "the charge has not begun yet")
            await clock.sleep(_LOOK_EVERY_S)
            session = await self._bridge.ledger.get(session.id)
        return session

    async def _carried_out(self, call: Call, session: OicpSession, command: str, order: Tree) -> Message:
        """Send the order, wait for its result, answer. Raises: Refused."""
        begins = command in ("START_SESSION", "RESERVE_NOW")
        await self._bridge.ledger.change(session.id, lambda known: replace(known, result="", code=""))
        ring = self._rings[session.id] = asyncio.Event()
        try:
            partner = self._bridge.hub.registry.get(call.partner.name)
            with being_served(call.message):
                said = await self._ask(partner, session, command, order)
            terms = terms_with(call.connection)
            why = no_at_once(said, command, terms)
            if why is not None and said.is_success and await self._is_offline(session):
                why = Refused(Code.EVSE_UNREACHABLE)
            why = why or await self._awaited(session, ring, command, terms)
        finally:
            self._rings.pop(session.id, None)
        if why is not None and not (begins and await self._has_begun(session, command)):
            raise why
        if command == "CANCEL_RESERVATION":
            await self._bridge.ledger.change(session.id, OicpSession.closed)
        return await self._acknowledged(session)

    async def _acknowledged(self, session: OicpSession) -> Message:
        known = await self._bridge.ledger.get(session.id)
        return acknowledged(
            SessionID=session.id,
            CPOPartnerSessionID=known.cpo_partner_session,
            EMPPartnerSessionID=known.emp_partner_session,
        )

    async def _is_offline(self, session: OicpSession) -> bool:
        """Is its charger ours and not connected? OCPI says only REJECTED then, as of an EVSE that is in use."""
        hub = self._bridge.hub
        if session.cpo_party not in hub.settings.own_parties:
            return False
        place = hub.chargers.place(session.evse_uid)
        return place is None or not await hub.chargers.reachable(place.station)

    async def _ask(self, partner: Partner, session: OicpSession, command: str, order: Tree) -> Answered:
        return await self._bridge.inward.request(
            *(partner, "POST", "commands", RECEIVER, (command,)),
            body={**order, "response_url": RESULTS + session.id},
            sender=session.emp_party,
            to=session.cpo_party,
        )

    async def _awaited(
        self, session: OicpSession, ring: asyncio.Event, command: str, terms: Terms, wait_s: float = WAIT_S
    ) -> Refused | None:
        """What the CommandResult says against it; of none in time, that the CPO of OICP is silent, or the EVSE.

        It may come to another process of this hub: so the row is looked at, too.
        """
        clock = self._bridge.hub.clock
        until = clock.now() + timedelta(seconds=wait_s)
        while not (session := await self._bridge.ledger.get(session.id)).result:
            if clock.now() >= until:
                return Refused(Code.PARTNER_SILENT if session.cpo else Code.EVSE_UNREACHABLE)
            with suppress(TimeoutError):
                await asyncio.wait_for(ring.wait(), _LOOK_EVERY_S)
        return no_of(session.result, command, terms, session.code)

    async def _has_begun(self, session: OicpSession, command: str) -> bool:
        """Has its CPO taken it after all, in this very moment? Else nobody may charge under it from now on.

        A reservation stands, whatever became of the charge.
        """
        if command == "START_SESSION" and session.origin == "reservation":
            return False

        def given_up(known: OicpSession) -> OicpSession:
            is_begun = known.code == Code.SUCCESS or known.state not in (PENDING, ACTIVE)
            return known if is_begun else replace(known, state=REFUSED)

        return (await self._bridge.ledger.change(session.id, given_up)).code == Code.SUCCESS
