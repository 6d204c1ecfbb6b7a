"""Tokens of eMSPs, and of our own drivers, on their way to CPO platforms: PUT of the whole. OCPI mod_tokens.

A CPO hears of the tokens that an agreement lets it have, never of its own, and of none that its version would take for
another (`service.can_be_told`).
"""

from __future__ import annotations

from typing import Final

from hub.core.delivery import may_have, parties
from hub.core.dialect import VERSIONS
from hub.core.inbound import parse
from hub.core.operations import CPO_LIKE, RECEIVER
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.registry import Partner
from modules.tokens.routes import rendition
from modules.tokens.service import can_be_told
from modules.tokens.store import TOKENS
from modules.tokens.wire import TOKEN

_LIMIT: Final = 64 * 1024


class TokenPublication:
    """See `hub.core.delivery.Publication`."""

    module = "tokens"
    readers = CPO_LIKE

    async def deliver(self, hub: Hub, partner: Partner, key: str, what: frozenset[str]) -> None:
        """PUT the token as it is now. Raises: PeerFault's children."""
        if partner.endpoint("tokens", "RECEIVER") is None or not may_have(hub, partner, "tokens", key):
            return
        audiences = await hub.addressed.audiences_in(TOKENS, partner)
        document, is_news, _ = await hub.addressed.standing(TOKENS, key, audiences)
        if document is None or not is_news:
            return
        tree, version = parse(document.body, limit=_LIMIT), partner.version or VERSIONS[-1]
        body = await rendition.of(hub.store, document, version)
        owner = Party.parse(document.owner)
        if body is None or not await can_be_told(hub.store, owner, tree["uid"], tree["type"], version=version):
            return
        path = (*document.owner.split("*"), tree["uid"])
        query = {} if version == VERSIONS[0] else {"type": TOKEN[version].write({"type": tree["type"]})[0]["type"]}
        between = parties(hub, document.owner, document.audience)
        await hub.peers.send(partner, "PUT", "tokens", RECEIVER, path, body=body, query=query or None, **between)
        hub.losses.note(partner.name, "out", self.module, rendition.lost(document, version))
