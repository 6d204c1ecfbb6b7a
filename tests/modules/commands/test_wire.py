"""Commands in 2.1.1 and 2.2.1 (mod_commands)."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.dialect import NotExpressible
from modules.commands.wire import (
    CANCEL_RESERVATION,
    COMMAND_RESPONSE,
    COMMAND_RESULT,
    RESERVE_NOW,
    START_SESSION,
    UNLOCK_CONNECTOR,
)
from tests.modules.tokens.test_wire import OURS as TOKEN
from tests.modules.tokens.test_wire import OWNER, TOKEN_211

URL = "https://example.com/ocpi/commands/START_SESSION/12"
RESERVATION: dict[str, Any] = {
    "response_url": URL,
    "token": TOKEN,
    "expiry_date": "2015-06-29T20:39:09Z",
    "reservation_id": "17",
    "location_id": "LOC1",
}


def test_the_token_of_a_2_1_1_command_belongs_to_the_sender() -> None:
    start = START_SESSION["2.1.1"].read({"response_url": URL, "token": TOKEN_211, "location_id": "LOC1"}, given=OWNER)
    assert start.token.tree() == TOKEN


def test_what_2_1_1_cannot_name_is_lost() -> None:
    command = {"response_url": URL, "token": TOKEN, "location_id": "L", "evse_uid": "E", "connector_id": "1"}
    written, losses = START_SESSION["2.1.1"].write({**command, "authorization_reference": "A"})
    assert written == {"response_url": URL, "token": TOKEN_211, "location_id": "L", "evse_uid": "E"}
    assert [loss.pointer for loss in losses] == ["/connector_id", "/authorization_reference"]


def test_2_1_1_numbers_its_reservations() -> None:
    assert RESERVE_NOW["2.1.1"].write(RESERVATION)[0]["reservation_id"] == 17
    named = {**RESERVATION, "reservation_id": "b5a1"}
    assert RESERVE_NOW["2.1.1"].write(named, context={"reservation_id": 3})[0]["reservation_id"] == 3
    with pytest.raises(NotExpressible, match="numbers"):
        RESERVE_NOW["2.1.1"].write(named)
    tree = RESERVE_NOW["2.1.1"].write(RESERVATION)[0]
    assert RESERVE_NOW["2.1.1"].read(tree, given=OWNER).reservation_id == "17"


def test_2_1_1_has_no_cancellation() -> None:
    assert set(CANCEL_RESERVATION) == {"2.2.1", "2.3.0"}


def test_an_unlock_is_the_same_everywhere() -> None:
    unlock = {"response_url": URL, "location_id": "L", "evse_uid": "E", "connector_id": "1"}
    assert [wire.read(unlock).tree() for wire in UNLOCK_CONNECTOR.values()] == [unlock] * 3


def test_a_2_1_1_answer_has_no_timeout_so_ours_holds() -> None:
    assert COMMAND_RESPONSE["2.1.1"].read({"result": "ACCEPTED"}).timeout == 30
    assert COMMAND_RESPONSE["2.1.1"].read({"result": "ACCEPTED"}, given={"timeout": 90}).timeout == 90
    assert COMMAND_RESPONSE["2.1.1"].write({"result": "ACCEPTED", "timeout": 90}) == ({"result": "ACCEPTED"}, ())


def test_a_2_1_1_answer_of_timeout_is_a_rejection_that_says_why() -> None:
    response = COMMAND_RESPONSE["2.1.1"].read({"result": "TIMEOUT"})
    assert response.result == "REJECTED"
    assert response.message[0].text == "The charge point did not answer in time."


@pytest.mark.parametrize(
    ("result", "sent"),
    [
        ("ACCEPTED", "ACCEPTED"),
        ("TIMEOUT", "TIMEOUT"),
        ("FAILED", "REJECTED"),
        ("EVSE_OCCUPIED", "REJECTED"),
        ("CANCELED_RESERVATION", "REJECTED"),
    ],
)
def test_results_2_1_1_lacks_are_rejections(result: str, sent: str) -> None:
    assert COMMAND_RESULT["2.1.1"].write({"result": result})[0] == {"result": sent}


def test_an_unknown_session_is_a_failure() -> None:
    assert COMMAND_RESULT["2.1.1"].read({"result": "UNKNOWN_SESSION"}).result == "FAILED"
