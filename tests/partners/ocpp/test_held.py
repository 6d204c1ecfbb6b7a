"""Charges that are held, from the charger's stop to the operator's decision."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from modules.sessions import service as sessions
from tests.partners.ocpp.site import Payload, Site, recently

HOUR = timedelta(hours=1)
MOST = 2_147_483_647


async def held(site: Site) -> tuple[Payload, int]:
    """A session whose stop says what cannot be, and its transaction's number."""
    began = recently()
    async with await site.point() as cp:
        number = (await cp.start(began))["transactionId"]
        await cp.stop(began + HOUR, number, MOST)
    (session,) = await site.sessions()
    return session, number


async def test_a_held_charge_is_active_for_its_partner_and_a_hard_doubt_for_its_operator(site: Site) -> None:
    session, number = await held(site)
    assert (session["status"], session["kwh"], "end_date_time" in session) == ("ACTIVE", 0, False)
    (doubt,) = await site.doubts("CP1")
    assert (doubt["severity"], doubt["held"], doubt["transaction"]) == ("hard", True, number)
    assert "more energy than the connector can give" in doubt["reasons"][0]
    assert f"drop {session['id']}" in doubt["reasons"][0]
    assert await site.doubts("CP2") == []


async def test_a_held_charge_is_shown_before_all_other_doubts(site: Site) -> None:
    session, _ = await held(site)
    began = recently(3600)
    async with await site.point() as cp:
        for second in range(250):
            await cp.stop(began + timedelta(seconds=second), 5000 + second, 1000)
    first, *others = await site.doubts("CP1")
    assert (first["session_id"], {other["held"] for other in others}) == (session["id"], {False})


async def test_what_an_operator_decides_while_the_charger_is_connected_stands(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = (await cp.start(began))["transactionId"]
        await cp.stop(began + HOUR, number, MOST)
        (session,) = await site.sessions()
        await sessions.drop(site.hub, session["id"], actor="jo")
        await cp.stop(began + HOUR, number, 6000)
    assert await site.cdrs() == []
    (session,) = await site.sessions()
    assert session["status"] == "INVALID"


async def test_a_second_stop_of_the_same_time_that_can_be_ends_the_doubt(site: Site) -> None:
    began = recently()
    async with await site.point() as cp:
        number = (await cp.start(began))["transactionId"]
        await cp.stop(began + HOUR, number, MOST)
        await cp.stop(began + HOUR, number, 6000)
    (session,), (cdr,) = await site.sessions(), await site.cdrs()
    assert (session["status"], session["kwh"], cdr["total_energy"]) == ("COMPLETED", Decimal(5), Decimal(5))
    (doubt,) = await site.doubts("CP1")
    assert doubt["held"] is False
