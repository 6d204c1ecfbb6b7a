"""Lanes: joined changes, order, failures judged, back-off by the clock, and a cursor that survives."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Self

import msgspec
import pytest

from hub.core.delivery import LANES, REFUSED, Lane, Lanes, LaneState, lane_from_now_on
from hub.core.errors import NotFound, NotReady, PeerFault, PeerNonsense, PeerRefused, PeerTimeout, PeerUnreachable
from hub.core.registry import State
from hub.core.units import Change, Put, Unit
from hub.worker import cut_change_log
from modules import publications
from modules.credentials import service as credentials
from modules.locations import service as locations
from modules.locations.store import key_of
from modules.tariffs import service as tariffs
from tests.world import OURS, Sent, World, a_world, location, tariff

LOC1 = key_of(OURS, "LOC1")
PUT_LOC1 = ("PUT", "locations", "DE/BSB/LOC1")
PATCH_E1 = ("PATCH", "locations", "DE/BSB/LOC1/E1")


class Delivering:
    """A world with lanes that run."""

    def __init__(self, world: World, rng: random.Random) -> None:
        self.world = world
        self.rng = rng
        self.lanes = Lanes(world.hub, publications(), rng)

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str, version: str) -> AsyncIterator[Self]:
        """A new world of this kind, whose partners speak `version`."""
        async with a_world(url, version) as world:
            made = cls(world, random.Random(1))
            await made.open()
            yield made
            await made.lanes.stop()

    async def open(self) -> None:
        """Who else is in it joins, and the lanes run."""
        self.lanes.start()

    def lane(self, name: str = "e1") -> Lane:
        lane = self.lanes.find(name)
        assert lane is not None
        return lane

    async def restart(self) -> None:
        """A new process on the same database: the lanes know only what is on disk."""
        await self.lanes.stop()
        self.lanes = Lanes(self.world.hub, publications(), self.rng)
        self.lanes.start()
        await self.quiet()

    async def quiet(self) -> None:
        """Until every lane has nothing to do just now.

        Each look waits for what the store was asked before, so that however slow the machine is, a lane that is at
        rest is told from one that waits for its database.
        """
        async with asyncio.timeout(60):
            calm = 0
            while calm < 15:
                before = (len(self.world.peers.sent), self._state())
                await self.world.store.commit(Unit())
                await self.world.store.last_change()
                await asyncio.sleep(0.002)
                calm = calm + 1 if before == (len(self.world.peers.sent), self._state()) else 0

    def _state(self) -> Any:
        lanes = [self.lanes.find(partner.name) for partner in self.world.registry.connected()]
        return [(lane.waiting, lane.state.delivered, lane.state.failures, lane.unsaved) for lane in lanes if lane]

    async def pass_s(self, seconds: float) -> None:
        """Let time pass; who wakes on the way acts at that moment."""
        await self.quiet()
        clock = self.world.clock
        until = clock.passed_s + seconds
        while (at := clock.wakes_at) is not None and at <= until:
            clock.move_to(at)
            await self.quiet()
        clock.move_to(until)
        await self.quiet()

    async def status(self, status: str, evse: str = "E1") -> None:
        await locations.set_status(self.world.store, LOC1, evse, status, now=self.world.clock.now())

    async def change_name(self, name: str) -> None:
        await locations.put(self.world.store, OURS, "LOC1", location(name=name), now=self.world.clock.now())

    async def new_tariff(self, tariff_id: str) -> None:
        await tariffs.put(self.world.store, OURS, tariff_id, tariff(tariff_id), now=self.world.clock.now())

    async def refused(self) -> list[Any]:
        return [msgspec.json.decode(document.body) for document in await self.world.documents(REFUSED)]

    async def saved(self, name: str = "e1") -> LaneState:
        document = await self.world.store.get(LANES, name)
        assert document is not None
        return msgspec.json.decode(document.body, type=LaneState)


@asynccontextmanager
async def running(world: World, rng: random.Random | None = None) -> AsyncIterator[Delivering]:
    """The lanes of this world run, and have nothing to do yet."""
    made = Delivering(world, rng or random.Random(1))
    made.lanes.start()
    await made.quiet()
    yield made
    await made.lanes.stop()


@asynccontextmanager
async def delivering(
    url: str, *, rng: random.Random | None = None, only: str = "e1", **settings: Any
) -> AsyncIterator[Delivering]:
    """A world whose changes so far are behind all cursors; only one partner is left connected, where `only` says so."""
    async with a_world(url, **settings) as world:
        for partner in world.registry.connected():
            if only and partner.name != only:
                await credentials.forget(world.hub, partner, actor="test")
            else:
                start = LaneState(cursor=await world.store.last_change())
                await world.store.commit(Unit().put(Put(LANES, partner.name, msgspec.json.encode(start))))
        async with running(world, rng) as made:
            yield made


@pytest.fixture
async def hub(sqlite_url: str) -> AsyncIterator[Delivering]:
    """One partner, e1, of 2.2.1."""
    async with delivering(sqlite_url) as made:
        yield made


@pytest.fixture
async def hub_on_both(database_url: str) -> AsyncIterator[Delivering]:
    async with delivering(database_url) as made:
        yield made


def failing(*faults: PeerFault) -> Callable[[Sent], Any]:
    """These, one a request, and then success."""
    waiting = list(faults)

    def script(sent: Sent) -> None:
        if waiting:
            raise waiting.pop(0)

    return script


def always(fault: PeerFault) -> Callable[[Sent], Any]:
    def script(sent: Sent) -> None:
        raise fault

    return script


def refusal(http: int, code: int | None = None, *, retry_after_s: float | None = None) -> PeerRefused:
    return PeerRefused("no", http=http, status_code=code, retry_after_s=retry_after_s)


async def test_a_change_of_status_alone_is_a_patch_and_all_else_a_put(hub_on_both: Delivering) -> None:
    hub = hub_on_both
    await hub.status("CHARGING")
    await hub.quiet()
    await hub.change_name("Other")
    await hub.quiet()
    assert hub.world.peers.to("e1") == [PATCH_E1, PUT_LOC1]
    patch, put = (sent.body for sent in hub.world.peers.sent)
    assert patch.keys() == {"status", "last_updated"}
    assert (patch["status"], put["name"]) == ("CHARGING", "Other")


async def test_waiting_changes_of_one_object_are_joined_and_sent_as_it_is_now(hub_on_both: Delivering) -> None:
    hub = hub_on_both
    hub.world.peers.script = failing(PeerTimeout("late"))
    for status in ("CHARGING", "BLOCKED", "INOPERATIVE", "CHARGING", "AVAILABLE", "CHARGING"):
        await hub.status(status)
    await hub.quiet()
    assert hub.lane().waiting == 1
    hub.world.peers.sent.clear()
    await hub.pass_s(10)
    assert hub.world.peers.to("e1") == [PATCH_E1]
    assert hub.world.peers.sent[0].body["status"] == "CHARGING"


async def test_two_evses_joined_are_two_patches_and_a_whole_change_swallows_them(hub: Delivering) -> None:
    hub.world.peers.script = failing(PeerTimeout("late"))
    await hub.status("CHARGING", "E1")
    await hub.status("CHARGING", "E2")
    await hub.quiet()
    hub.world.peers.sent.clear()
    await hub.pass_s(10)
    assert hub.world.peers.to("e1") == [PATCH_E1, ("PATCH", "locations", "DE/BSB/LOC1/E2")]
    hub.world.peers.script = failing(PeerTimeout("late"))
    await hub.status("AVAILABLE", "E1")
    await hub.change_name("Other")
    await hub.quiet()
    hub.world.peers.sent.clear()
    await hub.pass_s(10)
    assert hub.world.peers.to("e1") == [PUT_LOC1]


@pytest.mark.parametrize(
    "fault", [refusal(404, 2003), refusal(404), refusal(200, 2003)], ids=["404", "bare 404", "2003"]
)
async def test_a_patch_of_what_the_partner_does_not_know_becomes_a_put(hub: Delivering, fault: PeerFault) -> None:
    hub.world.peers.script = failing(fault)
    await hub.status("CHARGING")
    await hub.quiet()
    assert hub.world.peers.to("e1") == [PATCH_E1, PUT_LOC1]
    assert await hub.refused() == []


async def test_objects_go_in_the_order_in_which_they_first_changed(hub: Delivering) -> None:
    hub.world.peers.script = failing(PeerTimeout("late"))
    for tariff_id in ("T3", "T4", "T2", "T3"):
        await hub.new_tariff(tariff_id)
    await hub.quiet()
    hub.world.peers.sent.clear()
    await hub.pass_s(10)
    assert [path for _, _, path in hub.world.peers.to("e1")] == ["DE/BSB/T3", "DE/BSB/T4", "DE/BSB/T2"]


async def test_a_withdrawn_tariff_is_deleted_and_one_made_anew_is_put(hub: Delivering) -> None:
    await hub.new_tariff("T9")
    await hub.quiet()
    await tariffs.delete(hub.world.store, OURS, "T9")
    await hub.quiet()
    await hub.new_tariff("T9")
    await hub.quiet()
    assert [method for method, _, _ in hub.world.peers.to("e1")] == ["PUT", "DELETE", "PUT"]
    hub.world.peers.script = failing(refusal(404))
    await tariffs.delete(hub.world.store, OURS, "T9")
    await hub.quiet()
    assert await hub.refused() == []


async def test_a_silent_partner_delays_only_itself(sqlite_url: str) -> None:
    async with delivering(sqlite_url, only="") as hub:
        hub.world.peers.silent.add("e1")
        for status in ("CHARGING", "AVAILABLE"):
            await hub.status(status)
            await hub.quiet()
        assert len(hub.world.peers.to("e1")) == 1
        assert hub.world.peers.to("e2") == [PATCH_E1, PATCH_E1]
        assert hub.lane("e1").waiting == 1


@pytest.mark.parametrize(
    "fault",
    [
        PeerTimeout("late"),
        PeerUnreachable("gone"),
        PeerNonsense("html"),
        *[refusal(http) for http in (301, 308, 401, 408, 425, 429, 502, 503, 504)],
    ],
    ids=str,
)
async def test_a_partner_that_is_down_is_tried_again_and_nothing_is_refused(hub: Delivering, fault: PeerFault) -> None:
    hub.world.peers.script = always(fault)
    await hub.status("CHARGING")
    await hub.new_tariff("T2")
    await hub.pass_s(3600)
    assert {path for _, _, path in hub.world.peers.to("e1")} == {"DE/BSB/LOC1/E1"}
    assert await hub.refused() == []
    assert hub.lane().waiting == 2
    hub.world.peers.script = lambda sent: None
    hub.world.peers.sent.clear()
    await hub.pass_s(1300)
    assert hub.world.peers.to("e1") == [PATCH_E1, ("PUT", "tariffs", "DE/BSB/T2")]
    assert hub.lane().state.failures == 0


class Dice(random.Random):
    """Always the same end of the range."""

    def __init__(self, *, high: bool) -> None:
        super().__init__()
        self._high = high

    def uniform(self, a: float, b: float) -> float:
        return b if self._high else a


@pytest.mark.parametrize(("high", "factor"), [(False, 0.8), (True, 1.4)], ids=["least", "most"])
async def test_the_waits_double_from_5_s_to_15_min_within_their_jitter(
    sqlite_url: str, high: bool, factor: float
) -> None:
    async with delivering(sqlite_url, rng=Dice(high=high)) as hub:
        hub.world.peers.script = always(PeerTimeout("late"))
        await hub.status("CHARGING")
        await hub.quiet()
        waits = []
        for _ in range(11):
            at = hub.world.clock.wakes_at
            assert at is not None
            waits.append(at - hub.world.clock.passed_s)
            hub.world.clock.move_to(at)
            await hub.quiet()
        expected = [min(5 * 2**n, 900) * factor for n in range(11)]
        assert waits == pytest.approx(expected)


async def test_retry_after_is_honoured_also_when_the_partner_calls(hub: Delivering) -> None:
    hub.world.peers.script = failing(refusal(429, retry_after_s=120))
    await hub.status("CHARGING")
    await hub.quiet()
    await hub.pass_s(60)
    await hub.world.ask("GET", "/ocpi/versions", by="e1")
    await hub.pass_s(59)
    assert len(hub.world.peers.sent) == 1
    await hub.pass_s(2)
    assert len(hub.world.peers.sent) == 2


async def test_a_call_from_the_partner_brings_the_next_try_forward(hub: Delivering) -> None:
    hub.world.peers.script = always(PeerTimeout("late"))
    await hub.status("CHARGING")
    await hub.pass_s(2000)
    hub.world.peers.script = lambda sent: None
    while (wakes_at := hub.world.clock.wakes_at or 0) - hub.world.clock.passed_s < 60:
        await hub.pass_s(1)
    await hub.pass_s(6)
    tries = len(hub.world.peers.sent)
    await hub.world.ask("GET", "/ocpi/versions", by="e2")
    await hub.world.ask("GET", "/ocpi/versions", by="x")
    await hub.quiet()
    assert len(hub.world.peers.sent) == tries
    await hub.world.ask("GET", "/ocpi/versions", by="e1")
    await hub.quiet()
    assert len(hub.world.peers.sent) == tries + 1
    assert hub.lane().waiting == 0
    assert hub.world.clock.passed_s < wakes_at


async def test_a_partner_that_calls_all_the_time_is_not_hammered(hub: Delivering) -> None:
    hub.world.peers.script = always(PeerTimeout("late"))
    await hub.status("CHARGING")
    await hub.quiet()
    for _ in range(30):
        await hub.world.ask("GET", "/ocpi/versions", by="e1")
        await hub.pass_s(1)
    assert 4 <= len(hub.world.peers.sent) <= 8


@pytest.mark.parametrize(
    "fault", [refusal(400), refusal(403), refusal(413), refusal(200, 2001), refusal(200, 2000)], ids=str
)
async def test_what_is_refused_for_its_content_is_kept_and_the_lane_goes_on(
    hub_on_both: Delivering, fault: PeerRefused
) -> None:
    hub = hub_on_both
    hub.world.peers.script = failing(fault)
    await hub.new_tariff("T2")
    await hub.new_tariff("T3")
    await hub.quiet()
    assert [path for _, _, path in hub.world.peers.to("e1")] == ["DE/BSB/T2", "DE/BSB/T3"]
    (kept,) = await hub.refused()
    assert (kept["partner"], kept["module"], kept["object"]) == ("e1", "tariffs", "DE*BSB/T2")
    assert kept["reason"].startswith(f"{fault.http}/")
    await hub.lanes.resend("e1", "e1/tariffs/DE*BSB/T2")
    await hub.quiet()
    assert hub.world.peers.to("e1")[-1] == ("PUT", "tariffs", "DE/BSB/T2")
    assert await hub.refused() == []
    with pytest.raises(NotFound):
        await hub.lanes.resend("e1", "e1/tariffs/DE*BSB/T2")


async def test_a_refused_object_that_gets_through_later_is_no_longer_shown(hub: Delivering) -> None:
    hub.world.peers.script = failing(refusal(200, 2001))
    await hub.new_tariff("T2")
    await hub.quiet()
    assert len(await hub.refused()) == 1
    await hub.restart()
    await tariffs.put(hub.world.store, OURS, "T2", tariff("T2", "0.60"), now=hub.world.clock.now())
    await hub.quiet()
    assert await hub.refused() == []


@pytest.mark.parametrize("fault", [refusal(500), refusal(501), refusal(200, 3000), refusal(200, 4003)], ids=str)
async def test_an_object_that_alone_keeps_failing_is_set_aside(hub: Delivering, fault: PeerFault) -> None:
    def script(sent: Sent) -> None:
        if "BAD" in sent.path:
            raise fault

    hub.world.peers.script = script
    await hub.new_tariff("BAD")
    for number in range(3):
        await hub.new_tariff(f"GOOD{number}")
    await hub.pass_s(1000)
    paths = [path for _, _, path in hub.world.peers.to("e1")]
    assert 6 <= paths.count("DE/BSB/BAD") <= 8
    assert {path for path in paths if "GOOD" in path} == {f"DE/BSB/GOOD{number}" for number in range(3)}
    assert paths.index("DE/BSB/GOOD2") < 6
    assert [kept["object"] for kept in await hub.refused()] == ["DE*BSB/BAD"]


async def test_a_server_that_fails_with_everything_loses_nothing(hub: Delivering) -> None:
    hub.world.peers.script = always(refusal(500))
    for number in range(5):
        await hub.new_tariff(f"N{number}")
    await hub.pass_s(8 * 3600)
    assert await hub.refused() == []
    hub.world.peers.script = lambda sent: None
    hub.world.peers.sent.clear()
    await hub.pass_s(1300)
    assert {path for _, _, path in hub.world.peers.to("e1")} == {f"DE/BSB/N{number}" for number in range(5)}
    assert len(hub.world.peers.sent) == 5


async def test_a_fault_of_ours_with_one_object_does_not_stop_the_lane(hub: Delivering) -> None:
    def script(sent: Sent) -> None:
        if "BAD" in sent.path:
            raise RuntimeError("a bug")

    hub.world.peers.script = script
    await hub.new_tariff("BAD")
    await hub.new_tariff("GOOD")
    await hub.quiet()
    assert hub.world.peers.to("e1")[-1] == ("PUT", "tariffs", "DE/BSB/GOOD")
    assert [kept["reason"] for kept in await hub.refused()] == ["internal: RuntimeError"]


async def test_a_database_that_is_away_for_a_while_costs_nothing(
    hub: Delivering, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = hub.world.store.get
    down = True

    async def get(*args: Any) -> Any:
        if down:
            raise NotReady
        return await good(*args)

    monkeypatch.setattr(hub.world.store, "get", get)
    await hub.world.store.commit(Unit().tells(Change("tariffs", "DE*BSB/T1", owner="DE*BSB")))
    await hub.pass_s(30)
    assert hub.world.peers.sent == []
    down = False
    await hub.pass_s(2)
    assert hub.world.peers.to("e1") == [("PUT", "tariffs", "DE/BSB/T1")]
    assert await hub.refused() == []


async def test_the_cursor_survives_and_nothing_is_lost(hub_on_both: Delivering) -> None:
    hub = hub_on_both
    await hub.new_tariff("SENT")
    await hub.quiet()
    hub.world.peers.script = always(PeerTimeout("late"))
    for tariff_id in ("A", "B", "C", "A"):
        await hub.new_tariff(tariff_id)
    await hub.quiet()
    await hub.lanes.stop()
    await hub.new_tariff("WHILE_DOWN")
    hub.world.peers.script = lambda sent: None
    hub.world.peers.sent.clear()
    await hub.restart()
    await hub.pass_s(10)
    assert [path.removeprefix("DE/BSB/") for _, _, path in hub.world.peers.to("e1")] == ["A", "B", "C", "WHILE_DOWN"]
    assert (await hub.saved()).cursor == await hub.world.store.last_change()
    await hub.restart()
    assert len(hub.world.peers.sent) == 4


async def test_failures_are_remembered_over_a_restart(hub: Delivering) -> None:
    hub.world.peers.script = always(PeerTimeout("late"))
    await hub.status("CHARGING")
    await hub.pass_s(600)
    failures = hub.lane().state.failures
    since = hub.lane().state.failing_since
    await hub.restart()
    assert hub.lane().state.failures == failures + 1
    assert hub.lane().state.failing_since == since


async def test_a_partner_that_was_away_long_gets_each_object_once(hub: Delivering) -> None:
    hub.world.peers.script = always(PeerUnreachable("gone"))
    for number in range(1300):
        await hub.status("CHARGING" if number % 2 else "AVAILABLE", "E1" if number % 3 else "E2")
    for number in range(20):
        await hub.new_tariff(f"N{number % 10}")
    await hub.quiet()
    await hub.restart()
    hub.world.peers.script = lambda sent: None
    hub.world.peers.sent.clear()
    await hub.pass_s(1300)
    sent = hub.world.peers.to("e1")
    assert len(sent) == len(set(sent)) == 12


async def test_what_a_partner_has_to_hear_of_outlives_the_days_of_the_log(hub_on_both: Delivering) -> None:
    hub, world = hub_on_both, hub_on_both.world
    await world.store.commit(Unit().put(await lane_from_now_on(world.store, "p")))
    world.peers.script = always(PeerTimeout("late"))
    for tariff_id in ("T3", "T4"):
        await hub.new_tariff(tariff_id)
    await hub.quiet()
    await hub.lanes.stop()
    world.clock.move_to(timedelta(days=400).total_seconds())
    await cut_change_log(world.hub)
    left = await world.store.changes(after=0, limit=9)
    assert [row.change.key for row in left] == ["DE*BSB/T3", "DE*BSB/T4"]
    assert left[0].seq > 1
    world.peers.script = lambda sent: None
    world.peers.sent.clear()
    await hub.restart()
    assert [path for _, _, path in world.peers.to("e1")] == ["DE/BSB/T3", "DE/BSB/T4"]


async def test_of_a_dead_partner_the_log_tells_once_an_hour(
    sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with delivering(sqlite_url) as hub:
        hub.world.peers.script = always(PeerUnreachable("gone"))
        await hub.status("CHARGING")
        await hub.pass_s(timedelta(hours=3).total_seconds())
        assert len(hub.world.peers.sent) > 12
        assert 2 <= capsys.readouterr().out.count("partner takes nothing") <= 3


async def test_after_72_hours_the_lane_stops_until_the_partner_calls(
    sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with delivering(sqlite_url, lane_cap_s=4 * 3600) as hub:
        await _stops_and_goes_on(hub, capsys)


async def _stops_and_goes_on(hub: Delivering, capsys: pytest.CaptureFixture[str]) -> None:
    hub.world.peers.script = always(PeerUnreachable("gone"))
    await hub.status("CHARGING")
    await hub.pass_s(timedelta(minutes=40).total_seconds())
    assert "partner takes nothing" in capsys.readouterr().out
    await hub.pass_s(timedelta(hours=78).total_seconds())
    assert hub.lane().state.stopped
    assert "lane stopped" in capsys.readouterr().out
    tries = len(hub.world.peers.sent)
    await hub.new_tariff("T7")
    await hub.pass_s(timedelta(hours=200).total_seconds())
    assert len(hub.world.peers.sent) == tries
    await hub.restart()
    assert len(hub.world.peers.sent) == tries
    hub.world.peers.sent.clear()
    hub.world.peers.script = lambda sent: None
    await hub.world.ask("GET", "/ocpi/versions", by="e1")
    await hub.quiet()
    assert hub.world.peers.to("e1") == [PATCH_E1, ("PUT", "tariffs", "DE/BSB/T7")]
    assert not hub.lane().state.stopped


async def test_the_lane_of_a_partner_that_parts_stops_and_a_new_one_begins_with_now(hub: Delivering) -> None:
    hub.world.peers.script = always(PeerTimeout("late"))
    await hub.status("CHARGING")
    await hub.quiet()
    await hub.world.ask("DELETE", "/ocpi/2.2.1/credentials", by="e1")
    assert hub.lanes.find("e1") is None
    await hub.new_tariff("T2")
    await hub.pass_s(100)
    assert len(hub.world.peers.sent) == 1


async def test_a_blocked_partner_hears_nothing(hub: Delivering) -> None:
    partner = hub.world.partner("e1")
    await hub.world.registry.save(partner.model_copy(update={"state": State.BLOCKED}))
    await hub.new_tariff("T2")
    await hub.quiet()
    assert hub.world.peers.sent == []


async def test_only_the_owner_of_the_token_hears_of_its_session_and_cdr(sqlite_url: str) -> None:
    async with delivering(sqlite_url, only="") as hub:
        session = await hub.world.charge("NL*FFF")
        await hub.quiet()
        told = {sent.partner for sent in hub.world.peers.sent}
        assert told == {"e2"}
        assert {module for _, module, _ in hub.world.peers.to("e2")} == {"sessions", "cdrs"}
        assert hub.world.peers.sent[0].body["id"] == session
        assert all(hub.lane(name).state.delivered == 0 for name in ("e1", "c1", "c2"))


async def test_a_partner_that_does_not_offer_the_interface_is_left_alone(hub: Delivering) -> None:
    await hub.world.registry.change("e1", lambda p: p.model_copy(update={"endpoints": ()}))
    await hub.new_tariff("T2")
    await hub.status("CHARGING")
    await hub.world.charge("NL*EEE")
    await hub.quiet()
    assert hub.lane().waiting == 0
    assert await hub.refused() == []


async def test_what_another_module_changes_costs_a_lane_no_write(hub: Delivering) -> None:
    before = await hub.world.store.get(LANES, "e1")
    for number in range(20):
        await hub.world.store.commit(Unit().tells(Change("tokens", f"K{number}")))
        await hub.quiet()
    after = await hub.world.store.get(LANES, "e1")
    assert before is not None
    assert after is not None
    assert after.version <= before.version + 1
