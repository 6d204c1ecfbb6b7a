"""Charge detail records, both ways. What was acknowledged is on disk; nothing is billed twice, nothing without a price.

    OICP CPO --> record kept, acknowledged --> priced by our engine --> CDR of OCPI --> the eMSP's lane       `take`
                                          \\-> as it came, where the EMP speaks OICP
    OCPI CPO --> the lane of an EMP of OICP --> ChargeDetailRecord                                            `deliver`

One record a session: a hub closes the session with it. The same record again, in whatever spelling, is acknowledged
again; another one for the same session is refused. A record that cannot be priced, or whose EVSE nobody knows, is held
with the reason and tried again; it is never passed on as a charge for nothing. The Session is over all the same
(`record_sessions`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import structlog
from msgspec.structs import replace

from hub.core.clock import timestamp
from hub.core.errors import BusbarError, Conflict, NotFound, PeerFault, PeerRefused
from hub.core.jsontypes import Tree
from hub.core.lane_faults import Fate, judge
from hub.core.operations import RECEIVER
from hub.core.parties import Party
from hub.core.ports import PeerAnswer
from hub.core.registry import Partner
from hub.core.units import ABSENT, Audit
from modules.cdrs.build import SessionFacts
from modules.locations import service as locations
from modules.tariffs.pricing import PricingFault
from partners.oicp import voices
from partners.oicp.agreed import terms_with
from partners.oicp.answers import Code, Refused, acknowledged
from partners.oicp.bridge import Bridge
from partners.oicp.connections import Connection
from partners.oicp.evse_table import key_of
from partners.oicp.face import Call
from partners.oicp.ledger import OicpSession
from partners.oicp.left_cards import charge_of_left_card, remember
from partners.oicp.mapping import times
from partners.oicp.mapping.cdrs import facts_of, lost_in, oddities, record_of
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.notifications import Notifications
from partners.oicp.prices import Prices
from partners.oicp.record_bill import bill_of
from partners.oicp.record_checks import check, check_promise, put_right
from partners.oicp.record_content import is_same_record
from partners.oicp.record_prices import prices_of
from partners.oicp.record_sending import RecordSending
from partners.oicp.record_sessions import RecordSessions
from partners.oicp.record_store import DELIVERED, HELD, NEW, REFUSED, STUCK, WAITING, OicpRecord, RecordStore

log = structlog.get_logger()

Message = Mapping[str, Any]

_SUCCESS: Final = 1000
_REFUSED: Final = 2000


class Records:
    """Records taken, passed on, and delivered."""

    def __init__(self, bridge: Bridge, notifications: Notifications) -> None:
        self._bridge = bridge
        self._notifications = notifications
        self._sessions = RecordSessions(bridge.hub, notifications)
        self._prices = Prices(bridge.hub)
        self.store = RecordStore(bridge.hub)
        self._sending = RecordSending(bridge, self.store)
        self._under_way: set[str] = set()

    async def take(self, call: Call) -> Message:
        """A CPO, or a hub, brings a record: it is on disk when the answer leaves. Raises: Refused."""
        record = put_right(call.message)
        row = await self._bridge.ledger.brought(call.partner.name, record, is_hub=call.connection.kind == "hub")
        left = await charge_of_left_card(self._bridge, call.connection, record) if row is None else None
        row = row or left
        if row is None:
            raise Refused(Code.SESSION_INVALID, http=404)
        check(self._bridge.connections, call.connection, row, record, now=self._bridge.hub.clock.now())
        if call.connection.kind == "cpo":
            check_promise(record, await self._bridge.places.record_of(record["EvseID"]))
        if left is not None:
            await remember(self._bridge, call.connection, left)
        kept = OicpRecord(
            session=row.id,
            cpo=call.partner.name,
            emp=row.emp,
            provider=row.emp_party,
            operator=row.cpo_party,
            record=record,
        )
        is_new = await self._is_new(kept)
        await self._bridge.ledger.change(row.id, OicpSession.closed)
        if is_new:
            for oddity in oddities(record):
                log.warning("odd oicp record taken", session=row.id, partner=call.partner.name, what=oddity)
            self._begin(row.id)
        return acknowledged(SessionID=row.id)

    async def _is_new(self, kept: OicpRecord) -> bool:
        """Is it on disk now, and was not before? Raises: Refused, where the session has another record."""
        try:
            await self.store.keep(kept, expect=ABSENT)
        except Conflict:
            known = await self.store.find(kept.session)
            if known is None or not is_same_record(known.record, kept.record):
                raise Refused(Code.SESSION_INVALID, "the session is closed", http=404) from None
            return False
        return True

    async def released(self, row: OicpSession) -> None:
        """A reservation at a CPO of OCPI was given up: the EMP is owed a record that says that nothing flowed."""
        zone = await self._notifications.zone(row.location)
        begun, over = (times.to_oicp(timestamp(at), zone) for at in (row.opened, self._bridge.hub.clock.now()))
        record: dict[str, Any] = {
            "SessionID": row.id,
            "EvseID": row.evse_id,
            "Identification": row.identification,
            "SessionStart": begun,
            "ChargingStart": over,
            "ChargingEnd": over,
            "SessionEnd": over,
            "ConsumedEnergy": Decimal(0),
            **{name: value for name, value in _partners_names(row).items() if value},
        }
        kept = OicpRecord(session=row.id, emp=row.emp, provider=row.emp_party, operator=row.cpo_party, record=record)
        if not row.cpo and await self._is_new(kept):
            self._begin(row.id)

    def _begin(self, session_id: str) -> None:
        async def work() -> None:
            await self.go_on(session_id)

        self._bridge.hub.background.start(work(), name=f"oicp record {session_id}")

    async def resend(self, session_id: str, *, actor: str) -> None:
        """An operator has mended what held a record, or made its EMP take it. Raises: NotFound."""
        record = await self.store.find(session_id)
        if record is None or record.state not in STUCK:
            raise NotFound("no record of that session is held or refused")
        again = replace(record, state=NEW, on_lane=False)
        await self.store.keep(again, audit=Audit(actor, "oicp.record_resent", record.session))
        await self._bridge.ledger.change(record.session, OicpSession.closed)
        self._begin(record.session)

    async def go_on(self, session_id: str) -> bool:
        """Bring a record to whoever is to have it, as far as it goes now; once at a time. False: the EMP fails."""
        if session_id in self._under_way:
            return True
        self._under_way.add(session_id)
        try:
            return await self._go_on(session_id)
        finally:
            self._under_way.discard(session_id)

    async def _go_on(self, session_id: str) -> bool:
        record, row = await self.store.find(session_id), await self._bridge.ledger.find(session_id)
        if record is None or row is None or record.state in (DELIVERED, REFUSED) or record.on_lane:
            return True
        if record.emp:
            return await self._forwarded(record)
        try:
            state, why = await self._billed(record, row)
        except (BusbarError, PricingFault, NotSayable) as fault:
            state, why = HELD, str(fault)[:200]
        if state == HELD:
            await self._sessions.held(record.cpo, row, record.record)
        if (state, why) == (record.state, record.why) and record.tries:
            return True  # nothing is new: it is not written again with every round
        if state == HELD:
            log.warning("oicp record held", session=session_id, why=why)
        await self.store.keep(replace(record, state=state, why=why, tries=record.tries + 1))
        return True

    async def _forwarded(self, record: OicpRecord) -> bool:
        """To an EMP that speaks OICP, as it came. One that serves nothing fetches it. False: the EMP fails."""
        kept_back = self._sending.kept_back(record)
        if kept_back is not None:
            if kept_back != (record.state, record.why):
                state, why = kept_back
                await self.store.keep(replace(record, state=state, why=why))
            return True
        connection = self._bridge.connections.get(record.emp)
        try:
            await self._sending.bring(connection, record)
        except (PeerFault, NotSayable) as fault:
            log.warning("oicp record not taken", session=record.session, partner=record.emp, why=str(fault)[:200])
            return isinstance(fault, NotSayable) or judge(fault).fate is Fate.REFUSED
        return True

    async def _billed(self, record: OicpRecord, row: OicpSession) -> tuple[str, str]:
        """As a CDR of OCPI, with its price. Raises: NotSayable, PricingFault, BusbarError."""
        partner = self._bridge.hub.registry.get(record.cpo)
        connection = self._bridge.connections.of(record.cpo)
        agreed = connection.tariffs() if connection is not None else []
        facts = await self._facts(record, row, agreed)
        tree = bill_of(facts, agreed=agreed, now=self._bridge.hub.clock.now())
        await self._sessions.billed(partner, row, record.record, tree)
        said = await self._bridge.inward.request(
            *(partner, "POST", "cdrs", RECEIVER, ()), body=tree, sender=row.cpo_party, to=""
        )
        if not said.is_success:
            return HELD, said.message
        self._bridge.hub.losses.note(record.cpo, "in", "cdrs", lost_in(record.record))
        return DELIVERED, ""

    async def _facts(self, record: OicpRecord, row: OicpSession, agreed: Sequence[Tree]) -> SessionFacts:
        store = self._bridge.hub.store
        place = await self._bridge.places.find(str(record.record["EvseID"]))
        if place is None:
            raise NotSayable("nobody has told us of this EVSE")
        location = await locations.get_tree(store, place.location)
        connector = locations.evse_in(location, place.evse_uid)["connectors"][0]
        product = str(record.record.get("PartnerProductID") or "")
        ids_of_all, key = connector.get("tariff_ids") or (), key_of(place.evse_id)
        told = (await self._prices.of_evses([key])).get(key, ())
        prices = await prices_of(store, row, place.owner, product, ids_of_all, agreed, told)
        return facts_of(
            record.record,
            party=Party.parse(row.cpo_party),
            session_id=row.id,
            token=row.token,
            location=location,
            evse_uid=place.evse_uid,
            connector_id=connector["id"],
            tariffs=prices,
            auth_method=row.auth_method,
            reference=row.reference,
            reserved=row.origin == "reservation",
        )

    async def deliver(self, partner: Partner, cdr: Tree) -> PeerAnswer:
        """A CDR of OCPI, to an EMP or a hub. Raises: PeerFault's children, NotExpressible."""
        connection = self._bridge.connections.of(partner.name)
        owner = f"{cdr['country_code']}*{cdr['party_id']}"
        row = await self._notifications.row_of(connection, owner, cdr) if connection is not None else None
        if connection is None or row is None:
            raise PeerRefused("the charge has no SessionID there: it was not authorized by that partner", http=200)
        record = await self._said(connection, row, cdr, owner)
        kept = OicpRecord(
            session=row.id,
            state=WAITING,
            emp=partner.name,
            provider=row.emp_party,
            operator=owner,
            record=record,
            on_lane=connection.base_url != "",
        )
        known = await self.store.find(row.id)
        if known is None or known.record != record or known.state != DELIVERED:
            await self._bring(connection, _tried(kept, known))
        await self._bridge.ledger.change(row.id, OicpSession.closed)
        return PeerAnswer(200, _SUCCESS, None)

    async def _bring(self, connection: Connection, record: OicpRecord) -> None:
        if connection.base_url:
            await self._sending.bring(connection, record)
        else:
            await self.store.keep(record)

    async def _said(self, connection: Connection, row: OicpSession, cdr: Tree, owner: str) -> dict[str, Any]:
        names = {
            "SessionID": row.id,
            "EvseID": row.evse_id,
            "Identification": row.identification,
            **_partners_names(row),
            "HubOperatorID": voices.operator(connection, owner) if connection.kind == "hub" else "",
        }
        zone = await self._notifications.zone(f"{owner}/{cdr['cdr_location']['id']}")
        told = {name: value for name, value in names.items() if value}
        said = record_of(cdr, told, time_zone=zone, terms=terms_with(connection))
        self._bridge.hub.losses.note(connection.partner, "out", "cdrs", said.lost)
        for warning in said.warnings:
            log.warning("cdr said in OICP with less", session=row.id, what=warning)
        return said.value

    async def shown(self, partner: Partner, cdr_id: str, owner: str) -> Tree:
        """The CDR that a partner is known to have. Raises: PeerRefused."""
        row = await self._bridge.ledger.find(cdr_id) or await self._bridge.ledger.by_session(f"{owner}/{cdr_id}")
        record = await self.store.find(row.id) if row is not None else None
        if record is None or record.state != DELIVERED or record.emp != partner.name:
            raise PeerRefused("it is not known to be there", http=404, status_code=2003)
        return {"id": cdr_id}


def _partners_names(row: OicpSession) -> dict[str, str]:
    return {
        "CPOPartnerSessionID": row.cpo_partner_session,
        "EMPPartnerSessionID": row.emp_partner_session,
        "PartnerProductID": row.product,
    }


def _tried(record: OicpRecord, known: OicpRecord | None) -> OicpRecord:
    """The record, with what earlier tries left. Raises: PeerRefused, where another one of the session went out."""
    if known is None:
        return record
    if known.record == record.record:
        return replace(record, tries=known.tries, unsure=known.unsure)
    if known.state == DELIVERED or not known.on_lane:
        raise PeerRefused("another record of the session went out before", http=200, status_code=_REFUSED)
    return record
