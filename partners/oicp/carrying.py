"""An order of OICP carried out: sent on as a command of OCPI, and its result waited for.

OICP wants the final result in the answer; OCPI gives it later. So the request is held until the CommandResult is there,
at most `WAIT_S` from when it came; a hub breaks off after 60 s. After that nobody may charge under this SessionID: what
begins all the same is stopped, since its CDR could never be delivered.

    EMP --AuthorizeRemoteStart--> hub --START_SESSION, response_url oicp:results/{SessionID}--> CPO
        <----Acknowledgement-----     <--CommandResult-----------------------------------------
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec.structs import replace

from hub.core.errors import NotFound, PeerRefused
from hub.core.jsontypes import Tree
from hub.core.operations import RECEIVER
from hub.core.registry import Partner
from partners.oicp.agreed import terms_with
from partners.oicp.answers import Code, Refused, acknowledged
from partners.oicp.bridge import Bridge
from partners.oicp.face import Call
from partners.oicp.inward import Answered
from partners.oicp.ledger import ACTIVE, CLOSED, PENDING, REFUSED, OicpSession
from partners.oicp.mapping.terms import Terms
from partners.oicp.ordered import no_at_once, no_of
from partners.oicp.original import being_served

Message = Mapping[str, Any]

WAIT_S: Final = 55.0
_LOOK_EVERY_S: Final = 0.5
RESULTS: Final = "oicp:results/"


class Carrying:
    """See the module."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._rings: dict[str, asyncio.Event] = {}

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

    async def told_again(self, call: Call, session: OicpSession, command: str) -> Message:
        """What came, or comes, of an order that has been given already. Raises: Refused."""
        if session.state == CLOSED:
            raise Refused(Code.SESSION_INVALID, "the charge is over")
        if not (session.session and session.is_open):
            ring = self._rings.get(session.id) or asyncio.Event()
            until = self._until(0.0 if session.state == REFUSED else WAIT_S)
            try:
                why = await self._awaited(session, ring, command, terms_with(call.connection), until)
            except NotFound:  # it did not begin, and the reservation that it would have come of has its own id again
                why = Refused(Code.EVSE_UNREACHABLE)
            if why is not None:
                raise why
        return await self._acknowledged(session)

    async def carry_out(self, call: Call, session: OicpSession, command: str, order: Tree) -> Message:
        """Send the order, wait for its result, answer. Raises: Refused."""
        begins, until = command in ("START_SESSION", "RESERVE_NOW"), self._until(WAIT_S)
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
            why = why or await self._awaited(session, ring, command, terms, until)
        finally:
            self._rings.pop(session.id, None)
        if why is not None and not (begins and await self._has_begun(session, command, why)):
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

    def _until(self, wait_s: float) -> datetime:
        return self._bridge.hub.clock.now() + timedelta(seconds=wait_s)

    async def _awaited(
        self, session: OicpSession, ring: asyncio.Event, command: str, terms: Terms, until: datetime
    ) -> Refused | None:
        """What the CommandResult says against it; of none in time, that the CPO of OICP is silent, or the EVSE.

        It may come to another process of this hub: so the row is looked at, too.
        """
        clock = self._bridge.hub.clock
        while not (session := await self._bridge.ledger.get(session.id)).is_decided:
            if clock.now() >= until:
                return Refused(Code.PARTNER_SILENT if session.cpo else Code.EVSE_UNREACHABLE)
            with suppress(TimeoutError):
                await asyncio.wait_for(ring.wait(), _LOOK_EVERY_S)
        return no_of(session.result, command, terms, session.code)

    async def _has_begun(self, session: OicpSession, command: str, why: Refused) -> bool:
        """Has its CPO taken it after all, in this very moment? Else nobody may charge under it from now on.

        Who orders the same again is told the same. A reservation stands, whatever became of the charge.
        """
        if command == "START_SESSION" and session.origin == "reservation":
            return False

        def given_up(known: OicpSession) -> OicpSession:
            is_begun = known.code == Code.SUCCESS or known.state not in (PENDING, ACTIVE)
            return known if is_begun else replace(known, state=REFUSED, code=known.code or why.code.value)

        return (await self._bridge.ledger.change(session.id, given_up)).code == Code.SUCCESS
