"""What we pull of partners: whose lists, in which words, and who takes their objects in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.core.dialect import Wire
from hub.core.operations import CPO, EMSP_LIKE
from hub.core.parties import Party, PartyRole
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.units import Kind
from modules.locations import foreign as locations
from modules.locations.store import LOCATIONS
from modules.locations.store import key_of as location_key
from modules.locations.wire import LOCATION
from modules.tariffs import foreign as tariffs
from modules.tariffs.store import TARIFFS
from modules.tariffs.store import key_of as tariff_key
from modules.tariffs.wire import TARIFF
from modules.tokens import service as tokens
from modules.tokens.store import TOKENS
from modules.tokens.store import key_of as token_key
from modules.tokens.wire import TOKEN

Keep = Callable[[Hub, Party, Any], Awaitable[bool]]
"""Take in an object of that owner. True: it is new."""


@dataclass(frozen=True, slots=True)
class Source:
    """One module's list."""

    module: str
    owners: frozenset[PartyRole]
    kind: Kind
    wires: Mapping[str, Wire[Any]]
    keep: Keep
    key: Callable[[Party, Mapping[str, Any]], str]
    """Where an object is kept, by its wire form, which was not checked yet. Raises: KeyError, AttributeError."""

    def offered_by(self, partner: Partner) -> bool:
        """Has `partner` such a list, as the owner of what is on it?"""
        return bool(partner.roles & self.owners) and partner.endpoint(self.module, "SENDER") is not None

    def party_of(self, partner: Partner) -> Party | None:
        """Whose the objects are that do not say so (2.1.1)."""
        return next((claim.party for claim in partner.claims or partner.invited if claim.role in self.owners), None)


async def _keep_location(hub: Hub, owner: Party, location: Any) -> bool:
    if await hub.addressed.hides(LOCATIONS, "locations", owner, location.id):
        return False
    return await locations.put(hub, locations.Spot(owner, location.id), location.tree())


async def _keep_tariff(hub: Hub, owner: Party, tariff: Any) -> bool:
    if await hub.addressed.hides(TARIFFS, "tariffs", owner, tariff.id):
        return False
    return await tariffs.put(hub, tariffs.Spot(owner, tariff.id), tariff.tree())


async def _keep_token(hub: Hub, owner: Party, token: Any) -> bool:
    return await tokens.put(hub.store, owner, token.uid, token, now=hub.clock.now())


SOURCES: Final = (
    Source("tariffs", CPO, TARIFFS, TARIFF, _keep_tariff, lambda owner, tree: tariff_key(owner, tree["id"])),
    Source("locations", CPO, LOCATIONS, LOCATION, _keep_location, lambda owner, tree: location_key(owner, tree["id"])),
    Source(
        "tokens", EMSP_LIKE, TOKENS, TOKEN, _keep_token, lambda owner, tree: token_key(owner, tree["uid"], tree["type"])
    ),
)
"""In the order in which they are pulled: a location names its tariffs."""
