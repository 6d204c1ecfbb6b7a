"""Charges of 2.x that gave energy to somebody, and of which the charger never said at which EVSE: what becomes of them.

Without an EVSE there is no price, so no session. An operator who knows where it was says so: that is one more part of
the transaction, from which the ledger works out the same bill as if the charger had said it. Or it is never billed.
Until then its events stay at hand, however old they are.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from hub.core import trace
from hub.core.clock import timestamp
from hub.core.errors import InvalidRequest, NotFound
from hub.core.jsontypes import Tree
from hub.core.ports import Hub, Place
from hub.core.store import Store
from hub.core.units import Audit
from modules.tokens.authorize import for_start
from modules.tokens.contract_ids import EMAID
from modules.tokens.prefixes import RFID
from partners.ocpp import journal
from partners.ocpp.billing import Opening
from partners.ocpp.events import Event, Part
from partners.ocpp.journal import Record
from partners.ocpp.matching import Start
from partners.ocpp.transactions import Transactions

MOST: Final = 1_000
WHY: Final = "the charger never said at which EVSE"
_NAMED: Final = Part("Updated", pays=False, socketed=True)


async def waiting(store: Store, station: str | None = None) -> list[Record]:
    """The newest that wait for an operator."""
    where = {"state": journal.UNPLACED, **({"station": station} if station is not None else {})}
    documents = await store.select(journal.TRANSACTIONS, equal=where, descending=True, limit=MOST)
    return [journal.record_in(document) for document in documents]


async def find(store: Store, name: str) -> Record | None:
    """The one of this name, if it waits."""
    return next((record for record in await waiting(store) if name_of(record) == name), None)


def name_of(record: Record) -> str:
    """What it is called by operators, as it has no session."""
    return record.key.rpartition("/")[2]


def shown(record: Record) -> Tree:
    """As a list of charges shows one that is held."""
    start, stop = record.meter_start_wh, record.meter_stop_wh
    return {
        "session_id": name_of(record),
        "station": record.station,
        "connector": 0,
        "owner": "",
        "start": timestamp(record.start) if record.start is not None else "",
        "end": timestamp(record.end) if record.end is not None else "",
        "meter_start_kwh": _kwh(start),
        "meter_stop_kwh": _kwh(stop),
        "held": True,
        "doubt": f"{WHY}: release {name_of(record)} --evse UID, or drop it",
    }


def _kwh(meter_wh: Decimal | None) -> Decimal | None:
    return None if meter_wh is None else meter_wh / 1000


async def place(hub: Hub, transactions: Transactions, record: Record, at: Place, *, actor: str) -> None:
    """Bill it as a charge at this EVSE. Raises: NotFound; InvalidRequest, when its token may not charge (any more)."""

    async def decide(start: Start, own: str) -> Opening:
        told = start.gathered
        kind = EMAID if told is not None and told.payer is not None and told.payer[1][1] else RFID
        decision = await for_start(hub, start.event.id_tag or "", at, at=record.station, token_type=kind)
        if not decision.accepted:
            raise InvalidRequest(f"its token is answered {decision.allowed} now, so it cannot be billed; drop it")
        return Opening(at, decision, correlation_id=record.correlation_id or trace.correlation())

    now = hub.clock.now()
    event = Event(record.station, "part", now, at.connector, transaction=record.number, part=_NAMED)
    await transactions.part(event, decide, audit=Audit(actor, "transaction.placed", record.key, at.evse_uid))
    after = await journal.find_record(hub.store, record.key)
    if after is None or not after.session:
        why = after.trouble if after is not None else "it is gone"
        raise InvalidRequest(f"it could not be billed there: {why}")


async def drop(transactions: Transactions, record: Record, *, actor: str) -> None:
    """Never bill it. Raises: NotFound."""
    audit = Audit(actor, "transaction.dropped", record.key, WHY)
    if not await transactions.dropped(record, audit=audit):
        raise NotFound("there is no such transaction that waits")
