"""`kill -9` while a charge goes on: every sample that was answered counts afterwards."""

from __future__ import annotations

import asyncio

from tests.walks.site import Site, until


async def test_a_hub_killed_during_a_charge_knows_every_sample_that_it_answered(site: Site) -> None:
    emsp, uid, place = site.emsps["2.3.0"], site.uid(), site.place()
    token = emsp.push_token(uid, whitelist="ALLOWED")
    async with site.charger(place) as charger:
        await charger.boot()
        await charger.plug_in()
        assert await charger.tap(uid) == "Accepted"
        await charger.charge(kwh=10, minutes=40)
        await charger.settled()
        await asyncio.to_thread(site.hub.process.kill)
    await asyncio.to_thread(site.hub.start)

    await until(lambda: [session["kwh"] for session in emsp.of_token("sessions", token)] == [10], why="10 kWh")
