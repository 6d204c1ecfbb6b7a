"""What is said of each step of a commissioning, from what is known of a charger."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.control.commissioning.steps import NAMES, Facts, Step, Trial, steps_of

VIEW: dict[str, Any] = {
    "identity": "CP7",
    "url": "ws://127.0.0.1:9000/CP7",
    "location": "DE*BSB/LOC1",
    "places": {"1": "E7/1"},
    "protocol": "ocpp1.6",
    "version": "1.6",
    "security_profile": 1,
    "has_password": True,
    "connected": True,
    "booted_at": "2026-01-01T00:00:00.000Z",
    "vendor": "Acme",
    "model": "M1",
    "firmware": "1.0",
    "serial": "S1",
    "connectors": {"0": {"status": "Available"}, "1": {"status": "Available"}},
    "clock_offset_s": 0.4,
    "commissioning": {"since": "2026-01-01T00:00:00.000Z", "withheld": ["E7"], "skipped": [], "done": None},
}
TRIAL = Trial("s1", 1, is_open=False, kwh=Decimal("0.5"), samples=3, price="0.20 EUR")


def step(name: str, tested: Any = TRIAL, shelf: Any = (), **changed: Any) -> Step:
    return next(each for each in steps_of(Facts({**VIEW, **changed}, tested, shelf)) if each.step == name)


def test_of_a_charger_as_planned_only_its_service_is_open() -> None:
    states = {each.step: each.state for each in steps_of(Facts(VIEW, TRIAL))}
    assert states == {**dict.fromkeys(NAMES, "ok"), "publish": "open"}


@pytest.mark.parametrize(
    ("name", "changed", "says"),
    [
        ("registered", {"places": {}}, "on no EVSE"),
        ("identity", {"version": "2.0.1"}, "speaks OCPP 2.0.1, and is registered as ocpp1.6"),
        ("connectors", {"connectors": {"1": {"status": "Available"}, "2": {"status": "Available"}}}, "connector 2"),
        ("clock", {"clock_offset_s": 3600.0}, "3600 s behind"),
        ("clock", {"clock_offset_s": -61.0}, "61 s ahead"),
        ("status", {"connectors": {"1": {"status": "Faulted"}}}, "connector 1 (E7/1) is Faulted"),
        ("status", {"connectors": {"0": {"status": "Unavailable"}}}, "the charger is Unavailable"),
        ("charge", {"tested": Trial("s", 1, is_open=False, kwh=Decimal(0), samples=0)}, "without energy"),
        ("charge", {"tested": Trial("s", 1, is_open=False, kwh=Decimal(1), samples=0)}, "no meter values"),
        ("charge", {"tested": Trial("s", 1, is_open=False, kwh=Decimal(1), samples=1)}, "without a price"),
        ("charge", {"tested": Trial("s", 1, is_open=False, kwh=Decimal(1), samples=1, doubt="odd")}, "odd"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(name: str, changed: dict[str, Any], says: str) -> None:
    found = step(name, **changed)
    assert (found.state, says in found.found) == ("failed", True), found
    assert found.advice


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("connection", {"connected": False}),
        ("boot", {"booted_at": None}),
        ("identity", {"vendor": ""}),
        ("connectors", {"connectors": {}}),
        ("clock", {"clock_offset_s": None}),
        ("status", {"connectors": {}}),
        ("charge", {"tested": None}),
        ("charge", {"tested": Trial("s", 1, is_open=True, kwh=None, samples=None)}),
    ],
)
def test_what_has_not_happened_yet_is_open(name: str, changed: dict[str, Any]) -> None:
    assert step(name, **changed).state == "open"


def test_a_charger_that_is_away_is_told_its_address() -> None:
    assert "ws://127.0.0.1:9000/CP7" in step("connection", connected=False).advice


def test_firmware_on_the_shelf_is_offered_and_is_no_fault() -> None:
    found = step("firmware", shelf=[("two-zero", "2.0.0"), ("one-zero", "1.0")])
    assert (found.state, "two-zero (2.0.0)" in found.found, "one-zero" in found.found) == ("ok", True, False)


def test_a_step_is_done_without_only_where_it_is_not_well() -> None:
    skips: dict[str, Any] = {"commissioning": {**VIEW["commissioning"], "skipped": ["charge"]}}
    assert step("charge", None, **skips).state == "skipped"
    assert step("charge", **skips).state == "ok"
