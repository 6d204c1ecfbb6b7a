"""Drivers for whom a charge was ordered at a CPO that names a driver by the contract alone (2.1.1).

Their cards may be on no list: an app has none, and who speaks OICP keeps none here. The order says whose driver it is,
of the charge that follows it: the same contract, at the same CPO and EVSE, and about that time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from hub.core.clock import timestamp
from hub.core.forgetting import forget_some
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.types import parse_datetime
from hub.core.units import Document, Kind, Put
from modules.tokens.model import Token
from modules.tokens.store import by_contract, by_uid, folded

ORDERED: Final = Kind("ordered_tokens", columns=("uid", "contract"), indexed=("uid", "contract"))

_BEFORE: Final = timedelta(minutes=5)
"""The CPO's clock may be behind ours."""
_AFTER: Final = timedelta(minutes=15)
_KEPT: Final = timedelta(days=7)
"""A session may be told long after it began."""
_OF_A_RECORD: Final = ("country_code", "party_id", "uid", "type", "contract_id")


class Ordered(msgspec.Struct, frozen=True):
    """An order. `token` is a CdrToken; `evse_uid` "" where it named a location only."""

    token: dict[str, str]
    evse_uid: str
    since: datetime
    until: datetime

    @property
    def party(self) -> str:
        return f"{self.token['country_code']}*{self.token['party_id']}".upper()


def remember_order(hub: Hub, cpo: str, token: Token, evse_uid: str | None, *, until: datetime | None = None) -> Put:
    """An order for this driver went to `cpo`. `until`: when a reservation ends."""
    now, tree = hub.clock.now(), token.tree()
    named = {name: str(tree[name]) for name in _OF_A_RECORD}
    ordered = Ordered(named, evse_uid or "", now - _BEFORE, max(until or now, now) + _AFTER)
    key = f"{cpo}/{token.country_code}*{token.party_id}/{token.contract_id}/{timestamp(now)}".upper()
    columns = (folded(token.uid), token.contract_id.upper())
    kept_until = timestamp(ordered.until + _KEPT)
    return Put(ORDERED, key, msgspec.json.encode(ordered), cpo, last_updated=kept_until, columns=columns)


async def ordered_token(hub: Hub, cpo: str, record: Tree, *, over: str = "") -> Tree | None:
    """The CdrToken of the order that a Session or CDR of `cpo` followed; None, where none or those of several did.

    `over`: the only party whose orders count; "": all.
    """
    auth_id = record["cdr_token"]["contract_id"]
    for look in (by_contract, by_uid):
        found = [_read(each) for each in await look(hub.store, auth_id, ORDERED) if each.owner == cpo]
        fitting = [each for each in found if over in ("", each.party) and _is_followed(each, record)]
        if fitting:
            return fitting[-1].token if len({each.party for each in fitting}) == 1 else None
    return None


def _is_followed(order: Ordered, record: Tree) -> bool:
    evse_uid = (record.get("cdr_location") or record).get("evse_uid") or ""
    is_there = not order.evse_uid or order.evse_uid.upper() == evse_uid.upper()
    return is_there and order.since <= parse_datetime(record["start_date_time"]) <= order.until


def _read(document: Document) -> Ordered:
    return msgspec.json.decode(document.body, type=Ordered)


async def forget(hub: Hub) -> None:
    """What no session will ask for any more goes."""
    await forget_some(hub.store, ORDERED, timestamp(hub.clock.now()))
