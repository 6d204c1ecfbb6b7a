"""Alerts that are about no charger, from what a whole hub sees: they open once and close when it is over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace

from hub.core.clock import timestamp
from hub.core.units import Unit
from modules.sessions.charge import load_latest, put_of
from partners.ocpp import journal
from partners.ocpp.journal import Lack, Record
from partners.oicp.record_store import DELIVERED, HELD, OicpRecord, RecordStore
from tests.hub.house import House, a_house, a_serving_house
from tests.partners.ocpp.site import until
from tests.partners.oicp.authority import Authority
from tests.partners.webhooks.receiving import a_receiver, alert, opens
from tests.world import ManualClock

ALERTS = "/api/v1/alerts"
GARAGE = {
    "policy": "FAIR",
    "nodes": {"main": {"limit_a": 40}},
    "evses": {"E1": {"node": "main", "most_a": 32, "safe_a": 6}},
    "load_fresh_s": 60,
}


@pytest_asyncio.fixture
async def clock() -> ManualClock:
    return ManualClock()


@pytest_asyncio.fixture
async def house(tmp_path: Path, clock: ManualClock) -> AsyncIterator[House]:
    async with a_house(tmp_path, clock=clock) as made:
        await made.furnish()
        yield made


async def alerts(house: House, **query: str) -> list[Any]:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    items: list[Any] = (await house.ask("GET", f"{ALERTS}?{asked}")).tree["items"]
    return items


async def looks(house: House, clock: ManualClock, *, after_s: float = 0.0) -> None:
    """A look now, or after some time."""
    clock.move_to(clock.passed_s + after_s)
    await house.program.house.look()


async def test_a_charge_that_is_held_for_a_day_is_told_until_it_is_billed(house: House, clock: ManualClock) -> None:
    session = await house.charge(kwh=2_147_483)
    await looks(house, clock)
    assert await alerts(house) == []
    await looks(house, clock, after_s=86_400)
    (alert,) = await alerts(house, open="true", rule="held_money")
    assert (alert["about"], alert["subject"], alert["severity"]) == ("money", "charges", "medium")
    assert (await house.ask("POST", f"/api/v1/transactions/{session}/drop")).status == 200
    await looks(house, clock)
    await looks(house, clock, after_s=61)
    assert await alerts(house, open="true") == []


async def test_a_charge_that_waits_without_a_session_is_told_like_any_that_is_held_and_by_our_clock(
    house: House, clock: ManualClock
) -> None:
    long_ago = datetime(2010, 6, 1, tzinfo=UTC)
    waits = Record(
        "CP1/1", "CP1", journal.UNPLACED, number="T1", lacks=Lack.BEGIN, end=long_ago, held_since=clock.now()
    )
    await house.program.store.commit(Unit().put(journal.record_put(waits)))
    await looks(house, clock)
    assert await alerts(house) == []
    await looks(house, clock, after_s=86_400)
    (alert,) = await alerts(house, open="true", rule="held_money")
    assert alert["seen"] == "1 charges are not billed, the oldest for 24 h"


async def test_how_long_a_charge_is_held_is_counted_by_our_clock(house: House, clock: ManualClock) -> None:
    session = await house.charge(kwh=2_147_483)
    charge, _ = await load_latest(house.program.store, session) or pytest.fail("it is on record")
    charge.end = datetime(2010, 6, 1, tzinfo=UTC)
    await house.program.store.commit(Unit().put(put_of(charge)))
    await looks(house, clock)
    assert await alerts(house) == []


async def test_a_record_of_oicp_that_is_held_for_a_day_is_told_until_it_is_delivered(
    house: House, clock: ManualClock
) -> None:
    store = RecordStore(house.program.hub)
    record = OicpRecord(
        session="s-1", state=HELD, cpo="abc", record={"SessionEnd": timestamp(clock.now())}, why="no price"
    )
    await store.keep(record)
    await looks(house, clock)
    assert await alerts(house) == []
    await looks(house, clock, after_s=86_400)
    (alert,) = await alerts(house, open="true", rule="held_money")
    assert (alert["about"], alert["subject"]) == ("money", "oicp records")
    await store.keep(replace(record, state=DELIVERED))
    await looks(house, clock)
    await looks(house, clock, after_s=61)
    assert await alerts(house, open="true") == []


async def test_a_meter_of_a_site_that_falls_silent_is_told_until_it_speaks(house: House, clock: ManualClock) -> None:
    put = await house.ask("PUT", "/api/v1/sites/garage", GARAGE)
    assert put.status == 201, put.tree
    load = {"node": "main", "load_a": 5}
    await house.ask("PUT", "/api/v1/sites/garage/load", {**load, "at": timestamp(clock.now())})
    for _ in range(3):
        await looks(house, clock, after_s=61)
    (alert,) = await alerts(house, open="true")
    assert (alert["rule"], alert["about"], alert["subject"]) == ("site_meter", "site", "garage/main")
    await house.ask("PUT", "/api/v1/sites/garage/load", {**load, "at": timestamp(clock.now())})
    await looks(house, clock)
    await house.ask("PUT", "/api/v1/sites/garage/load", {**load, "at": timestamp(clock.now())})
    await looks(house, clock, after_s=30)
    await house.ask("PUT", "/api/v1/sites/garage/load", {**load, "at": timestamp(clock.now())})
    await looks(house, clock, after_s=31)
    assert await alerts(house, open="true") == []


async def test_a_webhook_that_takes_nothing_is_told_and_no_look_at_chargers_closes_that(tmp_path: Path) -> None:
    quick = {"alert_look_s": 0.02, "alert_lane_s": 0.1, "alert_clear_s": 0.05, "lane_first_s": 0.05, "lane_cap_s": 0.1}
    async with a_serving_house(tmp_path, **quick) as house:
        webhook = (await house.ask("POST", "/api/v1/webhooks", {"url": "http://127.0.0.1:9/hook"})).tree
        await opens(house.program.store, alert("a1"))
        await until(lambda: is_told(house, webhook["id"]))
    async with a_serving_house(tmp_path, **quick) as house:
        await until(lambda: is_told(house, webhook["id"]))


async def is_told(house: House, subject: str) -> bool:
    return [alert["subject"] for alert in await alerts(house, open="true", rule="webhook_stopped")] == [subject]


async def rules_open(house: House) -> dict[str, tuple[str, str]]:
    """Of the alerts that are open: rule, subject and severity."""
    return {alert["rule"]: (alert["subject"], alert["severity"]) for alert in await alerts(house, open="true")}


async def test_a_certificate_that_ends_is_told_until_a_new_one_is_there(
    house: House, clock: ManualClock, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    old, new = (authority.identity("emp", lasts=timedelta(days=days)) for days in (100, 400))
    path, ask = "/api/v1/oicp/connections/acme", {"kind": "emp", "provider_ids": ["DE-DCB"], "base_url": ""}
    assert (await house.ask("PUT", path, {**ask, "certificates": [old.pem]})).status == 201
    end = (old.certificate.not_valid_after_utc - clock.now()).total_seconds() + clock.passed_s

    async def looks_at(days_left: int) -> dict[str, tuple[str, str]]:
        await looks(house, clock, after_s=end - days_left * 86_400 - clock.passed_s)
        return await rules_open(house)

    assert await looks_at(31) == {}
    ends = {"certificate_ends": ("partner acme", "medium")}
    assert await looks_at(30) == ends
    last_days = {**ends, "certificate_last_days": ("partner acme", "high")}
    assert await looks_at(7) == await looks_at(-1) == last_days
    (alert,) = await alerts(house, open="true", rule="certificate_ends")
    assert alert["about"] == "certificate"
    assert (await house.ask("PUT", path, {**ask, "certificates": [old.pem, new.pem]})).status == 200
    await looks(house, clock)
    await looks(house, clock, after_s=61)
    assert await rules_open(house) == {}


async def test_the_end_of_a_certificate_of_ours_is_told_to_webhooks(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    quick = {"alert_look_s": 0.02, "lane_first_s": 0.05, "lane_cap_s": 0.1}
    async with a_receiver() as receiver, a_serving_house(tmp_path, **quick) as house:
        hears = {"url": receiver.url, "rules": ["certificate_last_days"]}
        assert (await house.ask("POST", "/api/v1/webhooks", hears)).status == 201
        asked = await house.ask("POST", "/api/v1/oicp/certificates", {"name": "qa", "common_name": "hub.example"})
        issued = authority.sign(asked.tree["csr"], lasts=timedelta(days=5))
        await house.ask("PUT", "/api/v1/oicp/certificates/qa", {"certificate": issued})
        await receiver.hears(1)
        (heard,) = receiver.heard
        assert (heard.tree["type"], heard.tree["data"]["subject"]) == ("alert.opened", "ours qa")
