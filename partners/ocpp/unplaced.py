"""Charges that wait for an operator, as they have no session: what they lack is in `lacking.py`.

An operator who knows what is missing says so, and the charge gets its session and its bill as if it had been known: at
which EVSE it was, or whose token pays, where nobody's that may charge began it. What was not measured is held then,
until the operator says how much it was (`weighing.py`). Or it is never billed. Until then its events stay at hand,
however old they are. A stop of 1.6 without its start says neither at which connector it was, nor as a rule how much
energy it took, and from when on: it is billed if its start comes, and else it can only be dropped.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

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
from partners.ocpp.journal import Lack, Record
from partners.ocpp.matching import Start
from partners.ocpp.transactions import Transactions

MOST: Final = 1_000
_NOBODY: Final = "/token: is needed: nobody's was told with it"
NEEDED: Final = {
    Lack.EVSE: "/evse_uid: is needed: the charger never said at which EVSE",
    Lack.LOCATION: "/evse_uid: is needed, as long as that connector is on no location",
    Lack.BEGIN: "/evse_uid: is needed: its EVSE is on no location, or was not told",
    Lack.TOKEN: "/evse_uid: is needed: its EVSE is on no location, or was not told",
    Lack.CONSENT: "/evse_uid: is needed: its EVSE is on no location, or was not told",
    Lack.START: "its start was not told, so it cannot be billed: it is if that comes, or drop it",
}
_WAY_OUT: Final = {
    Lack.EVSE: "release {} --evse UID, or drop it",
    Lack.LOCATION: "put it on one and release {}, or release it with --evse UID, or drop it",
    Lack.BEGIN: "release {} if the card that ended it is to pay (--card UID: another one), or drop it",
    Lack.TOKEN: "release {} if the card that ended it is to pay (--card UID: another one), or drop it",
    Lack.CONSENT: "release {} if its token may charge by now (--card UID: another one pays), or drop it",
    Lack.START: "it is billed if its start comes, or drop {}",
}


class Verdict(NamedTuple):
    """What an operator decides: it is billed, at this EVSE and to this token where they are not known, or never."""

    evse_uid: str = ""
    token: str = ""
    drops: bool = False


async def waiting(store: Store, station: str | None = None) -> list[Record]:
    """The newest that wait for an operator."""
    where = {"state": journal.UNPLACED, **({"station": station} if station is not None else {})}
    documents = await store.select(journal.TRANSACTIONS, equal=where, descending=True, limit=MOST)
    return [journal.record_in(document) for document in documents]


async def how_many(store: Store) -> int:
    """How many wait, of all stations."""
    among = {"state": (journal.UNPLACED,)}
    page = await store.page(journal.TRANSACTIONS, date_from=None, date_to=None, offset=0, limit=0, among=among)
    return page.total


async def since(store: Store) -> list[datetime]:
    """Since when each waits, by our clock."""
    times = (record.held_since or record.end for record in await waiting(store))
    return [at for at in times if at is not None]


async def find(store: Store, name: str) -> Record | None:
    """The one of this name, if it waits."""
    return next((record for record in await waiting(store) if name_of(record) == name), None)


def name_of(record: Record) -> str:
    """What it is called by operators, as it has no session."""
    return record.key.rpartition("/")[2]


def lack_of(record: Record) -> Lack:
    """What it lacks; of records that do not say so it was the EVSE."""
    return record.lacks or Lack.EVSE


def way_out(record: Record) -> str:
    """What an operator can do, in the words of `busbar transaction`."""
    return _WAY_OUT[lack_of(record)].format(name_of(record))


def shown(record: Record) -> Tree:
    """As a list of charges shows one that is held."""
    start, stop = record.meter_start_wh, record.meter_stop_wh
    why = f"{record.trouble.removesuffix('; the charge is not billed')}: {way_out(record)}"
    return {
        "session_id": name_of(record),
        "station": record.station,
        "connector": record.connector,
        "owner": "",
        "start": timestamp(record.start) if record.start is not None else "",
        "end": timestamp(record.end) if record.end is not None else "",
        "meter_start_kwh": None if start is None else start / 1000,
        "meter_stop_kwh": None if stop is None else stop / 1000,
        "held": True,
        "held_since": timestamp(record.held_since) if record.held_since is not None else "",
        "held_because": why,
        "doubt": why,
    }


async def place(
    hub: Hub, transactions: Transactions, record: Record, at: Place, *, token: str = "", actor: str
) -> None:
    """Bill it as a charge at this EVSE; `token`: of whom, where nobody's began it.

    Raises: NotFound; InvalidRequest, when nobody's token is known, or it may not charge (any more).
    """

    async def decide(start: Start) -> Opening:
        uid, kind = (token, RFID) if token else _payer(start)
        if not uid:
            raise InvalidRequest(_NOBODY)
        decision = await for_start(hub, uid, at, at=record.station, token_type=kind)
        if not decision.accepted:
            raise InvalidRequest(f"its token is answered {decision.allowed} now, so it cannot be billed; drop it")
        return Opening(at, decision, correlation_id=record.correlation_id or trace.correlation())

    if lack_of(record) is Lack.START:
        raise InvalidRequest(NEEDED[Lack.START])
    if token and lack_of(record) not in (Lack.BEGIN, Lack.TOKEN) and not record.is_refused:
        raise InvalidRequest("/token: it is known whose token began this one")
    audit = Audit(actor, "transaction.placed", record.key, at.evse_uid)
    await transactions.placed(record, decide, audit=audit)


def _payer(start: Start) -> tuple[str, str]:
    """The token that pays and its type; of an end that came alone, the one that was told with it."""
    told = start.gathered
    if told is None:
        return start.event.id_tag or "", RFID
    said = told.payer or told.ender
    uid, is_contract = said[1] if said is not None else ("", False)
    return uid, EMAID if is_contract else RFID


async def drop(transactions: Transactions, record: Record, *, actor: str) -> None:
    """Never bill it. Raises: NotFound."""
    audit = Audit(actor, "transaction.dropped", record.key, record.trouble)
    if not await transactions.dropped(record, audit=audit):
        raise NotFound("there is no such transaction that waits")
