"""Charge detail records, both ways. What was acknowledged is on disk; nothing is billed twice, nothing without a price.

    OICP CPO --> record kept, acknowledged --> priced by our engine --> CDR of OCPI --> the eMSP's lane       `take`
                                          \\-> as it came, where the EMP speaks OICP
    OCPI CPO --> the lane of an EMP of OICP --> ChargeDetailRecord                                            `deliver`

One record a session: a hub closes the session with it. The same record again is acknowledged again, another one for the
same session is refused. A record that cannot be priced, or whose EVSE nobody knows, is held with the reason and tried
again; it is never passed on as a charge for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import structlog
from msgspec.structs import replace

from hub.core.clock import timestamp
from hub.core.errors import BusbarError, Conflict, PeerFault, PeerNonsense, PeerRefused
from hub.core.jsontypes import Tree
from hub.core.operations import RECEIVER
from hub.core.parties import Party
from hub.core.ports import PeerAnswer
from hub.core.registry import Partner
from hub.core.types import parse_datetime
from hub.core.units import ABSENT
from modules.cdrs.build import SessionFacts, make
from modules.locations import service as locations
from modules.tariffs.pricing import PricingFault
from partners.oicp import ids, voices
from partners.oicp.agreed import terms_with
from partners.oicp.answers import Code, Refused, acknowledged, code_of, is_nonsense, says_yes
from partners.oicp.bridge import Bridge
from partners.oicp.connections import Connection
from partners.oicp.face import Call
from partners.oicp.ledger import OicpSession
from partners.oicp.mapping import times
from partners.oicp.mapping.cdrs import facts_of, lost_in, oddities, record_of
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.tokens import without_pins
from partners.oicp.notifications import Notifications
from partners.oicp.record_prices import prices_of
from partners.oicp.record_store import DELIVERED, HELD, NEW, WAITING, OicpRecord, RecordStore

log = structlog.get_logger()

Message = Mapping[str, Any]

AGAIN_EVERY_S: Final = 60.0
_WAIT_S: Final = 30.0
_MOST_KWH: Final = 1000
_SUCCESS: Final = 1000
_REFUSED: Final = 2000
_TROUBLE: Final = 3000
_OF_THEIR_SERVER: Final = frozenset({Code.HUB_ERROR, Code.DATABASE_ERROR, Code.SYSTEM_ERROR, Code.PARTNER_SILENT})
"""What says nothing of the record: it is brought again. Whatever else they answer, an operator has to look at."""
_AHEAD: Final = timedelta(minutes=5)
"""Clocks differ; more than that is no end of a charge that is over."""


class Records:
    """Records taken, passed on, and delivered."""

    def __init__(self, bridge: Bridge, notifications: Notifications) -> None:
        self._bridge = bridge
        self._notifications = notifications
        self.store = RecordStore(bridge.hub)
        self._under_way: set[str] = set()

    async def take(self, call: Call) -> Message:
        """A CPO, or a hub, brings a record: it is on disk when the answer leaves. Raises: Refused."""
        record = without_pins(call.message)
        is_hub = call.connection.kind == "hub"
        row = await self._bridge.ledger.brought(call.partner.name, record, is_hub=is_hub)
        if row is None:
            raise Refused(Code.SESSION_INVALID, http=404)
        if not is_hub:
            _check_evse(call.connection, record)
        self._check(record)
        kept = OicpRecord(
            session=row.id,
            cpo=call.partner.name,
            emp=row.emp,
            provider=row.emp_party,
            operator=row.cpo_party,
            record=record,
        )
        if not await self._is_new(kept):
            return acknowledged(SessionID=row.id)
        await self._bridge.ledger.change(row.id, OicpSession.closed)
        self._bridge.hub.background.start(self.go_on(row.id), name=f"oicp record {row.id}")
        return acknowledged(SessionID=row.id)

    async def _is_new(self, kept: OicpRecord) -> bool:
        """Is it on disk now, and was not before? Raises: Refused, where the session has another record."""
        try:
            await self.store.keep(kept, expect=ABSENT)
        except Conflict:
            known = await self.store.find(kept.session)
            if known is None or known.record != kept.record:
                raise Refused(Code.SESSION_INVALID, "the session is closed", http=404) from None
            return False
        return True

    def _check(self, record: Message) -> None:
        """What can be no charge. Raises: Refused (B5 of the hub's rules)."""
        if not 0 <= record["ConsumedEnergy"] <= _MOST_KWH:
            raise Refused(Code.DATA_ERROR, "ConsumedEnergy is below 0 or above 1,000 kWh")
        for begin, end in (("ChargingStart", "ChargingEnd"), ("SessionStart", "SessionEnd")):
            if _moment(record, end) < _moment(record, begin):
                raise Refused(Code.DATA_ERROR, f"{end} lies before {begin}")
        if _moment(record, "SessionEnd") > self._bridge.hub.clock.now() + _AHEAD:
            raise Refused(Code.DATA_ERROR, "SessionEnd lies in the future")

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
        }
        kept = OicpRecord(session=row.id, emp=row.emp, provider=row.emp_party, operator=row.cpo_party, record=record)
        if not row.cpo and await self._is_new(kept):
            self._bridge.hub.background.start(self.go_on(row.id), name=f"oicp record {row.id}")

    async def run(self) -> None:
        """Go on with what waits, for ever."""
        while True:
            for state in (NEW, WAITING, HELD):
                for record in await self.store.in_state(state):
                    await self.go_on(record.session)
            await self._bridge.hub.clock.sleep(AGAIN_EVERY_S)

    async def go_on(self, session_id: str) -> None:
        """Bring a record to whoever is to have it, as far as it goes now; once at a time. Raises nothing."""
        if session_id in self._under_way:
            return
        self._under_way.add(session_id)
        try:
            await self._go_on(session_id)
        finally:
            self._under_way.discard(session_id)

    async def _go_on(self, session_id: str) -> None:
        record, row = await self.store.find(session_id), await self._bridge.ledger.find(session_id)
        if record is None or row is None or record.state == DELIVERED:
            return
        try:
            if record.emp:
                state, why = await self._forwarded(record), ""
            else:
                state, why = await self._billed(record, row)
        except (BusbarError, PricingFault, NotSayable) as fault:
            state, why = HELD, str(fault)[:200]
        if (state, why) == (record.state, record.why) and record.tries:
            return  # nothing is new: it is not written again with every round
        if state == HELD:
            log.warning("oicp record held", session=session_id, why=why)
        await self.store.keep(replace(record, state=state, why=why, tries=record.tries + 1))

    async def _forwarded(self, record: OicpRecord) -> str:
        """To an EMP that speaks OICP, as it came. One that serves nothing fetches it."""
        connection = self._bridge.connections.of(record.emp)
        if connection is None or not connection.base_url:
            return WAITING
        try:
            await self._send(connection, record, again=record.tries > 0)
        except PeerFault:
            return WAITING
        return DELIVERED

    async def _billed(self, record: OicpRecord, row: OicpSession) -> tuple[str, str]:
        """As a CDR of OCPI, with its price. Raises: NotSayable, PricingFault, BusbarError."""
        partner = self._bridge.hub.registry.get(record.cpo)
        facts = await self._facts(record, row)
        tree = make(facts, now=self._bridge.hub.clock.now()).cdr
        await self._tell_session(partner, row, tree)
        said = await self._bridge.inward.request(
            *(partner, "POST", "cdrs", RECEIVER, ()), body=tree, sender=row.cpo_party, to=""
        )
        if not said.is_success:
            return HELD, said.message
        self._bridge.hub.losses.note(record.cpo, "in", "cdrs", lost_in(record.record))
        for oddity in oddities(record.record):
            log.warning("odd oicp record billed", session=row.id, what=oddity)
        return DELIVERED, ""

    async def _facts(self, record: OicpRecord, row: OicpSession) -> SessionFacts:
        store = self._bridge.hub.store
        place = await self._bridge.places.find(str(record.record["EvseID"]))
        if place is None:
            raise NotSayable("nobody has told us of this EVSE")
        location = await locations.get_tree(store, place.location)
        connector = locations.evse_in(location, place.evse_uid)["connectors"][0]
        connection = self._bridge.connections.of(record.cpo)
        agreed = connection.tariffs() if connection is not None else []
        product = str(record.record.get("PartnerProductID") or "")
        prices = await prices_of(store, row, place.owner, product, connector.get("tariff_ids") or (), agreed)
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

    async def _tell_session(self, partner: Partner, row: OicpSession, cdr: Tree) -> None:
        """The Session is over, also where nobody told that it began."""
        base = await self._notifications.base_of(row)
        tree = {
            **base,
            "currency": cdr["currency"],
            "start_date_time": cdr["start_date_time"],
            "end_date_time": cdr["end_date_time"],
            "kwh": cdr["total_energy"],
            "charging_periods": cdr["charging_periods"],
            "total_cost": cdr["total_cost"],
            "status": "COMPLETED",
            "last_updated": cdr["last_updated"],
        }
        try:
            await self._notifications.put_session(partner, row, tree)
        except Refused as fault:
            log.info("session of a record not taken", session=row.id, why=fault.info)

    async def deliver(self, partner: Partner, cdr: Tree) -> PeerAnswer:
        """A CDR of OCPI, to an EMP or a hub. Raises: PeerFault's children, NotExpressible."""
        connection = self._bridge.connections.of(partner.name)
        owner = f"{cdr['country_code']}*{cdr['party_id']}"
        row = await self._notifications.row_of(connection, owner, cdr) if connection is not None else None
        if connection is None or row is None:
            raise PeerRefused("the charge has no SessionID there: it was not authorized by that partner", http=200)
        record = await self._said(connection, row, cdr, owner)
        before = await self.store.find(row.id)
        kept = OicpRecord(
            session=row.id,
            state=WAITING,
            emp=partner.name,
            provider=row.emp_party,
            operator=owner,
            record=record,
            tries=before.tries + 1 if before is not None else 1,
        )
        await self.store.keep(kept)
        if connection.base_url:
            await self._send(connection, kept, again=kept.tries > 1)
            await self.store.keep(replace(kept, state=DELIVERED))
        await self._bridge.ledger.change(row.id, OicpSession.closed)
        return PeerAnswer(200, _SUCCESS, None)

    async def _said(self, connection: Connection, row: OicpSession, cdr: Tree, owner: str) -> dict[str, Any]:
        names = {
            "SessionID": row.id,
            "EvseID": row.evse_id,
            "Identification": row.identification,
            "CPOPartnerSessionID": row.cpo_partner_session,
            "EMPPartnerSessionID": row.emp_partner_session,
            "PartnerProductID": row.product,
            "HubOperatorID": voices.operator(connection, owner) if connection.kind == "hub" else "",
        }
        zone = await self._notifications.zone(f"{owner}/{cdr['cdr_location']['id']}")
        told = {name: value for name, value in names.items() if value}
        said = record_of(cdr, told, time_zone=zone, terms=terms_with(connection))
        self._bridge.hub.losses.note(connection.partner, "out", "cdrs", said.lost)
        for warning in said.warnings:
            log.warning("cdr said in OICP with less", session=row.id, what=warning)
        return said.value

    async def _send(self, connection: Connection, record: OicpRecord, *, again: bool) -> None:
        """Raises: PeerFault's children. Of a session that is closed when it is sent `again`, the record is there."""
        try:
            answer = await self._bridge.ask(
                *(connection, "ChargeDetailRecord", record.record),
                id=voices.operator(connection, record.operator),
                deadline_s=_WAIT_S,
                wait=True,
            )
        except PeerRefused as refused:
            if again and refused.status_code == int(Code.SESSION_INVALID):
                return
            raise
        code = code_of(answer)
        if says_yes(answer) or (again and code == Code.SESSION_INVALID):
            return
        if is_nonsense(answer):
            raise PeerNonsense("the partner answered neither yes nor no")
        told = answer.get("StatusCode") or {}
        words = str(told.get("AdditionalInfo") or told.get("Description") or "")[:200]
        ocpi_code = _TROUBLE if code in _OF_THEIR_SERVER else _REFUSED
        raise PeerRefused(f"StatusCode {code}: {words}", http=200, status_code=ocpi_code)

    async def shown(self, partner: Partner, cdr_id: str, owner: str) -> Tree:
        """The CDR that a partner is known to have. Raises: PeerRefused."""
        row = await self._bridge.ledger.find(cdr_id) or await self._bridge.ledger.by_session(f"{owner}/{cdr_id}")
        record = await self.store.find(row.id) if row is not None else None
        if record is None or record.state != DELIVERED or record.emp != partner.name:
            raise PeerRefused("it is not known to be there", http=404, status_code=2003)
        return {"id": cdr_id}


def _check_evse(connection: Connection, record: Message) -> None:
    """Raises: Refused, for an EVSE that is none of the operator's."""
    own = {ids.OperatorID.parse(each).canonical for each in connection.operator_ids}
    if ids.EvseID.parse(record["EvseID"]).operator.canonical not in own:
        raise Refused(Code.FOREIGN_EVSE, info=record["EvseID"])


def _moment(record: Message, name: str) -> datetime:
    return parse_datetime(times.to_ocpi(str(record[name])))
