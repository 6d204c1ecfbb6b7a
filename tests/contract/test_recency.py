"""What is older than what is here changes nothing; but no slip of a clock and no guess of ours shuts a partner out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hub.core.clock import timestamp
from tests.modules.sessions.records import a_session
from tests.world import NOW, Said, World, their_location, their_tariff, token

CARD = "receiver/tokens/NL/EEE/CARD1"
SESSION = "receiver/sessions/BE/AAA/S1"
LOCATION = "receiver/locations/BE/AAA/X1"
TARIFF = "receiver/tariffs/BE/AAA/T9"


def at(seconds: float) -> str:
    return timestamp(NOW + timedelta(seconds=seconds))


async def told(world: World, method: str, path: str, body: Any) -> Said:
    said = await world.ask(method, world.at(path), by="e1" if path.startswith("receiver/tokens") else "c1", body=body)
    assert said.code == 1000, said.tree
    return said


async def shown(world: World, path: str) -> Any:
    return (await told(world, "GET", path, None)).data


@pytest.mark.parametrize("ahead", ["9999-12-31T23:59:59Z", "2099-01-01T00:00:00Z", at(3600)])
async def test_a_time_far_ahead_does_not_shut_out_what_follows(world: World, ahead: str) -> None:
    card = {**token(world.version), "last_updated": ahead}
    await told(world, "PUT", CARD, card)
    await told(world, "PUT", CARD, {**card, "valid": False, "last_updated": at(0)})
    assert (await shown(world, CARD))["valid"] is False

    await told(world, "PUT", LOCATION, their_location(world.version))
    await told(world, "PATCH", f"{LOCATION}/E1", {"status": "CHARGING", "last_updated": ahead})
    await told(world, "PATCH", f"{LOCATION}/E1", {"status": "OUTOFORDER", "last_updated": at(0)})
    assert (await shown(world, f"{LOCATION}/E1"))["status"] == "OUTOFORDER"

    await told(world, "PUT", SESSION, {**a_session(world.version), "last_updated": ahead})
    await told(world, "PUT", SESSION, {**a_session(world.version), "kwh": 7, "last_updated": at(0)})
    assert (await shown(world, SESSION))["kwh"] == 7

    tariff = {**their_tariff(world.version), "currency": "EUR", "last_updated": ahead}
    await told(world, "PUT", TARIFF, tariff)
    await told(world, "PUT", TARIFF, {**tariff, "currency": "CHF", "last_updated": at(0)})
    assert (await shown(world, TARIFF))["currency"] == "CHF"


async def test_a_clock_that_is_always_ahead_keeps_the_order(world: World) -> None:
    card = {**token(world.version), "last_updated": at(7200)}
    await told(world, "PUT", CARD, card)
    await told(world, "PUT", CARD, {**card, "valid": False, "last_updated": at(7100)})
    assert (await shown(world, CARD))["valid"] is True


async def test_a_clock_that_is_a_little_ahead_keeps_the_order(world: World) -> None:
    card = {**token(world.version), "last_updated": at(20)}
    await told(world, "PUT", CARD, card)
    await told(world, "PUT", CARD, {**card, "valid": False, "last_updated": at(10)})
    assert (await shown(world, CARD))["valid"] is True


@pytest.mark.parametrize("version", ["2.1.1"])
@pytest.mark.parametrize("after_s", [0, -0.9])
async def test_a_change_without_a_time_does_not_outrank_what_its_owner_says_next(world: World, after_s: float) -> None:
    world.clock.move_to(0.9)
    earlier, next_said = at(-60), at(after_s)
    card = {**token("2.1.1"), "last_updated": earlier}
    await told(world, "PUT", CARD, card)
    await told(world, "PATCH", CARD, {"issuer": "Other"})
    await told(world, "PUT", CARD, {**card, "valid": False, "last_updated": next_said})
    assert (await shown(world, CARD))["valid"] is False

    session = {**a_session("2.1.1"), "last_updated": earlier}
    await told(world, "PUT", SESSION, session)
    await told(world, "PATCH", SESSION, {"kwh": 2})
    await told(world, "PATCH", SESSION, {"kwh": 3, "last_updated": next_said})
    assert (await shown(world, SESSION))["kwh"] == 3

    await told(world, "PUT", LOCATION, their_location("2.1.1", at=NOW - timedelta(minutes=1)))
    await told(world, "PATCH", f"{LOCATION}/E1", {"status": "CHARGING"})
    await told(world, "PATCH", f"{LOCATION}/E1", {"status": "OUTOFORDER", "last_updated": next_said})
    assert (await shown(world, f"{LOCATION}/E1"))["status"] == "OUTOFORDER"

    tariff = {**their_tariff("2.1.1"), "currency": "EUR", "last_updated": earlier}
    await told(world, "PUT", TARIFF, tariff)
    await told(world, "PATCH", TARIFF, {"currency": "SEK"})
    await told(world, "PUT", TARIFF, {**tariff, "currency": "CHF", "last_updated": next_said})
    assert (await shown(world, TARIFF))["currency"] == "CHF"


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_a_change_without_a_time_is_found_by_who_asks_for_changes(world: World) -> None:
    await told(world, "PUT", LOCATION, their_location("2.1.1", at=NOW - timedelta(hours=1)))
    world.clock.move_to(60)
    await told(world, "PATCH", f"{LOCATION}/E1", {"status": "CHARGING"})
    listed = await world.ask("GET", world.at(f"sender/locations?date_from={at(30)}"), by="e1")
    assert [place["id"] for place in listed.data] == ["X1"]
    assert (await shown(world, f"{LOCATION}/E1"))["last_updated"] == "2026-05-04T09:00:00Z"


async def test_what_is_older_than_a_change_without_a_time_is_old_all_the_same(world: World) -> None:
    card = {**token(world.version), "last_updated": at(-60)}
    await told(world, "PUT", CARD, card)
    part = {"issuer": "Other"} if world.version == "2.1.1" else {"issuer": "Other", "last_updated": at(-30)}
    await told(world, "PATCH", CARD, part)
    await told(world, "PUT", CARD, {**card, "valid": False, "last_updated": at(-90)})
    assert (await shown(world, CARD))["valid"] is True
