"""What stations are told is valid by the official schemas, in each version and with the longest link that there is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import ocpp
import pytest

from partners.ocpp import schemas
from partners.ocpp.care.payloads import (
    FIRMWARE_WORDS,
    LOG_WORDS,
    Image,
    LogKind,
    Order,
    Span,
    availability_order,
    log_answer,
    log_order,
    update_order,
    update_refused,
)

SCHEMAS = Path(ocpp.__file__).parent
VERSIONS = ("1.6", "2.0.1", "2.1")
URL = f"https://files.example.com/{'long/' * 20}files/{'A' * 43}"
SPANS = (Span(None, None), Span(datetime(2026, 1, 1, tzinfo=UTC), None), Span(None, datetime(2026, 1, 2, tzinfo=UTC)))


def fits(version: str, order: Order) -> None:
    finding = schemas.check(version, order.action, order.payload, strict=True)
    assert finding is None, finding


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["diagnostics", "security"])
def test_an_order_for_a_log_is_valid_in_each_version(version: str, kind: LogKind) -> None:
    for span in SPANS:
        fits(version, log_order(version, kind, 2**31 - 1, URL, span))


def test_an_answer_without_a_file_says_why() -> None:
    assert log_answer("GetDiagnostics", {}).refused
    assert log_answer("GetDiagnostics", {"fileName": "a.zip"}) == ("a.zip", "")
    assert log_answer("GetLog", {"status": "Rejected"}).refused == "answered Rejected"
    assert log_answer("GetLog", {"status": "Accepted"}) == ("", "")
    assert log_answer("GetLog", {}).refused


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("signed", [True, False])
def test_an_update_is_valid_in_each_version(version: str, signed: bool) -> None:
    image = Image(URL, "A" * 800 if signed else "", "C" * 5500 if signed else "")
    fits(version, update_order(version, image, 2**31 - 1, datetime(2026, 1, 1, tzinfo=UTC), signed=signed))


@pytest.mark.parametrize("version", VERSIONS)
def test_taking_a_station_out_of_use_is_valid_in_each_version(version: str) -> None:
    for operative in (True, False):
        fits(version, availability_order(version, operative=operative))


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("FirmwareStatusNotification", FIRMWARE_WORDS),
        ("SignedFirmwareStatusNotification", FIRMWARE_WORDS),
        ("DiagnosticsStatusNotification", LOG_WORDS),
        ("LogStatusNotification", LOG_WORDS),
    ],
)
def test_every_word_of_every_version_means_something(action: str, words: Mapping[str, str]) -> None:
    files = [file for file in SCHEMAS.glob(f"v*/schemas/{action}*.json") if "Response" not in file.name]
    assert files
    for file in files:
        found = set(re.findall(r'"([A-Za-z]+)"', re.search(r'"enum": *\[(.*?)\]', file.read_text(), re.DOTALL)[1]))  # type: ignore[index]
        assert found - set(words) == set(), file


def test_an_update_of_1_6_is_taken_by_saying_nothing() -> None:
    assert update_refused({}) == update_refused({"status": "AcceptedCanceled"}) == ""
    assert update_refused({"status": "InvalidCertificate"}) == "answered InvalidCertificate"
