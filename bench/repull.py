"""A CPO's list that is pulled again, though nothing in it has changed; within the hub's process, without a network."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any, Final

from bench import samples
from hub.core.clock import timestamp
from hub.core.inbound import encode, parse
from hub.core.outbound import OutboundAnswer
from hub.core.ports import Hub, PeerAnswer
from modules.locations.wire import LOCATION
from partners.ocpi.marks import Mark
from partners.ocpi.peer import understood
from partners.ocpi.pull import Puller

_A_PAGE: Final = 500
_LIMIT: Final = 64 * 1024 * 1024


class _Canned:
    """A list that is at hand. See `partners.ocpi.pages.Pages`."""

    def __init__(self, lists: list[bytes], total: int) -> None:
        self._lists = lists
        self._headers = {"x-total-count": str(total), "x-limit": str(_A_PAGE)}
        self._bodies: list[bytes] = []

    def prepare(self) -> None:
        """Make the pages as a server would now: with the time of the answer."""
        now = timestamp(datetime.now(UTC)).encode()
        self._bodies = [b'{"data":%b,"status_code":1000,"timestamp":"%b"}' % (each, now) for each in self._lists]

    async def send(self, *_: Any, known: Mark | None, **__: Any) -> PeerAnswer:
        return self._page(0, known)

    async def get(self, _: Any, url: str, *, known: Mark | None) -> PeerAnswer:
        return self._page(int(url.rsplit("offset=", 1)[1]) // _A_PAGE, known)

    def _page(self, number: int, known: Mark | None) -> PeerAnswer:
        return understood(OutboundAnswer(200, self._headers, self._bodies[number]), known)


async def measure(hub: Hub, how_many: int) -> dict[str, Any]:
    """CPU us of pulling it again (`again_us`), and of reading and checking the same list (`read_us`)."""
    trees = [_location(number) for number in range(how_many)]
    lists = [encode(trees[first : first + _A_PAGE]) for first in range(0, how_many, _A_PAGE)]
    canned = _Canned(lists, how_many)
    puller = Puller(hub, canned)
    for _ in range(3):
        canned.prepare()
        await puller.pull("cpo", full=True)
    canned.prepare()
    begun = time.thread_time()
    pulled = await puller.pull("cpo", full=True)
    again = time.thread_time() - begun
    if pulled.unchanged != how_many:
        raise RuntimeError(f"of {how_many} objects {pulled.unchanged} were known")
    begun = time.thread_time()
    for each in lists:
        for tree in parse(each, limit=_LIMIT):
            LOCATION["2.2.1"].read(tree)
    return {"again_us": 1e6 * again, "read_us": 1e6 * (time.thread_time() - begun)}


def _location(number: int) -> dict[str, Any]:
    given = samples.location(number)
    changed = {"country_code": "BE", "party_id": "CPO", "id": f"CPO{number}", "last_updated": "2026-01-01T00:00:00Z"}
    return {**given, **changed}
