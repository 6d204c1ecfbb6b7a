"""The table of answers: every error has its row, and every code exists in the version that sends it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.core import answers, errors
from tests.world import ManualClock

CODES = {
    "2.1.1": {1000, 2000, 2001, 2002, 2003, 3000, 3001, 3002, 3003},
    "2.2.1": {1000, 2000, 2001, 2002, 2003, 2004, 3000, 3001, 3002, 3003, 4000, 4001, 4002, 4003},
}
"""status_codes, in each version; 2.3.0 has those of 2.2.1."""
GROUPS = {errors.BusbarError, errors.RequestFault, errors.PeerFault}


def every_error(root: type[errors.BusbarError] = errors.BusbarError) -> Iterator[type[errors.BusbarError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from every_error(child)


def test_every_error_has_a_row_of_its_own() -> None:
    assert set(every_error()) - GROUPS == set(answers.TABLE)


@pytest.mark.parametrize("error", sorted(answers.TABLE, key=str))
def test_every_code_exists_in_the_version_that_sends_it(error: type[errors.BusbarError]) -> None:
    row = answers.TABLE[error]
    assert row.code in CODES["2.2.1"]
    assert row.code_211 in CODES["2.1.1"]
    assert row.http in (200, 400, 401, 403, 404, 405, 408, 413, 415, 429, 431, 503)


def test_what_is_not_our_error_is_3000_and_silent() -> None:
    answer = answers.refusal(RuntimeError("secret"), version="2.2.1")
    assert (answer.http, answer.code, answer.message) == (200, 3000, "Generic server error")


def test_no_message_is_longer_than_200_characters() -> None:
    answer = answers.refusal(errors.InvalidRequest("x" * 5000), version="2.2.1")
    assert len(answer.message) == 200


@pytest.mark.parametrize(
    ("http", "code", "passing"),
    [(200, 3000, True), (200, 4003, True), (200, 2001, False), (404, None, False), (400, 2001, False),
     (500, None, True), (503, 2000, True), (401, 2000, True), (429, None, True), (302, None, True), (403, None, False)],
)  # fmt: skip
def test_trouble_of_the_other_end_is_told_from_a_refusal(http: int, code: int | None, passing: bool) -> None:
    assert answers.is_passing(http, code) is passing


def test_the_envelope_is_one_json_object_with_or_without_data() -> None:
    for answer, text in (
        (answers.ok(), '{"status_code":1000,"status_message":"Success","timestamp":"2026-05-04T10:00:00.000Z"}'),
        (
            answers.ok({"a": [1]}),
            '{"status_code":1000,"status_message":"Success","timestamp":"2026-05-04T10:00:00.000Z","data":{"a":[1]}}',
        ),
    ):
        assert b"".join(answers.envelope(answer, ManualClock())).decode() == text
