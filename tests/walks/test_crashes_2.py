"""`kill -9` of the hub while a charger of 2.x tells of a charge: what was acknowledged is billed, once."""

from __future__ import annotations

import asyncio

import pytest

from tests.walks.site import Site
from tests.walks.test_crashes import assert_billed_once
from tests.walks.test_taps import assert_nobody_complains

VERSIONS = ("2.0.1", "2.1")


@pytest.mark.parametrize(
    ("failpoint", "ocpp"),
    [
        ("ocpp.in.before_commit", "2.0.1"),
        ("ocpp.in.after_commit", "2.1"),
        ("ocpp.in.before_reply", "2.0.1"),
        ("cdr.create.before_commit", "2.1"),
        ("cdr.create.after_commit", "2.0.1"),
    ],
)
async def test_a_hub_killed_at_the_end_of_a_charge_of_2_x_bills_it_once(site: Site, failpoint: str, ocpp: str) -> None:
    emsp, uid, place = site.emsps["2.2.1"], site.uid(), site.place(ocpp)
    token = emsp.push_token(uid, whitelist="ALLOWED")
    async with site.charger(place) as charger:
        await charger.boot()
        await charger.plug_in()
        assert await charger.tap(uid) == "Accepted"
        await charger.charge(kwh=10, minutes=20)
        await asyncio.to_thread(site.hub.arm, f"{failpoint}=kill")
        unplugging = asyncio.create_task(charger.unplug())
        await asyncio.to_thread(site.hub.process.wait_until_dead)
        assert len(charger.outbox) > 0
        await asyncio.to_thread(site.hub.start)
        await unplugging
        await charger.settled()
        assert charger.complaints.texts() == []

    await assert_billed_once(site, emsp, token, "10")
    assert_nobody_complains(site)


@pytest.mark.parametrize("ocpp", VERSIONS)
async def test_a_hub_killed_before_it_answered_a_start_of_2_x_knows_the_charge_once(site: Site, ocpp: str) -> None:
    emsp, uid, place = site.emsps["2.3.0"], site.uid(), site.place(ocpp)
    token = emsp.push_token(uid, whitelist="ALLOWED")
    async with site.charger(place) as charger:
        await charger.boot()
        await charger.plug_in()
        await asyncio.to_thread(site.hub.arm, "ocpp.in.before_reply=kill")
        tapping = asyncio.create_task(charger.tap(uid))
        await asyncio.to_thread(site.hub.process.wait_until_dead)
        await asyncio.to_thread(site.hub.start)
        await tapping
        await charger.settled()
        await charger.charge(kwh=10, minutes=20)
        await charger.unplug()
        await charger.settled()

    await assert_billed_once(site, emsp, token, "10")
    assert len(site.transactions(place)) == 1
