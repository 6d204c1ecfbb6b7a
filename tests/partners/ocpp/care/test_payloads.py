"""What stations are told is valid by the official schemas, in each version and with the longest link that there is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from partners.ocpp import schemas
from partners.ocpp.care.payloads import LogKind, Order, Span, log_answer, log_order

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
