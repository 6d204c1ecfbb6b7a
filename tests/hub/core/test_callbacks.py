"""Results that come later: taken once, from the right platform, and told durably to who asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from hub.core import callbacks
from hub.core.callbacks import CALLBACKS, Expected, Told
from hub.core.errors import NotFound, PeerFault, PeerNonsense, PeerRefused, PeerTimeout, PeerUnreachable
from hub.core.registry import State
from hub.core.units import Unit
from tests.world import NOW, Sent, World, a_world, until

URL = "https://e1.example/results/7"


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    """E1 waits for a result of c1."""
    async with a_world(database_url) as made:
        await promise(made)
        yield made


async def promise(world: World) -> Expected:
    expected = Expected(
        id="6b1b0a3e-0000-4000-8000-000000000001",
        module="commands",
        about="STOP_SESSION",
        asker="e1",
        asker_party="NL*EEE",
        version="2.2.1",
        response_url=URL,
        receiver="c1",
        receiver_party="BE*AAA",
        until=NOW + timedelta(seconds=30),
        correlation_id="c-1",
    )
    await world.store.commit(Unit().put(expected.put()))
    return expected


async def come(world: World, body: bytes = b'{"result":"ACCEPTED"}') -> bool:
    expected, document = await callbacks.find(world.hub, "6B1B0A3E-0000-4000-8000-000000000001", by="c1")
    return await callbacks.take(world.hub, expected, document, Told(body))


async def state(world: World) -> str:
    (document,) = await world.documents(CALLBACKS)
    return str(document.columns["state"])


async def settled(world: World, wanted: str) -> None:
    async def there() -> bool:
        if (at := world.clock.wakes_at) is not None:
            world.clock.move_to(at)
        return await state(world) == wanted

    await until(there)


async def test_a_result_is_told_to_who_asked_in_the_name_of_who_answered(world: World) -> None:
    assert await come(world)
    await settled(world, "told")
    (sent,) = world.peers.sent
    assert (sent.partner, sent.method, sent.module, sent.body) == ("e1", "POST", URL, {"result": "ACCEPTED"})
    assert (sent.to, sent.sender, sent.correlation_id) == ("NL*EEE", "BE*AAA", "c-1")


async def test_our_address_names_the_version_of_the_far_side(world: World) -> None:
    expected, _ = await callbacks.find(world.hub, "6b1b0a3e-0000-4000-8000-000000000001", by="c1")
    url = expected.url(world.hub, "2.1.1", "STOP_SESSION")
    assert url == f"https://busbar.example/ocpi/2.1.1/sender/commands/STOP_SESSION/{expected.id}"


async def test_only_the_platform_that_was_asked_may_answer(world: World) -> None:
    for by in ("c2", "e1", "nobody"):
        with pytest.raises(NotFound):
            await callbacks.find(world.hub, "6b1b0a3e-0000-4000-8000-000000000001", by=by)
    with pytest.raises(NotFound):
        await callbacks.find(world.hub, "no such id", by="c1")


async def test_a_second_result_is_passed_over(world: World) -> None:
    assert await come(world)
    assert not await come(world, b'{"result":"REJECTED"}')
    await settled(world, "told")
    assert not await come(world, b'{"result":"REJECTED"}')
    assert len(world.peers.sent) == 1


async def test_a_result_after_its_time_goes_nowhere(world: World) -> None:
    world.clock.move_to(31)
    assert not await come(world)
    assert (await state(world), world.peers.sent) == ("waiting", [])


@pytest.mark.parametrize(
    ("fault", "tries", "ends"),
    [
        (PeerUnreachable(), 5, "lost"),
        (PeerRefused(http=503), 5, "lost"),
        (PeerRefused(http=404), 1, "lost"),
        (PeerTimeout(), 5, "lost"),
        (PeerNonsense("it broke off"), 5, "lost"),
        (PeerNonsense(answered=True), 1, "told"),
    ],
)
async def test_a_result_is_sent_again_within_its_time_until_it_was_answered(
    world: World, fault: PeerFault, tries: int, ends: str
) -> None:
    def script(sent: Sent) -> Any:
        raise fault

    world.peers.script = script
    assert await come(world)
    await settled(world, ends)
    assert len(world.peers.sent) == tries


@pytest.mark.parametrize("silence", [PeerTimeout(), PeerNonsense("it broke off")])
@pytest.mark.parametrize("refusal", [None, PeerRefused(http=404), PeerRefused(http=200, status_code=2001)])
async def test_a_result_without_an_answer_is_told_by_the_next_try_also_if_that_is_one_too_many_there(
    world: World, silence: PeerFault, refusal: PeerFault | None
) -> None:
    """Who took the first one, and its answer was lost, may refuse the second as not awaited."""
    faults = [silence, refusal]

    def script(sent: Sent) -> Any:
        if (fault := faults.pop(0)) is not None:
            raise fault

    world.peers.script = script
    assert await come(world)
    await settled(world, "told")
    assert [sent.body for sent in world.peers.sent] == [{"result": "ACCEPTED"}] * 2


async def test_nobody_is_told_who_is_no_partner_any_more(world: World) -> None:
    await world.registry.save(world.partner("e1").model_copy(update={"state": State.BLOCKED}))
    assert await come(world)
    await settled(world, "lost")
    assert not world.peers.sent


async def test_what_came_before_a_stop_is_told_after_it(database_url: str) -> None:
    async with a_world(database_url) as world:
        expected = await promise(world)
        _, document = await callbacks.find(world.hub, expected.id, by="c1")
        came = expected.put(callbacks.CAME, expect=document.version)
        await world.store.commit(Unit().put(came))
    async with a_world(database_url) as world:
        await callbacks.recover(world.hub)
        await settled(world, "told")
        assert len(world.peers.sent) == 1


async def test_what_is_over_is_forgotten_after_a_day(world: World) -> None:
    await callbacks.forget(world.hub)
    assert len(await world.documents(CALLBACKS)) == 1
    world.clock.move_to(timedelta(days=1, minutes=2).total_seconds())
    await callbacks.forget(world.hub)
    assert await world.documents(CALLBACKS) == []
