"""The cards and contracts that an EMP has left with us, for us to say in its place who may charge.

One row for each way in which somebody shows who he is. Hashed PINs of EMPs are in these rows and nowhere else; beside
them stands what the dearest of an EMP costs to compare with. What of it OCPI can have is made a token of that EMP
(`card_tokens`): a row whose `due` is NOW waits for that, and one that expires is looked at again on that day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from hub.core.inbound import encode, parse
from hub.core.ports import Hub
from hub.core.units import ANY, Document, Kind, Put
from partners.oicp import ids
from partners.oicp.in_turn import InTurn
from partners.oicp.mapping.times import instant
from partners.oicp.mapping.tokens import MEDIA, expires_at
from partners.oicp.pins import USUAL_COST, cost_of, hash_in

Identification = Mapping[str, Any]

OICP_CARDS: Final = Kind("oicp_cards", columns=("source", "gone", "due"), indexed=("source", "due"))
OICP_PIN_COSTS: Final = Kind("oicp_pin_costs")
NOW: Final = "now"
NEVER: Final = ""
HERE: Final = "0"
GONE: Final = "1"
_LIMIT: Final = 64 * 1024
_BY_TYPE: Final = {"RFID": "rfid", "EMAID": "pnc", "OTHER": "pnc", "APP_USER": "remote"}


@dataclass(frozen=True, slots=True)
class Card:
    """One of them; `source` is `partner/DEDCB`, `owner` the provider."""

    source: str
    owner: str
    identification: Identification = field(repr=False)
    gone: bool = False
    due: str = NOW

    @property
    def key(self) -> str:
        """Raises: InvalidId."""
        return f"{self.source}/{shown_as(self.identification)}"

    @property
    def expires(self) -> datetime | None:
        """When it stops to be valid."""
        told = expires_at(self.identification)
        return instant(told) if told else None

    def put(self, *, expect: int = ANY) -> Put:
        """The write of it. Raises: InvalidId."""
        columns = (self.source, GONE if self.gone else HERE, self.due)
        return Put(OICP_CARDS, self.key, encode(self.identification), self.owner, columns=columns, expect=expect)


def read(document: Document) -> Card:
    """As it is on disk."""
    columns = document.columns
    identification = parse(document.body, limit=_LIMIT)
    return Card(columns["source"], document.owner, identification, columns["gone"] == GONE, columns["due"])


def shown_as(identification: Identification) -> str:
    """The way that counts, and what is shown: equal for all spellings. Raises: InvalidId."""
    for name, (medium, _, _) in MEDIA.items():
        said = identification.get(name)
        if said:
            return f"rfid/{ids.card_uid(said['UID'])}" if medium == "rfid" else f"{medium}/{_contract(said['EvcoID'])}"
    raise ids.InvalidId("it does not say what is shown")


def _contract(text: str) -> str:
    return ids.EvcoID.parse(text).canonical


class Cards:
    """Looking for them, and the turns of writing them."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.in_turn = InTurn()

    async def find(self, sources: list[str], uid: str, token_type: str) -> Card | None:
        """That of one of these sources which OCPI calls so."""
        medium = _BY_TYPE.get(token_type)
        try:
            shown = ids.card_uid(uid) if medium == "rfid" else _contract(uid)
        except ids.InvalidId:
            return None
        return await self._first([f"{source}/{medium}/{shown}" for source in sources])

    async def code(self, sources: Sequence[str], contract: ids.EvcoID) -> Card | None:
        """The QR code of a contract, of one of these sources."""
        return await self._first([f"{source}/qr/{contract.canonical}" for source in sources])

    async def _first(self, keys: Sequence[str]) -> Card | None:
        found = await self._hub.store.get_many(OICP_CARDS, list(keys))
        cards = [read(found[key]) for key in keys if key in found]
        return next((card for card in cards if not card.gone), None)

    async def dearest(self, sources: Sequence[str]) -> int | None:
        """What the dearest PIN that these ever left with us costs; None, where none was."""
        found = await self._hub.store.get_many(OICP_PIN_COSTS, list(sources))
        return max((int(document.body) for document in found.values()), default=None)


def dearest_of(cards: Iterable[Card]) -> int | None:
    """What the dearest PIN of these costs, and at least the usual; None, where there is none."""
    costs = [cost_of(value) or USUAL_COST for card in cards if (value := hash_in(card.identification))]
    return max(USUAL_COST, *costs) if costs else None


def dearest_put(source: str, cost: int) -> Put:
    return Put(OICP_PIN_COSTS, source, str(cost).encode())
