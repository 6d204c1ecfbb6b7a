"""Maintenance mode: out of service to partners, usable on site."""

from __future__ import annotations

import pytest

from hub.core.errors import InvalidRequest, NotFound
from hub.core.ports import Outcome, Place
from modules.tokens import service as tokens
from modules.tokens.model import Token
from partners.ocpp.reach import Reach
from tests.partners.ocpp.points2 import point2
from tests.partners.ocpp.site import CARD, OURS, Payload, Point, Site, recently, token, until

OWN_CARD = "04000000000001"


async def begin(site: Site, *evses: str) -> Payload:
    return await Reach(site.hub, site.gateway.stations).maintain("CP1", evses, "new cable", actor="anna")


async def end(site: Site) -> Payload:
    return await Reach(site.hub, site.gateway.stations).end_maintenance("CP1", actor="anna")


async def shows(site: Site, evse_uid: str, status: str) -> None:
    async def is_so() -> bool:
        return await site.evse_status(evse_uid) == status

    await until(is_so)


async def tap(cp: Point, card: str) -> str:
    return str((await cp.call("Authorize", {"idTag": card}))["idTagInfo"]["status"])


def place_of(site: Site, evse_uid: str) -> Place:
    place = site.hub.chargers.place(evse_uid)
    assert place is not None
    return place


async def own_card(site: Site) -> None:
    card = Token.model_validate(token(OWN_CARD, country_code="DE", party_id="BSB"))
    await tokens.put(site.hub.store, OURS, OWN_CARD, card, now=site.hub.clock.now())


async def test_partners_see_it_out_of_service_until_it_is_back(site: Site) -> None:
    async with await site.point() as cp:
        await cp.boot()
        for connector in (1, 2):
            await cp.status(connector, "Available")
        await shows(site, "E1", "AVAILABLE")
        view = await begin(site, "e1")
        assert (view["maintenance"]["evses"], view["maintenance"]["by"]) == (["E1"], "anna")
        await shows(site, "E1", "INOPERATIVE")
        await cp.status(1, "Preparing")
        assert (await site.evse_status("E1"), await site.evse_status("E2")) == ("INOPERATIVE", "AVAILABLE")
        assert (await end(site))["maintenance"] is None
        await shows(site, "E1", "CHARGING")


async def test_drivers_of_partners_are_refused_and_the_operators_own_card_charges(site: Site) -> None:
    await own_card(site)
    async with await site.point() as cp:
        await cp.boot()
        assert await tap(cp, CARD) == "Accepted"
        await begin(site)
        assert (await tap(cp, CARD), await tap(cp, OWN_CARD)) == ("Invalid", "Accepted")
        refused = await cp.start(recently(60))
        allowed = await cp.start(recently(30), tag=OWN_CARD, connector=2)
        assert [refused["idTagInfo"]["status"], allowed["idTagInfo"]["status"]] == ["Invalid", "Accepted"]
        await end(site)
        assert await tap(cp, CARD) == "Accepted"


async def test_chargers_of_2_x_refuse_drivers_of_partners_too(site: Site) -> None:
    async with await point2(site) as cp:
        asked = {"idToken": {"idToken": CARD, "type": "ISO14443"}}
        assert (await cp.call("Authorize", asked))["idTokenInfo"]["status"] == "Accepted"
        await begin(site)
        assert (await cp.call("Authorize", asked))["idTokenInfo"]["status"] != "Accepted"
        started = await cp.event("Started", recently(60), tag=CARD, evse=1)
        assert started["idTokenInfo"]["status"] != "Accepted"


async def test_partners_start_and_reserve_nothing_there(site: Site) -> None:
    async with await site.point() as cp:
        await cp.boot()
        await begin(site, "E1")
        started = await site.hub.chargers.remote_start(place_of(site, "E1"), id_tag=CARD, timeout_s=1)
        hold: Payload = {"reservation": 1, "id_tag": CARD, "parent_tag": None, "expiry": "2099-01-01T00:00:00Z"}
        reserved = await site.hub.chargers.reserve(place_of(site, "E1"), **hold, timeout_s=1)
        assert (started, reserved, cp.asked) == (Outcome.EVSE_INOPERATIVE, Outcome.EVSE_INOPERATIVE, [])
        cp.answers["RemoteStartTransaction"] = {"status": "Accepted"}
        assert await site.hub.chargers.remote_start(place_of(site, "E2"), id_tag=CARD, timeout_s=5) is Outcome.ACCEPTED


async def test_a_charge_that_goes_on_is_not_touched(site: Site) -> None:
    async with await site.point() as cp:
        await cp.boot()
        began = recently()
        number = (await cp.start(began))["transactionId"]
        await begin(site)
        assert await site.evse_status("E1") == "CHARGING"
        await cp.stop(recently(60), number, 6000)
        await shows(site, "E1", "INOPERATIVE")
    assert len(await site.cdrs()) == 1


async def test_it_outlives_a_restart_and_a_change_of_the_registration(site: Site) -> None:
    await begin(site, "E2")
    await site.restart()
    reach = Reach(site.hub, site.gateway.stations)
    await reach.put("CP1", {"location": "LOC1", "evses": (await reach.view("CP1"))["evses"]}, actor="anna")
    assert (await reach.view("CP1"))["maintenance"]["note"] == "new cable"


async def test_it_is_kept_in_the_audit_log_and_refused_for_what_is_not_there(site: Site) -> None:
    await begin(site)
    await end(site)
    rows = [row.audit for row in await site.hub.store.audit_rows(after=0, limit=1000)]
    assert [(row.actor, row.action) for row in rows if "service" in row.action or "maintenance" in row.action] == [
        ("anna", "station.maintenance"),
        ("anna", "station.in_service"),
    ]
    with pytest.raises(InvalidRequest):
        await begin(site, "E9")
    with pytest.raises(NotFound):
        await Reach(site.hub, site.gateway.stations).end_maintenance("CP77", actor="anna")
