"""Bookings 1.0 against 1.1: what is told apart, what comes back, and what is said to be lost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.core.dialect import Loss, NotExpressible
from hub.core.errors import InvalidRequest
from modules.bookings.wire import BOOKING, BOOKING_LOCATION, BOOKING_REQUEST, CALENDAR, OLD, EitherEdition, speaks_old
from tests.laws import beside
from tests.laws.objects import objects

WIRES: dict[str, EitherEdition[Any]] = {
    "Booking": BOOKING["2.3.0"],
    "BookingLocation": BOOKING_LOCATION["2.3.0"],
    "BookingRequest": BOOKING_REQUEST["2.3.0"],
    "Calendar": CALENDAR["2.3.0"],
}
BOUNDED = settings(
    max_examples=25, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("name", WIRES)
@BOUNDED
@given(data=st.data())
def test_every_field_of_1_1_comes_back_from_1_0_or_is_told_as_lost(name: str, data: st.DataObject) -> None:
    wire = WIRES[name]
    ours = wire.read(data.draw(objects(wire.form))).tree()
    try:
        written, losses = wire.old.write(ours)
    except NotExpressible:
        return
    more: list[Loss] = list(losses)
    after = wire.old.read(written, losses=more).tree()
    silent = [each for each in beside.differences(ours, after) if not beside.covered(each, more)]
    assert silent == []


@pytest.mark.parametrize("name", WIRES)
@BOUNDED
@given(data=st.data())
def test_every_object_of_1_0_is_read(name: str, data: st.DataObject) -> None:
    wire = WIRES[name]
    tree = data.draw(objects(wire.old.form))
    wire.form.model_validate(wire.old.read(tree).tree())


@pytest.mark.parametrize(
    ("tree", "old"),
    [
        ({"period": {"start_from": "x"}}, True),
        ({"booking_terms": [{"RFID_auth_required": True}]}, True),
        ({"evse_uid": "E1"}, True),
        ({"booking_option": {"evse_uid": "E1"}}, False),
        ({"calendars": [{"end_before": "x", "timeslot_increment": 1}]}, False),
        ([], False),
        ("text", False),
    ],
)
def test_the_editions_are_told_apart_by_their_field_names(tree: Any, old: bool) -> None:
    assert speaks_old(tree) is old


@pytest.mark.parametrize("part", [{"evse_uid": None}, {"bookable_parking_options": []}])
def test_a_patch_of_1_0_that_takes_from_an_option_is_refused(part: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="whole object"):
        BOOKING_LOCATION["2.3.0"].old.read_patch({**part, "last_updated": "2026-05-04T10:00:00Z"})


def _place(option: dict[str, Any]) -> dict[str, Any]:
    """A booking location in our form."""
    return {
        "country_code": "NL",
        "party_id": "AAA",
        "id": "BL1",
        "location_id": "L1",
        "booking_option": option,
        "last_updated": "2026-05-04T10:00:00Z",
    }


def test_what_1_0_has_no_word_for_is_told() -> None:
    assert OLD == "bookings 1.0"
    option = {"evse_uid": "E1", "connector_types": ["CHADEMO"], "evse_position": ["LEFT", "RIGHT"]}
    written, losses = BOOKING_LOCATION["2.3.0"].old.write(_place(option))
    assert (written["evse_uid"], written["bookable_parking_options"]) == ("E1", [{"evse_position": "LEFT"}])
    assert {pointer for pointer, _ in losses} == {"/booking_option/connector_types", "/booking_option/evse_position/1"}


def test_an_option_of_which_1_0_has_a_word_for_nothing_is_not_written_at_all() -> None:
    option = {"evse_uid": "E1", "connector_types": ["CHADEMO"]}
    written, losses = BOOKING_LOCATION["2.3.0"].old.write(_place(option))
    assert written["evse_uid"] == "E1"
    assert "bookable_parking_options" not in written
    assert {pointer for pointer, _ in losses} == {"/booking_option/connector_types"}
