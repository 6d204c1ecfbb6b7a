"""What became of an order, in either protocol's words."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest

from modules.commands.model import CommandResponseType, CommandResultType
from partners.oicp.answers import Code
from partners.oicp.mapping import times
from partners.oicp.mapping.commands import (
    TO_OCPI,
    TO_OICP,
    code_of_command,
    code_of_fault,
    command_result,
    message_of,
    minutes_until,
)
from partners.oicp.mapping.faults import NotSayable
from partners.oicp.mapping.terms import Terms
from tests.partners.oicp.mapping.ocpi import WHEN

RESULTS = set(get_args(get_args(CommandResultType)[0]))
RESPONSES = set(get_args(get_args(CommandResponseType)[0]))
NOW = times.instant(WHEN)


def test_every_result_and_response_of_ocpi_has_a_code_and_every_code_a_result() -> None:
    assert set(TO_OICP) == RESULTS | RESPONSES
    assert set(TO_OCPI) == set(Code)
    assert set(TO_OCPI.values()) <= RESULTS


@pytest.mark.parametrize("result", ["ACCEPTED", "EVSE_OCCUPIED", "EVSE_INOPERATIVE", "TIMEOUT", "NOT_SUPPORTED"])
def test_a_result_comes_back(result: str) -> None:
    assert command_result(code_of_command(result)) == result


def test_an_evse_that_is_taken_is_reserved_where_a_reservation_was_asked_for() -> None:
    assert code_of_command("EVSE_OCCUPIED", "RESERVE_NOW") is Code.EVSE_RESERVED
    assert code_of_command("EVSE_OCCUPIED") is Code.EVSE_IN_USE


def test_a_rejected_order_is_told_as_agreed() -> None:
    assert code_of_command("REJECTED") is Code.EVSE_IN_USE
    assert code_of_command("REJECTED", terms=Terms(rejected_is_unreachable=True)) is Code.EVSE_UNREACHABLE


def test_what_nobody_lists_has_failed() -> None:
    assert code_of_command("EXPLODED") is Code.EVSE_UNREACHABLE
    assert command_result("999") == command_result("") == "FAILED"


def test_a_session_that_is_not_valid_is_an_unknown_reservation_where_one_was_meant() -> None:
    assert command_result("400") == "FAILED"
    assert command_result("400", reserves=True) == "UNKNOWN_RESERVATION"


def test_a_failure_says_what_is_known_of_it() -> None:
    assert message_of("510") == "no EV connected"
    assert message_of("501") == message_of("999") == ""


@pytest.mark.parametrize(
    ("ocpi_code", "code"),
    [
        (2003, Code.UNKNOWN_EVSE),
        (4001, Code.PARTNER_UNKNOWN),
        (4002, Code.PARTNER_SILENT),
        (3000, Code.EVSE_UNREACHABLE),
    ],
)
def test_an_order_that_was_not_taken_has_a_code(ocpi_code: int, code: Code) -> None:
    assert code_of_fault(ocpi_code) is code


@pytest.mark.parametrize(("seconds", "minutes"), [(1, 1), (60, 1), (61, 2), (99 * 60, 99)])
def test_a_reservation_lasts_whole_minutes(seconds: int, minutes: int) -> None:
    assert minutes_until(NOW + timedelta(seconds=seconds), NOW, Terms()) == minutes


@pytest.mark.parametrize("seconds", [0, -60, 99 * 60 + 1])
def test_a_reservation_that_is_over_or_too_long_is_not_said(seconds: int) -> None:
    with pytest.raises(NotSayable):
        minutes_until(NOW + timedelta(seconds=seconds), NOW, Terms())


def test_a_long_reservation_is_cut_where_that_is_agreed() -> None:
    assert minutes_until(NOW + timedelta(hours=5), NOW, Terms(clamps_reservations=True)) == 99
