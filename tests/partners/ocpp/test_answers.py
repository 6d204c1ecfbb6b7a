"""The tables of what we answer, walked."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import ocpp
import pytest

from hub.core import errors
from hub.core.ports import Outcome
from partners.ocpp.answers import (
    CODES,
    COMMAND_RESULTS,
    FAULTS,
    REFUSED_START,
    VERSIONS,
    Fault,
    callerror_result,
    code,
    command_result,
    fault_of,
)

CODES_16 = {
    *("NotImplemented", "NotSupported", "InternalError", "ProtocolError", "SecurityError", "FormationViolation"),
    *("PropertyConstraintViolation", "OccurenceConstraintViolation", "TypeConstraintViolation", "GenericError"),
}
CODES_2X = CODES_16 - {"FormationViolation", "OccurenceConstraintViolation"} | {
    *("FormatViolation", "OccurrenceConstraintViolation", "MessageTypeNotSupported", "RpcFrameworkError"),
}
MESSAGES = {
    "START_SESSION": "RemoteStartTransactionResponse",
    "STOP_SESSION": "RemoteStopTransactionResponse",
    "RESERVE_NOW": "ReserveNowResponse",
    "CANCEL_RESERVATION": "CancelReservationResponse",
    "UNLOCK_CONNECTOR": "UnlockConnectorResponse",
}


def tree(kind: type[errors.BusbarError]) -> set[type[errors.BusbarError]]:
    return {kind}.union(*(tree(child) for child in kind.__subclasses__()))


def test_every_error_of_ours_has_a_fault() -> None:
    assert set(FAULTS) >= {kind for kind in tree(errors.BusbarError) if kind.__module__ == errors.__name__}


def test_every_fault_has_a_code_that_its_version_knows() -> None:
    assert set(CODES) == set(VERSIONS)
    for version, fault in itertools.product(VERSIONS, Fault):
        assert code(fault, version) in (CODES_16 if version == "1.6" else CODES_2X)


def test_an_error_without_a_row_counts_as_its_parent() -> None:
    class OutOfPower(errors.NotCapable):
        """Not today."""

    assert fault_of(OutOfPower()) is Fault.NOT_SUPPORTED


def test_a_foreign_exception_is_an_internal_error() -> None:
    assert fault_of(KeyError("x")) is Fault.INTERNAL


@pytest.mark.parametrize(("command", "message"), MESSAGES.items())
def test_every_status_that_a_charger_can_answer_has_a_result(command: str, message: str) -> None:
    schema = Path(ocpp.__file__).parent / f"v16/schemas/{message}.json"
    statuses = json.loads(schema.read_text("utf-8-sig"))["properties"]["status"]["enum"]
    assert set(COMMAND_RESULTS[command]) >= set(statuses)


def test_a_refused_start_says_why_as_far_as_we_know() -> None:
    assert command_result("START_SESSION", "Rejected", evse_status="CHARGING") is Outcome.EVSE_OCCUPIED
    assert command_result("START_SESSION", "Rejected", evse_status="OUTOFORDER") is Outcome.EVSE_INOPERATIVE
    assert command_result("START_SESSION", "Rejected", evse_status="AVAILABLE") is Outcome.REJECTED
    assert len(REFUSED_START) == 9


def test_a_refused_stop_of_a_session_that_has_ended_is_what_was_asked_for() -> None:
    assert command_result("STOP_SESSION", "Rejected", session_ended=True) is Outcome.ACCEPTED
    assert command_result("STOP_SESSION", "Rejected") is Outcome.REJECTED


def test_a_status_of_nobodys_protocol_is_an_error() -> None:
    with pytest.raises(errors.PeerNonsense):
        command_result("RESERVE_NOW", "Perhaps")


def test_a_charger_that_lacks_a_command_is_told_from_one_that_failed() -> None:
    assert callerror_result("NotSupported") is Outcome.NOT_SUPPORTED
    assert callerror_result("NotImplemented") is Outcome.NOT_SUPPORTED
    assert callerror_result("VendorsOwnError") is Outcome.FAILED
