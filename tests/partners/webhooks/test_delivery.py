"""Alerts told to real receivers: signed, in order, again after failures and after a stop, and each on its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hub.core.store import Store
from partners.ocpp.watch.rules import Severity
from partners.webhooks.receiver import TRIES
from tests.databases import PostgresServer
from tests.hub.house import House, a_serving_house
from tests.partners.ocpp.site import until
from tests.partners.webhooks.receiving import Receiver, a_receiver, alert, closes, opens
from tests.walks.processes import HubInParts, HubProcess, Process
from tests.world import location, tariff

PATH = "/api/v1/webhooks"
OFFLINE = {
    "tariffs/DE/BSB/T1": tariff(),
    "locations/DE/BSB/LOC1": location(),
    "stations/CP1": {"location": "LOC1", "evses": {"1": {"evse_uid": "E1", "connectors": {"1": "1"}}}},
}
"""A charger that never connects, and what it needs."""
OFFLINE_SOON = {"alert_look_s": 0.1, "alert_offline_s": 0.3, "lane_first_s": 60}
QUICK = {"lane_first_s": 0.02, "lane_cap_s": 0.05, "alert_look_s": 3600}


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with a_receiver() as made:
        yield made


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with a_serving_house(tmp_path, **QUICK) as made:
        yield made


async def added(house: House, receiver: Receiver, **given: Any) -> Any:
    told = await house.ask("POST", PATH, {"url": receiver.url, **given})
    assert told.status == 201, told.tree
    return told.tree


async def the_webhook(house: House) -> Any:
    (item,) = (await house.ask("GET", PATH)).tree["items"]
    return item


async def keeps_failing(house: House) -> bool:
    return bool((await the_webhook(house))["lane"]["failures"] >= 2)


def store_of(house: House) -> Store:
    return house.program.store


async def test_an_alert_that_opens_is_one_signed_call_and_one_more_when_it_closes(
    house: House, receiver: Receiver
) -> None:
    secret = (await added(house, receiver, sign=True))["secret"]
    await opens(store_of(house), alert("a1"))
    await receiver.hears(1)
    await closes(store_of(house), alert("a1"))
    await receiver.hears(2)
    opened, closed = receiver.heard
    assert all(call.is_signed_with(secret) for call in receiver.heard)
    assert (opened.id, closed.id) == ("evt_a1_opened", "evt_a1_closed")
    assert opened.tree == {
        "type": "alert.opened",
        "timestamp": "2026-05-04T12:00:00.000Z",
        "data": {
            "id": "a1", "rule": "offline", "subject": "A1/E1", "severity": "high", "opened": "2026-05-04T12:00:00Z",
            "seen": "its socket is gone", "closed": None, "about": "charger",
        },
    }  # fmt: skip
    assert (closed.tree["data"]["closed"], closed.tree["data"]["acknowledged_by"]) == ("2026-05-04T13:00:00Z", "jo")
    assert opened.headers["content-type"] == "application/json"


async def test_a_receiver_that_is_down_hears_of_it_later_in_order(house: House, receiver: Receiver) -> None:
    await added(house, receiver)
    await receiver.end()
    await opens(store_of(house), alert("a1"))
    await opens(store_of(house), alert("a2"))
    await closes(store_of(house), alert("a1"))
    await until(lambda: keeps_failing(house))
    assert (await the_webhook(house))["lane"]["last_error"] == "127.0.0.1: no connection"
    await receiver.begin()
    await receiver.hears(3)
    assert receiver.names == [("alert.opened", "a1"), ("alert.closed", "a1"), ("alert.opened", "a2")]


@pytest.mark.parametrize("given", [{}, {"Content-Encoding": "gzip"}])
async def test_whatever_a_receiver_says_with_its_yes_is_a_yes(
    house: House, receiver: Receiver, given: dict[str, str]
) -> None:
    await added(house, receiver)
    receiver.answers, receiver.given, receiver.says = [200, 200], given, b"<p>thank you</p>" * 100_000
    await opens(store_of(house), alert("a1"))
    await opens(store_of(house), alert("a2"))
    await receiver.hears(2)
    assert receiver.names == [("alert.opened", "a1"), ("alert.opened", "a2")]


@pytest.mark.parametrize("status", [500, 503, 429, 408, 302])
async def test_an_answer_that_passes_is_tried_again_under_the_same_id(
    house: House, receiver: Receiver, status: int
) -> None:
    await added(house, receiver)
    receiver.answers = [status] * (TRIES + 3)
    await opens(store_of(house), alert("a1"))
    await receiver.hears(TRIES + 4)
    assert {call.id for call in receiver.heard} == {"evt_a1_opened"}
    assert len({call.body for call in receiver.heard}) == 1


async def test_what_a_receiver_refuses_is_set_aside_on_record_and_the_others_follow(
    house: House, receiver: Receiver
) -> None:
    await added(house, receiver)
    receiver.answers = [422] * TRIES
    await opens(store_of(house), alert("a1"))
    await opens(store_of(house), alert("a2"))
    await receiver.hears(TRIES + 1)
    assert [call.id for call in receiver.heard] == ["evt_a1_opened"] * TRIES + ["evt_a2_opened"]
    shown = await the_webhook(house)
    assert (shown["refused"], shown["last_refused"]) == (1, "HTTP 422")


async def test_what_was_taken_of_an_alert_is_not_told_again_for_what_was_not(house: House, receiver: Receiver) -> None:
    await added(house, receiver)
    await receiver.end()
    await opens(store_of(house), alert("a1"))
    await closes(store_of(house), alert("a1"))
    receiver.answers = [204, 503]
    await receiver.begin()
    await receiver.hears(3)
    assert [call.id for call in receiver.heard] == ["evt_a1_opened", "evt_a1_closed", "evt_a1_closed"]


async def test_a_dead_webhook_hinders_no_other(house: House, receiver: Receiver) -> None:
    dead = await house.ask("POST", PATH, {"url": "http://127.0.0.1:9/hook"})
    await added(house, receiver)
    for number in range(5):
        await opens(store_of(house), alert(f"a{number}"))
    await receiver.hears(5)
    (shown,) = [item for item in (await house.ask("GET", PATH)).tree["items"] if item["id"] == dead.tree["id"]]
    assert shown["lane"]["waiting"] == 5


async def test_a_webhook_hears_of_the_rules_and_severities_that_it_is_for(house: House, receiver: Receiver) -> None:
    await added(house, receiver, rules=["offline", "faulted"], severities=["high"])
    await opens(store_of(house), alert("a1", rule="flapping"))
    await opens(store_of(house), alert("a2", severity=Severity.LOW))
    await opens(store_of(house), alert("a3", rule="faulted"))
    await receiver.hears(1)
    assert receiver.names == [("alert.opened", "a3")]


async def test_what_happens_while_it_is_disabled_it_never_hears_of(house: House, receiver: Receiver) -> None:
    webhook = await added(house, receiver, enabled=False)
    await opens(store_of(house), alert("a1"))
    assert (await house.ask("POST", f"{PATH}/{webhook['id']}/enable")).tree["enabled"] is True
    await opens(store_of(house), alert("a2"))
    await receiver.hears(1)
    assert (await house.ask("POST", f"{PATH}/{webhook['id']}/disable")).tree["enabled"] is False
    await opens(store_of(house), alert("a3"))
    await house.ask("POST", f"{PATH}/{webhook['id']}/test")
    assert receiver.names == [("alert.opened", "a2"), ("webhook.test", "")]


async def test_a_test_that_goes_well_brings_forward_what_waits(tmp_path: Path, receiver: Receiver) -> None:
    async with a_serving_house(tmp_path, **{**QUICK, "lane_first_s": 3600, "lane_cap_s": 3600}) as house:
        webhook = await added(house, receiver)
        receiver.answers = [503]
        await opens(store_of(house), alert("a1"))
        await receiver.hears(1)
        told = await house.ask("POST", f"{PATH}/{webhook['id']}/test")
        assert (told.tree["delivered"], told.tree["status"], told.tree["error"]) == (True, 204, "")
        await receiver.hears(3)
        assert [call.tree["type"] for call in receiver.heard] == ["alert.opened", "webhook.test", "alert.opened"]


async def test_after_a_kill_it_is_told_under_the_same_id(tmp_path: Path, receiver: Receiver) -> None:
    hub = HubProcess(f"sqlite:///{tmp_path}/busbar.db", tmp_path, **OFFLINE_SOON)
    await told_again(hub, hub.process, receiver)
    assert {call.tree["data"]["subject"] for call in receiver.heard} == {"CP1"}


async def test_a_hub_in_parts_tells_what_one_part_saw_and_another_was_asked_to_tell(
    tmp_path: Path, receiver: Receiver, postgres_server: PostgresServer
) -> None:
    hub = HubInParts(postgres_server.create_database(), tmp_path, **OFFLINE_SOON)
    await told_again(hub, hub.worker, receiver)


async def told_again(hub: HubProcess, killed: Process, receiver: Receiver) -> None:
    """An alert whose first call failed is told again, when the process that told it was killed and has started."""
    receiver.answers = [500]
    try:
        await asyncio.to_thread(hub.start)
        added = await asyncio.to_thread(hub.web.ask, "POST", PATH, {"url": receiver.url, "sign": True})
        for path, tree in OFFLINE.items():
            await asyncio.to_thread(hub.web.ask, "PUT", f"/api/v1/{path}", tree)
        await receiver.hears(1)
        killed.kill()
        await asyncio.to_thread(hub.start)
        await receiver.hears(2)
    finally:
        hub.close()
    first, second = receiver.heard[:2]
    assert (second.id, second.tree["data"]["rule"]) == (first.id, "offline")
    assert second.is_signed_with(added["secret"])
    assert added["secret"] not in killed.log_text()
