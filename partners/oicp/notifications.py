"""How a charge goes on: the notifications of OICP, and the Sessions of OCPI, in both directions.

Notifications are best effort: one that is lost holds nothing up, and least of all the CDR. But they tell of charges
that nobody may make any more: one whose order was given up, and that begins all the same, is stopped at once, as its
CDR could never be delivered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import structlog
from msgspec.structs import replace

from hub.core.clock import timestamp
from hub.core.errors import BusbarError, NotFound, PeerTimeout
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.operations import LARGE, RECEIVER
from hub.core.parties import Party
from hub.core.registry import Partner
from hub.core.types import parse_datetime
from hub.core.units import Document
from modules.locations import service as locations
from modules.sessions import received as sessions
from partners.oicp import ids, voices
from partners.oicp.agreed import terms_with
from partners.oicp.answers import Code, Refused, acknowledged, says_yes
from partners.oicp.bridge import Bridge
from partners.oicp.carrying import RESULTS
from partners.oicp.connections import Connection
from partners.oicp.contracts import is_connected, may_have
from partners.oicp.face import Call
from partners.oicp.ledger import ACTIVE, CLOSED, ENDED, OPEN, REFUSED, UNBEGUN, OicpSession, new_session_id
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.sessions import PROGRESS_EVERY, lost_in, lost_of, notifications_of, session_of
from partners.oicp.mapping.tokens import identification_of, without_pins
from partners.oicp.notification_checks import check_plausible
from partners.oicp.onward_notifications import WAIT_S, pass_on
from partners.oicp.ordering import Ordering
from partners.oicp.places import EvsePlace
from partners.oicp.record_checks import check_evse

log = structlog.get_logger()

Message = Mapping[str, Any]

_TOKEN_FIELDS: Final = ("country_code", "party_id", "uid", "type", "contract_id")


class Notifications:
    """Told to EMPs and hubs, and heard from CPOs and hubs."""

    def __init__(self, bridge: Bridge, ordering: Ordering) -> None:
        self._bridge = bridge
        self._ordering = ordering

    async def tell(self, partner: Partner, owner: str, session_id: str) -> None:
        """Tell an EMP, or a hub, how the session of CPO `owner` stands now."""
        connection = self._bridge.connections.of(partner.name)
        document = await self.on_record(owner, session_id)
        if connection is None or document is None:
            return
        tree: Tree = parse(document.body, limit=4 * LARGE)
        row = await self.row_of(connection, owner, tree)
        if row is None:
            return
        if row.state == REFUSED and tree["status"] == "ACTIVE":
            await self._stop_here(partner, row, document.columns["id"])
            return
        if _was_mere_reservation(row, tree):
            return
        zone = await self.zone(f"{owner}/{tree['location_id']}")
        now = timestamp(self._bridge.hub.clock.now())
        told = dict(row.told)
        for notification in notifications_of(tree, row.told, time_zone=zone, now=now):
            if await self._send(connection, row, notification):
                self._bridge.hub.losses.note(partner.name, "out", "sessions", lost_of(tree))
                told["end" if notification["Type"] == "Error" else notification["Type"].lower()] = now
        state = ENDED if "end" in told else ACTIVE
        await self._bridge.ledger.change(
            row.id, lambda known: replace(known, told=told, state=state if known.state in OPEN else known.state)
        )

    async def tell_unused(self, row: OicpSession) -> None:
        """Tell an EMP, or a hub, that no charge came of what it allowed. A late one is told it all the same."""
        connection, hub = self._bridge.connections.of(row.emp), self._bridge.hub
        if connection is None or not is_connected(hub, row.emp):
            return
        if not may_have(hub, row.emp, row.cpo_party, "sessions"):
            return
        error = {"Type": "Error", "ErrorType": "CriticalError", "ErrorAdditionalInfo": "no charge began in time"}
        await self._send(connection, row, error)

    async def on_record(self, owner: str, session_id: str) -> Document | None:
        """The Session of OCPI of CPO `owner`, if there is one."""
        try:
            return await sessions.get(self._bridge.hub, Party.parse(owner), session_id)
        except NotFound:
            return None

    async def row_of(self, connection: Connection, owner: str, tree: Tree) -> OicpSession | None:
        """The row of a Session or CDR of OCPI, which knows from now on what it is called there.

        By its authorization_reference; else by what OCPI calls it; else, with a warning, by card and EVSE. To an EMP we
        are the hub, and give a charge that nobody asked about a SessionID all the same; another hub knows none of it.
        """
        ledger, key = self._bridge.ledger, f"{owner}/{tree.get('session_id') or tree['id']}"
        of_cdr = key if _is_nameless(tree) else ""
        row = await ledger.by_reference(
            tree.get("authorization_reference") or of_cdr, emp=connection.partner
        ) or await ledger.by_session(key)
        row = row or await self._by_card(tree)
        if row is None:
            return await self._made(connection, owner, key, tree) if connection.kind == "emp" else None
        if row.session and not of_cdr:
            return row
        return await ledger.change(row.id, lambda known: _named(known, key, of_cdr))

    async def _by_card(self, tree: Tree) -> OicpSession | None:
        place = await self._place(tree)
        token = tree["cdr_token"]
        at_evse = await self._bridge.ledger.open_at(place.evse_id) if place is not None else []
        fitting = [row for row in at_evse if row.token.get("uid", "") == token["uid"]]
        if _is_nameless(tree):
            over = parse_datetime(tree["end_date_time"])
            likely = [row for row in fitting if row.opened <= over][-1:]
        else:
            fitting = [row for row in fitting if not row.session]
            likely = [row for row in fitting if row.is_open] or fitting
        if len(likely) != 1:
            return None
        log.warning("session found by card and EVSE: its CPO gave no authorization_reference", session=likely[0].id)
        return likely[0]

    async def _place(self, tree: Tree) -> EvsePlace | None:
        owner = f"{tree['country_code']}*{tree['party_id']}"
        spot = tree.get("cdr_location") or {"id": tree.get("location_id", ""), "evse_uid": tree.get("evse_uid", "")}
        return await self._bridge.places.named(owner, spot["id"], spot["evse_uid"])

    async def _made(self, connection: Connection, owner: str, key: str, tree: Tree) -> OicpSession | None:
        place, token = await self._place(tree), tree["cdr_token"]
        if place is None:
            return None
        log.warning("charge without a SessionID: one was made for it", partner=connection.partner)
        party = f"{token['country_code']}*{token['party_id']}"
        return await self._bridge.ledger.open(
            OicpSession(
                id=new_session_id(),
                state=ACTIVE,
                origin="told",
                cpo_party=owner,
                emp=connection.partner,
                emp_party=party,
                provider_id=voices.provider(connection, party),
                evse_id=place.evse_id,
                location=place.location,
                evse_uid=place.evse_uid,
                identification=_identified(connection, token),
                token=token,
                session=key,
                opened=self._bridge.hub.clock.now(),
            )
        )

    async def _send(self, connection: Connection, row: OicpSession, notification: Message) -> bool:
        """True: it was taken, or will not be taken another time either."""
        message = {**notification, **_names(connection, row)}
        try:
            answer = await self._bridge.ask(connection, "ChargingNotification", message, deadline_s=WAIT_S, wait=False)
        except PeerTimeout:
            return True
        except BusbarError as fault:
            log.info("notification not taken", partner=connection.partner, type=notification["Type"], why=str(fault))
            return False
        return says_yes(answer)

    async def _stop_here(self, partner: Partner, row: OicpSession, session_id: str) -> None:
        """Whoever ordered it was told that it failed. Raises nothing: it is tried again with the next update."""
        said = await self._bridge.inward.request(
            *(partner, "POST", "commands", RECEIVER, ("STOP_SESSION",)),
            body={"session_id": session_id, "response_url": RESULTS + row.id},
            sender=row.emp_party,
            to=row.cpo_party,
        )
        log.warning("a charge began that had been given up: it is stopped", session=row.id, code=said.code)

    async def zone(self, location: str) -> str:
        """The time zone of a location (`NL*CPO/LOC1`); "" where nobody tells."""
        try:
            tree = await locations.get_tree(self._bridge.hub.store, location)
        except BusbarError:
            return ""
        return str(tree.get("time_zone", ""))

    async def hear(self, call: Call) -> Message:
        """A CPO, or a hub, tells of a charge. Raises: Refused."""
        row = await self.heard_of(call)
        message = call.message
        if row.state == REFUSED:
            if message["Type"] == "Start":
                self._bridge.hub.background.start(self._stop_there(call.connection, row), name="oicp stop")
            raise Refused(Code.SESSION_INVALID)
        try:
            answer = await self._told(call.partner, row, message)
        except Refused:
            if row.emp:  # the charge goes on, whether or not its EMP is told
                await self._heard(row, message, is_taken=False)
            raise
        await self._heard(row, message, is_taken=says_yes(answer))
        return answer

    async def _told(self, partner: Partner, row: OicpSession, message: Message) -> Message:
        """To whomever it is for. Raises: Refused."""
        if row.emp:
            return await pass_on(self._bridge, row, without_pins(message))
        await self._as_session(partner, row, message)
        return acknowledged(SessionID=row.id)

    async def _heard(self, row: OicpSession, message: Message, *, is_taken: bool) -> None:
        """What is not taken by whom it is for is not told; what is over meanwhile stays over."""
        told = {message["Type"].lower(): timestamp(self._bridge.hub.clock.now())} if is_taken else {}
        state = ENDED if message["Type"] == "End" else ACTIVE

        def changed(known: OicpSession) -> OicpSession:
            goes_on = known.state in (*UNBEGUN, ACTIVE, ENDED)
            return replace(known, told={**known.told, **told}, state=state if goes_on else known.state)

        await self._bridge.ledger.change(row.id, changed)

    async def heard_of(self, call: Call) -> OicpSession:
        """The row of what a CPO or hub tells of: its own, and not over. Raises: Refused."""
        message, is_hub = call.message, call.connection.kind == "hub"
        row = await self._bridge.ledger.brought(call.partner.name, message, is_hub=is_hub)
        if row is None or row.state == CLOSED:
            raise Refused(Code.SESSION_INVALID)
        if "Type" in message:
            check_evse(self._bridge.connections, call.connection, row, message)
            check_plausible(message, now=self._bridge.hub.clock.now())
        if message.get("Type") == "Progress" and call.connection.kind == "cpo" and self._is_early(row):
            raise Refused(Code.DATA_ERROR, "a Progress comes five minutes after the last at the earliest")
        return row

    def _is_early(self, row: OicpSession) -> bool:
        last = row.told.get("progress", "")
        return last != "" and self._bridge.hub.clock.now() - parse_datetime(last) < PROGRESS_EVERY

    async def _stop_there(self, connection: Connection, row: OicpSession) -> None:
        result = await self._ordering.stop(connection, row)
        log.warning("a charge began that had been given up: it is stopped", session=row.id, result=result["result"])

    async def _as_session(self, partner: Partner, row: OicpSession, message: Message) -> None:
        """Raises: Refused, where the hub does not take it."""
        document = await self.on_record(row.cpo_party, row.id)
        known = parse(document.body, limit=4 * LARGE) if document is not None else None
        now = timestamp(self._bridge.hub.clock.now())
        base = await self.base_of(row, evse_id=message["EvseID"])
        tree = session_of(base, message, known, now)
        await self.put_session(partner, row, tree)
        self._bridge.hub.losses.note(partner.name, "in", "sessions", lost_in(message))

    async def put_session(self, partner: Partner, row: OicpSession, tree: Tree) -> None:
        """The Session, as its CPO. Raises: Refused."""
        said = await self._bridge.inward.request(
            *(partner, "PUT", "sessions", RECEIVER, (*row.cpo_party.split("*"), row.id)),
            body=tree,
            sender=row.cpo_party,
        )
        if not said.is_success:
            raise Refused(Code.DATA_ERROR, info=said.message)

    async def base_of(self, row: OicpSession, *, evse_id: str) -> Tree:
        """What a Session of this row always says; at `evse_id`, where it was allowed for no EVSE by name."""
        party, evse_id = Party.parse(row.cpo_party), row.evse_id or evse_id
        place = await self._bridge.places.find(evse_id)
        tree: Tree = {
            "country_code": party.country_code,
            "party_id": party.party_id,
            "id": row.id,
            "cdr_token": {name: row.token[name] for name in _TOKEN_FIELDS},
            "auth_method": row.auth_method,
            "authorization_reference": row.reference,
            "location_id": place.location_id if place else ids.fitting(evse_id),
            "evse_uid": place.evse_uid if place else ids.fitting(evse_id),
            "connector_id": (place.connector_id if place else "") or "1",
            "currency": self._bridge.hub.settings.currency,
        }
        return tree


def _is_nameless(tree: Tree) -> bool:
    """Is it a CDR that does not say of which Session it is? OCPI 2.1.1 has no word for that."""
    return "cdr_location" in tree and not tree.get("session_id") and not tree.get("authorization_reference")


def _named(row: OicpSession, key: str, of_cdr: str) -> OicpSession:
    """The row, which is found again by what OCPI calls its Session, or its nameless CDR."""
    state = ACTIVE if row.state in UNBEGUN else row.state
    named = replace(row, session=row.session or key, reference=of_cdr or row.reference, state=state)
    return row if named == row else named


def _was_mere_reservation(row: OicpSession, session: Tree) -> bool:
    """Is it over, with no charge having come of it? Then there is no beginning and no end to tell of."""
    is_over = session["status"] == "COMPLETED" and "start" not in row.told
    return is_over and row.origin == "reservation" and not session["kwh"] > 0


def _identified(connection: Connection, token: Tree) -> dict[str, Any]:
    """How OICP names the driver of a token; one that it cannot write is named as near as it goes."""
    try:
        return identification_of(token, terms_with(connection))
    except NotSayable:
        return {"RFIDMifareFamilyIdentification": {"UID": ids.folded_uid(token["uid"])}}


def _names(connection: Connection, row: OicpSession) -> dict[str, Any]:
    named = {
        "SessionID": row.id,
        "EvseID": row.evse_id,
        "OperatorID": voices.operator(connection, row.cpo_party),
        "Identification": row.identification,
        "CPOPartnerSessionID": row.cpo_partner_session,
        "EMPPartnerSessionID": row.emp_partner_session,
        "PartnerProductID": row.product,
    }
    return {name: value for name, value in named.items() if value}
