"""Remote starts, stops and reservations that EMPs and other hubs order here, for chargers of whatever CPO.

What is ordered is looked at here, and the session opened; `carrying` sends it on and waits for its result. Who orders
the same again gets the same answer: from the one that is being waited for, or from what is on record (`asked_again`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple

from hub.core.clock import timestamp
from hub.core.errors import Conflict, NotFound
from hub.core.jsontypes import Tree
from hub.core.parties import Party, PartyRole
from modules.sessions import received as sessions
from modules.tokens.unknown import Flights
from partners.oicp import ids
from partners.oicp.agreed import terms_with
from partners.oicp.answers import Code, Refused
from partners.oicp.asked_again import asked_before, asked_in_words, issued_by
from partners.oicp.authorize import medium_of
from partners.oicp.bridge import Bridge
from partners.oicp.carrying import Carrying
from partners.oicp.contracts import check_contract, is_known
from partners.oicp.face import Call
from partners.oicp.ledger import OicpSession, new_session_id
from partners.oicp.mapping.authorization import token_behind
from partners.oicp.mapping.tokens import EMAID, without_pin
from partners.oicp.ordered import check_driver, is_same_evse, minutes_of, operator_of
from partners.oicp.places import EvsePlace
from partners.oicp.reserved import Reserved
from partners.oicp.untold import untold_place

Message = Mapping[str, Any]

_LOOK_EVERY_S: Final = 0.5
_SESSION_WITHIN_S: Final = 8.0
_ATTEMPTS: Final = 5


async def _nobody_listens(session: OicpSession) -> None:
    """Where nothing is made of it."""


class _Ordered(NamedTuple):
    """The session of an order. `kept`: the reservation that it comes of; `is_known`: it has been given already."""

    session: OicpSession
    kept: OicpSession | None = None
    is_known: bool = False


async def _first_or_known(session_of: Callable[[], Awaitable[_Ordered]]) -> _Ordered:
    """Who gave the same order at the same moment, elsewhere too, is found by looking again. Raises: Refused."""
    for _ in range(_ATTEMPTS):
        with suppress(Conflict):
            return await session_of()
    raise Refused(Code.SYSTEM_ERROR)


class Serving:
    """AuthorizeRemoteStart and -Stop, AuthorizeRemoteReservationStart and -Stop."""

    def __init__(self, bridge: Bridge, carrying: Carrying) -> None:
        self._bridge = bridge
        self._reserved = Reserved(bridge)
        self._flights = Flights()
        self._carrying = carrying
        self.on_released: Callable[[OicpSession], Awaitable[None]] = _nobody_listens
        """Called with a reservation that was given up."""

    async def remote_start(self, call: Call) -> Message:
        """Start a charge. Raises: Refused."""
        return await self._once(call, self._remote_start)

    async def reservation_start(self, call: Call) -> Message:
        """Keep an EVSE free. Raises: Refused."""
        return await self._once(call, self._reservation_start)

    async def remote_stop(self, call: Call) -> Message:
        """Stop a charge. Raises: Refused."""
        return await self._once(call, self._remote_stop)

    async def reservation_stop(self, call: Call) -> Message:
        """Give a reservation up. Raises: Refused."""
        return await self._once(call, self._reservation_stop)

    async def _once(self, call: Call, carry_out: Callable[[Call], Coroutine[Any, Any, Message]]) -> Message:
        """Who orders the same while it is being carried out waits for the same answer."""
        return await self._flights.share((call.operation.name, *asked_in_words(call)), partial(carry_out, call))

    async def _remote_start(self, call: Call) -> Message:
        place = await self._place(call)
        ordered = await _first_or_known(partial(self._charge, call, place))
        if ordered.is_known:
            return await self._carrying.told_again(call, ordered.session, "START_SESSION")
        session, kept = ordered.session, ordered.kept
        try:
            return await self._carrying.carry_out(call, session, "START_SESSION", self._order(session, place))
        except Refused:
            if kept is not None and session.origin != kept.origin:
                await self._reserved.given_back(session, kept)
            raise

    async def _charge(self, call: Call, place: EvsePlace) -> _Ordered:
        """The session of a charge. Raises: Refused, Conflict."""
        kept = await self._reserved.found(call, place)
        is_named_as_kept = kept is not None and kept.id == issued_by(call).lower()
        known = None if is_named_as_kept else await self._asked_before(call, place, "remote")
        if known is not None:
            return _Ordered(known, is_known=True)
        if kept is None:
            return _Ordered(await self._opened(call, place, "remote"))
        return _Ordered(await self._reserved.taken_over(call, kept), kept)

    async def _reservation_start(self, call: Call) -> Message:
        place = await self._place(call)
        minutes = minutes_of(call.message)
        expires = self._bridge.hub.clock.now() + timedelta(minutes=minutes)
        ordered = await _first_or_known(partial(self._reservation, call, place, expires))
        if ordered.is_known:
            return await self._carrying.told_again(call, ordered.session, "RESERVE_NOW")
        session = ordered.session
        order = {
            **self._order(session, place),
            "expiry_date": timestamp(expires),
            "reservation_id": session.id,
        }
        return await self._carrying.carry_out(call, session, "RESERVE_NOW", order)

    async def _reservation(self, call: Call, place: EvsePlace, expires: datetime) -> _Ordered:
        """The session of a reservation. Raises: Refused, Conflict."""
        known = await self._asked_before(call, place, "reservation")
        if known is not None:
            return _Ordered(known, is_known=True)
        return _Ordered(await self._opened(call, place, "reservation", expires=expires))

    async def _remote_stop(self, call: Call) -> Message:
        session = await self._own(call)
        named = await self._known_there(session) or await self._running(session)
        return await self._carrying.carry_out(call, session, "STOP_SESSION", {"session_id": named})

    async def _reservation_stop(self, call: Call) -> Message:
        session = await self._own(call)
        if session.origin != "reservation" or "start" in session.told:
            raise Refused(Code.SESSION_INVALID)  # it never was one, or a charge has come of it
        answer = await self._carrying.carry_out(call, session, "CANCEL_RESERVATION", {"reservation_id": session.id})
        await self.on_released(session)
        return answer

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

    async def _asked_before(self, call: Call, place: EvsePlace, origin: str) -> OicpSession | None:
        """What a hub orders anew under the same SessionID. Raises: Refused, for that of another charge."""
        identification = without_pin(call.message["Identification"])
        return await asked_before(
            self._bridge, call, origin=origin, evse_id=place.evse_id, identification=identification
        )

    async def _opened(
        self, call: Call, place: EvsePlace, origin: str, *, expires: datetime | None = None
    ) -> OicpSession:
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
                expires=expires,
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
