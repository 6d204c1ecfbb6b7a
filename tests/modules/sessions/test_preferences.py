"""Charging preferences: answered by what the EVSE and its tariffs can do. mod_sessions_set_charging_preferences."""

from __future__ import annotations

from typing import Any

import pytest

from modules.locations import service as locations
from modules.tariffs import service as tariffs
from tests.modules.sessions.charging import Charging
from tests.world import NOW, OURS, Said, World, location, tariff

pytestmark = pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])

DEPARTURE = {"departure_time": "2026-05-04T16:00:00Z"}
NEED = {"energy_need": 20}


async def a_charge(world: World, *, capable: bool = True) -> Charging:
    """At E1, whose connector has a tariff of each kind but PROFILE_CHEAP."""
    tree = location(evses=("E1",))
    tree["evses"][0]["connectors"][0]["tariff_ids"] = ["T1", "fast", "GREEN"]
    if capable:
        tree["evses"][0]["capabilities"] = ["CHARGING_PREFERENCES_CAPABLE"]
    for tariff_id in ("FAST", "GREEN"):
        profile = {**tariff(tariff_id), "type": f"PROFILE_{tariff_id}"}
        await tariffs.put(world.store, OURS, tariff_id, profile, now=NOW)
    await tariffs.put(world.store, OURS, "T1", {**tariff(price="0.4"), "type": "REGULAR"}, now=NOW)
    await locations.put(world.store, OURS, "LOC1", tree, now=NOW)
    charging = Charging(world)
    await charging.begin()
    return charging


async def wished(world: World, session_id: str, profile_type: str, *, by: str = "e1", **wish: Any) -> Said:
    path = world.at(f"sender/sessions/{session_id}/charging_preferences")
    return await world.ask("PUT", path, by=by, body={"profile_type": profile_type, **wish})


@pytest.mark.parametrize(
    ("profile_type", "wish", "answer"),
    [
        ("REGULAR", {}, "ACCEPTED"),
        ("FAST", {}, "ACCEPTED"),
        ("FAST", {**DEPARTURE, **NEED, "discharge_allowed": True}, "ACCEPTED"),
        ("CHEAP", {**DEPARTURE, **NEED}, "PROFILE_TYPE_NOT_SUPPORTED"),
        ("GREEN", {}, "DEPARTURE_REQUIRED"),
        ("GREEN", NEED, "DEPARTURE_REQUIRED"),
        ("GREEN", DEPARTURE, "ENERGY_NEED_REQUIRED"),
        ("GREEN", {**DEPARTURE, **NEED}, "NOT_POSSIBLE"),
    ],
)
async def test_each_wish_has_its_answer(world: World, profile_type: str, wish: dict[str, Any], answer: str) -> None:
    charging = await a_charge(world)
    async with world.unchanged():
        said = await wished(world, charging.facts.session_id, profile_type, **wish)
    assert (said.http, said.code, said.data) == (200, 1000, answer)


async def test_a_charge_that_is_over_takes_no_wish(world: World) -> None:
    charging = await a_charge(world)
    await charging.end(30, "110")
    assert (await wished(world, charging.facts.session_id, "REGULAR")).data == "NOT_POSSIBLE"


async def test_an_evse_that_cannot_is_404_and_2001(world: World) -> None:
    charging = await a_charge(world, capable=False)
    said = await wished(world, charging.facts.session_id, "REGULAR")
    assert (said.http, said.code) == (404, 2001)


async def test_a_foreign_session_is_as_unknown_as_none(world: World) -> None:
    charging = await a_charge(world)
    foreign = await wished(world, charging.facts.session_id, "REGULAR", by="e2")
    none = await wished(world, "no-such-session", "REGULAR", by="e2")
    assert (
        (foreign.http, foreign.code, foreign.message)
        == (none.http, none.code, none.message)
        == (404, 2000, none.message)
    )


async def test_a_word_that_is_no_profile_is_2001(world: World) -> None:
    charging = await a_charge(world)
    said = await wished(world, charging.facts.session_id, "SLOW")
    assert (said.http, said.code) == (200, 2001)
