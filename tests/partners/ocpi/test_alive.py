"""Partners that fall silent and come back, over real HTTP: what counts as alive, and what asks them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from hub.app import Program
from hub.core.errors import PeerFault
from hub.core.operations import RECEIVER
from hub.core.parties import PartyRole
from modules.hubclientinfo.store import CLIENTS
from partners.ocpi.alive import StillAlive
from partners.sandbox.cpo import Cpo
from partners.sandbox.emsp import Emsp
from tests.world import a_program, invited, until

EMSP, CPO = "NL*EEE", "BE*AAA"


@pytest.fixture
async def program(sqlite_url: str) -> AsyncIterator[Program]:
    """Where a partner is asked after a quiet second."""
    async with a_program(sqlite_url, alive_after_s=1.0, outbound_timeout_s=0.5) as program:
        yield program


@pytest.fixture
async def emsp(program: Program, version: str) -> AsyncIterator[Emsp]:
    async with Emsp(version, EMSP) as emsp:
        await emsp.register(f"{program.settings.base_url}/ocpi/versions", await invited(program, "eee", EMSP))
        yield emsp


@pytest.fixture
async def cpo(program: Program) -> AsyncIterator[Cpo]:
    async with Cpo("2.2.1", CPO) as cpo:
        token = await invited(program, "aaa", CPO, PartyRole.CPO)
        await cpo.register(f"{program.settings.base_url}/ocpi/versions", token)
        yield cpo


async def is_at(program: Program, key: str, status: str) -> bool:
    document = await program.store.get(CLIENTS, key)
    return document is not None and document.columns["status"] == status


def asked_for_versions(emsp: Emsp) -> int:
    return sum(receipt.path == "/ocpi/versions" for receipt in emsp.receipts.all())


async def test_a_quiet_partner_is_asked_for_its_versions_and_nothing_else(sqlite_url: str, version: str) -> None:
    async with a_program(sqlite_url, alive_after_s=1.0) as program, Emsp(version, EMSP) as emsp:
        await emsp.register(f"{program.settings.base_url}/ocpi/versions", await invited(program, "eee", EMSP))
        before = asked_for_versions(emsp)
        await until(lambda: asked_for_versions(emsp) >= before + 2)
        assert await is_at(program, f"{EMSP}/EMSP", "CONNECTED")
        assert emsp.complaints.texts() == []


@pytest.mark.parametrize("mode", ["silent", "lost-reply"])
async def test_who_does_not_answer_is_offline_until_it_does_and_others_are_told(
    program: Program, emsp: Emsp, cpo: Cpo, mode: str
) -> None:
    await until(lambda: is_at(program, f"{EMSP}/EMSP", "CONNECTED"))
    emsp.temper.switch(mode)
    await until(lambda: cpo.acquaintances.status(EMSP) == "OFFLINE")
    assert await is_at(program, f"{EMSP}/EMSP", "OFFLINE")
    emsp.temper.switch("happy")
    await until(lambda: cpo.acquaintances.status(EMSP) == "CONNECTED")
    assert cpo.complaints.texts() == []


async def test_a_request_that_fails_leads_to_the_question_at_once(sqlite_url: str) -> None:
    async with a_program(sqlite_url, alive_after_s=3600.0) as program, Cpo("2.2.1", CPO) as cpo:
        token = await invited(program, "aaa", CPO, PartyRole.CPO)
        await cpo.register(f"{program.settings.base_url}/ocpi/versions", token)
        await until(lambda: is_at(program, f"{CPO}/CPO", "CONNECTED"))
        cpo.temper.switch("lost-reply")
        partner = program.hub.registry.get("aaa")
        with pytest.raises(PeerFault):
            await program.hub.peers.send(partner, "GET", "tokens", RECEIVER, ("NL", "EEE", "CARD1"))
        await until(lambda: is_at(program, f"{CPO}/CPO", "OFFLINE"))
        cpo.temper.switch("happy")
        await until(lambda: is_at(program, f"{CPO}/CPO", "CONNECTED"))


@asynccontextmanager
async def asked_by_us_alone(database_url: str) -> AsyncIterator[tuple[Program, Emsp]]:
    """A partner whom the clock of the hub does not ask meanwhile, and from whom all that it has was pulled already."""
    async with a_program(database_url, alive_after_s=3600.0) as program, Emsp("2.2.1", EMSP) as emsp:
        await emsp.register(f"{program.settings.base_url}/ocpi/versions", await invited(program, "eee", EMSP))
        await until(lambda: "tokens" in program.hub.registry.get("eee").pulled)
        yield program, emsp


async def test_an_error_of_its_own_is_a_sign_of_life(sqlite_url: str) -> None:
    """That it refuses what it was asked says that it is there."""
    async with asked_by_us_alone(sqlite_url) as (program, emsp):
        checks = StillAlive(program.hub, program.handshake, program.seal)
        partner = program.hub.registry.get("eee")
        strange = partner.model_copy(update={"versions_url": f"{emsp.url}/ocpi/nonsense"})
        for _ in range(3):
            await checks.check(strange)
        assert not program.hub.pulses.is_silent("eee")


async def test_who_does_not_know_us_any_more_is_no_partner_to_be_reached(sqlite_url: str) -> None:
    async with asked_by_us_alone(sqlite_url) as (program, _):
        checks = StillAlive(program.hub, program.handshake, program.seal)
        partner = program.hub.registry.get("eee")
        stranger = partner.model_copy(update={"their_token": program.seal.seal("forgotten")})
        for _ in range(2):
            await checks.check(stranger)
        assert program.hub.pulses.is_silent("eee")
