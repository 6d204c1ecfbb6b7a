"""Chargers whose sockets are in another process: asked there, in time or not at all, and never twice."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from hub.app import Program
from hub.core.errors import InvalidRequest
from hub.core.ports import Limits, Outcome, Place, ProfileOutcome
from hub.core.settings import Settings
from hub.core.units import Unit
from hub.server import Server
from partners.ocpp.answers import NEVER_SENT
from partners.ocpp.apart import errands
from partners.ocpp.apart.errands import ERRANDS, Errands, Home
from partners.ocpp.apart.held import GATEWAYS, LEASE, SOCKETS, holder_of, lease_put
from partners.ocpp.apart.limits import limits_in, tree_of
from tests.partners.ocpp.site import Point, until
from tests.world import OURS, a_program

PLACE = Place("CP1", 1, f"{OURS}/LOC1", "E1", "1")
REGISTERED = {"security_profile": 0, "protocol": "ocpp1.6"}


@dataclass
class Parts:
    """Two processes of one hub, as far as they can be told apart inside of one."""

    url: str
    api: Program
    ocpp: Program

    @asynccontextmanager
    async def charger(self, identity: str = "CP1", *, ocpp: Program | None = None) -> AsyncIterator[Point]:
        """One that has connected, and of which both processes know."""
        port = (ocpp or self.ocpp).gateway.port
        address = f"ws://127.0.0.1:{port}/{identity}"
        socket = await connect(address, subprotocols=[Subprotocol("ocpp1.6")], proxy=None, ping_interval=None)
        async with Point(socket) as point:
            await until(lambda: self.is_held(identity))
            yield point

    async def is_held(self, identity: str = "CP1") -> bool:
        held = await holder_of(self.api.store, identity, self.api.hub.clock.now())
        return held is not None

    async def start(self, timeout_s: float = 5) -> Outcome:
        return await self.api.stations.remote_start(PLACE, id_tag="CARD", timeout_s=timeout_s)


@asynccontextmanager
async def an_ocpp(url: str) -> AsyncIterator[Program]:
    chosen: dict[str, Any] = {"party": str(OURS), "ocpp_port": 0, "dev": True, "secret_key": "x" * 32}
    program = await Program.open(Settings(_env_file=None, database_url=url, **chosen))
    server = Server(program, ("ocpp",))
    await server.start()
    try:
        yield program
    finally:
        await server.stop()


@pytest.fixture
async def parts(postgres_url: str) -> AsyncIterator[Parts]:
    async with a_program(postgres_url) as api, an_ocpp(postgres_url) as ocpp:
        await api.stations.put("CP1", REGISTERED, actor="test")
        await until(lambda: ocpp.gateway.stations.find("CP1") is not None)
        yield Parts(postgres_url, api, ocpp)


async def test_a_charger_that_was_registered_elsewhere_a_moment_ago_is_let_in(parts: Parts) -> None:
    for number in range(2, 7):
        await parts.api.stations.put(f"CP{number}", REGISTERED, actor="test")
        async with parts.charger(f"CP{number}") as cp:
            assert await cp.boot() == "Pending"


@pytest.mark.parametrize("odd", ["A\\u0000", "\0", "\x1b[31mA", "\\ud800"])
async def test_no_character_that_a_charger_sends_breaks_its_connection_or_the_database(parts: Parts, odd: str) -> None:
    boot = f'{{"chargePointVendor":"{odd}","chargePointModel":"{odd}","firmwareVersion":"{odd}"}}'
    event = f'{{"type":"{odd}","timestamp":"2026-05-01T12:00:00Z","techInfo":"{odd}"}}'
    start = f'{{"connectorId":1,"idTag":"{odd}","meterStart":0,"timestamp":"2026-05-01T12:00:00Z"}}'
    stop = f'{{"transactionId":77,"idTag":"{odd}","meterStop":0,"timestamp":"{odd}","reason":"{odd}"}}'
    async with parts.charger() as cp:
        for action, payload in (
            ("BootNotification", boot),
            ("SecurityEventNotification", event),
            ("StartTransaction", start),
            ("StopTransaction", stop),
        ):
            answer = await cp.exchange_text(action, f'[2,"{action}","{action}",{payload}]')
            assert answer[0] == 3, answer
        view = await parts.api.stations.view("CP1")
        assert view["connected"] is True
        assert f"{view['vendor']}{view['firmware']}".isprintable()


async def open_errands(parts: Parts) -> list[Any]:
    return await parts.api.store.select(ERRANDS)


async def test_an_order_goes_where_the_socket_is_and_comes_back(parts: Parts) -> None:
    async with parts.charger() as cp:
        for status, outcome in (("Accepted", Outcome.ACCEPTED), ("Rejected", Outcome.REJECTED)):
            cp.answers["RemoteStartTransaction"] = {"status": status}
            assert await parts.start() is outcome
        assert cp.asked == [("RemoteStartTransaction", {"connectorId": 1, "idTag": "CARD"})] * 2
    assert await open_errands(parts) == []


async def test_a_profile_is_taken_back_where_the_socket_is(parts: Parts) -> None:
    before = Limits("A", ((0, Decimal("7.5")),), datetime(2026, 5, 1, tzinfo=UTC), 60, Decimal(6), is_for_now=True)
    assert limits_in(tree_of(before)) == before
    async with parts.charger() as cp:
        cp.answers["ClearChargingProfile"] = {"status": "Accepted"}
        named: dict[str, Any] = {"transaction": "S1", "number": 5, "timeout_s": 5}
        assert await parts.api.stations.restore("CP1", limits=None, **named) is ProfileOutcome.ACCEPTED
        assert await parts.api.stations.restore("CP1", limits=before, **named) is ProfileOutcome.REJECTED
        assert cp.asked == [("ClearChargingProfile", {"id": 5})], "nobody charges there, whom that could limit"


@pytest.mark.parametrize(
    ("home", "outcome"),
    [
        (Home("done", {"outcome": ProfileOutcome.ACCEPTED}), ProfileOutcome.ACCEPTED),
        (Home("done", {"outcome": None}), None),
        (errands.UNHEARD, None),
        (errands.UNBEGUN, ProfileOutcome.REJECTED),
        (errands.CROWDED, ProfileOutcome.REJECTED),
    ],
)
async def test_a_limit_of_which_no_answer_is_known_is_neither_yes_nor_no(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, home: Home, outcome: ProfileOutcome | None
) -> None:
    async def come_home(*_: object) -> Home:
        return home

    limits = Limits("A", ((0, Decimal(7)),))
    async with parts.charger():
        monkeypatch.setattr(parts.api.stations, "_ask", come_home)
        asked: dict[str, Any] = {"transaction": "S1", "number": 5, "timeout_s": 1}
        assert await parts.api.stations.limit("CP1", limits=limits, **asked) is outcome


async def test_a_station_that_nobody_holds_is_known_not_to_be_connected_at_once(parts: Parts) -> None:
    began = time.monotonic()
    assert not await parts.api.stations.reachable("CP1")
    assert await parts.start() is NEVER_SENT
    called = await parts.api.stations.call("CP1", "ClearCache", {}, timeout_s=30, force=False)
    assert called.outcome == "not connected"
    assert time.monotonic() - began < 5, "nobody waited for a charger"
    assert await open_errands(parts) == []


async def test_a_charger_that_is_silent_is_a_timeout_in_its_time(parts: Parts) -> None:
    async with parts.charger() as cp:
        cp.answers["RemoteStartTransaction"] = None
        began = time.monotonic()
        assert await parts.start(timeout_s=0.3) is Outcome.TIMEOUT
        assert time.monotonic() - began < 5
    assert await open_errands(parts) == []


async def test_an_errand_that_is_not_taken_in_its_time_is_never_done(parts: Parts) -> None:
    """The gateway is stopped in the middle of everything, and wakes up when its asker has gone."""
    async with parts.charger() as cp:
        assert parts.ocpp.apart is not None
        runner = parts.ocpp.apart._runner
        name = runner._name
        await runner.stop()
        assert await parts.start(timeout_s=0.1) is NEVER_SENT
        runner.start(name)
        cp.answers["RemoteStartTransaction"] = {"status": "Accepted"}
        assert await parts.start() is Outcome.ACCEPTED
        assert len(cp.asked) == 1


async def test_an_errand_that_comes_too_late_is_left(parts: Parts) -> None:
    """Its asker died with the row still there."""
    async with parts.charger() as cp:
        assert parts.ocpp.apart is not None
        runner = parts.ocpp.apart._runner
        name = runner._name
        await runner.stop()
        asking = asyncio.create_task(parts.start(timeout_s=1))
        await until(lambda: _has(parts, 1))
        asking.cancel()
        await asyncio.sleep(1.1)
        runner.start(name)
        (document,) = await open_errands(parts)
        await parts.api.store.commit(Unit(changes=[errands.wakes(name, document.key)]))
        await until(lambda: _is_done(parts))
        assert cp.asked == []


async def _has(parts: Parts, number: int) -> bool:
    return len(await open_errands(parts)) == number


async def _is_done(parts: Parts) -> bool:
    return [d.columns["state"] for d in await open_errands(parts)] == ["done"]


async def test_no_more_errands_wait_than_there_may(parts: Parts) -> None:
    async with parts.charger() as cp:
        cp.answers["RemoteStartTransaction"] = None
        few = Errands(parts.api.hub, parts.api.seal, most_open=3)
        held = await holder_of(parts.api.store, "CP1", parts.api.hub.clock.now())
        assert held is not None
        asked = {"station": "CP1", "action": "ClearCache", "payload": {}, "force": False}
        homes = await asyncio.gather(*(few.ask(held, "call", asked, timeout_s=0.2) for _ in range(5)))
        assert sorted(home.became for home in homes) == ["crowded", "crowded", "done", "done", "done"]


async def test_an_operator_sees_and_calls_it_as_if_it_were_here(parts: Parts) -> None:
    stations = parts.api.stations
    async with parts.charger() as cp:
        await cp.boot()
        cp.answers["GetConfiguration"] = {"configurationKey": [{"key": "B", "readonly": False, "value": "1"}]}
        called = await stations.call("CP1", "GetConfiguration", {"key": ["B"]}, timeout_s=5, force=False)
        assert (called.outcome, called.payload) == (
            "result",
            {"configurationKey": [{"key": "B", "readonly": False, "value": "1"}]},
        )
        cp.answers["Reset"] = ("InternalError", "no")
        called = await stations.call("CP1", "Reset", {"type": "Soft"}, timeout_s=5, force=False)
        assert (called.outcome, called.code) == ("error", "InternalError")
        with pytest.raises(InvalidRequest, match="not valid"):
            await stations.call("CP1", "Reset", {"type": "Softly"}, timeout_s=5, force=False)
        view = await stations.view("CP1")
        assert view == parts.ocpp.gateway.stations.view("CP1") | {"doubts": [], "last_frame_s": view["last_frame_s"]}
        assert [each["connected"] for each in await stations.views()] == [True]
        assert "Reset" in json.dumps(await stations.messages("CP1", limit=10))
    await until(lambda: _is_gone(parts))
    assert [each["connected"] for each in await stations.views()] == [False]


async def _is_gone(parts: Parts) -> bool:
    return not await parts.is_held()


async def test_a_new_password_goes_to_the_charger_and_stays_out_of_the_database(parts: Parts) -> None:
    seen: list[str] = []
    parts.ocpp.store.on_commit(lambda rows: seen.extend(str(row) for row in rows))
    async with parts.charger() as cp:

        async def look(_: Any = None) -> None:
            seen.extend(str(document.body) for document in await open_errands(parts))

        looking: list[asyncio.Task[None]] = []

        def changed(payload: Any) -> Any:
            looking.append(asyncio.create_task(look()))
            return {"status": "Accepted"}

        cp.answers["ChangeConfiguration"] = changed
        called = await parts.api.stations.change_password("CP1", actor="test")
        await asyncio.gather(*looking)
        assert called.outcome == "result"
        (_, payload) = cp.asked[0]
        assert payload["value"] not in "".join(seen)
    await until(lambda: parts.api.gateway.stations.get("CP1").station.password is not None)


async def test_what_a_gateway_held_that_has_died_is_gone_when_its_lease_is(parts: Parts) -> None:
    async with parts.charger():
        (lease,) = await parts.api.store.select(GATEWAYS)
        long_ago = parts.api.hub.clock.now() - LEASE * 2
        await parts.api.store.commit(Unit().put(lease_put(lease.key, long_ago)))
        assert not await parts.api.stations.reachable("CP1")
        assert [each["connected"] for each in await parts.api.stations.views()] == [False]


async def test_a_gateway_that_others_took_for_dead_says_all_it_holds_again(parts: Parts) -> None:
    async with parts.charger():
        announcer = parts.ocpp.apart._announcer  # type: ignore[union-attr]
        await announcer._clear(announcer.name)
        assert not await parts.is_held()
        await announcer._beat()
        announcer._bell.set()
        await until(parts.is_held)


async def test_a_charger_that_went_to_another_gateway_is_held_there(parts: Parts) -> None:
    async with an_ocpp(parts.url) as other:
        async with parts.charger(), parts.charger(ocpp=other) as newer:
            await until(lambda: _holder_is(parts, other))
            newer.answers["RemoteStartTransaction"] = {"status": "Accepted"}
            assert await parts.start() is Outcome.ACCEPTED
            before = await parts.api.store.select(SOCKETS)
            parts.ocpp.gateway.socket_changed("CP1")
        assert len(before) == 1


async def _holder_is(parts: Parts, program: Program) -> bool:
    held = await holder_of(parts.api.store, "CP1", parts.api.hub.clock.now())
    return held is not None and program.apart is not None and held.gateway == program.apart._announcer.name
