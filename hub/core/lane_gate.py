"""The way to the parties behind a hub, for its lane: shut for those that cannot be reached just now.

A publication sends as it always does. That the party is away shows here, by what is known of it (`lane_away.py`) or by
what its hub answers, and is told apart from trouble of the hub.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping

from hub.core.answers import TIMEOUT, is_of_the_party
from hub.core.errors import PartyAway, PeerRefused
from hub.core.lane_away import Away
from hub.core.operations import Side
from hub.core.parties import PartyRole
from hub.core.ports import PeerAnswer, Peers
from hub.core.registry import Partner


class Gate:
    """The port `Peers` to one hub, for what parties behind it get in one of `roles`.

    Each of its requests raises PartyAway too. What names no party is for the hub itself, and goes on as it is.
    """

    def __init__(self, peers: Peers, away: Away, roles: frozenset[PartyRole]) -> None:
        self._peers = peers
        self._away = away
        self._roles = roles

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
        self._check(to)
        rest = (partner, method, module, side, path)
        asked = self._peers.send(*rest, body=body, query=query, to=to, sender=sender, deadline_s=deadline_s)
        return await self._answer(asked, to)

    async def get(self, partner: Partner, url: str, *, to: str = "", sender: str = "") -> PeerAnswer:
        """See `hub.core.ports.Peers.get`."""
        self._check(to)
        return await self._answer(self._peers.get(partner, url, to=to, sender=sender), to)

    async def post_to(self, partner: Partner, url: str, body: bytes, *, to: str = "", sender: str = "") -> PeerAnswer:
        """See `hub.core.ports.Peers.post_to`."""
        self._check(to)
        return await self._answer(self._peers.post_to(partner, url, body, to=to, sender=sender), to)

    def _check(self, to: str) -> None:
        if to and self._away.is_shut(to, self._roles):
            raise PartyAway(party=to)

    async def _answer(self, asked: Awaitable[PeerAnswer], to: str) -> PeerAnswer:
        try:
            answer = await asked
        except PeerRefused as refused:
            if not to or not is_of_the_party(refused.http, refused.status_code):
                raise
            code = f"OCPI {refused.status_code}"
            message = code if refused.message == code else f"{code}: {refused.message}"  # a hub may give no words
            in_doubt = refused.status_code == TIMEOUT
            raise PartyAway(message, party=to, was_tried=True, in_doubt=in_doubt) from None
        if to:
            self._away.reached(to)
        return answer
