"""Walk (a): a driver of another network holds a card to the reader of our charger."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from partners.sandbox.charger import Charger
from tests.walks.site import PROCESSED, VERSIONS, Emsp, Place, Site, Tree, cost, until

every_version = pytest.mark.parametrize("version", VERSIONS)
from_2_2_1_on = pytest.mark.parametrize("version", VERSIONS[1:])


async def charge_by_card(site: Site, place: Place, uid: str, kwh: float = 10) -> str:
    """Tap, charge for an hour, unplug. The answer to the tap; unless Accepted nothing was charged."""
    async with site.charger(place) as charger:
        await charger.boot()
        await charger.plug_in()
        answer = await charger.tap(uid)
        if answer == "Accepted":
            await charger.charge(kwh=kwh, minutes=60)
        await charger.unplug()
        await charger.settled()
        assert charger.complaints.texts() == []
    return answer


async def charge_and_be_heard(charger: Charger, kwh: float) -> None:
    """Charge, and sample once more a second later: partners are not told faster, however fast the clock runs."""
    await charger.charge(kwh=kwh, minutes=30)
    await asyncio.sleep(1.1)
    await charger.charge(kwh=0, minutes=1)


async def the_cdr(emsp: Emsp, token: Tree) -> Tree:
    """The one CDR of a token."""
    found = await until(lambda: emsp.of_token("cdrs", token), why=f"CDR of {token['uid']}")
    assert len(found) == 1
    return found[0]


async def the_completed_session(emsp: Emsp, token: Tree) -> Tree:
    """The one session of a token, when it is over."""

    def completed() -> list[Tree]:
        return [s for s in emsp.of_token("sessions", token) if s["status"] == "COMPLETED"]

    await until(completed, why=f"completed session of {token['uid']}")
    (session,) = emsp.of_token("sessions", token)
    return session


def before_taxes(tree: Tree) -> Decimal:
    """The total of a session or CDR of any version."""
    total = tree["total_cost"]
    if not isinstance(total, dict):
        return Decimal(total)
    return Decimal(total["before_taxes"] if "before_taxes" in total else total["excl_vat"])


def assert_nobody_complains(site: Site) -> None:
    assert {version: emsp.new_complaints() for version, emsp in site.emsps.items()} == {key: [] for key in site.emsps}


@every_version
async def test_a_whitelisted_card_charges_and_its_emsp_gets_session_and_bill(site: Site, version: str) -> None:
    emsp, uid, place = site.emsps[version], site.uid(), site.place()
    token = emsp.push_token(uid, whitelist="ALLOWED")

    assert await charge_by_card(site, place, uid) == "Accepted"

    cdr, session = await the_cdr(emsp, token), await the_completed_session(emsp, token)
    assert (cdr["total_energy"], before_taxes(cdr)) == (10, cost("10"))
    assert (session["kwh"], before_taxes(session)) == (10, cost("10"))
    assert (cdr["auth_method"], session["auth_method"]) == ("WHITELIST", "WHITELIST")
    assert_nobody_complains(site)


@every_version
async def test_the_session_grows_at_the_partner_while_the_car_charges(site: Site, version: str) -> None:
    emsp, uid, place = site.emsps[version], site.uid(), site.place()
    token = emsp.push_token(uid, whitelist="ALLOWED")

    async with site.charger(place) as charger:
        await charger.boot()
        await charger.plug_in()
        await charger.tap(uid)
        await charge_and_be_heard(charger, 4)
        (session,) = await until(lambda: [s for s in emsp.of_token("sessions", token) if s["kwh"] == 4])
        assert session["status"] == "ACTIVE"
        assert session["charging_periods"]
        await charge_and_be_heard(charger, 3)
        await until(lambda: [s for s in emsp.of_token("sessions", token) if s["kwh"] == 7])
        await charger.unplug()
        await charger.settled()

    assert (await the_cdr(emsp, token))["total_energy"] == 7
    assert_nobody_complains(site)


@every_version
async def test_a_card_that_is_asked_for_charges_when_its_emsp_allows_it(site: Site, version: str) -> None:
    emsp, uid, place = site.emsps[version], site.uid(), site.place()
    token = emsp.push_token(uid, whitelist="NEVER")

    assert await charge_by_card(site, place, uid, 3.5) == "Accepted"

    cdr = await the_cdr(emsp, token)
    assert (cdr["total_energy"], before_taxes(cdr)) == (Decimal("3.5"), cost("3.5"))
    assert cdr["auth_method"] == "AUTH_REQUEST"
    if version != "2.1.1":
        (asked,) = [r for r in emsp.receipts() if f"/tokens/{uid}/authorize" in r["path"]]
        assert cdr["authorization_reference"] in asked["answer"]
    assert_nobody_complains(site)


@every_version
async def test_a_card_that_its_emsp_blocks_charges_nothing(site: Site, version: str) -> None:
    emsp, uid, place = site.emsps[version], site.uid(), site.place()
    token = emsp.push_token(uid, whitelist="NEVER")
    emsp.decides(**{uid: "BLOCKED"})

    assert await charge_by_card(site, place, uid) == "Blocked"

    assert site.transactions(place) == []
    assert emsp.of_token("sessions", token) == []
    assert_nobody_complains(site)


@every_version
async def test_a_silent_emsp_does_not_stop_a_driver_whom_it_allowed_offline(site: Site, version: str) -> None:
    emsp, uid, place = site.emsps[version], site.uid(), site.place()
    token = emsp.push_token(uid, whitelist="ALLOWED_OFFLINE")
    emsp.mode("silent")
    try:
        async with asyncio.timeout(30):
            assert await charge_by_card(site, place, uid) == "Accepted"
    finally:
        emsp.mode("happy")

    assert (await the_cdr(emsp, token))["total_energy"] == 10
    assert_nobody_complains(site)


async def test_a_card_that_nobody_knows_charges_nothing(site: Site) -> None:
    place = site.place()

    assert await charge_by_card(site, place, "NOBODYS") == "Invalid"

    assert site.transactions(place) == []
    assert_nobody_complains(site)


@from_2_2_1_on
async def test_one_correlation_id_leads_from_the_tap_to_the_bill(site: Site, version: str) -> None:
    emsp, uid, place = site.emsps[version], site.uid(), site.place()
    token = emsp.push_token(uid, whitelist="NEVER")
    await charge_by_card(site, place, uid)
    await the_cdr(emsp, token)
    session = await the_completed_session(emsp, token)

    (journey,) = site.journeys_of(session["id"])

    named = (f"/tokens/{uid}/authorize", f"/sessions/DE/BSB/{session['id']}")
    seen = [r for r in emsp.receipts() if any(name in r["path"] for name in named)] + emsp.cdr_posts(token)
    assert len(seen) >= 4
    assert {r["headers"]["x-correlation-id"] for r in seen} == {journey}
    assert len({r["headers"]["x-request-id"] for r in seen}) == len(seen)


@every_version
async def test_only_the_owner_of_the_card_hears_of_the_charge(site: Site, version: str) -> None:
    emsp, uid, place = site.emsps[version], site.uid(), site.place()
    token = emsp.push_token(uid, whitelist="ALLOWED")
    await charge_by_card(site, place, uid)
    cdr, session = await the_cdr(emsp, token), await the_completed_session(emsp, token)

    for other in site.emsps.values():
        seen = [r["path"] + r["body"] for r in other.receipts() if r["outcome"] in PROCESSED]
        told = any(uid in text or cdr["id"] in text or session["id"] in text for text in seen)
        assert told == (other is emsp), other.version
