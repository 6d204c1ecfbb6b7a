"""What EMPs left with us, as tokens of theirs for partners of OCPI: never on a whitelist, valid until they expire."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from hub.core.clock import timestamp
from hub.core.dialect import VERSIONS
from hub.core.errors import Conflict, InvalidRequest, UnknownToken
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.units import Delete, Document, Unit
from modules.tokens import service as tokens
from modules.tokens.wire import TOKEN
from partners.oicp.cards import NEVER, NOW, OICP_CARDS, Card, Cards, read
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.tokens import token_of
from partners.oicp.rounds import Rounds

log = structlog.get_logger()

_A_STEP: Final = 200
_LOOK_EVERY_S: Final = 600.0
_DAYS_BACK: Final = 60


class CardTokens:
    """See the module."""

    def __init__(self, hub: Hub, cards: Cards) -> None:
        self._hub = hub
        self._cards = cards
        self._rounds = Rounds(hub, self.catch_up, waits="cards wait to be tokens")

    def wake(self) -> None:
        """There is something to do."""
        self._rounds.ring()

    async def run(self) -> None:
        """For ever, also over times without a database."""
        self._hub.background.start(self._look_at_times(), name="oicp cards that expire")
        await self._rounds.run()

    async def _look_at_times(self) -> None:
        while True:
            await self._hub.clock.sleep(_LOOK_EVERY_S)
            self._rounds.ring()

    async def catch_up(self) -> None:
        """Make tokens of what is due. Raises: NotReady, Conflict."""
        while found := await self._hub.store.select(OICP_CARDS, equal={"due": NOW}, limit=_A_STEP):
            for document in found:
                await self._make(document)
        today = self._hub.clock.now()
        for back in range(_DAYS_BACK):
            day = timestamp(today - timedelta(days=back))[:10]
            for document in await self._hub.store.select(OICP_CARDS, equal={"due": day}, limit=100_000):
                expires = read(document).expires
                if expires is not None and expires <= today:
                    await self._make(document)

    async def _make(self, document: Document) -> None:
        card = read(document)
        now = timestamp(self._hub.clock.now())
        try:
            if card.gone:
                await self._withdraw(card, now)
            else:
                tree = token_of(card.identification, Party.parse(card.owner), received=now).value
                token = TOKEN[VERSIONS[-1]].read(tree)
                await tokens.put(self._hub.store, Party.parse(card.owner), token.uid, token, now=self._hub.clock.now())
        except (NotSayable, InvalidRequest):
            pass  # a QR code, or what OCPI has no room for: it stays here
        unit = Unit()
        if card.gone:
            unit.delete(Delete(OICP_CARDS, document.key, document.version))
        else:
            unit.put(replace(card, due=self._due(card)).put(expect=document.version))
        try:
            async with self._cards.in_turn.turn:
                await self._hub.store.commit(unit)
        except Conflict:
            return  # it has changed meanwhile, and is due again

    def _due(self, card: Card) -> str:
        """When it is to be looked at again."""
        expires = card.expires
        return NEVER if expires is None or expires <= self._hub.clock.now() else timestamp(expires)[:10]

    async def _withdraw(self, card: Card, now: str) -> None:
        """Raises: NotSayable."""
        owner = Party.parse(card.owner)
        tree = token_of(card.identification, owner, received=now).value
        part = {"valid": False, "last_updated": now}
        try:
            await tokens.patch(self._hub.store, owner, tree["uid"], tree["type"], part, now=self._hub.clock.now())
        except UnknownToken:
            return  # it never was one
