"""How one CDR gets to a partner, once: pending, sending, unknown, delivered."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from hub.core.errors import PeerFault, PeerNonsense, PeerRefused, PeerTimeout, PeerUnreachable
from hub.core.ports import PeerAnswer
from modules.cdrs.publication import CdrPublication, Delivery, load
from modules.cdrs.store import CDRS
from tests.modules.sessions.charging import Charging
from tests.world import Sent, World

pytestmark = pytest.mark.parametrize("version", ["2.2.1"])


@pytest.fixture
async def key(world: World) -> str:
    """A CDR for e1."""
    charging = Charging(world)
    await charging.begin()
    await charging.end(30, "110")
    (document,) = await world.documents(CDRS)
    return str(document.key)


def script(post: Any = None, get: Any = None) -> Callable[[Sent], Any]:
    """What the partner answers to a POST and to a GET."""

    def answer(sent: Sent) -> Any:
        said = post if sent.method == "POST" else get
        if isinstance(said, Exception):
            raise said
        return said

    return answer


async def offer(world: World, key: str) -> list[str]:
    """Returns: the methods that the partner was called with."""
    world.peers.sent.clear()
    with suppress(PeerFault):
        await CdrPublication().deliver(world.hub, world.partner("e1"), key, frozenset({""}))
    return [sent.method for sent in world.peers.sent]


async def delivery(world: World, key: str) -> Delivery:
    return await load(world.hub, "e1", key)


async def test_it_is_posted_once_and_its_address_is_kept(world: World, key: str) -> None:
    assert (await delivery(world, key)).state == "pending"
    world.peers.script = script(PeerAnswer(200, 1000, None, {"location": "https://e1.example/cdrs/77"}))
    assert await offer(world, key) == ["POST"]
    kept = await delivery(world, key)
    assert (kept.state, kept.attempts, kept.location) == ("delivered", 1, "https://e1.example/cdrs/77")
    assert await offer(world, key) == []


async def test_it_is_on_record_as_sending_before_the_partner_hears_of_it(world: World, key: str) -> None:
    class Killed(BaseException):
        pass

    seen: list[str] = []

    def die(sent: Sent) -> Any:
        seen.append(sent.method)
        raise Killed

    world.peers.script = die
    with pytest.raises(Killed):
        await offer(world, key)
    assert ((await delivery(world, key)).state, seen) == ("sending", ["POST"])


@pytest.mark.parametrize("has_it", [True, False])
async def test_after_silence_it_is_looked_for_before_it_is_sent_again(world: World, key: str, has_it: bool) -> None:
    world.peers.script = script(PeerTimeout("late"))
    assert await offer(world, key) == ["POST"]
    first = world.peers.sent[0].raw
    assert (await delivery(world, key)).state == "unknown"
    world.peers.script = script(get={"id": key.split("/")[1].lower()} if has_it else PeerRefused(http=404))
    assert await offer(world, key) == (["GET"] if has_it else ["GET", "POST"])
    assert (await delivery(world, key)).state == "delivered"
    if not has_it:
        assert world.peers.sent[-1].raw == first, "byte for byte the same"


async def test_while_the_partner_stays_silent_nothing_is_sent_twice(world: World, key: str) -> None:
    world.peers.script = script(PeerTimeout("late"), PeerTimeout("late"))
    await offer(world, key)
    assert await offer(world, key) == ["GET"]
    assert (await delivery(world, key)).state == "unknown"


@pytest.mark.parametrize(
    ("fault", "state", "then"),
    [
        (PeerRefused(http=200, status_code=2001), "refused", ["POST"]),
        (PeerUnreachable("no connection"), "pending", ["POST"]),
        (PeerRefused(http=500), "unknown", ["GET", "POST"]),
        (PeerNonsense("cut off"), "unknown", ["GET", "POST"]),
    ],
)
async def test_what_failed_is_sent_again_as_the_fault_allows(
    world: World, key: str, fault: PeerFault, state: str, then: list[str]
) -> None:
    world.peers.script = script(fault)
    assert await offer(world, key) == ["POST"]
    assert (await delivery(world, key)).state == state
    world.peers.script = script(get=PeerRefused(http=404))
    assert await offer(world, key) == then
    assert ((await delivery(world, key)).state, (await delivery(world, key)).attempts) == ("delivered", 2)
