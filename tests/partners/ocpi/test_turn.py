"""Two who exchange credentials with one partner at a time: one does it, the other is told so, and nothing is mixed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from hub.app import Program
from hub.core import auth
from hub.core.errors import BusbarError, Conflict
from hub.core.registry import State, TokenUse
from modules.credentials import service as credentials
from modules.credentials.wire import CREDENTIALS
from partners.ocpi import turn
from partners.ocpi.handshake import connect
from partners.ocpi.rotation import rotate
from tests.partners.ocpi.test_handshake import CLAIM, DETAILS, LIST, THEIRS, Scripted, envelope
from tests.world import a_program, invited, until

GOOD = {"versions": (200, LIST), "details": (200, DETAILS), "credentials": (200, envelope(THEIRS))}


class Slow(Scripted):
    """Answers a POST or PUT of credentials when it is let."""

    def __init__(self) -> None:
        super().__init__(**GOOD)
        self.given: list[str] = []
        self.let = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] in ("POST", "PUT"):
            body = (await receive())["body"].decode()
            self.given.append(body.split('"token":"')[1].split('"')[0])
            await self.let.wait()
        await super().__call__(scope, receive, send)


@pytest.fixture
async def partner() -> AsyncIterator[Slow]:
    slow = Slow()
    async with slow.up():
        yield slow


def connecting(program: Program, partner: Slow) -> asyncio.Task[Any]:
    how = {"versions_url": partner.url, "token": "a"}
    return asyncio.create_task(connect(program.hub, program.handshake, program.seal, "eee", (CLAIM,), **how))


async def faults(*tasks: asyncio.Task[Any]) -> list[type[BaseException] | None]:
    """How they ended, those that failed last."""
    ended = [type(e) if e else None for e in [await _end(task) for task in tasks]]
    return sorted(ended, key=lambda kind: kind is not None)


async def _end(task: asyncio.Task[Any]) -> BaseException | None:
    await asyncio.wait([task])
    return task.exception()


@asynccontextmanager
async def two_processes(database_url: str) -> AsyncIterator[tuple[Program, Program]]:
    async with a_program(database_url) as one, a_program(database_url) as other:
        yield one, other


async def one_registration(programs: tuple[Program, Program], partner: Slow) -> None:
    """The partner was given one token, and it is the one that is good."""
    tasks = [connecting(program, partner) for program in programs]
    await until(lambda: any(task.done() for task in tasks))
    partner.let.set()
    assert await faults(*tasks) == [None, Conflict]
    (given,) = partner.given
    for program in programs:
        await until(partial(_is_connected, program))
        caller = program.hub.registry.caller(auth.present(given, "base64").encode(), program.hub.clock.now())
        assert caller.use is TokenUse.LIVE


def _is_connected(program: Program) -> bool:
    known = program.hub.registry.find("eee")
    return known is not None and known.state is State.CONNECTED


@pytest.mark.parametrize("known", [True, False])
async def test_of_two_who_connect_at_once_one_is_told_so(database_url: str, partner: Slow, known: bool) -> None:
    async with a_program(database_url) as program:
        if known:
            await invited(program, "eee", "NL*EEE")
        await one_registration((program, program), partner)


@pytest.mark.parametrize("known", [True, False])
async def test_it_is_so_between_processes(postgres_url: str, partner: Slow, known: bool) -> None:
    async with two_processes(postgres_url) as (one, other):
        if known:
            await invited(one, "eee", "NL*EEE")
            await until(lambda: other.hub.registry.find("eee") is not None)
        await one_registration((one, other), partner)


async def registering(program: Program, token_a: str, url: str) -> None:
    """The partner's own POST."""
    registry = program.hub.registry
    await registry.refresh()
    caller = registry.caller(auth.present(token_a, "base64").encode(), program.hub.clock.now())
    tree = {**THEIRS, "url": url}
    await credentials.register(program.hub, caller, CREDENTIALS["2.2.1"].read(tree), "2.2.1")


async def test_who_registers_while_we_connect_is_told_to_come_again(database_url: str, partner: Slow) -> None:
    async with a_program(database_url) as program:
        token_a = await invited(program, "eee", "NL*EEE")
        ours = connecting(program, partner)
        await until(lambda: partner.given)
        with pytest.raises(Conflict, match="try again"):
            await registering(program, token_a, partner.url)
        partner.let.set()
        assert await faults(ours) == [None]
        assert len(program.hub.registry.get("eee").our_tokens) == 1


async def test_after_a_failed_connect_the_invitation_is_still_good(database_url: str, partner: Slow) -> None:
    async with a_program(database_url) as program:
        token_a = await invited(program, "eee", "NL*EEE")
        partner.answers["credentials"] = (500, "")
        partner.let.set()
        (fault,) = await faults(connecting(program, partner))
        assert fault is not None
        assert issubclass(fault, BusbarError)
        await registering(program, token_a, partner.url)
        assert program.hub.registry.get("eee").state is State.CONNECTED


async def test_who_has_registered_while_we_looked_them_up_keeps_its_registration(
    database_url: str, partner: Slow
) -> None:
    async with a_program(database_url) as program:
        token_a = await invited(program, "eee", "NL*EEE")
        discover, looked_up = program.handshake.discover, asyncio.Event()

        async def slowly(*args: Any, **how: Any) -> Any:
            found = await discover(*args, **how)
            await looked_up.wait()
            return found

        program.handshake.discover = slowly  # type: ignore[method-assign]
        ours = connecting(program, partner)
        await until(lambda: len(partner.asked) == 2)
        program.handshake.discover = discover  # type: ignore[method-assign]
        await registering(program, token_a, partner.url)
        before = program.hub.registry.get("eee")
        looked_up.set()
        assert await faults(ours) == [Conflict]
        assert program.hub.registry.get("eee") == before
        assert partner.given == []


async def test_of_two_rotations_one_is_told_so_and_an_invitation_has_to_wait(database_url: str, partner: Slow) -> None:
    async with a_program(database_url) as program:
        partner.let.set()
        await connecting(program, partner)
        partner.let.clear()
        rotations = [asyncio.create_task(rotate(program.hub, program.handshake, program.seal, "eee")) for _ in range(2)]
        await until(lambda: any(task.done() for task in rotations))
        partner.let.set()
        assert await faults(*rotations) == [None, Conflict]
        assert len(partner.given) == 2
        assert [t.use for t in program.hub.registry.get("eee").our_tokens] == [TokenUse.LIVE, TokenUse.OVERLAP]


async def test_a_turn_whose_process_died_ends_by_itself(database_url: str, partner: Slow) -> None:
    async with a_program(database_url) as program:
        await invited(program, "eee", "NL*EEE")
        await program.hub.registry.change("eee", partial(turn.taken, program.hub, "left-behind"))
        partner.let.set()
        assert await faults(connecting(program, partner)) == [Conflict]
        late = program.hub.clock.now() - timedelta(seconds=1)
        await program.hub.registry.change("eee", lambda known: known.model_copy(update={"busy_until": late}))
        assert await faults(connecting(program, partner)) == [None]
        assert len(program.hub.registry.get("eee").our_tokens) == 1
