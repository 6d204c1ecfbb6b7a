"""A CPO's list that is pulled again, though nothing in it has changed; within the hub's process, without a network."""

from __future__ import annotations

import time
from typing import Any, Final

from bench import samples
from hub.core.inbound import encode, parse
from hub.core.outbound import OutboundAnswer
from hub.core.ports import Hub, PeerAnswer
from modules.locations.wire import LOCATION
from partners.ocpi.peer import understood
from partners.ocpi.pull import Puller

_A_PAGE: Final = 500
_LIMIT: Final = 64 * 1024 * 1024


class _Canned:
    """A list that is at hand. See `partners.ocpi.pages.Pages`."""

    def __init__(self, bodies: list[bytes], total: int) -> None:
        self._bodies = bodies
        self._headers = {"x-total-count": str(total), "x-limit": str(_A_PAGE)}

    async def send(self, *_: Any, **__: Any) -> PeerAnswer:
        return self._page(0)

    async def get(self, _: Any, url: str) -> PeerAnswer:
        return self._page(int(url.rsplit("offset=", 1)[1]) // _A_PAGE)

    def _page(self, number: int) -> PeerAnswer:
        return understood(OutboundAnswer(200, self._headers, self._bodies[number]))


async def measure(hub: Hub, how_many: int) -> dict[str, Any]:
    """CPU us of pulling it again (`again_us`), and of reading and checking the same list (`read_us`)."""
    trees = [_location(number) for number in range(how_many)]
    bodies = [
        encode({"data": trees[first : first + _A_PAGE], "status_code": 1000, "timestamp": "2026-01-01T00:00:00Z"})
        for first in range(0, how_many, _A_PAGE)
    ]
    puller = Puller(hub, _Canned(bodies, how_many))
    for _ in range(2):
        await puller.pull("cpo", full=True)
    begun = time.thread_time()
    pulled = await puller.pull("cpo", full=True)
    again = time.thread_time() - begun
    if pulled.unchanged != how_many:
        raise RuntimeError(f"of {how_many} objects {pulled.unchanged} were known")
    begun = time.thread_time()
    for body in bodies:
        for tree in parse(body, limit=_LIMIT)["data"]:
            LOCATION["2.2.1"].read(tree)
    return {"again_us": 1e6 * again, "read_us": 1e6 * (time.thread_time() - begun)}


def _location(number: int) -> dict[str, Any]:
    given = samples.location(number)
    changed = {"country_code": "BE", "party_id": "CPO", "id": f"CPO{number}", "last_updated": "2026-01-01T00:00:00Z"}
    return {**given, **changed}
