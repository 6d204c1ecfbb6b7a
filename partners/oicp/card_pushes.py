"""PushAuthenticationData: an EMP that leaves it to us to say who may charge, gives us its cards and contracts.

As with EVSEs, a push is taken whole or not at all. A contract that is not the EMP's is 019. A QR code is kept with its
hashed PIN and says nothing to anybody else; a PIN that came in clear is hashed first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from hub.core.ports import Hub
from hub.core.units import ABSENT, Document, Unit
from partners.oicp import ids
from partners.oicp.answers import Code, Refused, acknowledged
from partners.oicp.cards import HERE, NOW, OICP_CARDS, Card, Cards, dearest_of, dearest_put, read
from partners.oicp.connection import Connection
from partners.oicp.contracts import is_contract_of
from partners.oicp.face import Call
from partners.oicp.identifying import check_ways
from partners.oicp.pins import with_hashes
from partners.oicp.whole_pushes import understood

Message = Mapping[str, Any]

_READ: Final = 2000
_RECORDS: Final = "/ProviderAuthenticationData/AuthenticationDataRecord"


class CardPushes:
    """See the module."""

    def __init__(self, hub: Hub, cards: Cards) -> None:
        self._hub = hub
        self._cards = cards
        self._busy: set[str] = set()
        self._hashing = asyncio.Lock()
        self._listeners: list[Callable[[], None]] = []

    def on_written(self, callback: Callable[[], None]) -> None:
        """Call back whenever something was written."""
        self._listeners.append(callback)

    async def push(self, call: Call) -> Message:
        """Raises: Refused, Unfit, Conflict."""
        name = call.partner.name
        if name in self._busy:
            raise Refused(Code.DATA_TRANSACTION, "another push is under way")
        self._busy.add(name)
        try:
            await self._take(call)
        finally:
            self._busy.discard(name)
        for listener in self._listeners:
            listener()
        return acknowledged()

    async def _take(self, call: Call) -> None:
        message, _ = await understood(call, ("ProviderAuthenticationData", "AuthenticationDataRecord"))
        data = message["ProviderAuthenticationData"]
        provider = ids.ProviderID.parse(data["ProviderID"])
        source = f"{call.partner.name}/{provider.canonical}"
        told = [record["Identification"] for record in data["AuthenticationDataRecord"]]
        for at, each in enumerate(told):
            check_ways(each, f"{_RECORDS}/{at}/Identification")
        cards = [Card(source, str(provider.party()), each) for each in told]
        by_key = await asyncio.to_thread(_each_once, call.connection, cards)
        if message["ActionType"] != "delete":
            by_key = await self._hashed(by_key)
        await self._cards.in_turn.write(partial(self._write, source, message["ActionType"], by_key))

    async def _hashed(self, told: dict[str, Card]) -> dict[str, Card]:
        """With no PIN in clear; of one push at a time, as hashing them is work. Raises: Refused."""
        async with self._hashing:
            kept = await asyncio.to_thread(with_hashes, [card.identification for card in told.values()])
        return {key: replace(card, identification=each) for (key, card), each in zip(told.items(), kept, strict=True)}

    async def _write(self, source: str, action: str, told: dict[str, Card]) -> None:
        known = await self._hub.store.get_many(OICP_CARDS, list(told))
        here = {key for key, document in known.items() if document.columns["gone"] == HERE}
        if action == "insert" and here:
            raise Refused(Code.DATA_TRANSACTION, info="a card or contract is there already")
        if action in ("update", "delete") and len(here) < len(told):
            raise Refused(Code.DATA_TRANSACTION, info="a card or contract is not there")
        unit = Unit()
        if action != "delete":
            for key, card in told.items():
                if _differs(card, known.get(key)):
                    unit.put(card.put(expect=known[key].version if key in known else ABSENT))
        gone = known if action == "delete" else await self._others(source, told) if action == "fullLoad" else {}
        for document in gone.values():
            card = read(document)
            unit.put(Card(card.source, card.owner, card.identification, True, NOW).put(expect=document.version))
        cost = dearest_of(told.values())
        if action != "delete" and cost is not None and cost > (await self._cards.dearest([source]) or 0):
            unit.put(dearest_put(source, cost))
        if unit.writes:
            await self._hub.store.commit(unit)

    async def _others(self, source: str, told: Mapping[str, Card]) -> dict[str, Document]:
        others: dict[str, Document] = {}
        after = 0
        while found := await self._hub.store.select(
            OICP_CARDS, equal={"source": source, "gone": HERE}, limit=_READ, after_seq=after
        ):
            others.update({document.key: document for document in found if document.key not in told})
            after = found[-1].seq
        return others


def _differs(card: Card, known: Document | None) -> bool:
    return known is None or known.columns["gone"] != HERE or known.body != card.put().body


def _each_once(connection: Connection, cards: list[Card]) -> dict[str, Card]:
    """By key. Raises: Refused."""
    told: dict[str, Card] = {}
    for card in cards:
        for said in card.identification.values():
            if isinstance(said, Mapping) and said.get("EvcoID") and not is_contract_of(connection, said["EvcoID"]):
                raise Refused(Code.FOREIGN_CONTRACT)
        try:
            key = card.key
        except ids.InvalidId as fault:
            raise Refused(Code.DATA_ERROR, info=fault.message) from None
        if key in told:
            raise Refused(Code.DATA_TRANSACTION, info="a card or contract is in it twice")
        told[key] = card
    return told
