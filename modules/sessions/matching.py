"""Which session a CDR bills that names none, as those of 2.1.1 do: told only where it can be no other one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from hub.core.clock import timestamp
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.store import Store
from hub.core.types import parse_datetime
from modules.locations.wire import NOT_AVAILABLE
from modules.sessions.store import SESSIONS

_LIMIT: Final = 8 * 1024 * 1024
_MOST: Final = 500
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_SAME_MOMENT: Final = timedelta(minutes=1)
"""A session and its CDR say of one charge that it began within this."""


async def session_of(store: Store, owner: str, cdr: Tree) -> str | None:
    """The id of the completed session that `cdr` of this CPO is the bill of; None where that is not certain.

    It is the only one with that driver's contract and EVSE that overlaps the CDR in time, and began with it.
    """
    evse_uid = str(cdr["cdr_location"]["evse_uid"])
    began, ended = parse_datetime(cdr["start_date_time"]), parse_datetime(cdr["end_date_time"])
    if evse_uid == NOT_AVAILABLE or cdr["cdr_token"]["uid"] == NOT_AVAILABLE:
        return None
    found = await store.page(
        SESSIONS,
        date_from=timestamp(max(began, _FIRST + _SAME_MOMENT) - _SAME_MOMENT),
        date_to=None,
        offset=0,
        limit=_MOST,
        among={"owner": (owner,), "evse": (evse_uid.upper(),)},
    )
    sessions: list[Tree] = [parse(document.body, limit=_LIMIT) for document in found.documents]
    overlapping = [
        session
        for session in sessions
        if _driver(session) == _driver(cdr)
        and parse_datetime(session["start_date_time"]) <= ended
        and ("end_date_time" not in session or parse_datetime(session["end_date_time"]) >= began)
    ]
    if len(overlapping) != 1 or found.total > len(sessions):
        return None
    (session,) = overlapping
    is_same = abs(parse_datetime(session["start_date_time"]) - began) <= _SAME_MOMENT
    return str(session["id"]) if session["status"] == "COMPLETED" and is_same else None


def _driver(record: Tree) -> tuple[str, ...]:
    token = record["cdr_token"]
    return tuple(str(token[name]).upper() for name in ("country_code", "party_id", "contract_id"))
