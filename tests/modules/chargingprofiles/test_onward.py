"""Charging profiles for the sessions of other CPOs: through the hub, and their results and changes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from hub.core.agreements import Agreement
from hub.core.callbacks import CALLBACKS, CAME
from tests.modules.chargingprofiles.world import URL, ask, furnish, passed_on, path_of, profile, session, told
from tests.world import Said, Sent, World, a_world, until

KINDS = (("GET", "active"), ("PUT", "set"), ("DELETE", "clear"))
ACTIVE = {
    "start_date_time": "2026-05-04T10:00:00Z",
    "charging_profile": {
        "charging_rate_unit": "A",
        "charging_profile_period": [{"start_period": 0, "limit": 16}],
    },
}


@pytest.fixture(params=[("2.2.1", "2.2.1"), ("2.2.1", "2.3.0"), ("2.3.0", "2.2.1"), ("2.2.1", "2.1.1")])
async def world(request: pytest.FixtureRequest, sqlite_url: str) -> AsyncIterator[World]:
    near, far = request.param
    async with a_world(sqlite_url, near) as made:
        await furnish(made, far)
        yield made


def url_in(world: World, sent: Sent) -> str:
    return str(sent.query["response_url"] if sent.body is None else sent.body["response_url"])


async def result(world: World, sent: Sent, body: Any, *, by: str = "c1") -> Said:
    return await world.ask("POST", path_of(url_in(world, sent)), by=by, body=body)


def far_of(world: World) -> str:
    return world.partner("c1").version or ""


async def test_a_wish_goes_to_the_cpo_and_its_result_comes_back_once(world: World) -> None:
    far = far_of(world)
    for count, (method, what) in enumerate(KINDS, 1):
        answer = await ask(world, method, "S9")
        if far == "2.1.1":
            assert answer.data == {"result": "NOT_SUPPORTED", "timeout": 0}
            continue
        assert answer.data == {"result": "ACCEPTED", "timeout": 20}
        assert answer.headers["ocpi-from-party-id"] == "AAA"
        sent = passed_on(world)[-1]
        assert (sent.partner, sent.method, sent.path, sent.to, sent.sender) == (
            *("c1", method, ("S9",), "BE*AAA", "NL*EEE"),
        )
        assert url_in(world, sent).startswith(f"https://busbar.example/ocpi/{far}/sender/chargingprofiles/{what}/")
        told_ = {"result": "ACCEPTED", **({"profile": ACTIVE} if method == "GET" else {})}
        for by, code in (("c2", 404), ("e1", 403), ("p", 401)):
            assert (await result(world, sent, told_, by=by)).http == code
        assert (await result(world, sent, {"result": "MAYBE"})).code == 2001
        for again in (told_, {"result": "REJECTED"}):
            assert (await result(world, sent, again)).code == 1000
        await until(lambda n=count: len(told(world)) == n)  # type: ignore[misc]
        assert told(world)[-1] == ("e1", URL, told_)
    assert len(told(world)) == (0 if far == "2.1.1" else 3)


async def test_the_duration_is_asked_of_the_cpo(world: World) -> None:
    await ask(world, "GET", "S9", duration="900")
    if far_of(world) != "2.1.1":
        assert passed_on(world)[0].query["duration"] == "900"


async def test_a_late_result_goes_nowhere(world: World) -> None:
    if far_of(world) == "2.1.1":
        return
    await ask(world, "PUT", "S9")
    world.clock.move_to(21)
    assert (await result(world, passed_on(world)[0], {"result": "ACCEPTED"})).code == 1000
    assert told(world) == []


async def test_a_result_of_another_kind_is_not_found(world: World) -> None:
    if far_of(world) == "2.1.1":
        return
    await ask(world, "PUT", "S9")
    path = path_of(url_in(world, passed_on(world)[0]))
    async with world.unchanged():
        for other in (
            path.replace("/set/", "/clear/"),
            path[:-1],
            path.replace("chargingprofiles/set", "commands/set"),
        ):
            assert (await world.ask("POST", other, by="c1", body={"result": "ACCEPTED"})).http == 404


async def test_a_session_of_anothers_driver_is_unknown(world: World) -> None:
    await session(world, "S8", "NL*FFF")
    for method, _ in KINDS:
        for to in ("", "BE*AAA"):
            assert (await ask(world, method, "S8", to=to)).data["result"] == "UNKNOWN_SESSION"
    assert passed_on(world) == []


async def test_an_agreement_decides_who_may_be_asked(world: World) -> None:
    await world.hub.agreements.put(Agreement("e1", "BE*AAA", "chargingprofiles", allow=False), actor="test")
    assert (await ask(world, "PUT", "S9")).code == 4001
    assert (await ask(world, "PUT", "S9", to="ZZ*ZZZ")).code == 4001


async def test_all_but_the_url_passes_as_it_came(world: World) -> None:
    if far_of(world) == "2.1.1":
        return
    body = profile(16, 8) | {"x_vendor": {"a": 1}}
    await ask(world, "PUT", "S9", body=body)
    sent = passed_on(world)[0]
    assert {**sent.body, "response_url": URL} == body


async def set_at_the_cpo(world: World, what: str = "ACCEPTED") -> Said:
    """e1 sets a profile for S9, and c1 says what came of it."""
    await ask(world, "PUT", "S9")
    return await result(world, passed_on(world)[-1], {"result": what})


async def all_told(world: World) -> bool:
    return all(document.columns["state"] != CAME for document in await world.documents(CALLBACKS))


async def test_a_change_that_nobody_asked_for_is_none_of_ours(world: World) -> None:
    """It SHALL NOT be sent before a profile was set (mod_charging_profiles_msp_put_method)."""
    if far_of(world) == "2.1.1":
        return
    path = world.at("sender/chargingprofiles/s9", version=far_of(world))
    await set_at_the_cpo(world, "REJECTED")
    for method in ("GET", "DELETE"):
        await ask(world, method, "S9")
        await result(world, passed_on(world)[-1], {"result": "ACCEPTED"})
    await ask(world, "PUT", "S9")
    await until(partial(all_told, world))
    async with world.unchanged():
        said = await world.ask("PUT", path, by="c1", body=ACTIVE)
        assert (said.http, said.code) == (404, 2000)
    assert (await result(world, passed_on(world)[-1], {"result": "ACCEPTED"})).code == 1000
    assert (await world.ask("PUT", path, by="c1", body=ACTIVE)).code == 1000


async def test_a_profile_whose_result_came_too_late_is_set_all_the_same(world: World) -> None:
    if far_of(world) == "2.1.1":
        return
    path = world.at("sender/chargingprofiles/S9", version=far_of(world))
    await ask(world, "PUT", "S9")
    world.clock.move_to(21)
    await result(world, passed_on(world)[-1], {"result": "ACCEPTED"})
    assert (await world.ask("PUT", path, by="c1", body=ACTIVE)).code == 1000
    assert told(world) == []


async def test_a_change_at_the_cpo_goes_to_whoever_set_a_profile_alone(world: World) -> None:
    if far_of(world) == "2.1.1":
        return
    path = world.at("sender/chargingprofiles/S9", version=far_of(world))
    await session(world, "S7", "")
    await set_at_the_cpo(world)
    world.peers.script = lambda sent: None
    world.peers.sent.clear()
    assert (await world.ask("PUT", path, by="c1", body=ACTIVE)).code == 1000
    (sent,) = passed_on(world)
    assert (sent.partner, sent.method, sent.path, sent.to, sent.sender, sent.body) == (
        *("e1", "PUT", ("S9",), "NL*EEE", "BE*AAA", ACTIVE),
    )
    async with world.unchanged():
        assert (await world.ask("PUT", path, by="c2", body=ACTIVE)).http == 404
        assert (await world.ask("PUT", path, by="e1", body=ACTIVE)).http == 403
        assert (await world.ask("PUT", path.replace("S9", "S7"), by="c1", body=ACTIVE)).http == 404
        assert (await world.ask("PUT", path, by="c1", body={})).code == 2001
        headers = [("OCPI-to-country-code", "NL"), ("OCPI-to-party-id", "FFF")]
        assert (await world.ask("PUT", path, by="c1", body=ACTIVE, headers=headers)).http == 404
