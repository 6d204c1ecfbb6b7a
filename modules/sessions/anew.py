"""A charge whose CDR an operator has credited, made ready to be billed anew. OCPI mod_cdrs_credit_cdrs.

The readings of a charge stay on record only until it is billed. So they are taken from the CDR that was credited: it
says how much had been charged at the beginning of each of its periods, which is where its price could change, and which
power and current there were in it. Priced by the tariffs of its start they make that CDR once more.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from hub.core.errors import InvalidRequest, NotFound
from hub.core.jsontypes import Tree
from hub.core.store import Store
from hub.core.types import parse_datetime
from modules.cdrs import service as cdrs
from modules.sessions.charge import DROPPED, Charge, Reading, load_latest

WHY: Final = "its CDR was credited"
_NOT_HELD: Final = "the bill of this session is not held"
_A_MOMENT: Final = timedelta(milliseconds=1)


async def load_credited(store: Store, session_id: str) -> tuple[Charge, int]:
    """A charge that was billed, and of which nothing is billed any more, with its readings; and its version.

    Raises: NotFound; InvalidRequest, when a CDR of it stands, it never had one, or an operator has dropped it.
    """
    found = await load_latest(store, session_id)
    if found is None:
        raise NotFound("there is no such session")
    charge, version = found
    if charge.decided == DROPPED:
        raise InvalidRequest("the bill of this session was dropped, for good")
    last, standing = await cdrs.last_bill(store, session_id), await cdrs.bills_of(store, session_id)
    if standing:
        named = f"{standing[0]['country_code']}*{standing[0]['party_id']}/{standing[0]['id']}"
        raise InvalidRequest(f"{_NOT_HELD}; to bill it anew, take its CDR back first: busbar cdr credit '{named}'")
    if last is None or charge.is_open or charge.held:
        raise InvalidRequest(_NOT_HELD)
    if not charge.readings and not charge.reservation_only:
        _read_again(charge, last)
    return charge, version


def _read_again(charge: Charge, cdr: Tree) -> None:
    """Let `charge` have the readings that make `cdr`."""
    if charge.meter_start_kwh is None:
        last = charge.meter_stop_kwh if charge.counted_kwh is None else charge.counted_kwh
        charge.meter_start_kwh = Decimal(0) if last is None else last - Decimal(cdr["total_energy"])
    charge.readings = list(_readings(cdr, charge.meter_start_kwh, charge.start))


def _readings(cdr: Tree, register: Decimal, start: datetime) -> Iterator[Reading]:
    """One at the beginning of each period, two where its power or current had two bounds; and one at the end."""
    for period in cdr["charging_periods"]:
        at = parse_datetime(period["start_date_time"])
        if at < start - _A_MOMENT:
            continue  # it was reserved
        volumes: dict[str, Any] = {each["type"]: each["volume"] for each in period["dimensions"]}
        kw, ampere = ((volumes.get(f"MIN_{what}"), volumes.get(f"MAX_{what}")) for what in ("POWER", "CURRENT"))
        yield Reading(at, register, kw[0], ampere[0])
        if kw[0] != kw[1] or ampere[0] != ampere[1]:
            yield Reading(at + _A_MOMENT, None, kw[1], ampere[1])
        register += Decimal(volumes.get("ENERGY", 0))
    yield Reading(parse_datetime(cdr["end_date_time"]), register)
