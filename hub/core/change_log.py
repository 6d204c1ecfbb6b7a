"""How long the change log is kept: what is old goes, once every lane has passed it.

A lane goes on from its cursor, so nothing above the lowest cursor is cut, however old it is. Those that count are of
partners whose lane goes on later where it stopped (`opened.HAS_A_LANE`), and of others with a lane, as webhooks. They
are read from the store, as lanes may run in another process. Who has no lane yet begins at the end, which stays.

All other readers begin at the end, too, and follow it: they are seconds behind, not days. Who could be away for longer,
as with a database that is out of reach, has to look if what it missed is still there. The beginning is cut off a step
at a time with a pause after it, so that no other writer waits for long, were there years to cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final, NamedTuple

import msgspec
import structlog

from hub.core.clock import timestamp
from hub.core.lane import LANES, LaneState
from hub.core.opened import HAS_A_LANE
from hub.core.ports import Hub
from hub.core.registry import PARTNERS
from hub.core.store import Store
from hub.core.units import Unit

A_STEP: Final = 4_000
"""Numbers that one unit cuts at most."""
_PAUSE_S: Final = 0.1
_MOST_PARTNERS: Final = 100_000

log = structlog.get_logger()


class _Slowest(NamedTuple):
    """The lane that has come least far."""

    cursor: int
    lane: str


async def cut(hub: Hub, others: Iterable[str] = ()) -> None:
    """Cut off what is older than `change_log_days`. `others` names the lanes beside those of partners.

    Raises: NotReady.
    """
    store = hub.store
    first = await store.changes(after=0, limit=1)
    if not first:
        return
    begin = first[0].seq
    before = timestamp(hub.clock.now() - timedelta(days=hub.settings.change_log_days))
    end = await _last_before(store, begin, before)
    slowest = await _slowest(store, others)
    if slowest is not None and slowest.cursor < end:
        log.warning("old changes are kept for a lane", lane=slowest.lane, changes=end - max(slowest.cursor, begin - 1))
        end = slowest.cursor
    for upto in range(begin + A_STEP - 1, end, A_STEP):
        await store.commit(Unit(cut=upto))
        await hub.clock.sleep(_PAUSE_S)
    if end >= begin:
        await store.commit(Unit(cut=end))


async def _last_before(store: Store, begin: int, before: str) -> int:
    """The highest number from `begin` on up to which all is older than `before`; one less than `begin`, if nothing is.

    Found by halving: times grow with the numbers. The last number of the log is none: it stays.
    """
    low, high = begin - 1, await store.last_change() - 1
    while low < high:
        middle = (low + high + 1) // 2
        rows = await store.changes(after=middle - 1, limit=1)
        low, high = (middle, high) if rows and rows[0].at < before else (low, middle - 1)
    return low


async def _slowest(store: Store, others: Iterable[str]) -> _Slowest | None:
    """The lane with the lowest cursor of those that go on from it. One that is not on disk yet begins at 0.

    Who has a lane is asked before how far each is: one that comes meanwhile begins at the end.
    """
    names = list(others)
    for state in HAS_A_LANE:
        partners = await store.select(PARTNERS, equal={"state": state}, limit=_MOST_PARTNERS)
        names += [document.key for document in partners]
    lanes = await store.get_many(LANES, names)
    cursors = {name: msgspec.json.decode(lane.body, type=LaneState).cursor for name, lane in lanes.items()}
    return min((_Slowest(cursors.get(name, 0), name) for name in names), default=None)
