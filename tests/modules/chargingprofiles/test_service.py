"""Charging profiles for sessions at our chargers: what is answered at once, told later, and shown after a change."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from hub.core.callbacks import CALLBACKS
from hub.core.ports import LimitRules, Limits, ProfileOutcome
from hub.core.registry import Endpoint
from hub.core.units import Put, Unit
from modules.chargingprofiles import service
from modules.chargingprofiles.publication import ChargingProfilePublication
from modules.chargingprofiles.store import PROFILES
from tests.modules.chargingprofiles.world import URL, Charger, ask, furnish, passed_on, profile, told
from tests.world import NOW, World, a_world, until

METHODS = ("GET", "PUT", "DELETE")


@pytest.fixture(params=("2.2.1", "2.3.0"))
async def world(request: pytest.FixtureRequest, sqlite_url: str) -> AsyncIterator[World]:
    async with a_world(sqlite_url, request.param, profile_interval_s=60) as made:
        yield made


async def set_up(world: World) -> tuple[Charger, str]:
    return await furnish(world)


async def test_a_profile_reaches_the_charger_and_its_word_comes_back(world: World) -> None:
    charger, session_id = await set_up(world)
    body = profile(16, 8, duration=120, start_date_time="2026-05-04T10:00:00Z", min_charging_rate=6)
    answer = await ask(world, "PUT", session_id, body=body)
    assert (answer.code, answer.data) == (1000, {"result": "ACCEPTED", "timeout": 60})
    await until(lambda: told(world))
    assert told(world) == [("e1", URL, {"result": "ACCEPTED"})]
    (_, (number, limits)) = charger.told[0]
    assert limits == Limits("A", ((0, Decimal(16)), (60, Decimal(8))), NOW, 120, Decimal(6))
    assert number == (await world.documents(PROFILES))[0].seq


@pytest.mark.parametrize("outcome", list(ProfileOutcome))
async def test_nothing_is_called_done_that_the_charger_did_not_do(world: World, outcome: ProfileOutcome) -> None:
    charger, session_id = await set_up(world)
    charger.says = lambda: outcome
    for count, method in enumerate(("PUT", "DELETE"), 1):
        assert (await ask(world, method, session_id)).data["result"] == "ACCEPTED"
        await until(lambda n=count: len(told(world)) == n)  # type: ignore[misc]
        assert told(world)[-1] == ("e1", URL, {"result": outcome.value})


async def test_a_charger_that_breaks_is_no_yes(world: World) -> None:
    charger, session_id = await set_up(world)

    def broken() -> ProfileOutcome:
        raise RuntimeError("no wire")

    charger.says = broken
    await ask(world, "PUT", session_id)
    await until(lambda: told(world))
    assert told(world) == [("e1", URL, {"result": "REJECTED"})]


async def test_what_the_session_will_get_is_told_on_request(world: World) -> None:
    charger, session_id = await set_up(world)
    assert (await ask(world, "GET", session_id)).data == {"result": "ACCEPTED", "timeout": 60}
    await until(lambda: told(world))
    shown = told(world)[0][2]["profile"]
    assert shown["start_date_time"] == "2026-05-04T10:00:00Z"
    assert shown["charging_profile"]["charging_profile_period"] == [
        {"start_period": 0, "limit": Decimal("16.0")},
        {"start_period": 60, "limit": Decimal("8.0")},
    ]
    assert charger.told == [("limits", (600, "A"))]


async def test_where_nothing_limits_the_most_of_the_connector_is_shown(world: World) -> None:
    charger, session_id = await set_up(world)
    for unit, most in (("A", "32.0"), ("W", "22080.0")):
        charger.rules, charger.shows = LimitRules((unit,)), Limits(unit, (), NOW, 600)
        world.clock.move_to(world.clock.passed_s + 61)
        seen = len(told(world))
        await ask(world, "GET", session_id)
        await until(lambda n=seen: len(told(world)) > n)  # type: ignore[misc]
        (period,) = told(world)[-1][2]["profile"]["charging_profile"]["charging_profile_period"]
        assert period == {"start_period": 0, "limit": Decimal(most)}


async def test_a_charger_that_will_not_say_is_rejected_without_a_profile(world: World) -> None:
    charger, session_id = await set_up(world)
    charger.shows = ProfileOutcome.REJECTED
    await ask(world, "GET", session_id)
    await until(lambda: told(world))
    assert told(world) == [("e1", URL, {"result": "REJECTED"})]


async def test_what_cannot_be_done_is_said_at_once(world: World) -> None:
    charger, session_id = await set_up(world)
    over = await world.charge("NL*EEE")
    async with world.unchanged():
        for method in METHODS:
            for by, target, result in (
                ("e2", session_id, "UNKNOWN_SESSION"),
                ("e1", "nonsense", "UNKNOWN_SESSION"),
                ("e1", over, "REJECTED"),
            ):
                url = f"https://{by}.example/x"
                answer = await ask(world, method, target, by=by, url=url)
                assert (answer.http, answer.code) == (200, 1000)
                assert answer.data == {"result": result, "timeout": 0}, (method, by, target)
            charger.is_there = False
            assert (await ask(world, method, session_id)).data["result"] == "REJECTED"
            charger.is_there, charger.can = True, False
            assert (await ask(world, method, session_id)).data["result"] == "NOT_SUPPORTED"
            charger.can = True
    assert charger.told == []


async def test_a_profile_that_the_charger_cannot_take_is_rejected_and_never_cut(world: World) -> None:
    charger, session_id = await set_up(world)
    charger.rules = LimitRules(("A",), most_periods=2)
    gap = profile()
    gap["charging_profile"]["charging_profile_period"] = [{"start_period": 5, "limit": 1}]
    none = profile()
    none["charging_profile"]["charging_profile_period"] = []
    async with world.unchanged():
        for body in (profile(1, 2, 3), profile(-1), gap, none):
            assert (await ask(world, "PUT", session_id, body=body)).data["result"] == "REJECTED"


async def test_the_other_unit_is_converted_by_voltage_and_phases(world: World) -> None:
    charger, session_id = await set_up(world)
    charger.rules = LimitRules(("A",))
    await ask(world, "PUT", session_id, body=profile(11000, unit="W"))
    await until(lambda: told(world))
    limits = charger.told[0][1][1]
    assert (limits.unit, limits.periods) == ("A", ((0, Decimal("15.9")),))


async def test_too_often_is_said_to_each_kind_of_request_by_itself(world: World) -> None:
    _, session_id = await set_up(world)
    for method in METHODS:
        assert (await ask(world, method, session_id)).data["result"] == "ACCEPTED"
        assert (await ask(world, method, session_id)).data == {"result": "TOO_OFTEN", "timeout": 0}
    await until(lambda: len(told(world)) == 3)
    world.clock.move_to(60)
    for method in METHODS:
        assert (await ask(world, method, session_id)).data["result"] == "ACCEPTED"


async def test_after_a_profile_was_set_each_change_is_shown_and_none_before(world: World) -> None:
    charger, session_id = await set_up(world)
    partner = world.partner("e1")
    own = Endpoint(identifier="chargingprofiles", role="SENDER", url="https://e1.example/profiles")
    await world.registry.save(partner.model_copy(update={"endpoints": (*partner.endpoints, own)}))

    async def changes() -> int:
        rows = await world.store.changes(after=0, limit=1000)
        return len([row for row in rows if row.change.module == "chargingprofiles"])

    async def one() -> bool:
        return await changes() == 1

    charger.says = lambda: ProfileOutcome.REJECTED
    await ask(world, "PUT", session_id)
    await ask(world, "DELETE", session_id)
    await until(lambda: len(told(world)) == 2)
    assert await changes() == 0
    charger.says = lambda: ProfileOutcome.ACCEPTED
    world.clock.move_to(61)
    await ask(world, "PUT", session_id)
    await until(one)
    publication = ChargingProfilePublication()
    for name in ("e1", "e2", "c1"):
        await publication.deliver(world.hub, world.partner(name), session_id, frozenset())
    (sent,) = passed_on(world)
    assert (sent.partner, sent.method, sent.path, sent.to, sent.sender) == (
        *("e1", "PUT", (session_id,), "NL*EEE", "DE*BSB"),
    )
    assert sent.body["charging_profile"]["charging_rate_unit"] == "A"


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/x", "https://169.254.169.254/latest/meta-data", "https://[::1]/x"),
        *("https://e2.example/x", "http://e1.example/x", "https://e1.example@evil.example/x", "nonsense"),
    ],
)
async def test_a_result_goes_to_nobody_but_its_sender(world: World, url: str) -> None:
    _, session_id = await set_up(world)
    async with world.unchanged():
        for target in (session_id, "S9"):
            for method in METHODS:
                answer = await ask(world, method, target, url=url)
                assert (answer.http, answer.code) == (200, 2001), method


async def test_a_request_that_lacks_something_is_told_what(world: World) -> None:
    _, session_id = await set_up(world)
    path = world.at(f"receiver/chargingprofiles/{session_id}")
    async with world.unchanged():
        for query in ("", "?duration=60", f"?response_url={URL}"):
            assert (await world.ask("GET", path + query, by="e1")).code == 2001
        for duration in ("0", "-1", "x", "86401", "1e3", "99999999999"):
            assert (await ask(world, "GET", session_id, duration=duration)).code == 2001, duration
        assert (await world.ask("DELETE", path, by="e1")).code == 2001
        bodies: tuple[dict[str, Any], ...] = (
            {},
            profile() | {"charging_profile": {}},
            profile(unit="kW"),
            {"charging_profile": []},
        )
        for body in bodies:
            said = await world.ask("PUT", path, by="e1", body=body)
            assert (said.http, said.code) == (200, 2001)
        assert (await world.ask("PUT", path, by="e1", body=b"{")).http == 400
        assert (await world.ask("POST", path, by="e1", body={})).http == 405


async def test_a_wish_that_a_stop_of_ours_left_open_is_told_rejected(world: World) -> None:
    charger, session_id = await set_up(world)
    await ask(world, "PUT", session_id)
    await until(lambda: told(world))
    (document,) = await world.documents(CALLBACKS)
    again = Put(CALLBACKS, document.key, document.body, last_updated=document.last_updated, columns=("waiting",))
    await world.store.commit(Unit().put(again))
    await service.recover(world.hub)
    await until(lambda: len(told(world)) == 2)
    assert told(world)[1] == ("e1", URL, {"result": "REJECTED"})
    assert [what for what, _ in charger.told] == ["limit", "limits"]
