"""Campaigns over real chargers that fetch, install and boot: a few first, never in a charge, nothing sent twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from hub.core import failpoints
from partners.sandbox.charger import Charger
from tests.partners.ocpp.care.conftest import Yard, a_yard
from tests.partners.ocpp.site import until

BAD = b"version: 1.9.9\n"


@asynccontextmanager
async def chargers(yard: Yard, count: int) -> AsyncIterator[list[Charger]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(yard.charger(f"CP{number}")) for number in range(1, count + 1)]


async def start(yard: Yard, **rules: Any) -> Any:
    asked = {"firmware": "fw2", "retry_s": 0, "verify_s": 0, **rules}
    return await yard.ask("POST", "/campaigns", asked)


async def leaves(yard: Yard, charger: Charger) -> None:
    """CP1 goes, and the hub has noticed it."""
    await charger.go_offline()

    async def is_gone() -> bool:
        return not (await yard.ask("GET", "/stations/CP1"))["connected"]

    await until(is_gone)


def of(shown: Any, station: str) -> Any:
    return next(each for each in shown["stations"] if each["station"] == station)


def states(row: Any) -> list[str]:
    return [step["state"] for step in row["course"]]


async def actions(yard: Yard) -> list[str]:
    return [row["action"] for row in (await yard.ask("GET", "/audit"))["items"]]


async def test_a_canary_goes_first_and_then_the_others_until_all_are_verified_by_their_boots(yard: Yard) -> None:
    await yard.add_firmware()
    async with chargers(yard, 3) as points:
        await start(yard, canary=1, batch=2)
        first = await yard.campaign(verified=1)
        assert sum(len(yard.told(point)) for point in points) <= 3
        assert states(of(first, "CP1")) == [
            *("scheduled", "asking", "asked", "downloading", "downloaded", "installing", "installed", "verified")
        ]
        shown = await yard.campaign(state="done", verified=3)
        assert [yard.told(point) for point in points] == [["UpdateFirmware"]] * 3
        assert {point.firmware for point in points} == {"2.0.0"}
        assert [point.complaints.texts() for point in points] == [[], [], []]
    assert shown["success"] == [{"model": "Sandbox 22", "verified": 3, "failed": 0, "success_percent": 100}]
    assert {"campaign.started", "campaign.done"} <= set(await actions(yard))


async def test_nobody_else_is_told_when_the_canary_fails(yard: Yard) -> None:
    await yard.add_firmware(image=BAD)
    async with chargers(yard, 2) as points:
        await start(yard, retries=0)
        shown = await yard.campaign(state="stopped", failed=1, scheduled=1)
        await yard.house.program.campaigns.step()
        assert yard.told(points[1]) == []
    assert shown["why"] == "a canary failed"
    assert of(shown, "CP1")["why"] == "it booted with 1.9.9"
    assert {"campaign.station_failed", "campaign.stopped"} <= set(await actions(yard))


async def test_attempts_are_bounded_and_a_campaign_that_stopped_may_be_resumed(yard: Yard) -> None:
    await yard.add_firmware(image=BAD)
    async with chargers(yard, 1) as (point,):
        made = await start(yard, retries=2)
        shown = await yard.campaign(state="stopped", failed=1)
        assert yard.told(point) == ["UpdateFirmware"] * 3
        assert of(shown, "CP1")["attempt"] == 3
        await yard.ask("POST", f"/campaigns/{made['id']}/resume")
        assert (await yard.campaign(state="done"))["counts"] == {"failed": 1}
        assert yard.told(point) == ["UpdateFirmware"] * 3


async def test_a_station_is_not_told_while_somebody_charges_at_it(yard: Yard) -> None:
    await yard.add_firmware()
    async with chargers(yard, 1) as (point,):
        await point.call("StartTransaction", {"connectorId": 1, "idTag": "X", "meterStart": 0,
                                              "timestamp": "2026-05-04T10:00:00Z"})  # fmt: skip
        await point.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Charging"})
        await start(yard)
        for _ in range(3):
            await yard.house.program.campaigns.step()
        assert yard.told(point) == []
        await point.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"})
        await yard.campaign(state="done", verified=1)


async def test_a_station_that_is_away_keeps_nobody_waiting_and_is_told_when_it_comes(yard: Yard) -> None:
    await yard.add_firmware()
    async with chargers(yard, 2) as points:
        await leaves(yard, points[0])
        await start(yard, canary=1)
        await yard.campaign(state="running", verified=1, scheduled=1)
        await points[0].go_online()
        await yard.campaign(state="done", verified=2)


async def test_what_was_written_down_and_perhaps_told_is_not_sent_again(yard: Yard) -> None:
    await yard.add_firmware()
    async with chargers(yard, 1) as (point,):
        failpoints.arm("care.before_tell=once", {"BUSBAR_TEST": "1"})
        try:
            await start(yard)
            await yard.campaign(asking=1)
        finally:
            failpoints.arm("")
        for _ in range(3):
            await yard.house.program.campaigns.step()
        assert yard.told(point) == []
        assert of(await yard.campaign(asking=1), "CP1")["attempt"] == 1


async def test_a_campaign_goes_on_after_a_restart_of_the_hub(tmp_path: Path) -> None:
    async with a_yard(tmp_path) as yard:
        await yard.furnish()
        await yard.add_firmware()
        async with chargers(yard, 2):
            pass
        await start(yard, canary=1)
        await yard.campaign(scheduled=2)
    async with a_yard(tmp_path) as yard, chargers(yard, 2) as points:
        await yard.campaign(state="done", verified=2)
        assert [yard.told(point) for point in points] == [["UpdateFirmware"]] * 2


async def test_two_who_drive_at_once_tell_a_station_once(yard: Yard) -> None:
    await yard.add_firmware()
    async with chargers(yard, 2) as points:
        await start(yard, canary=0)
        step = yard.house.program.campaigns.step
        await asyncio.gather(*(step() for _ in range(5)))
        await yard.campaign(state="done", verified=2)
        assert [yard.told(point) for point in points] == [["UpdateFirmware"]] * 2


async def test_a_pause_tells_nobody_and_an_abort_drops_who_was_not_told(yard: Yard) -> None:
    await yard.add_firmware()
    async with chargers(yard, 1) as (point,):
        await leaves(yard, point)
        made = await start(yard)
        path = f"/campaigns/{made['id']}"
        await yard.ask("POST", f"{path}/pause")
        await point.go_online()
        for _ in range(3):
            await yard.house.program.campaigns.step()
        assert yard.told(point) == []
        assert (await yard.house.ask("POST", f"/api/v1{path}/pause")).status == 409
        await yard.ask("POST", f"{path}/abort")
        await yard.campaign(state="aborted", dropped=1)
        assert (await yard.house.ask("POST", f"/api/v1{path}/resume")).status == 409


async def test_a_station_is_out_of_use_for_the_update_alone_where_the_operator_says_so(yard: Yard) -> None:
    await yard.add_firmware()
    async with chargers(yard, 1) as (point,):
        await start(yard, make_unavailable=True)
        shown = await yard.campaign(state="done", verified=1)
        for _ in range(3):
            await yard.house.program.campaigns.step()
        shown = await yard.ask("GET", f"/campaigns/{shown['id']}")
        assert yard.told(point) == ["ChangeAvailability", "UpdateFirmware", "ChangeAvailability"]
        assert of(shown, "CP1")["withdrawn"] is False
        assert point.connectors[1].operative


async def test_signed_firmware_is_told_by_the_way_of_the_whitepaper(yard: Yard) -> None:
    await yard.add_firmware(signature="AAAA", certificate="-----BEGIN CERTIFICATE-----")
    async with chargers(yard, 1) as (point,):
        await start(yard)
        await yard.campaign(state="done", verified=1)
        assert yard.told(point) == ["SignedUpdateFirmware"]


async def test_a_charger_that_knows_no_signed_firmware_is_told_without(yard: Yard) -> None:
    await yard.add_firmware(signature="AAAA", certificate="-----BEGIN CERTIFICATE-----")
    async with chargers(yard, 1) as (point,):
        del point._answers._table["SignedUpdateFirmware"]
        await start(yard)
        await yard.campaign(state="done", verified=1)
        assert yard.told(point) == ["SignedUpdateFirmware", "UpdateFirmware"]


async def test_words_of_another_request_change_nothing(yard: Yard) -> None:
    await yard.add_firmware(signature="AAAA", certificate="-----BEGIN CERTIFICATE-----")
    async with chargers(yard, 1) as (point,):
        point._answers._table["SignedUpdateFirmware"] = lambda _: ({"status": "Accepted"}, None)
        await start(yard)
        await yard.campaign(asked=1)
        await point.call("SignedFirmwareStatusNotification", {"status": "InvalidSignature", "requestId": 1})
        await point.call("FirmwareStatusNotification", {"status": "Idle"})
        assert (await yard.campaign(asked=1))["state"] == "running"


async def test_a_silent_station_fails_after_its_patience(yard: Yard) -> None:
    await yard.add_firmware()
    async with chargers(yard, 1) as (point,):
        point._answers._table["UpdateFirmware"] = lambda _: ({}, None)
        await start(yard, patience_s=1, retries=0)
        shown = await yard.campaign(state="stopped", failed=1)
    assert "nothing was heard" in of(shown, "CP1")["why"]


async def test_what_makes_no_sense_is_refused(yard: Yard) -> None:
    ask = yard.house.ask
    assert (await ask("POST", "/api/v1/campaigns", {"firmware": "none"})).status == 404
    await yard.add_firmware()
    assert (await ask("POST", "/api/v1/campaigns", {"firmware": "fw2"})).status == 422
    async with chargers(yard, 1):
        for wrong in ({"model": "Other"}, {"stations": ["CP9"]}, {"batch": 0}, {"canary": -1}):
            assert (await ask("POST", "/api/v1/campaigns", {"firmware": "fw2", **wrong})).status == 422, wrong
    assert (await ask("GET", "/api/v1/campaigns/none")).status == 404
    assert (await ask("POST", "/api/v1/campaigns/none/abort")).status == 404
    assert (await yard.ask("GET", "/campaigns"))["items"] == []
