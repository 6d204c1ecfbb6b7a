"""A hub that is killed when the other one has agreed to new tokens, and before it wrote that down."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.app import Program
from hub.control import partner_view
from hub.core.errors import InvalidRequest
from hub.core.parties import PartyRole
from hub.core.registry import Partner, TokenUse
from modules.credentials import service as credentials
from modules.credentials.wire import CREDENTIALS
from partners.ocpi import rotation, telling
from partners.ocpi.rotation import rotate
from tests.partners.ocpi.test_telling import encoded, join, rotations, two_hubs
from tests.world import credentials as their_credentials
from tests.world import until

DAY = timedelta(days=1)


class KilledError(BaseException):
    """Nothing catches it, as nothing catches a kill."""


def killed(*_: Any) -> Partner:
    raise KilledError


@pytest.fixture
async def hubs(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Program, Program]]:
    """`a` has new tokens of and for `b`, which is just up again, and does not know how that ended."""
    monkeypatch.setattr(telling, "LOOK_EVERY_S", 3_600.0)
    monkeypatch.setattr(telling, "SETTLE_S", 0.0)
    async with two_hubs(sqlite_url, tmp_path) as (a, b):
        with monkeypatch.context() as patched:
            patched.setattr(rotation, "_renewed", killed)
            with pytest.raises(KilledError):
                await rotate(b.hub, b.handshake, b.seal, "hubA")
        await b.hub.registry.load()
        yield a, b


def header(asker: Program, known_as: str) -> bytes:
    token = asker.seal.open(asker.hub.registry.get(known_as).their_token)
    return f"Token {encoded(token)}".encode()


async def asks(asker: Program, at: Program, known_as: str, *, method: str = "GET", path: str = "") -> int:
    """The status of the answer, when `asker` presents the token that it has of the partner `known_as`."""
    token = asker.seal.open(asker.hub.registry.get(known_as).their_token)
    async with httpx.AsyncClient(headers={"Authorization": f"Token {encoded(token)}"}) as client:
        url = f"{at.settings.base_url}/ocpi/2.3.0/{path or 'sender/locations'}"
        return (await client.request(method, url)).status_code


def the_mark_runs_out(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    busy_until = program.hub.registry.get("hubA").busy_until
    assert busy_until is not None
    later(program, busy_until - datetime.now(UTC), monkeypatch)


def later(program: Program, by: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(program.hub.clock), "now", lambda _: datetime.now(UTC) + by)


async def it_looks(program: Program) -> None:
    await program.telling.look()
    await until(lambda: not program.telling.under_way)


async def test_who_presents_the_new_token_is_let_in_at_once(hubs: tuple[Program, Program]) -> None:
    a, b = hubs
    assert await asks(a, b, "hubB") == 200
    assert await asks(b, a, "hubA") == 200


async def test_tokens_are_exchanged_again_by_itself(
    hubs: tuple[Program, Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = hubs
    await it_looks(b)
    assert await rotations(b) == 0
    the_mark_runs_out(b, monkeypatch)
    await it_looks(b)
    assert await rotations(b) == 1
    assert not b.hub.registry.get("hubA").unsettled
    assert await asks(a, b, "hubB") == await asks(b, a, "hubA") == 200
    assert [token.use for token in a.hub.registry.get("hubB").our_tokens] == ["live"]


async def test_so_they_are_when_the_old_token_is_good_for_nothing_else_any_more(
    hubs: tuple[Program, Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = hubs
    later(a, timedelta(minutes=16), monkeypatch)
    assert await asks(b, a, "hubA") == 401
    assert await asks(b, a, "hubA", method="DELETE", path="credentials") != 200
    assert await asks(b, a, "hubA", path="credentials") == 200
    await it_looks(b)
    assert await asks(a, b, "hubB") == await asks(b, a, "hubA") == 200


async def test_it_renews_for_the_platform_that_is_known_alone_and_voids_nobody_elses_token(
    hubs: tuple[Program, Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = hubs
    later(a, timedelta(minutes=16), monkeypatch)
    stolen = a.hub.registry.caller(header(b, "hubA"), a.hub.clock.now())
    assert stolen.use is TokenUse.RENEWAL
    elsewhere = {**their_credentials("2.3.0", "FR*HUB", role="OTHER"), "url": "https://thief.example/versions"}
    with pytest.raises(InvalidRequest, match="replaced"):
        await credentials.update(a.hub, stolen, CREDENTIALS["2.3.0"].read(elsewhere), "2.3.0")
    (genuine,) = (token for token in a.hub.registry.get("hubB").our_tokens if token.use is TokenUse.LIVE)
    assert not b.hub.registry.get("hubA").unsettled
    monkeypatch.setattr(rotation, "_renewed", killed)
    with pytest.raises(KilledError):
        await rotate(b.hub, b.handshake, b.seal, "hubA", version="2.3.0")
    assert genuine in a.hub.registry.get("hubB").our_tokens


async def test_a_refusal_of_the_next_try_does_not_settle_it(
    hubs: tuple[Program, Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = hubs
    the_mark_runs_out(b, monkeypatch)
    in_an_exchange = {"busy_until": b.hub.clock.now() + DAY}
    await a.hub.registry.change("hubB", lambda known: known.model_copy(update=in_an_exchange))
    await it_looks(b)
    assert b.hub.registry.get("hubA").unsettled
    await a.hub.registry.change("hubB", lambda known: known.model_copy(update={"busy_until": None}))
    monkeypatch.setattr(b.telling, "_not_before", {})
    await it_looks(b)
    assert not b.hub.registry.get("hubA").unsettled


async def test_a_day_later_it_is_void_and_an_operator_reads_so(
    hubs: tuple[Program, Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = hubs
    later(a, timedelta(days=1, minutes=16), monkeypatch)
    assert await asks(b, a, "hubA", path="credentials") == 401
    await it_looks(b)
    (warning,) = (await partner_view.show(b, "hubA"))["warnings"]
    assert warning.startswith("nobody heard how our last exchange of credentials ended: ")
    await rotate(a.hub, a.handshake, a.seal, "hubB")
    assert (await partner_view.show(b, "hubA"))["warnings"] == []
    assert await asks(a, b, "hubB") == await asks(b, a, "hubA") == 200


async def test_a_party_that_another_platform_has_is_not_taken_from_what_a_hub_answers(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "LOOK_EVERY_S", 3_600.0)
    async with two_hubs(sqlite_url, tmp_path) as (a, b):
        await b.hub.registry.change("e", lambda known: known.model_copy(update={"claims": ()}))
        await rotate(a.hub, a.handshake, a.seal, "hubB")
        assert a.hub.registry.get("hubB").parties == {"FR*HUB"}
        await join(a, "own", "NL*EEE", PartyRole.EMSP)
        await b.hub.registry.change("e", lambda known: known.model_copy(update={"claims": known.invited}))
        for again in (a, b):
            name = "hubB" if again is a else "hubA"
            await rotate(again.hub, again.handshake, again.seal, name)
            assert a.hub.registry.get("hubB").parties == {"FR*HUB"}
        assert (await partner_view.show(a, "hubB"))["warnings"] == ["EMSP NL*EEE is not taken as its party: own has it"]
