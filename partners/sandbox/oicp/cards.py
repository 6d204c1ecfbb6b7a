"""Who may charge on an EMP's account, and what it says of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from partners.sandbox.oicp.wire import SUCCESS, medium, unknown
from partners.sandbox.wire import Json

_VERDICTS: Final = {"accept": SUCCESS, "blocked": "200", "refuse": "103"}


@dataclass(frozen=True)
class Card:
    """A customer's card or contract. `verdict`: accept, blocked, refuse, unknown, or a status code as it is sent."""

    evco_id: str
    uid: str | None = None
    verdict: str = "accept"
    pin: str | None = None

    @property
    def provider(self) -> str:
        """Whose contract it is, written as the contract is."""
        return self.evco_id[: 6 if self.evco_id[2:3] in ("-", "*") else 5]


class Cards:
    """The customers of one EMP."""

    def __init__(self) -> None:
        self._by_name: dict[str, Card] = {}
        self.delay_s = 0.0

    def add(self, card: Card) -> None:
        """From now on it is known, by its UID and by its EvcoID."""
        for name in filter(None, (card.uid, card.evco_id)):
            self._by_name[name.upper()] = card

    def find(self, identification: Mapping[str, Json]) -> Card | None:
        """Whose it is."""
        return self._by_name.get(medium(identification)[1])

    async def judge(self, identification: Mapping[str, Json]) -> str:
        """The status code for a wish to charge."""
        await asyncio.sleep(self.delay_s)
        card = self.find(identification)
        if card is None or card.verdict == "unknown":
            return unknown(identification)
        code = identification.get("QRCodeIdentification")
        if code is not None and code.get("PIN") != card.pin:
            return "101"
        return _VERDICTS.get(card.verdict, card.verdict)

    def listed(self) -> list[dict[str, Json]]:
        """All of them, without their PINs."""
        shown = {card.evco_id: card for card in self._by_name.values()}
        return [{"uid": card.uid, "evco_id": card.evco_id, "verdict": card.verdict} for card in shown.values()]

    def identifications(self) -> list[dict[str, Json]]:
        """As they are uploaded to a hub that is to answer in our place."""
        cards = [card for card in {card.evco_id: card for card in self._by_name.values()}.values() if card.uid]
        return [
            {"RFIDIdentification": {"UID": card.uid, "EvcoID": card.evco_id, "RFID": "mifareFamily"}} for card in cards
        ]
