"""Sessions as the owner of the token pulls them, and charging preferences. OCPI mod_sessions_sender_interface."""

from __future__ import annotations

import pytest

from tests.world import VERSIONS, World

MONTH = "date_from=2026-05-01T00:00:00Z"


async def test_a_running_and_an_ended_session_are_shown_in_the_words_of_the_version(world: World) -> None:
    running = await world.charge("NL*EEE", end=False)
    ended = await world.charge("NL*EEE")
    first, second = (await world.ask("GET", world.at(f"sender/sessions?{MONTH}"), by="e1")).data
    assert (first["id"], first["status"]) == (running, "ACTIVE")
    assert (second["id"], second["status"]) == (ended, "COMPLETED")
    start, end = (
        ("start_datetime", "end_datetime") if world.version == "2.1.1" else ("start_date_time", "end_date_time")
    )
    assert second[start] < second[end]
    assert end not in first
    assert second["kwh"] == 10
    assert ("location" in first) is (world.version == "2.1.1")
    assert ("cdr_token" in first) is (world.version != "2.1.1")


@pytest.mark.parametrize("version", VERSIONS[1:])
async def test_preferences_where_the_evse_takes_none_are_404_with_2001(world: World) -> None:
    session = await world.charge("NL*EEE", end=False)
    path = world.at(f"sender/sessions/{session}/charging_preferences")
    said = await world.ask("PUT", path, by="e1", body={"profile_type": "FAST"})
    assert (said.http, said.code) == (404, 2001)
    for by, at in (("e2", path), ("e1", world.at("sender/sessions/nope/charging_preferences"))):
        said = await world.ask("PUT", at, by=by, body={"profile_type": "FAST"})
        assert (said.http, said.code) == (404, 2000)
    said = await world.ask("PUT", path, by="e1", body={"profile_type": "WHATEVER"})
    assert (said.http, said.code) == (200, 2001)


async def test_the_cdr_says_what_the_session_said(world: World) -> None:
    session = await world.charge("NL*EEE", kwh="12.5")
    (cdr,) = (await world.ask("GET", world.at("sender/cdrs"), by="e1")).data
    (shown,) = (await world.ask("GET", world.at(f"sender/sessions?{MONTH}"), by="e1")).data
    assert cdr["total_energy"] == shown["kwh"] == 12.5
    if world.version != "2.1.1":
        assert cdr["session_id"] == session
        assert cdr["total_cost"] == shown["total_cost"]
