"""Bookings of ours in use: the charge that fulfils one, nobody who comes, who stays too long, and who is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.core.errors import InvalidRequest, NotFound
from hub.core.inbound import parse
from hub.core.ports import NoChargers, Outcome, Place
from modules.bookings import service
from modules.bookings.publication import BookingPublication
from modules.bookings.store import BOOKINGS
from modules.cdrs.store import CDRS
from modules.sessions import service as sessions
from modules.sessions.charge import Charge
from modules.sessions.store import SESSIONS
from modules.tokens.authorize import By, Decision
from modules.tokens.store import TOKENS
from tests.modules.bookings.booked import TERMS, ask, asked, open_place, place
from tests.world import OURS, World, stored_token, token

START_S = timedelta(hours=24).total_seconds()
"""From the clock's beginning to 10:00 of the day that is booked."""
MINUTE_S = 60.0


@pytest.fixture
def version() -> str:
    """The only one that has the module."""
    return "2.3.0"


@dataclass
class Chargers(NoChargers):
    """Notes what is stopped."""

    stopped: list[tuple[str, str]] = field(default_factory=list)

    async def remote_stop(self, station: str, *, transaction: str, timeout_s: float) -> Outcome:
        self.stopped.append((station, transaction))
        return Outcome.ACCEPTED


@pytest.fixture
async def booked(world: World) -> World:
    """With E1 booked by NL*EEE from 10 to 11."""
    await open_place(world)
    await ask(world, asked(10, 11))
    return world


async def begin(world: World, *, minutes: float = 0, owner: str = "NL*EEE", evse: str = "E1", **card: Any) -> Charge:
    """A charge that begins so many minutes after 10:00."""
    world.clock.passed_s = START_S + minutes * MINUTE_S
    decision = Decision("ALLOWED", By.WHITELIST, {**stored_token(owner), **card}, owner, "asked-in-real-time")
    at = Place("CP1", 1, f"{OURS}/LOC1", evse, "1")
    charge, unit = await sessions.begin(world.hub, sessions.Begun(at, decision, world.clock.now(), Decimal(0)))
    await world.store.commit(unit)
    return charge


async def status(world: World) -> str:
    (document,) = await world.store.select(BOOKINGS)
    return document.columns["status"]


async def test_the_booked_driver_fulfils_the_booking_and_session_and_cdr_carry_it(booked: World) -> None:
    charge = await begin(booked, minutes=5)
    await booked.store.commit(
        sessions.end(booked.hub, charge, at=charge.start + timedelta(minutes=30), meter_kwh=Decimal(5))
    )
    await service.follow(booked.hub)
    assert await status(booked) == "FULFILLED"
    (session,) = await booked.store.select(SESSIONS)
    (cdr,) = await booked.store.select(CDRS)
    (document,) = await booked.store.select(BOOKINGS)
    tree = parse(cdr.body, limit=65_536)
    assert parse(session.body, limit=65_536)["authorization_reference"] == "ref-REQ1"
    assert (tree["authorization_reference"], tree["booking_id"]) == (
        "ref-REQ1",
        parse(document.body, limit=65_536)["id"],
    )
    for old in ("2.1.1", "2.2.1"):
        said = await booked.ask("GET", booked.at("sender/cdrs?date_from=2026-01-01T00:00:00Z", version=old), by="e1")
        assert "booking_id" not in said.data[0]


@pytest.mark.parametrize(
    ("minutes", "owner", "evse", "card"),
    [
        (-11, "NL*EEE", "E1", {}),
        (61, "NL*EEE", "E1", {}),
        (5, "NL*FFF", "E1", {}),
        (5, "NL*EEE", "E2", {}),
        (5, "NL*EEE", "E1", {"uid": "CARD2"}),
    ],
)
async def test_a_charge_at_another_time_place_or_by_another_is_not_the_booked_one(
    booked: World, minutes: float, owner: str, evse: str, card: dict[str, Any]
) -> None:
    charge = await begin(booked, minutes=minutes, owner=owner, evse=evse, **card)
    assert (charge.booking_id, charge.reference) == ("", "asked-in-real-time")


@pytest.mark.parametrize("minutes", [-10, 0, 59])
async def test_an_early_start_within_the_terms_is_the_booked_one(booked: World, minutes: float) -> None:
    assert (await begin(booked, minutes=minutes)).booking_id


async def test_a_card_of_the_same_group_serves_where_the_terms_support_groups(world: World) -> None:
    await open_place(world, place(booking_terms={**TERMS, "token_groups_supported": True}))
    await ask(world, asked(10, 11))
    for uid, group in (("CARD1", "G1"), ("CARD2", "G1"), ("CARD3", "G2")):
        body = token("2.3.0", uid=uid, group_id=group)
        await world.ask("PUT", world.at(f"receiver/tokens/NL/EEE/{uid}"), by="e1", body=body)
    assert len(await world.store.select(TOKENS)) == 3
    assert not (await begin(world, uid="CARD3", group_id="G2")).booking_id
    assert (await begin(world, uid="CARD2", group_id="G1")).booking_id


@pytest.mark.parametrize(("minutes", "state"), [(14, "RESERVED"), (15, "NO_SHOW")])
async def test_where_nobody_comes_the_place_is_free_again_after_the_timeout(
    booked: World, minutes: float, state: str
) -> None:
    booked.clock.passed_s = START_S + minutes * MINUTE_S
    await service.follow(booked.hub)
    assert await status(booked) == state
    decided = await ask(booked, asked(10.5, 11, request_id="R2", owner="NL*FFF"))
    assert (decided.booking["reservation_status"] == "RESERVED") == (state == "NO_SHOW")


async def test_who_came_is_no_no_show_even_if_the_clock_is_slow(booked: World) -> None:
    await begin(booked, minutes=14)
    booked.clock.passed_s += 3600
    await service.follow(booked.hub)
    assert await status(booked) == "FULFILLED"


@pytest.mark.parametrize(
    ("terms", "stopped_at"),
    [
        ({"late_stop_allowed": False}, 60),
        ({"late_stop_allowed": True, "late_stop_time": 10}, 70),
        ({"late_stop_allowed": True}, None),
    ],
)
async def test_who_stays_longer_than_the_terms_allow_is_stopped_once(
    world: World, terms: dict[str, Any], stopped_at: int | None
) -> None:
    chargers = world.hub.chargers = Chargers()
    await open_place(world, place(booking_terms={**TERMS, "late_stop_allowed": None, **terms}))
    await ask(world, asked(10, 11))
    charge = await begin(world)
    for minute in range(50, 90, 5):
        world.clock.passed_s = START_S + minute * MINUTE_S
        await service.follow(world.hub)
        expected = [("CP1", charge.session_id)] if stopped_at is not None and minute >= stopped_at else []
        assert chargers.stopped == expected, minute


async def test_we_may_cancel_at_any_time_and_only_once(booked: World) -> None:
    (document,) = await booked.store.select(BOOKINGS)
    booked.clock.passed_s = START_S - 1
    number = document.key.split("/")[1].lower()
    tree = await service.cancel(booked.hub, number, "BROKEN_CHARGER", actor="jo")
    assert tree["canceled"] == {"cancellation_reason": "BROKEN_CHARGER", "who_canceled": "CPO"}
    assert await status(booked) == "CANCELED"
    async with booked.unchanged():
        with pytest.raises(InvalidRequest, match="ended already"):
            await service.cancel(booked.hub, number, "FULL", actor="jo")
        with pytest.raises(NotFound):
            await service.cancel(booked.hub, "none", "FULL", actor="jo")


async def deliver(world: World, key: str, to: str) -> list[tuple[str, str, str]]:
    world.peers.sent.clear()
    await BookingPublication().deliver(world.hub, world.partner(to), key, frozenset({""}))
    return world.peers.to(to)


async def test_places_go_to_all_emsps_and_a_booking_to_who_asked(booked: World) -> None:
    changes = {row.change.key: row.change for row in await booked.store.changes(after=0, limit=100)}
    (document,) = await booked.store.select(BOOKINGS)
    number = parse(document.body, limit=65_536)["id"]
    assert changes["booking_locations/DE*BSB/BL1"].audience == ""
    assert changes[f"bookings/{document.key}"].audience == "NL*EEE"
    for partner in ("e1", "e2"):
        sent = await deliver(booked, "booking_locations/DE*BSB/BL1", partner)
        assert sent == [("PUT", "Booking", "DE/BSB/booking_locations/BL1")]
    assert await deliver(booked, f"bookings/{document.key}", "e1") == [("PUT", "Booking", f"DE/BSB/{number}")]
    assert await deliver(booked, f"bookings/{document.key}", "e2") == []
    assert await deliver(booked, "booking_locations/DE*BSB/BL1", "c1") == []
