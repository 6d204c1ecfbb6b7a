"""Walks (a) and (b) at chargers of OCPP 2.0.1 and 2.1: nobody on the other side of the hub can tell the difference."""

from __future__ import annotations

import pytest

from tests.walks.site import VERSIONS, Site, cost
from tests.walks.test_commands import charge_by_app, results
from tests.walks.test_taps import (
    assert_nobody_complains,
    before_taxes,
    charge_by_card,
    the_cdr,
    the_completed_session,
)

every_version = pytest.mark.parametrize("version", VERSIONS)
each_ocpp = pytest.mark.parametrize("ocpp", ["2.0.1", "2.1"])


@each_ocpp
@every_version
async def test_a_card_and_an_app_charge_at_it_and_are_billed(site: Site, version: str, ocpp: str) -> None:
    emsp, uid, place = site.emsps[version], site.uid(), site.place(ocpp)
    token = emsp.push_token(uid, whitelist="ALLOWED")

    assert await charge_by_card(site, place, uid) == "Accepted"

    cdr, session = await the_cdr(emsp, token), await the_completed_session(emsp, token)
    assert (cdr["total_energy"], before_taxes(cdr)) == (10, cost("10"))
    assert (session["kwh"], before_taxes(session)) == (10, cost("10"))
    await charge_by_app(site, emsp, place, is_known=lambda: True)
    assert_nobody_complains(site)


@each_ocpp
async def test_a_card_that_its_emsp_blocks_starts_nothing(site: Site, ocpp: str) -> None:
    emsp, uid, place = site.emsps["2.2.1"], site.uid(), site.place(ocpp)
    emsp.push_token(uid, whitelist="ALLOWED", valid=False)
    assert await charge_by_card(site, place, uid) != "Accepted"
    assert site.transactions(place) == []


@each_ocpp
async def test_what_was_charged_offline_is_billed_when_the_charger_is_back(site: Site, ocpp: str) -> None:
    emsp, uid, place = site.emsps["2.3.0"], site.uid(), site.place(ocpp)
    token = emsp.push_token(uid, whitelist="ALLOWED")
    async with site.charger(place) as charger:
        await charger.boot()
        await charger.plug_in()
        await charger.go_offline()
        await charger.tap(uid)
        await charger.charge(kwh=4, minutes=30)
        await charger.unplug()
        await charger.go_online()
        await charger.settled()
        assert charger.complaints.texts() == []
    assert ((await the_cdr(emsp, token))["total_energy"], charger.connectors[1].status) == (4, "Available")


@each_ocpp
async def test_it_is_reserved_unlocked_and_free_again(site: Site, ocpp: str) -> None:
    emsp, uid, place = site.emsps["2.2.1"], site.uid(), site.place(ocpp)
    async with site.charger(place) as charger:
        await charger.boot()
        asked = {"location_id": place.location, "evse_uid": place.evse}
        unlocked = await emsp.command("UNLOCK_CONNECTOR", {**asked, "connector_id": "1"})
        assert results(unlocked) == ("ACCEPTED", "ACCEPTED")
        token = emsp.post("tokens", {"uid": uid, "type": "RFID", "push": False})
        reservation = {**asked, "token": uid, "reservation_id": "R1", "expiry_date": "2099-01-01T00:00:00Z"}
        assert results(await emsp.command("RESERVE_NOW", reservation)) == ("ACCEPTED", "ACCEPTED")
        assert token["uid"] == uid
        cancelled = await emsp.command("CANCEL_RESERVATION", {"reservation_id": "R1"})
        assert results(cancelled) == ("ACCEPTED", "ACCEPTED")
        assert charger.reservations == {}
        assert charger.complaints.texts() == []
