"""Booking locations that have something free in a period: the filters `timeslot_from` and `timeslot_to`.

They ask for what is inside of calendars, so each candidate is looked at; the list is that of one moment, and not kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from urllib.parse import quote

from hub.core.answers import Answer, ok
from hub.core.dispatch import Call
from hub.core.errors import InvalidRequest
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.paging import window
from hub.core.types import parse_datetime
from modules.bookings import editions
from modules.bookings.calendar import span_of
from modules.bookings.places import LIMIT
from modules.bookings.store import BOOKING_LOCATIONS

_A_STEP: Final = 500
_NAMES: Final = ("timeslot_from", "timeslot_to")


async def having_slots(call: Call, owners: Sequence[str]) -> Answer:
    """A page of those with a timeslot that begins at or after `timeslot_from`, and before `timeslot_to`.

    Raises: InvalidRequest.
    """
    settings = call.hub.settings
    asked = window(call.query, default=settings.page_default, most=settings.page_max)
    since, until = (_moment(call, name) for name in _NAMES)
    found: list[Tree] = []
    offset, total = 0, 1
    while offset < total:
        page = await call.hub.store.page(
            BOOKING_LOCATIONS,
            date_from=asked.date_from,
            date_to=asked.date_to,
            offset=offset,
            limit=_A_STEP,
            owners=owners,
            audiences=("", *call.partner.parties),
        )
        trees = [parse(document.body, limit=LIMIT) for document in page.documents]
        found += [tree for tree in trees if _has_slot(tree, since, until)]
        offset, total = offset + _A_STEP, page.total
    shown = found[asked.offset : asked.offset + asked.limit]
    told = call.in_version(editions.edition_of(call.partner))
    answer = ok([told.written(editions.PLACES, tree) for tree in shown])
    answer.headers += [(b"x-total-count", b"%d" % len(found)), (b"x-limit", b"%d" % settings.page_max)]
    if shown and asked.offset + len(shown) < len(found):
        answer.headers.append((b"link", _link(call, asked.offset + len(shown), asked.limit)))
    return answer


def _moment(call: Call, name: str) -> datetime | None:
    if name not in call.query:
        return None
    try:
        return parse_datetime(call.query[name])
    except (ValueError, OverflowError):
        raise InvalidRequest(f"{name} is not a timestamp") from None


def _has_slot(tree: Tree, since: datetime | None, until: datetime | None) -> bool:
    spans = [span_of(slot) for calendar in tree.get("calendars") or () for slot in calendar["available_timeslots"]]
    return any((since is None or span.start >= since) and (until is None or span.start < until) for span in spans)


def _link(call: Call, offset: int, limit: int) -> bytes:
    kept = {name: call.query[name] for name in ("date_from", "date_to", *_NAMES) if name in call.query}
    query = {**kept, "offset": str(offset), "limit": str(limit)}
    text = "&".join(f"{quote(name)}={quote(value, safe=':')}" for name, value in query.items())
    return f'<{call.hub.settings.base_url}{call.path}?{text}>; rel="next"'.encode()
