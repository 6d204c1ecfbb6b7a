"""The ledger through real sockets: chargers come back, repeat themselves and misspeak, and the bills stay right."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from partners.sandbox.charger import Charger
from partners.sandbox.point.clock import timestamp
from partners.sandbox.point.faults import Faults
from tests.walks.site import Emsp, Place, Site, Tree, cost, until
from tests.walks.test_taps import assert_nobody_complains, before_taxes, the_cdr, the_completed_session


async def assert_bill(emsp: Emsp, token: Tree, kwh: str) -> Tree:
    """One CDR, one session, both over so much energy."""
    cdr, session = await the_cdr(emsp, token), await the_completed_session(emsp, token)
    assert (cdr["total_energy"], before_taxes(cdr)) == (Decimal(kwh), cost(kwh))
    assert (session["kwh"], before_taxes(session)) == (Decimal(kwh), cost(kwh))
    return cdr


async def charge_offline(charger: Charger, uid: str, kwh: float) -> None:
    """A whole charge without a connection, then the connection."""
    await charger.boot()
    await charger.go_offline()
    await charger.plug_in()
    assert await charger.tap(uid) == "Accepted"
    await charger.charge(kwh=kwh, minutes=40)
    await charger.unplug()
    await charger.go_online()
    await charger.settled()


@pytest.mark.parametrize("unknown_id", [0, -1])
async def test_a_charge_without_connection_is_billed_whatever_number_it_goes_by(site: Site, unknown_id: int) -> None:
    emsp, uid, place = site.emsps["2.2.1"], site.uid(), site.place()
    token = emsp.push_token(uid, whitelist="ALLOWED")
    async with site.charger(place, unknown_id=unknown_id) as charger:
        await charge_offline(charger, uid, 7)

    await assert_bill(emsp, token, "7")
    assert_nobody_complains(site)


async def test_two_stations_that_both_say_zero_are_billed_apart(site: Site) -> None:
    emsp, places = site.emsps["2.3.0"], [site.place(), site.place()]
    uids = [site.uid(), site.uid()]
    tokens = [emsp.push_token(uid, whitelist="ALLOWED") for uid in uids]

    async def one(place: Place, uid: str, kwh: float) -> None:
        async with site.charger(place, unknown_id=0) as charger:
            await charge_offline(charger, uid, kwh)

    await asyncio.gather(one(places[0], uids[0], 3), one(places[1], uids[1], 11))

    await assert_bill(emsp, tokens[0], "3")
    await assert_bill(emsp, tokens[1], "11")
    assert_nobody_complains(site)


async def test_a_charge_goes_on_over_a_restart_of_the_hub(site: Site) -> None:
    emsp, uid, place = site.emsps["2.2.1"], site.uid(), site.place()
    token = emsp.push_token(uid, whitelist="ALLOWED")
    async with site.charger(place) as charger:
        await charger.boot()
        await charger.plug_in()
        await charger.tap(uid)
        await charger.charge(kwh=4, minutes=20)
        site.hub.process.stop()
        await charger.charge(kwh=5, minutes=20)
        await asyncio.to_thread(site.hub.start)
        await charger.charge(kwh=6, minutes=20)
        await charger.unplug()
        await charger.settled()

    await assert_bill(emsp, token, "15")
    assert_nobody_complains(site)


async def test_a_charge_that_ended_while_the_hub_was_away_is_billed_once_and_right(site: Site) -> None:
    emsp, uid, place = site.emsps["2.1.1"], site.uid(), site.place()
    token = emsp.push_token(uid, whitelist="ALLOWED")
    async with site.charger(place) as charger:
        await charger.boot()
        await charger.plug_in()
        await charger.tap(uid)
        await charger.charge(kwh=4, minutes=20)
        site.hub.process.kill()
        await charger.charge(kwh=5, minutes=20)
        await charger.unplug()
        await asyncio.to_thread(site.hub.start)
        await charger.settled()

    await assert_bill(emsp, token, "9")
    assert len(emsp.cdr_posts(token)) == 1
    assert_nobody_complains(site)


@pytest.mark.parametrize("fault", ["duplicate-start", "stop-before-start", "kwh-units", "invalid-fields", "clock-1970"])
async def test_a_charger_with_a_bad_habit_is_billed_right(site: Site, fault: str) -> None:
    emsp, uid, place = site.emsps["2.2.1"], site.uid(), site.place()
    token = emsp.push_token(uid, whitelist="ALLOWED")
    async with site.charger(place, faults=Faults.named([fault])) as charger:
        await charger.boot()
        await charger.plug_in()
        assert await charger.tap(uid) == "Accepted"
        await charger.charge(kwh=8, minutes=30)
        await charger.unplug()
        await charger.settled()

    cdr = await assert_bill(emsp, token, "8")
    if fault == "clock-1970":
        assert cdr["start_date_time"] > "2020"
        assert "clock was not set" in cdr["remark"]
    assert_nobody_complains(site)


@pytest.mark.parametrize("fault", ["duplicate-start", "stop-before-start", "kwh-units", "invalid-fields"])
async def test_a_bad_habit_without_connection_is_billed_right_too(site: Site, fault: str) -> None:
    emsp, uid, place = site.emsps["2.3.0"], site.uid(), site.place()
    token = emsp.push_token(uid, whitelist="ALLOWED")
    async with site.charger(place, faults=Faults.named([fault]), unknown_id=0) as charger:
        await charge_offline(charger, uid, 6)

    await assert_bill(emsp, token, "6")
    assert_nobody_complains(site)


async def test_energy_told_phase_by_phase_is_added_up(site: Site) -> None:
    emsp, uid, place = site.emsps["2.2.1"], site.uid(), site.place()
    token = emsp.push_token(uid, whitelist="ALLOWED")
    async with site.charger(place) as charger:
        await charger.boot()
        await charger.plug_in()
        await charger.tap(uid)
        transaction = await charger.until_started()
        await charger.clock.sleep(600)
        await charger.call("MeterValues", _by_phase(charger, transaction.number, ("1.5", "1.25", "0.75")))
        await until(lambda: [s for s in emsp.of_token("sessions", token) if s["kwh"] == Decimal("3.5")])
        charger.connectors[1].meter.register_wh = 4000
        await charger.unplug()
        await charger.settled()

    await assert_bill(emsp, token, "4")
    assert_nobody_complains(site)


def _by_phase(charger: Charger, number: object, kwh: tuple[str, str, str]) -> dict[str, Any]:
    values = [
        {"value": value, "unit": "kWh", "measurand": "Energy.Active.Import.Register", "phase": f"L{phase}"}
        for phase, value in enumerate(kwh, 1)
    ]
    row = {"timestamp": timestamp(charger.clock.now()), "sampledValue": values}
    return {"connectorId": 1, "transactionId": number, "meterValue": [row]}
