"""Requests for bookings of ours, and the one decision that each gets."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.core.errors import BusbarError, CommandForForeignToken, CommandForUnknownLocation, InvalidRequest
from hub.core.inbound import parse
from modules.bookings import service
from modules.bookings.calendar import span_of
from modules.bookings.store import BOOKING_LOCATIONS, BOOKINGS
from tests.modules.bookings.booked import TERMS, ask, asked, calendar, canceling, open_place, place, slots_of
from tests.world import World, a_furnished, a_world

BEFORE_S = timedelta(hours=24).total_seconds()
"""From the clock's beginning to 10:00 of the day that is booked."""


@pytest.fixture
def version() -> str:
    """The only one that has the module."""
    return "2.3.0"


@pytest.fixture
async def opened(world: World) -> World:
    """With BL1 for EVSE E1."""
    await open_place(world)
    return world


async def left(world: World, place_id: str = "BL1") -> list[tuple[str, str]]:
    document = await world.store.get(BOOKING_LOCATIONS, f"DE*BSB/{place_id}")
    assert document is not None
    return slots_of(parse(document.body, limit=65_536))


async def test_a_free_period_is_reserved_and_no_longer_offered(opened: World) -> None:
    decided = await ask(opened, asked(10, 11))
    booking = decided.booking
    assert (booking["reservation_status"], decided.why_not, decided.created) == ("RESERVED", "", True)
    assert booking["booking_option"] == {"evse_uid": "E1"}
    assert booking["period"]["max_power"] == 22000
    assert (booking["tariff_ids"], booking["authorization_reference"]) == (["T1"], "ref-REQ1")
    assert [each["request_status"] for each in booking["booking_requests"]] == ["ACCEPTED"]
    assert await left(opened) == [("08:00", "10:00"), ("11:00", "20:00")]


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        (asked(10.5, 11.5, request_id="R2", owner="NL*FFF"), "taken"),
        (asked(6, 7, request_id="R2"), "not open"),
        (asked(12, 12.1, request_id="R2"), "shorter than 15"),
        (asked(12, 17, request_id="R2"), "longer than 240"),
        (asked(12, 12.3, request_id="R2"), "steps of 15"),
        (asked(13, 12, request_id="R2"), "ends before it begins"),
        (asked(12, 13, request_id="R2", booking_option={"evse_uid": "E2"}), "nothing of what is asked"),
        (asked(12, 13, request_id="R2", booking_option={"connector_types": ["CHADEMO"]}), "nothing of what is asked"),
    ],
)
async def test_what_cannot_be_is_rejected_with_its_reason(opened: World, wish: dict[str, Any], why: str) -> None:
    await ask(opened, asked(10, 11))
    decided = await ask(opened, wish)
    assert decided.booking["reservation_status"] == "REJECTED"
    assert decided.booking["booking_requests"][-1]["request_status"] == "DECLINED"
    assert why in decided.why_not
    assert await left(opened) == [("08:00", "10:00"), ("11:00", "20:00")]


async def test_the_past_cannot_be_booked(opened: World) -> None:
    opened.clock.passed_s = BEFORE_S + 1
    assert "in the past" in (await ask(opened, asked(10, 11))).why_not


async def test_a_change_keeps_the_request_id_and_moves_the_booking(opened: World) -> None:
    first = await ask(opened, asked(10, 11))
    moved = await ask(opened, asked(10.5, 12, authorization_reference="new"))
    assert (moved.booking["id"], moved.created) == (first.booking["id"], False)
    assert moved.booking["period"]["end_date_time"] == "2026-05-05T12:00:00Z"
    assert moved.booking["authorization_reference"] == "new"
    assert [each["request_status"] for each in moved.booking["booking_requests"]] == ["ACCEPTED", "ACCEPTED"]
    assert await left(opened) == [("08:00", "10:30"), ("12:00", "20:00")]


async def test_a_declined_change_leaves_the_booking_as_it_was(opened: World) -> None:
    await ask(opened, asked(10, 11))
    await ask(opened, asked(12, 13, request_id="R2", owner="NL*FFF"))
    declined = await ask(opened, asked(12, 13))
    assert declined.booking["reservation_status"] == "RESERVED"
    assert declined.booking["period"]["start_date_time"] == "2026-05-05T10:00:00Z"
    assert [each["request_status"] for each in declined.booking["booking_requests"]] == ["ACCEPTED", "DECLINED"]


async def test_deadlines_hold_to_the_second(opened: World) -> None:
    await ask(opened, asked(10, 11))
    opened.clock.passed_s = BEFORE_S - 3600
    assert (await ask(opened, asked(10, 11.5))).why_not == ""
    opened.clock.passed_s += 1
    assert "a change was possible until 60 minutes" in (await ask(opened, asked(10, 12))).why_not
    assert "a cancellation was possible until 120" in (await ask(opened, canceling(10, 12))).why_not


async def test_a_cancelled_booking_is_free_for_others_and_ends(opened: World) -> None:
    await ask(opened, asked(10, 11))
    gone = await ask(opened, canceling())
    assert gone.booking["reservation_status"] == "CANCELED"
    assert gone.booking["canceled"] == {"cancellation_reason": "TRAFFIC", "who_canceled": "EMSP"}
    assert await left(opened) == [("08:00", "20:00")]
    assert (await ask(opened, asked(10, 11, request_id="R2", owner="NL*FFF"))).why_not == ""
    async with opened.unchanged():
        assert (await ask(opened, canceling())).booking == gone.booking
        with pytest.raises(InvalidRequest, match="ended as CANCELED"):
            await ask(opened, asked(14, 15))


async def test_the_same_request_once_more_changes_nothing(opened: World) -> None:
    first = await ask(opened, asked(10, 11))
    async with opened.unchanged():
        assert (await ask(opened, asked(10, 11))).booking == first.booking
        assert (await ask(opened, asked(10, 11, request_id="REQ1"))).booking == first.booking


async def test_two_emsps_may_use_the_same_request_id(opened: World) -> None:
    one = await ask(opened, asked(10, 11))
    other = await ask(opened, asked(12, 13, owner="NL*FFF"))
    assert one.booking["id"] != other.booking["id"]


async def test_a_request_for_what_is_not_there_or_anothers_driver_is_refused(opened: World) -> None:
    foreign = asked()["tokens"][0] | {"party_id": "FFF"}
    async with opened.unchanged():
        for wish, error in (
            (asked(booking_location_id="BL9"), CommandForUnknownLocation),
            (asked(location_id="LOC9"), CommandForUnknownLocation),
            (asked(tokens=[foreign]), CommandForForeignToken),
            (canceling(), InvalidRequest),
        ):
            with pytest.raises(error):
                await ask(opened, wish)


async def test_a_request_of_1_0_finds_its_place_by_location_and_evse(opened: World) -> None:
    await open_place(opened, place("BL2", "E2"))
    old = asked()
    del old["booking_location_id"]
    old |= {"evse_uid": "E2", "period": {"start_from": "2026-05-05T10:00:00Z", "end_before": "2026-05-05T11:00:00Z"}}
    decided = await ask(opened, old)
    assert decided.booking["booking_option"]["evse_uid"] == "E2"


async def test_a_pool_gives_each_booking_an_evse_of_its_own(world: World) -> None:
    await open_place(world, place(evse=None))
    evses = [
        (await ask(world, asked(10, 11, request_id=f"R{n}", tokens=[]))).booking["booking_option"].get("evse_uid")
        for n in range(3)
    ]
    assert evses[:2] == ["E1", "E2"]
    assert (await ask(world, asked(10, 11, request_id="R2", tokens=[]))).booking["reservation_status"] == "REJECTED"
    assert await left(world) == [("08:00", "10:00"), ("11:00", "20:00")]


async def test_two_places_that_share_an_evse_share_its_calendar(world: World) -> None:
    await open_place(world, place("BL1", "E1"))
    await open_place(world, place("BL2", None))
    await ask(world, asked(10, 11))
    await ask(world, asked(10, 11, request_id="R2", booking_location_id="BL2"))
    assert await left(world, "BL2") == [("08:00", "10:00"), ("11:00", "20:00")]
    decided = await ask(world, asked(10, 11, request_id="R3", booking_location_id="BL2"))
    assert decided.booking["reservation_status"] == "REJECTED"


async def test_a_token_is_in_one_booking_at_a_time_where_the_terms_say_so(world: World) -> None:
    strict = {**TERMS, "overlapping_bookings_allowed": False}
    await open_place(world, place("BL1", "E1", booking_terms=strict))
    await open_place(world, place("BL2", "E2", booking_terms=strict))
    await ask(world, asked(10, 11))
    second = asked(10.5, 12, request_id="R2", booking_location_id="BL2")
    assert "another booking" in (await ask(world, second)).why_not
    await ask(world, canceling())
    assert (await ask(world, {**second, "request_id": "R3"})).why_not == ""


async def test_what_is_opened_anew_keeps_the_bookings_that_stand(opened: World) -> None:
    await ask(opened, asked(10, 11))
    await open_place(opened, place(calendars=[calendar((9, 12), (14, 15))]))
    assert await left(opened) == [("09:00", "10:00"), ("11:00", "12:00"), ("14:00", "15:00")]
    await open_place(opened, place(calendars=[calendar((10, 11))]))
    assert await left(opened) == []


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"location_id": "LOC9"}, "/location_id"),
        ({"booking_option": {"evse_uid": "E9"}}, "/booking_option"),
        ({"booking_option": None}, "/booking_option"),
        ({"id": "OTHER"}, "different booking locations"),
        ({"calendars": [{"id": "C"}]}, "/calendars/0"),
    ],
)
async def test_a_place_that_cannot_be_booked_is_not_opened(world: World, fields: dict[str, Any], why: str) -> None:
    async with world.unchanged():
        with pytest.raises(InvalidRequest, match=why):
            await service.open_place(world.hub, "BL1", {**place(), **fields}, actor="jo")


async def test_of_many_who_ask_at_once_for_one_period_one_gets_it(opened: World) -> None:
    wishes = [asked(10, 11, request_id=f"R{n}", owner=owner) for n in range(4) for owner in ("NL*EEE", "NL*FFF")]
    decided = await asyncio.gather(*(ask(opened, wish) for wish in wishes))
    assert sorted(each.booking["reservation_status"] for each in decided) == ["REJECTED"] * 7 + ["RESERVED"]


async def test_the_same_request_many_times_at_once_makes_one_booking(opened: World) -> None:
    decided = await asyncio.gather(*(ask(opened, asked(10, 11)) for _ in range(5)))
    assert len({each.booking["id"] for each in decided}) == 1
    (document,) = await opened.store.select(BOOKINGS)
    assert len(parse(document.body, limit=65_536)["booking_requests"]) == 1


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["new", "change", "cancel"]),
        st.integers(0, 3),
        st.sampled_from([8, 9, 9.5, 10, 11]),
        st.sampled_from([0.5, 1, 2]),
        st.sampled_from(["BL1", "BL2", "BL3"]),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
@given(steps=STEPS)
async def test_no_evse_is_ever_booked_twice_and_each_request_gets_one_decision(
    furnished: Path, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, float, float, str]]
) -> None:
    async with a_world(await a_furnished(furnished, tmp_path_factory.mktemp("law"), "2.3.0"), "2.3.0") as world:
        for opening in (place("BL1", "E1"), place("BL2", "E2"), place("BL3", None)):
            await open_place(world, opening)
        answered: dict[str, int] = {}
        last: dict[str, Any] = {}
        for kind, number, start, length, place_id in steps:
            make = canceling if kind == "cancel" else asked
            wish = make(start, start + length, request_id=f"R{number}", booking_location_id=place_id)
            try:
                decided = await ask(world, wish)
            except BusbarError:
                continue
            answered[wish["request_id"]] = answered.get(wish["request_id"], 0) + (last.get(wish["request_id"]) != wish)
            last[wish["request_id"]] = wish
            assert decided.booking["booking_requests"][-1]["request_status"] in ("ACCEPTED", "DECLINED")
        bookings = [parse(each.body, limit=65_536) for each in await world.store.select(BOOKINGS)]
        assert {each["request_id"]: len(each["booking_requests"]) for each in bookings} == answered
        standing = [each for each in bookings if each["reservation_status"] == "RESERVED"]
        for one in standing:
            for other in standing:
                if one is not other and one["booking_option"]["evse_uid"] == other["booking_option"]["evse_uid"]:
                    assert not span_of(one["period"]).overlaps(span_of(other["period"]))
        for document in await world.store.select(BOOKING_LOCATIONS):
            evse = parse(document.body, limit=65_536)["booking_option"].get("evse_uid")
            busy = [span_of(each["period"]) for each in standing if each["booking_option"]["evse_uid"] == evse]
            for calendar_tree in parse(document.body, limit=65_536)["calendars"]:
                for free in calendar_tree["available_timeslots"]:
                    assert not any(span_of(free).overlaps(each) for each in busy)
