"""What we pull of partners: whose lists, in which words, and who takes their objects in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hub.core.dialect import Wire
from hub.core.operations import CPO, EMSP_LIKE
from hub.core.overtaken import Told
from hub.core.parties import Party, PartyRole
from hub.core.ports import Hub
from hub.core.registry import Partner
from hub.core.units import Kind
from modules.hubclientinfo import service as clients
from modules.hubclientinfo.wire import CLIENT_INFO_TOLD
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

HUBS: Final = frozenset({PartyRole.HUB})

Keep = Callable[[Hub, Party, Any, Told], Awaitable[bool]]
"""Take in an object of that owner's list; what was told since we asked for it. True: it is new. Raises: Overtaken."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One module's list, in whatever versions have it."""

    module: str
    owners: frozenset[PartyRole]
    wires: Mapping[str, Wire[Any]]

    def offered_by(self, partner: Partner) -> bool:
        """Has `partner` such a list, as the owner of what is on it?"""
        return (
            bool(partner.roles & self.owners)
            and partner.version in self.wires
            and partner.endpoint(self.module, "SENDER") is not None
        )


@dataclass(frozen=True, slots=True)
class WholeList(Listed):
    """A list that says all that there is: read from end to end, and again after each start of ours."""

    keep: Callable[[Hub, Partner, Sequence[Any]], Awaitable[int]]
    """Take it in, instead of what was on it before. Returns: how many objects are new."""


@dataclass(frozen=True, slots=True)
class Source(Listed):
    """A list of which we read what changed."""

    kind: Kind
    keep: Keep
    key: Callable[[Party, Mapping[str, Any]], str]
    """Where an object is kept, by its wire form, which was not checked yet. Raises: KeyError, AttributeError."""

    def party_of(self, partner: Partner) -> Party | None:
        """Whose the objects are that do not say so (2.1.1)."""
        return next((claim.party for claim in partner.claims or partner.invited if claim.role in self.owners), None)


async def _keep_location(hub: Hub, owner: Party, location: Any, told: Told) -> bool:
    if await hub.addressed.hides(LOCATIONS, "locations", owner, location.id):
        return False
    return await locations.put(hub, locations.Spot(owner, location.id, told=told), location.tree())


async def _keep_tariff(hub: Hub, owner: Party, tariff: Any, told: Told) -> bool:
    if await hub.addressed.hides(TARIFFS, "tariffs", owner, tariff.id):
        return False
    return await tariffs.put(hub, tariffs.Spot(owner, tariff.id, told=told), tariff.tree())


async def _keep_token(hub: Hub, owner: Party, token: Any, told: Told) -> bool:
    return await tokens.put(hub.store, owner, token.uid, token, now=hub.clock.now(), aim=tokens.Aim(told=told))


SOURCES: Final = (
    WholeList("hubclientinfo", HUBS, CLIENT_INFO_TOLD, clients.take_list),
    Source("tariffs", CPO, TARIFF, TARIFFS, _keep_tariff, lambda owner, tree: tariff_key(owner, tree["id"])),
    Source("locations", CPO, LOCATION, LOCATIONS, _keep_location, lambda owner, tree: location_key(owner, tree["id"])),
    Source(
        "tokens", EMSP_LIKE, TOKEN, TOKENS, _keep_token, lambda owner, tree: token_key(owner, tree["uid"], tree["type"])
    ),
)
"""In the order in which they are pulled: a location names its tariffs."""
