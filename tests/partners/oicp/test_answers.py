"""The tables of codes and operations, walked."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from hub.core import errors
from hub.core.dialect import NotExpressible
from partners.oicp import answers
from partners.oicp.answers import DESCRIPTIONS, TABLE, Code, Refused
from partners.oicp.operations import OPERATIONS, AnswerKind, may_ask, serves
from partners.oicp.wire import ANSWERS, REQUESTS, read, write

ERRORS = [error for _, error in inspect.getmembers(errors, inspect.isclass) if issubclass(error, errors.BusbarError)]
PARTS: dict[type, dict[str, Any]] = {
    errors.PartyAway: {"party": "NL*EEE"},
    errors.PeerRefused: {"http": 500},
    errors.PassedOn: {"http": 200, "status_code": 2000, "by": "DE*ABC"},
}
"""What some errors cannot be made without."""


def made(error: type[errors.BusbarError]) -> errors.BusbarError:
    return error("said to the partner", **PARTS.get(error, {}))


def test_every_code_says_what_it_means() -> None:
    assert set(DESCRIPTIONS) == set(Code)
    assert all(len(words) <= answers.LONGEST_DESCRIPTION for words in DESCRIPTIONS.values())


@pytest.mark.parametrize("error", [*ERRORS, NotExpressible])
def test_every_error_has_a_row_of_its_own(error: type[Exception]) -> None:
    assert error in TABLE
    assert TABLE[error].http < 500


@pytest.mark.parametrize("kind", AnswerKind)
@pytest.mark.parametrize("error", ERRORS)
def test_every_error_is_told_in_every_message(error: type[errors.BusbarError], kind: AnswerKind) -> None:
    http, tree = answers.refusal(made(error), kind)
    assert http == TABLE[error].http
    assert tree["StatusCode"]["Code"] == TABLE[error].code
    assert tree["StatusCode"]["AdditionalInfo"] == "said to the partner"
    assert "content" not in tree
    assert tree.get("Result", False) is False
    assert http < 400 or tree["Result"] is False


def test_what_is_our_fault_says_nothing_of_itself() -> None:
    http, tree = answers.refusal(ZeroDivisionError("of /etc/secret"), AnswerKind.ACKNOWLEDGEMENT)
    assert (http, tree["Result"], tree["StatusCode"]["Code"]) == (200, False, "001")
    assert "secret" not in str(tree)


def test_a_long_word_is_cut_to_what_oicp_takes() -> None:
    _, tree = answers.refusal(Refused(Code.DATA_ERROR, "d" * 900, "i" * 9000), None)
    assert (len(tree["StatusCode"]["Description"]), len(tree["StatusCode"]["AdditionalInfo"])) == (200, 1000)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_refusal_is_a_message_that_can_be_read(name: str) -> None:
    """And one of an authorization or an Acknowledgement is strictly OICP's."""
    kind = OPERATIONS[name].answer
    tree = answers.refused(kind, Code.NO_CONTRACT)
    if kind.value.startswith(("Acknowledgement", "Authorization")):
        assert write(ANSWERS[name], tree) == tree
        assert read(ANSWERS[name], tree).findings == ()


def test_an_acknowledgement_names_what_it_has() -> None:
    tree = answers.acknowledged(SessionID="b2688855-7f00-0002-6d8e-48d883f6abb6", CPOPartnerSessionID="")
    assert write(ANSWERS["ChargeDetailRecord"], tree) == tree
    assert set(tree) == {"Result", "StatusCode", "SessionID"}


def test_operations_and_messages_are_the_same_ones() -> None:
    assert set(OPERATIONS) == set(REQUESTS) == set(ANSWERS)


def test_each_path_belongs_to_one_operation_and_its_asker() -> None:
    paths = [path for operation in OPERATIONS.values() for path in operation.paths]
    assert len(set(paths)) == len(paths)
    for operation in OPERATIONS.values():
        where = {"cpo": "/operators/{id}/", "emp": "/providers/{id}/"}[operation.by]
        assert not operation.has_id or where in operation.path


def test_what_a_hub_passes_on_is_asked_by_one_side_and_served_by_the_other() -> None:
    for operation in OPERATIONS.values():
        assert may_ask(operation.by, operation)
        assert serves("hub", operation)
        assert may_ask("hub", operation) == (operation.to != "hub")
        assert serves(operation.by, operation) is False
