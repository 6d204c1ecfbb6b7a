"""The clocks: each does its work again and again, whatever became of it the last time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from hub import worker
from hub.core.background import BackgroundTasks
from hub.core.errors import NotReady
from hub.core.ports import Hub
from hub.core.units import Unit
from modules.sessions import service as sessions
from modules.tariffs import service as tariffs
from modules.tokens.authorize import By, Decision, recall, remember
from modules.tokens.store import AUTHORIZATIONS
from partners.ocpp import forgetting as reports
from tests.modules.sessions.charging import Charging
from tests.world import NOW, OURS, World, tariff

pytestmark = pytest.mark.parametrize("version", ["2.2.1"])


class Clocks:
    """The hub's clocks, running by a time that stands until a test moves it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tasks = BackgroundTasks()
        world.hub.background = self.tasks

    async def quiet(self) -> None:
        """Until all that was woken sleeps again."""
        async with asyncio.timeout(60):
            while len(self.tasks._tasks) > sum(not sleeper.done() for _, sleeper in self.world.clock._sleepers):  # noqa: ASYNC110 - nobody tells when all sleep
                await asyncio.sleep(0.001)

    async def pass_s(self, seconds: float) -> None:
        """Let time pass; who wakes on the way acts at that moment."""
        await self.quiet()
        until = self.world.clock.passed_s + seconds
        while (at := self.world.clock.wakes_at) is not None and at <= until:
            self.world.clock.move_to(at)
            await self.quiet()
        self.world.clock.move_to(until)


@pytest.fixture
async def clocks(world: World) -> AsyncIterator[Clocks]:
    made = Clocks(world)
    yield made
    await made.tasks.stop()


async def decided(world: World, uid: str) -> None:
    decision = Decision("ALLOWED", By.COMMAND)
    await world.store.commit(Unit().put(remember(decision, uid, at="CP1", now=world.clock.now())))


async def test_work_that_fails_is_done_again(clocks: Clocks) -> None:
    done: list[float] = []

    async def job(hub: Hub) -> None:
        done.append(hub.clock.monotonic())
        if len(done) == 1:
            raise NotReady
        if len(done) == 2:
            raise ZeroDivisionError

    clocks.tasks.start(worker.repeat(clocks.world.hub, job, 10), name="test")
    await clocks.pass_s(35)
    assert done == [10, 20, 30]


async def test_decisions_older_than_15_minutes_are_forgotten(clocks: Clocks) -> None:
    world = clocks.world
    worker.start(world.hub)
    await decided(world, "OLD")
    await clocks.pass_s(600)
    await decided(world, "NEW")
    await clocks.pass_s(360)
    assert [document.key for document in await world.documents(AUTHORIZATIONS)] == ["CP1/NEW"]
    assert await recall(world.hub, "NEW", at="CP1") is not None


async def test_a_backlog_of_old_decisions_goes_in_one_round(clocks: Clocks) -> None:
    world = clocks.world
    unit = Unit()
    for number in range(1200):
        unit.put(remember(Decision("ALLOWED", By.COMMAND), f"C{number}", at="CP1", now=NOW))
    await world.store.commit(unit)
    world.clock.passed_s = 3600
    await worker.forget_authorizations(world.hub)
    assert await world.documents(AUTHORIZATIONS) == []


async def test_a_held_bill_is_made_when_its_tariff_has_come(clocks: Clocks) -> None:
    world = clocks.world
    worker.start(world.hub)
    await tariffs.delete(world.store, OURS, "T1")
    charging = Charging(world, tick_s=0)
    await charging.begin()
    await charging.end(30, "110")
    await clocks.pass_s(400)
    assert await charging.cdrs() == []
    await tariffs.put(world.store, OURS, "T1", tariff(), now=NOW)
    await clocks.pass_s(400)
    assert len(await charging.cdrs()) == 1


async def test_every_job_has_its_clock(clocks: Clocks) -> None:
    jobs = [job for job, _ in worker.JOBS]
    assert sessions.bill_all_held in jobs
    assert worker.forget_authorizations in jobs
    assert worker.cut_change_log in jobs
    assert reports.forget in jobs
    assert all(every_s > 0 for _, every_s in worker.JOBS)
