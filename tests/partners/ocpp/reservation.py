"""A reservation that a charger has accepted, as a partner's RESERVE_NOW makes it."""

from __future__ import annotations

from datetime import timedelta

from hub.core.clock import timestamp
from modules.commands import reserving
from modules.commands.consent import Consent
from modules.commands.model import ReserveNow
from modules.commands.store import RESERVATIONS, Reservation, reservation_in
from tests.partners.ocpp.site import CARD, THEIRS, Point, Site, token


async def reserved(site: Site, cp: Point) -> Reservation:
    """A reservation that CP1 holds at E1, for an hour."""
    cp.answers["ReserveNow"] = {"status": "Accepted"}
    order = ReserveNow.model_validate(
        {
            "response_url": "https://eee.example.com/results/1",
            "token": token(CARD),
            "expiry_date": timestamp(site.hub.clock.now() + timedelta(hours=1)),
            "reservation_id": "R1",
            "location_id": "LOC1",
            "evse_uid": "E1",
        }
    )
    place = site.gateway.stations.place("E1")
    assert place is not None
    wish = reserving.wished("eee", "2.2.1", order, THEIRS, place, CARD)
    await reserving.ask(site.hub, wish)
    outcome = await reserving.reserve(site.hub, wish)
    unit = await reserving.settle_reserve(site.hub, wish, Consent((), {}), outcome)
    await site.hub.store.commit(unit)
    return await held(site)


async def held(site: Site) -> Reservation:
    """The only reservation, however it stands now."""
    (document,) = await site.hub.store.select(RESERVATIONS)
    return reservation_in(document)
