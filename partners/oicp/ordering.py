"""Orders for the EVSEs of a CPO that speaks OICP, also behind another hub: an eMSP's commands, said as remote starts,
remote stops and reservations. OCPI mod_commands; OICP answers once, with the final result.

    eMSP --START_SESSION--> hub --AuthorizeRemoteStart--> CPO
         <--ACCEPTED-------                                    at once: the order is taken on
         <--CommandResult--     <--Acknowledgement------       when it comes, at most 65 s later

The row of the ledger is on disk before the order goes out. What became of an order without an answer nobody knows: the
eMSP is told TIMEOUT, nothing is tried again, and its end is ordered, in case that it began. So is the end of what a CPO
takes when its EMP was told meanwhile that it failed. A charge that is told all the same is stopped (`notifications`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, Final

import structlog
from msgspec.structs import replace

from hub.core.errors import NotFound, PeerFault, PeerRefused, PeerTimeout
from hub.core.jsontypes import Tree
from hub.core.operations import SENDER
from hub.core.parties import Party
from hub.core.registry import Partner
from hub.core.types import parse_datetime
from partners.oicp import voices
from partners.oicp.agreed import terms_with
from partners.oicp.answers import Code, outcome_of
from partners.oicp.bridge import Bridge
from partners.oicp.connections import Connection
from partners.oicp.ledger import PENDING, REFUSED, OicpSession, new_session_id
from partners.oicp.mapping.commands import code_of_silence, command_result, message_of, minutes_until, own_code
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.tokens import remote_identification
from partners.oicp.original import original
from partners.oicp.places import EvsePlace

log = structlog.get_logger()

Message = Mapping[str, Any]

WAIT_S: Final = 65.0
"""A hub gives a CPO 60 s; then its own answer comes."""
_RELEASE: Final = "AuthorizeRemoteReservationStop"
_REJECTED: Final[Tree] = {"result": "REJECTED", "timeout": 0}
_NOT_SUPPORTED: Final[Tree] = {"result": "NOT_SUPPORTED", "timeout": 0}
_UNKNOWN_SESSION: Final[Tree] = {"result": "UNKNOWN_SESSION", "timeout": 0}
_ACCEPTED: Final[Tree] = {"result": "ACCEPTED", "timeout": math.ceil(WAIT_S) + 5}


class Ordering:
    """Commands, said in OICP."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    async def take(self, partner: Partner, name: str, order: Tree, *, to: str, sender: str) -> Tree:
        """An order of eMSP `sender` for CPO `to`: CommandResponse. Raises: PeerFault's children."""
        connection = self._bridge.connections.of(partner.name)
        if connection is None:
            raise NotFound("there is no OICP connection of this partner")
        match name:
            case "START_SESSION" | "RESERVE_NOW":
                return await self._begin(connection, name, order, to=to, sender=sender)
            case "STOP_SESSION":
                known = await self._of_session(to, order["session_id"], sender)
            case "CANCEL_RESERVATION":
                known = await self._bridge.ledger.by_reservation(f"{sender}/{order['reservation_id']}")
            case _:
                return _NOT_SUPPORTED
        if known is None or not known.is_open or known.cpo != partner.name:
            return _UNKNOWN_SESSION if name == "STOP_SESSION" else _REJECTED
        operation = "AuthorizeRemoteStop" if name == "STOP_SESSION" else _RELEASE
        said = _said_by_its_emp(connection, known)
        self._later(self._stop(connection, known, operation, name, order, said))
        return _ACCEPTED

    async def _begin(self, connection: Connection, name: str, order: Tree, *, to: str, sender: str) -> Tree:
        try:
            minutes = self._minutes(connection, order) if name == "RESERVE_NOW" else None
            identification = remote_identification(order["token"])
        except NotSayable:
            return _REJECTED
        evse_uid = order.get("evse_uid")
        place = await self._bridge.places.named(to, order["location_id"], evse_uid) if evse_uid else None
        session = await self._known(connection, order, to=to, sender=sender)
        if place is not None and not place.is_remote:
            return _NOT_SUPPORTED
        if session is None:
            if place is None:
                return _REJECTED
            session = self._session(connection, order, place, identification, to=to, sender=sender)
            await self._bridge.ledger.open(session)
        message = self._message(connection, session)
        if minutes is not None and not (session.emp and original()):
            message["Duration"] = minutes
        operation = "AuthorizeRemoteStart" if minutes is None else "AuthorizeRemoteReservationStart"
        self._later(self._start(connection, session, operation, message, name, order))
        return _ACCEPTED

    async def _known(self, connection: Connection, order: Tree, *, to: str, sender: str) -> OicpSession | None:
        """What an EMP of OICP orders at a CPO of OICP: we are the hub, and both know it by one SessionID."""
        known = await self._bridge.ledger.find(order.get("authorization_reference") or "")
        if known is None or (known.cpo, known.cpo_party, known.emp_party) != (connection.partner, to, sender):
            return None
        if connection.kind == "hub" or not known.emp or known.state != PENDING:
            return None
        reservation = order.get("reservation_id", "")
        named = f"{sender}/{reservation}" if reservation else ""
        return await self._bridge.ledger.change(known.id, lambda session: replace(session, reservation=named))

    def _minutes(self, connection: Connection, order: Tree) -> int:
        """Raises: NotSayable."""
        return minutes_until(parse_datetime(order["expiry_date"]), self._bridge.hub.clock.now(), terms_with(connection))

    def _session(
        self, connection: Connection, order: Tree, place: EvsePlace, identification: Tree, *, to: str, sender: str
    ) -> OicpSession:
        """The row of an order of OCPI.

        A CPO is told the eMSP's own reference; another hub a name that nobody else gives, as what it tells of the
        charge is found by that name (`Ledger.brought`).
        """
        session_id, reservation = new_session_id(), order.get("reservation_id", "")
        reference = order.get("authorization_reference", "")
        return OicpSession(
            id=session_id,
            origin="reservation" if reservation else "remote",
            cpo=connection.partner,
            cpo_party=to,
            emp_party=sender,
            provider_id=voices.provider(connection, sender),
            evse_id=place.evse_id,
            location=place.location,
            evse_uid=place.evse_uid,
            identification=identification,
            token=order["token"],
            product=str((original() or {}).get("PartnerProductID", "")),
            emp_partner_session=session_id if connection.kind == "hub" else reference,
            reference=reference or session_id,
            reservation=f"{sender}/{reservation}" if reservation else "",
            opened=self._bridge.hub.clock.now(),
        )

    def _message(self, connection: Connection, session: OicpSession) -> dict[str, Any]:
        message: dict[str, Any] = {
            "SessionID": "" if connection.kind == "hub" else session.id,
            "ProviderID": _provider(connection, session),
            "EvseID": session.evse_id,
            "Identification": session.identification,
            "EMPPartnerSessionID": session.emp_partner_session,
            "PartnerProductID": session.product,
        }
        named = {name: value for name, value in message.items() if value}
        return {**_said_by_its_emp(connection, session), **named}

    async def _start(
        self, connection: Connection, session: OicpSession, operation: str, message: Message, name: str, order: Tree
    ) -> None:
        try:
            answer = await self._bridge.ask(
                connection, operation, message, id=message["ProviderID"], deadline_s=WAIT_S, wait=False
            )
        except (PeerFault, NotSayable) as fault:
            await self._settled(session, REFUSED)
            await self._note(session, code_of_silence(fault))
            await self._tell(connection, name, order, _result_of(fault))
            if isinstance(fault, PeerTimeout) and connection.kind == "cpo":
                await self._stop_late(connection, session, operation)
            return
        code = outcome_of(answer)
        if code == Code.SUCCESS:
            issued = str(answer.get("SessionID") or "")
            if connection.kind == "hub" and issued and issued.lower() != session.id:
                session = await self._bridge.ledger.renamed(session, issued)
            if await self._came_too_late(session, str(answer.get("CPOPartnerSessionID") or "")):
                await self._stop_late(connection, session, operation)
                return
        else:
            await self._settled(session, REFUSED)
            await self._note(session, own_code(code))
        await self._tell(connection, name, order, _outcome(code))

    async def _came_too_late(self, session: OicpSession, called: str) -> bool:
        """Was the EMP of OICP that ordered it told meanwhile that it failed? Else it is told what the CPO calls it."""
        ordered = await self._ordered(session)
        if ordered is None:
            return False

        def taken(known: OicpSession) -> OicpSession:
            if known.state == REFUSED:
                return known
            name = called or known.cpo_partner_session
            return replace(known, cpo_partner_session=name, code=Code.SUCCESS.value)

        return (await self._bridge.ledger.change(ordered.id, taken)).state == REFUSED

    async def _stop_late(self, connection: Connection, session: OicpSession, operation: str) -> None:
        """Nobody knows of it: it ends at once, and a charge that is told all the same is none (`notifications`)."""
        await self._settled(session, REFUSED)
        ending = _RELEASE if operation == "AuthorizeRemoteReservationStart" else "AuthorizeRemoteStop"
        result = await self.stop(connection, session, ending)
        log.warning("what was ordered may begin after it was given up: it is stopped", session=session.id, **result)

    async def _note(self, session: OicpSession, code: Code | None) -> None:
        """In the very word of the CPO, for an EMP of OICP that waits (`carrying`)."""
        ordered = await self._ordered(session)
        if ordered is not None and code is not None:
            await self._bridge.ledger.change(ordered.id, lambda known: replace(known, code=code.value))

    async def _stop(
        self, connection: Connection, session: OicpSession, operation: str, name: str, order: Tree, said: Message
    ) -> None:
        await self._tell(connection, name, order, await self.stop(connection, session, operation, said))

    async def stop(
        self,
        connection: Connection,
        session: OicpSession,
        operation: str = "AuthorizeRemoteStop",
        said: Message = MappingProxyType({}),
    ) -> Tree:
        """Order the end of a charge or reservation. Returns: what became of it, as CommandResult.

        `said`: by the EMP of OICP that wants it; it goes on as it came.
        """
        provider = _provider(connection, session)
        message = {**said, "SessionID": session.id, "ProviderID": provider, "EvseID": session.evse_id}
        try:
            answer = await self._bridge.ask(connection, operation, message, id=provider, deadline_s=WAIT_S, wait=False)
        except (PeerFault, NotSayable) as fault:
            await self._note(session, code_of_silence(fault))
            return _result_of(fault)
        code = outcome_of(answer)
        await self._note(session, own_code(code))
        return _outcome(code, reserves=operation == _RELEASE)

    async def _settled(self, session: OicpSession, state: str) -> None:
        with suppress(NotFound):  # the hub has told of the charge meanwhile, by its own SessionID: it goes on
            await self._bridge.ledger.change(
                session.id, lambda known: replace(known, state=state) if known.state == PENDING else known
            )

    async def _of_session(self, to: str, session_id: str, sender: str) -> OicpSession | None:
        """That of a driver of `sender`, or of another eMSP on its platform; anybody else's is as unknown as none."""
        ledger = self._bridge.ledger
        known = await ledger.find(session_id) or await ledger.by_session(f"{to}/{session_id}")
        return known if known is not None and self._is_its_own(known, sender) else None

    def _is_its_own(self, session: OicpSession, sender: str) -> bool:
        if session.emp_party == sender:
            return True
        platform = self._bridge.hub.registry.find_party(Party.parse(sender))
        return platform is not None and session.emp_party in platform.parties

    async def _ordered(self, session: OicpSession) -> OicpSession | None:
        """The row under which an EMP of OICP ordered it, and waits.

        An eMSP of OCPI chooses its references itself: one that is the SessionID of somebody else means nothing.
        """
        found = session if session.emp else await self._bridge.ledger.find(session.reference)
        return found if found is not None and found.emp and found.emp_party == session.emp_party else None

    async def _tell(self, connection: Connection, name: str, order: Tree, result: Tree) -> None:
        """The CommandResult, to the response_url of ours that came with the order."""
        partner = self._bridge.hub.registry.find(connection.partner)
        if partner is None:
            return
        result_id = str(order["response_url"]).rstrip("/").rsplit("/", 1)[-1]
        said = await self._bridge.inward.request(partner, "POST", "commands", SENDER, (name, result_id), body=result)
        if not said.is_success:
            log.warning("command result not taken", partner=connection.partner, command=name, code=said.code)

    def _later(self, work: Any) -> None:
        self._bridge.hub.background.start(work, name="oicp order")


def _said_by_its_emp(connection: Connection, session: OicpSession) -> Message:
    """What an EMP of OICP says to a CPO of OICP of a session that both have: it goes on as it came."""
    return (original() or {}) if session.emp and connection.kind == "cpo" else {}


def _provider(connection: Connection, session: OicpSession) -> str:
    """The ProviderID under which a session is ordered there."""
    return session.provider_id if connection.kind == "hub" else voices.styled_provider(connection, session.provider_id)


def _outcome(code: str, *, reserves: bool = False) -> Tree:
    """The CommandResult for a StatusCode, and why it failed, where OCPI has no word for that."""
    result = command_result(code, reserves=reserves)
    why = message_of(code) if result == "FAILED" else ""
    return {"result": result, "message": [{"language": "en", "text": why}]} if why else {"result": result}


def _result_of(fault: Exception) -> Tree:
    """What an order without an answer came to, as far as an eMSP is told."""
    if isinstance(fault, PeerTimeout):
        return {"result": "TIMEOUT"}
    return {"result": "REJECTED" if isinstance(fault, PeerRefused) else "FAILED"}
