"""Failed logins: every one counted, few of them told."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from hub.core import logins
from hub.core.logins import LINES, WINDOW_S, FailedLogins


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_an_address_gets_ten_lines_a_minute_and_then_a_sum() -> None:
    clock = Hand()
    failures = FailedLogins(clock)
    with capture_logs() as logs:
        for _ in range(LINES + 25):
            failures.failed("ocpi", "192.0.2.7", "unknown token")
        assert len(logs) == LINES
        clock.at += WINDOW_S
        failures.failed("api", "192.0.2.8", "unknown token")
    assert logs[LINES:] == [
        {
            "event": "logins failed without a line each",
            "address": "192.0.2.7",
            "failures": 25,
            "log_level": "warning",
        },
        {
            "event": "login failed",
            "face": "api",
            "address": "192.0.2.8",
            "why": "unknown token",
            "log_level": "warning",
        },
    ]
    assert failures.counts() == {"ocpi": LINES + 25, "api": 1, "ocpp": 0, "oicp": 0, "files": 0}


def test_after_its_minute_an_address_has_lines_again() -> None:
    clock = Hand()
    failures = FailedLogins(clock)
    for _ in range(LINES):
        failures.failed("ocpi", "192.0.2.7", "unknown token")
    clock.at += WINDOW_S
    with capture_logs() as logs:
        failures.failed("ocpi", "192.0.2.7", "unknown token")
    assert [line["event"] for line in logs] == ["login failed"]


def test_one_address_takes_no_lines_from_another() -> None:
    failures = FailedLogins(Hand())
    with capture_logs() as logs:
        for _ in range(LINES + 1):
            failures.failed("ocpp", "192.0.2.7", "wrong password", identity="CP1")
        failures.failed("ocpp", "192.0.2.8", "unknown identity", identity="C" * 500)
    assert [line["identity"] for line in logs] == ["CP1"] * LINES + ["C" * 64]


def test_of_too_many_addresses_the_oldest_is_summed_up_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "MAX_ADDRESSES", 2)
    failures = FailedLogins(Hand())
    with capture_logs() as logs:
        for _ in range(LINES + 3):
            failures.failed("ocpi", "192.0.2.1", "no token")
        failures.failed("ocpi", "192.0.2.2", "no token")
        failures.failed("ocpi", "192.0.2.3", "no token")
    sums = [(line["address"], line["failures"]) for line in logs if "failures" in line]
    assert sums == [("192.0.2.1", 3)]
