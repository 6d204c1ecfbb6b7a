"""Questions that are being asked are shared, and what was not known is not asked again at once."""

from __future__ import annotations

import asyncio

import pytest

from modules.tokens.unknown import Flights, UnknownTokens
from tests.world import ManualClock


async def test_who_leaves_early_leaves_the_others_their_answer() -> None:
    asked, gate, flights = 0, asyncio.Event(), Flights()

    async def ask() -> str:
        nonlocal asked
        asked += 1
        await gate.wait()
        return "yes"

    first, second = (asyncio.create_task(flights.share(("q",), ask)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    gate.set()
    assert await second == "yes"
    assert await flights.share(("q",), ask) == "yes"
    assert asked == 2, "an answer is shared while it is waited for, and no longer"


async def test_the_last_to_leave_ends_the_question() -> None:
    ended, flights = asyncio.Event(), Flights()

    async def ask() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waits = [asyncio.create_task(flights.share(("q",), ask)) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for wait in waits:
        wait.cancel()
    await asyncio.wait_for(ended.wait(), 30)


async def test_a_fault_is_everybodys() -> None:
    flights = Flights()

    async def ask() -> None:
        await asyncio.sleep(0)
        raise LookupError

    for answer in await asyncio.gather(*(flights.share(("q",), ask) for _ in range(3)), return_exceptions=True):
        assert isinstance(answer, LookupError)


@pytest.mark.parametrize(("passed_s", "held"), [(0, True), (59, True), (60, False)])
def test_what_was_not_known_is_held_for_a_minute(passed_s: float, held: bool) -> None:
    clock, unknown = ManualClock(), UnknownTokens()
    unknown.note(clock, ("e1", "CARD1"))
    clock.passed_s = passed_s
    assert unknown.holds(clock, ("e1", "CARD1")) is held
    assert not unknown.holds(clock, ("e2", "CARD1"))
