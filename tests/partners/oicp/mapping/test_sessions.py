"""A running charge: notifications as a Session, a Session as notifications."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.sessions.wire import SESSION
from partners.oicp.mapping.sessions import lost_in, lost_of, notifications_of, session_of
from partners.oicp.wire import Unfit, read_notification, write
from partners.oicp.wire.notifications import BY_TYPE
from tests.laws.objects import objects
from tests.partners.oicp.laws import BOUNDED, FEW
from tests.partners.oicp.messages import messages

NOW = "2026-03-01T12:00:00Z"
ZONE = "Europe/Berlin"
SESSION_ID = "b2688855-7f00-0002-6d8e-48d883f6abb6"
NAMES = {"SessionID": SESSION_ID, "EvseID": "DE*ABC*E1", "OperatorID": "DE*ABC"}
BASE: dict[str, Any] = {
    "country_code": "DE",
    "party_id": "ABC",
    "id": SESSION_ID,
    "cdr_token": {
        "country_code": "DE",
        "party_id": "DCB",
        "uid": "04A1B2C3",
        "type": "RFID",
        "contract_id": "DE-DCB-C12345678-4",
    },
    "auth_method": "AUTH_REQUEST",
    "authorization_reference": SESSION_ID,
    "location_id": "DEABCP1",
    "evse_uid": "DEABCE1",
    "connector_id": "1",
    "currency": "EUR",
}
START = {"Type": "Start", "ChargingStart": "2026-03-01T11:01:00+01:00", "SessionStart": "2026-03-01T11:00:00+01:00"}
PROGRESS = {
    "Type": "Progress",
    "ChargingStart": "2026-03-01T11:01:00+01:00",
    "EventOccurred": "2026-03-01T11:30:00+01:00",
    "ConsumedEnergyProgress": Decimal("5.250"),
}
END = {
    "Type": "End",
    "ChargingStart": "2026-03-01T11:01:00+01:00",
    "ChargingEnd": "2026-03-01T12:00:00+01:00",
    "ConsumedEnergy": Decimal("10.5"),
}
OVER = {**END, "SessionEnd": "2026-03-01T12:00:10+01:00"}
BROKEN = {"Type": "Error", "ErrorType": "CriticalError"}


def told(*notifications: dict[str, Any]) -> dict[str, Any]:
    """The Session after some notifications."""
    session: dict[str, Any] | None = None
    for notification in notifications:
        session = session_of(BASE, {**notification, **NAMES}, session, NOW)
        assert SESSION["2.3.0"].read(session).tree() == {
            name: value for name, value in session.items() if value not in ([], None)
        }
    assert session is not None
    return session


def test_a_start_is_an_active_session() -> None:
    session = told(START)
    assert session["status"] == "ACTIVE"
    assert session["start_date_time"] == "2026-03-01T10:00:00Z"
    assert session["kwh"] == 0


def test_progress_tells_the_energy_so_far_which_never_goes_back() -> None:
    assert told(START, PROGRESS)["kwh"] == Decimal("5.250")
    assert told(START, END, PROGRESS)["kwh"] == Decimal("10.5")


def test_an_end_of_energy_is_no_end_of_the_session() -> None:
    session = told(START, END)
    assert session["status"] == "ACTIVE"
    assert [each["type"] for period in session["charging_periods"] for each in period["dimensions"]] == [
        "ENERGY",
        "PARKING_TIME",
    ]
    assert told(START, END, PROGRESS)["charging_periods"][1] == session["charging_periods"][1]


def test_the_end_of_the_session_is_the_end_with_the_time_that_the_car_stood() -> None:
    session = told(START, OVER)
    assert session["status"] == "COMPLETED"
    assert session["end_date_time"] == "2026-03-01T11:00:10Z"
    assert session["charging_periods"][1]["dimensions"][0]["volume"] == Decimal("0.0028")


def test_an_error_ends_only_what_never_began() -> None:
    assert told(BROKEN)["status"] == "INVALID"
    assert told(START, BROKEN)["status"] == "ACTIVE"


def test_an_end_without_a_start_is_a_session_all_the_same() -> None:
    assert told(OVER)["start_date_time"] == "2026-03-01T10:01:00Z"


@FEW
@given(notifications=st.lists(st.one_of(*map(messages, BY_TYPE.values())), min_size=1, max_size=4))
def test_any_notifications_make_a_valid_session(notifications: list[dict[str, Any]]) -> None:
    session: dict[str, Any] | None = None
    for notification in notifications:
        session = session_of(BASE, notification, session, NOW)
        SESSION["2.3.0"].read(session)


@FEW
@given(noise=messages(BY_TYPE["Progress"]), name=st.sampled_from(["ChargingStart", "ConsumedEnergyProgress", "Type"]))
def test_a_notification_with_anything_in_it_is_refused_or_a_session(noise: dict[str, Any], name: str) -> None:
    values: list[Any] = [None, "x", 7, [], {}, True, "2026-01-01"]
    for value in values:
        try:
            message = read_notification({**noise, name: value}).tree
        except Unfit:
            continue
        SESSION["2.3.0"].read(session_of(BASE, message, None, NOW))


def said(session: dict[str, Any], told: dict[str, str] | None = None, now: str = NOW) -> list[str]:
    """The types of the notifications that are to be said now; each is one of OICP."""
    notifications = notifications_of(session, told or {}, time_zone=ZONE, now=now)
    for notification in notifications:
        write(BY_TYPE[notification["Type"]], {**notification, **NAMES})
    return [notification["Type"] for notification in notifications]


def test_a_session_is_told_step_by_step() -> None:
    begun, running, ended = told(START), told(START, PROGRESS), told(START, END)
    assert said(begun) == ["Start"]
    assert said(running, {"start": "2026-03-01T11:55:00Z"}) == ["Progress"]
    assert said(running, {"start": "2026-03-01T11:55:01Z"}) == []
    assert said(running, {"start": "2026-03-01T11:00:00Z", "progress": "2026-03-01T11:58:00Z"}) == []
    assert said(ended, {"start": "2026-03-01T11:00:00Z"}) == ["End"]
    assert said(ended, {"start": "2026-03-01T11:00:00Z", "end": NOW}) == []
    assert said(ended) == ["Start", "End"]


def test_a_session_in_which_nothing_flows_yet_is_not_told() -> None:
    waiting = {**told(START), "charging_periods": []}
    assert said(waiting) == []
    assert said({**waiting, "status": "PENDING"}) == []
    assert said({**waiting, "status": "RESERVATION"}) == []


def test_a_session_that_came_to_nothing_is_an_error_once() -> None:
    assert said(told(BROKEN)) == ["Error"]
    assert said(told(BROKEN), {"end": NOW}) == []


def test_times_are_told_in_the_time_of_the_place() -> None:
    (start,) = notifications_of(told(START), {}, time_zone=ZONE, now=NOW)
    assert start["ChargingStart"] == "2026-03-01T11:01:00.000+01:00"


def test_what_goes_to_oicp_comes_back_from_there() -> None:
    before = told(START, OVER)
    messages = notifications_of(before, {}, time_zone=ZONE, now=NOW)
    assert told(*messages) == before


@BOUNDED
@given(drawn=objects(SESSION["2.3.0"].form))
def test_any_session_is_told_in_messages_of_oicp(drawn: dict[str, Any]) -> None:
    session = SESSION["2.3.0"].read(drawn).tree()
    for already in ({}, {"start": "2026-03-01T11:00:00Z"}):
        said(session, already)
    assert {"/currency", "/connector_id", "/auth_method"} <= set(lost_of(session))


def test_what_either_side_has_no_word_for_is_told_as_lost() -> None:
    assert lost_in({**BROKEN, "ErrorAdditionalInfo": "x", "MeterValueStart": 1}) == (
        "/MeterValueStart",
        "/ErrorType",
        "/ErrorAdditionalInfo",
    )


@pytest.mark.parametrize("kwh", [Decimal("1.23456"), Decimal(7), Decimal("0.0004")])
def test_energy_is_told_to_the_watt_hour(kwh: Decimal) -> None:
    session = {**told(START, PROGRESS), "kwh": kwh}
    (progress,) = notifications_of(session, {"start": "2026-03-01T11:00:00Z"}, time_zone=ZONE, now=NOW)
    assert abs(progress["ConsumedEnergyProgress"] - kwh) <= Decimal("0.0005")
    assert said(session, {"start": "2026-03-01T11:00:00Z"}) == ["Progress"]
