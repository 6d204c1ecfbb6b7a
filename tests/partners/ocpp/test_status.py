"""What partners see of a connector."""

from __future__ import annotations

import itertools
import json
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import ocpp
import pytest

from hub.core.errors import InvalidRequest
from partners.ocpp.status import (
    EVSE_STATUS,
    OFFLINE_GRACE,
    ORDER,
    OVERRULING,
    PERIOD_STATE,
    SWITCHES,
    Heard,
    Seen,
    Switches,
    evse_status,
    period_state,
)
from tests.partners.ocpp.said import NOON, at, stamp

OCPI_STATUSES = {
    *("AVAILABLE", "BLOCKED", "CHARGING", "INOPERATIVE", "OUTOFORDER"),
    *("PLANNED", "REMOVED", "RESERVED", "UNKNOWN"),
}


def test_every_table_has_every_status_of_ocpp_and_only_words_of_ocpi() -> None:
    schema = Path(ocpp.__file__).parent / "v16/schemas/StatusNotification.json"
    words = set(json.loads(schema.read_text("utf-8-sig"))["properties"]["status"]["enum"])
    assert set(EVSE_STATUS) == set(PERIOD_STATE) == set(ORDER) == words
    assert set(EVSE_STATUS.values()) | {status for _, status in SWITCHES.values()} <= OCPI_STATUSES
    assert {field.name for field in fields(Switches)} == set(SWITCHES)
    assert words >= OVERRULING


@pytest.mark.parametrize("state", ORDER)
def test_one_connector_is_seen_as_the_table_says(state: str) -> None:
    assert evse_status(Seen((state,))) == EVSE_STATUS[state]


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_switch_changes_its_one_state_and_no_other(switch: str) -> None:
    about, status = SWITCHES[switch]
    for state in ORDER:
        expected = status if state == about else EVSE_STATUS[state]
        assert evse_status(Seen((state,)), Switches(**{switch: True})) == expected


@pytest.mark.parametrize(("whole", "connector"), list(itertools.product(sorted(OVERRULING), ORDER)))
def test_connector_0_overrules_its_connectors(whole: str, connector: str) -> None:
    assert evse_status(Seen((connector,), whole=whole)) == EVSE_STATUS[whole]


def test_connector_0_available_says_nothing_of_a_broken_connector() -> None:
    assert evse_status(Seen(("Faulted",), whole="Available")) == "OUTOFORDER"


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(ORDER, 2)))
def test_of_two_connectors_the_busier_one_speaks(first: str, second: str) -> None:
    assert evse_status(Seen((second, first))) == EVSE_STATUS[first]


def test_a_fault_while_charging_stays_charging() -> None:
    assert evse_status(Seen(("Faulted",), charging=True)) == "CHARGING"


def test_our_reservation_shows_though_the_charger_does_not_say_it() -> None:
    assert evse_status(Seen(("Available",), reserved=True)) == "RESERVED"
    assert evse_status(Seen(("Charging",), reserved=True)) == "CHARGING"
    assert evse_status(Seen(("Preparing",), reserved=True), Switches(preparing_is_available=True)) == "RESERVED"


@pytest.mark.parametrize(("state", "status"), [("Faulted", "OUTOFORDER"), ("Unavailable", "INOPERATIVE")])
def test_a_fault_shows_though_we_hold_a_reservation(state: str, status: str) -> None:
    assert evse_status(Seen((state,), reserved=True)) == status


def test_a_lost_socket_is_unknown_after_the_grace_unless_a_session_is_open() -> None:
    later = OFFLINE_GRACE + timedelta(seconds=1)
    assert evse_status(Seen(("Available",), offline_for=OFFLINE_GRACE)) == "AVAILABLE"
    assert evse_status(Seen(("Available",), offline_for=later)) == "UNKNOWN"
    assert evse_status(Seen(("Charging",), offline_for=later, charging=True)) == "CHARGING"


def test_what_never_reported_is_unknown() -> None:
    assert evse_status(Seen(())) == "UNKNOWN"


def test_a_state_that_ocpp_does_not_have_is_an_error_not_a_default() -> None:
    for seen in (Seen(("Occupied",)), Seen((), whole="Occupied"), Seen(("Available", "Occupied"))):
        with pytest.raises(InvalidRequest):
            evse_status(seen)
    with pytest.raises(InvalidRequest):
        period_state("Occupied")
    with pytest.raises(InvalidRequest):
        Heard.of("Occupied", None, NOON)


def test_our_own_load_management_is_not_the_cars_pause() -> None:
    assert period_state("SuspendedEVSE") == "SUSPENDED_EVSE"
    assert period_state("SuspendedEV") == "SUSPENDED_EV"


def test_a_replay_of_old_states_never_moves_the_live_state_backwards() -> None:
    """MicroOcpp, after 30 s offline: Finishing, Charging, Finishing, all with old times."""
    live = Heard.of("Available", stamp(at(10)), at(10))
    for minutes, state in ((1, "Finishing"), (2, "Charging"), (3, "Finishing")):
        replayed = Heard.of(state, stamp(at(minutes)), at(11))
        assert not replayed.takes_over(live)
        assert replayed.is_replay(connected_at=at(10.5))
    assert Heard.of("Preparing", stamp(at(12)), at(12)).takes_over(live)


def test_a_clock_that_runs_ahead_cannot_block_later_states() -> None:
    ahead = Heard.of("Charging", "2099-01-01T00:00:00Z", at(1))
    assert Heard.of("Available", stamp(at(2)), at(2)).takes_over(ahead)


@pytest.mark.parametrize("timestamp", [None, "yesterday", "1970-01-01T00:00:05Z"])
def test_a_state_without_a_usable_time_is_dated_by_arrival(timestamp: str | None) -> None:
    heard = Heard.of("Charging", timestamp, at(5))
    assert heard.at == at(5)
    assert heard.takes_over(None)


def test_a_measured_clock_offset_tells_slow_clocks_from_replays() -> None:
    slow = Heard.of("Charging", stamp(at(-60)), at(5))
    assert slow.is_replay(at(4))
    assert not slow.is_replay(at(4), clock_offset=timedelta(minutes=65))
