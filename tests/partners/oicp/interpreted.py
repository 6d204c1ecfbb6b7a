"""A partner that speaks OICP, as the registry knows it."""

from __future__ import annotations

from collections.abc import Iterable

from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim, Endpoint, Partner, State
from tests.world import World

EMSP_SIDE = (
    ("locations", "RECEIVER"),
    ("tariffs", "RECEIVER"),
    ("sessions", "RECEIVER"),
    ("cdrs", "RECEIVER"),
    ("tokens", "SENDER"),
)
CPO_SIDE = (("commands", "RECEIVER"), ("tokens", "RECEIVER"))


async def join_interpreted(
    world: World, name: str, party: str, role: PartyRole, *, offers: Iterable[tuple[str, str]] = EMSP_SIDE
) -> Partner:
    """A connected partner whose endpoints are the interpreter's."""
    claim = Claim(role=role, party=Party.parse(party))
    partner = Partner(
        name=name,
        state=State.CONNECTED,
        invited=(claim,),
        claims=(claim,),
        version="2.3.0",
        interpreter="oicp",
        endpoints=tuple(Endpoint(identifier=module, role=side, url=f"oicp:{module}") for module, side in offers),
    )
    return await world.registry.commit(partner, world.registry.unit(partner, new=True))
