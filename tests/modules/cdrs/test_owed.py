"""A CDR that nobody has taken is still owed to a partner that registers again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.core.delivery import lane_from_now_on
from hub.core.errors import PeerRefused, PeerUnreachable
from hub.core.registry import State
from modules.cdrs.owed import send_owed
from modules.credentials import service as credentials
from tests.hub.core.test_delivery import Delivering, running
from tests.world import Sent, a_world


@pytest.fixture
async def hub(database_url: str) -> AsyncIterator[Delivering]:
    async with a_world(database_url, "2.2.1") as world:
        await world.furnish()
        async with running(world) as delivering:
            yield delivering


def posted(hub: Delivering) -> list[Sent]:
    return [sent for sent in hub.world.peers.sent if (sent.partner, sent.method, sent.module) == ("e1", "POST", "cdrs")]


def unreachable(sent: Sent) -> Any:
    raise PeerUnreachable("down")


def refused(sent: Sent) -> Any:
    raise PeerRefused("no", http=200, status_code=2001)


async def leaves_and_comes_back(hub: Delivering, since: str) -> None:
    """As `busbar partner unregister` and a new registration do."""
    world = hub.world
    before = world.partner("e1")
    await credentials.forget(world.hub, before, actor="ops")
    lane = await lane_from_now_on(world.store, "e1")
    back = {"state": State.CONNECTED, "our_tokens": before.our_tokens, "their_token": before.their_token}
    back |= {"endpoints": before.endpoints, "claims": before.claims, "since": since}
    await world.registry.change("e1", lambda gone: gone.model_copy(update=back), lambda unit: unit.put(lane))
    await hub.quiet()


async def test_what_was_pending_when_a_partner_left_reaches_it_when_it_is_back(hub: Delivering) -> None:
    world = hub.world
    await send_owed(world.hub)
    world.peers.script = unreachable
    await world.charge("NL*EEE")
    await hub.quiet()
    world.peers.script = lambda sent: None
    tried = len(posted(hub))
    await leaves_and_comes_back(hub, "2026-05-05T10:00:00+00:00")
    assert len(posted(hub)) == tried
    for _ in range(3):
        await send_owed(world.hub)
        await hub.quiet()
    assert len(posted(hub)) == tried + 1


async def test_what_was_delivered_before_is_not_sent_again(hub: Delivering) -> None:
    world = hub.world
    for _ in range(3):
        await world.charge("NL*EEE")
    await hub.quiet()
    assert len(posted(hub)) == 3
    await leaves_and_comes_back(hub, "2026-05-05T10:00:00+00:00")
    await send_owed(world.hub)
    await hub.quiet()
    assert len(posted(hub)) == 3


async def test_what_was_refused_waits_for_an_operator(hub: Delivering) -> None:
    world = hub.world
    world.peers.script = refused
    await world.charge("NL*EEE")
    await hub.quiet()
    tried = len(posted(hub))
    world.peers.script = lambda sent: None
    await leaves_and_comes_back(hub, "2026-05-05T10:00:00+00:00")
    await send_owed(world.hub)
    await hub.quiet()
    assert len(posted(hub)) == tried


async def test_the_look_is_made_once_for_each_registration(hub: Delivering) -> None:
    world = hub.world
    await send_owed(world.hub)
    await world.charge("NL*FFF")
    last = await world.store.last_change()
    await send_owed(world.hub)
    assert await world.store.last_change() == last
