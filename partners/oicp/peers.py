"""What the hub sends to a partner that speaks OICP, interpreted: the port `Peers`.

POST tokens {uid}/authorize     AuthorizeStart                              `asking`
POST commands {name}            remote start and stop, reservations         `ordering`
PUT, PATCH sessions             charging notifications                      `notifications`
POST cdrs, GET cdrs {id}        charge detail record                        `records`
PUT, PATCH, DELETE of others    taken for done: locations, tariffs and tokens have pushes and pulls of their own,
                                which look at what is on record and not at single changes
POST to a response_url          the result that an order of the partner waits for    `carrying`
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.core.errors import EndpointsMissing, PeerRefused
from hub.core.inbound import parse
from hub.core.operations import LARGE, Side
from hub.core.ports import PeerAnswer
from hub.core.registry import Partner
from partners.oicp.asking import Asking
from partners.oicp.carrying import RESULTS, Carrying
from partners.oicp.notifications import Notifications
from partners.oicp.ordering import Ordering
from partners.oicp.records import Records

_SUCCESS: Final = 1000
_TAKEN: Final = frozenset({"locations", "tariffs", "tokens"})
_WRITES: Final = frozenset({"PUT", "PATCH", "DELETE"})
_LIMIT: Final = 4 * LARGE
_USUAL_S: Final = 30.0


class OicpPeers:
    """The interpreter."""

    def __init__(
        self,
        asking: Asking,
        ordering: Ordering,
        carrying: Carrying,
        notifications: Notifications,
        records: Records,
    ) -> None:
        self._asking = asking
        self._ordering = ordering
        self._carrying = carrying
        self._notifications = notifications
        self._records = records

    async def send(
        self,
        partner: Partner,
        method: str,
        module: str,
        side: Side,
        path: tuple[str, ...] = (),
        *,
        body: bytes | None = None,
        query: Mapping[str, str] | None = None,
        to: str = "",
        sender: str = "",
        deadline_s: float | None = None,
    ) -> PeerAnswer:
        """See `hub.core.ports.Peers.send`."""
        tree: Any = parse(body, limit=_LIMIT) if body else None
        match method, module, path:
            case "POST", "tokens", (uid, "authorize"):
                token_type = (query or {}).get("type", "RFID")
                deadline = deadline_s or _USUAL_S
                data: Any = await self._asking.ask(partner, uid, token_type, tree, sender=sender, deadline_s=deadline)
            case "POST", "commands", (name,):
                data = await self._ordering.take(partner, name, tree, to=to, sender=sender)
            case (("PUT" | "PATCH"), "sessions", (country, party, session_id)):
                await self._notifications.tell(partner, f"{country}*{party}".upper(), session_id)
                data = None
            case "POST", "cdrs", ():
                return await self._records.deliver(partner, tree)
            case "GET", "cdrs", (cdr_id,):
                data = await self._records.shown(partner, cdr_id, sender)
            case _ if method in _WRITES and module in _TAKEN:
                data = None
            case _:
                raise EndpointsMissing(f"OICP has no {method} of {module}")
        return PeerAnswer(200, _SUCCESS, data)

    async def get(self, partner: Partner, url: str, *, to: str = "", sender: str = "") -> PeerAnswer:
        """See `hub.core.ports.Peers.get`: nothing of OICP has a URL. Raises: PeerRefused."""
        raise PeerRefused("there is no such resource", http=404, status_code=2003)

    async def post_to(self, partner: Partner, url: str, body: bytes, *, to: str = "", sender: str = "") -> PeerAnswer:
        """See `hub.core.ports.Peers.post_to`. Raises: PeerRefused."""
        if not url.startswith(RESULTS):
            raise PeerRefused("nobody waits there", http=404, status_code=2003)
        await self._carrying.result(url.removeprefix(RESULTS), parse(body, limit=_LIMIT))
        return PeerAnswer(200, _SUCCESS, None)
