"""Walk (b): an app of another network starts, stops, reserves and unlocks at our charger."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.walks.site import VERSIONS, Emsp, Place, Site, Tree, cost, until
from tests.walks.test_taps import assert_nobody_complains, before_taxes, the_cdr, the_completed_session

every_version = pytest.mark.parametrize("version", VERSIONS)
from_2_2_1_on = pytest.mark.parametrize("version", VERSIONS[1:])


def start_at(place: Place, uid: str) -> Tree:
    """The body of a START_SESSION."""
    return {"token": uid, "location_id": place.location, "evse_uid": place.evse}


def results(outcome: Tree) -> tuple[str, str | None]:
    """What the hub answered, and what it called back with."""
    return outcome["answer"]["result"], (outcome["result"] or {}).get("result")


async def the_active_session(emsp: Emsp, token: Tree) -> Tree:
    def active() -> list[Tree]:
        return [s for s in emsp.of_token("sessions", token) if s["status"] == "ACTIVE"]

    (session,) = await until(active, why=f"active session of {token['uid']}")
    return session


class Charged(NamedTuple):
    """A charge that an app began and ended: the token's uid, and what its eMSP received."""

    uid: str
    cdr: Tree
    session: Tree


async def charge_by_app(site: Site, emsp: Emsp, place: Place, *, is_known: Callable[[], object]) -> Charged:
    """START_SESSION, 5 kWh, STOP_SESSION, once `is_known` says that the hub may be asked for the charger."""
    uid = site.uid()
    token = emsp.post("tokens", {"uid": uid, "type": "RFID", "push": False})
    async with site.charger(place) as charger:
        await charger.boot()
        await until(is_known)
        await charger.plug_in()
        started = await emsp.command("START_SESSION", start_at(place, uid))
        assert results(started) == ("ACCEPTED", "ACCEPTED")
        await charger.until_started()
        await charger.charge(kwh=5, minutes=30)
        session = await the_active_session(emsp, token)
        stopped = await emsp.command("STOP_SESSION", {"session_id": session["id"]})
        assert results(stopped) == ("ACCEPTED", "ACCEPTED")
        await until(lambda: charger.connectors[1].transaction is None)
        await charger.unplug()
        await charger.settled()
        assert charger.complaints.texts() == []

    cdr, session = await the_cdr(emsp, token), await the_completed_session(emsp, token)
    assert (cdr["total_energy"], before_taxes(cdr)) == (5, cost("5"))
    return Charged(uid, cdr, session)


@every_version
async def test_an_app_starts_and_stops_a_charge(site: Site, version: str) -> None:
    emsp = site.emsps[version]
    uid, cdr, session = await charge_by_app(site, emsp, site.place(), is_known=lambda: True)
    if version != "2.1.1":
        sent = [r for r in emsp.receipts() if uid in r["body"] and "/sessions/" in r["path"]]
        references = {json.loads(r["body"])["authorization_reference"] for r in sent}
        assert references == {cdr["authorization_reference"]}
        assert (cdr["auth_method"], session["auth_method"]) == ("COMMAND", "COMMAND")
    assert [r for r in emsp.receipts() if f"/tokens/{uid}/authorize" in r["path"]] == []
    assert_nobody_complains(site)


@every_version
async def test_an_app_reserves_and_the_driver_takes_it_up(site: Site, version: str) -> None:
    emsp, uid, place = site.emsps[version], site.uid(), site.place()
    token = emsp.push_token(uid, whitelist="ALLOWED")
    async with site.charger(place) as charger:
        await charger.boot()
        reserved = await emsp.command("RESERVE_NOW", _reservation(version, place, uid, 4711))
        assert results(reserved) == ("ACCEPTED", "ACCEPTED")
        await until(lambda: charger.connectors[1].status == "Reserved")
        await charger.plug_in()
        assert await charger.tap(uid) == "Accepted"
        await charger.charge(kwh=2, minutes=30)
        await charger.unplug()
        await charger.settled()

    assert (await the_cdr(emsp, token))["total_energy"] == 2
    assert_nobody_complains(site)


@from_2_2_1_on
async def test_a_reservation_is_cancelled(site: Site, version: str) -> None:
    emsp, uid, place = site.emsps[version], site.uid(), site.place()
    async with site.charger(place) as charger:
        await charger.boot()
        reserved = await emsp.command("RESERVE_NOW", _reservation(version, place, uid, 4712))
        assert results(reserved) == ("ACCEPTED", "ACCEPTED")
        cancelled = await emsp.command("CANCEL_RESERVATION", {"reservation_id": "4712"})
        assert results(cancelled) == ("ACCEPTED", "ACCEPTED")
        await until(lambda: charger.connectors[1].status == "Available")
        assert charger.reservations == {}
    assert_nobody_complains(site)


@every_version
async def test_a_stuck_cable_is_unlocked(site: Site, version: str) -> None:
    emsp, place = site.emsps[version], site.place()
    body = {"location_id": place.location, "evse_uid": place.evse, "connector_id": "1"}
    async with site.charger(place) as charger:
        await charger.boot()
        assert results(await emsp.command("UNLOCK_CONNECTOR", body)) == ("ACCEPTED", "ACCEPTED")
    assert_nobody_complains(site)


@every_version
async def test_a_charger_that_is_not_connected_rejects(site: Site, version: str) -> None:
    emsp, place = site.emsps[version], site.place()

    outcome = await emsp.command("START_SESSION", start_at(place, site.uid()))

    assert results(outcome) == ("REJECTED", None)
    assert_nobody_complains(site)


@every_version
async def test_a_charger_that_says_nothing_is_a_timeout(site: Site, version: str) -> None:
    emsp, place = site.emsps[version], site.place()

    async with _silent_charger(site, place):
        outcome = await emsp.command("START_SESSION", start_at(place, site.uid()))

    assert results(outcome) == ("ACCEPTED", "TIMEOUT")
    assert_nobody_complains(site)


@asynccontextmanager
async def _silent_charger(site: Site, place: Place) -> AsyncIterator[None]:
    """It boots, and then answers nothing."""
    url = f"{site.hub.chargers_url}/{place.station}"
    async with connect(url, subprotocols=[Subprotocol("ocpp1.6")]) as socket:
        boot = {"chargePointVendor": "Silence", "chargePointModel": "S1"}
        await socket.send(json.dumps([2, "1", "BootNotification", boot]))
        while json.loads(await asyncio.wait_for(socket.recv(), 30))[:2] != [3, "1"]:
            pass
        yield


def _reservation(version: str, place: Place, uid: str, number: int) -> Tree:
    expiry = f"{datetime.now(UTC) + timedelta(minutes=20):%Y-%m-%dT%H:%M:%SZ}"
    body = {**start_at(place, uid), "expiry_date": expiry, "reservation_id": str(number)}
    return {**body, "reservation_id": number} if version == "2.1.1" else body
