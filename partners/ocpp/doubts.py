"""What an operator should look at of the charges of one station: all that was answered, and is not as it should be.

A charger is never refused a transaction message, however odd it is (rule R1): a start gets a number, a stop is kept.
So what is odd about them must be seen somewhere else, and it is here: stops that named nobody's charge, charges at
connectors that are on no location, charges that could not be billed, and whatever the ledger flagged.
"""

from __future__ import annotations

from typing import Final

from hub.core.clock import timestamp
from hub.core.jsontypes import Tree
from hub.core.store import Store
from modules.sessions.charge import Charge, held_at
from partners.ocpp import journal, unplaced
from partners.ocpp.events import HARD, Flag
from partners.ocpp.journal import Record

SHOWN: Final = 20
_LOOKED_AT: Final = 200
_UNPAID: Final = "the token was refused, and the charger gave energy all the same"


async def doubts_at(store: Store, station: str) -> list[Tree]:
    """What is held, then the newest doubts. `severity` is `hard` where the amount is in doubt, or nothing is billed."""
    newest = await store.select(journal.TRANSACTIONS, equal={"station": station}, descending=True, limit=_LOOKED_AT)
    held = {charge.session_id: _held(charge) for charge in await held_at(store, station, limit=SHOWN)}
    records = {document.key: journal.record_in(document) for document in newest}
    seen = {record.session for record in records.values()}
    for session in held.keys() - seen:
        of_it = await store.select(journal.TRANSACTIONS, equal={"session": session}, limit=1)
        records |= {document.key: journal.record_in(document) for document in of_it}
    found = (_doubt(record, held.get(record.session, "") or _unplaced(record)) for record in records.values())
    return sorted((doubt for doubt in found if doubt is not None), key=lambda doubt: not doubt["held"])[:SHOWN]


def _unplaced(record: Record) -> str:
    if record.state != journal.UNPLACED:
        return ""
    return f"not billed, held ({unplaced.way_out(record)}; by busbar transaction)"


def _held(charge: Charge) -> str:
    return f"not billed, held: {charge.why_held} (busbar transaction release, correct or drop {charge.session_id})"


def _doubt(record: Record, held: str) -> Tree | None:
    flags = [Flag[name] for name in record.flags if name in Flag.__members__]
    unpaid = record.state == journal.REFUSED and bool(record.energy_kwh)
    reasons = [*filter(None, [held]), *([_UNPAID] if unpaid else [])]
    reasons += [*filter(None, [record.trouble]), *sorted(flags, key=lambda flag: (flag not in HARD, flag))]
    if not reasons:
        return None
    at = record.start or record.end
    return {
        "at": timestamp(at) if at is not None else None,
        "severity": "hard" if held or unpaid or record.trouble or HARD.intersection(flags) else "soft",
        "state": record.state,
        "held": bool(held),
        "transaction": record.number,
        "connector": record.connector or None,
        "session_id": record.session or None,
        "reasons": [str(reason) for reason in reasons],
    }
