"""The record, and what it says is missing."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from hub.demo.mailbox import Amount, amount, evse_of
from hub.demo.record import DriveRecord, OicpRecord, Record, shortcomings
from hub.demo.world import DRIVES, PROVIDERS

DELIVERED = [{"partner": "emsp-eee", "state": "delivered"}]


def our_cdr(**more: Any) -> dict[str, Any]:
    cost = {"before_taxes": Decimal("9.828"), "taxes": [{"name": "VAT", "amount": Decimal("1.8673")}]}
    return {
        "id": "c1",
        "session_id": "s1",
        "auth_method": "WHITELIST",
        "currency": "EUR",
        "total_energy": Decimal("18.4"),
        "total_time": Decimal("1.15"),
        "total_cost": cost,
        **more,
    }


def complete() -> Record:
    """A record of a run in which everything happened."""
    record = Record(seconds_to_first_cdr=5.0, rss_mb=140.0)
    for partner in record.partners.values():
        partner.registered, partner.locations, partner.tariffs, partner.tokens = True, 5, 3, 1
    record.oicp.evses, record.oicp.notifications, record.oicp.delivered = 21, ["Start", "End"], True
    for drive in DRIVES:
        seen = record.of(drive)
        seen.authorized_by = drive.authorized_by
        if not drive.is_refused:
            seen.session_id, seen.session_updates, seen.cdr_id = "s", 9, "c"
            seen.delivered, seen.same_cdr = True, True
    return record


def test_nothing_is_missing_when_everything_happened() -> None:
    assert shortcomings(complete()) == []


def test_an_empty_record_lacks_every_partner_and_every_drive() -> None:
    missing = "\n".join(shortcomings(Record()))
    assert all(f"{provider.name} is not registered" in missing for provider in PROVIDERS)
    assert all(f"drive {drive.name}: authorized by None" in missing for drive in DRIVES)
    assert "no CDR was delivered" in missing


def test_what_the_partner_of_oicp_lacks_is_named() -> None:
    record = complete()
    record.oicp = OicpRecord()
    assert shortcomings(record) == [
        "emp-dcb has no EVSEs of ours",
        "emp-dcb was not notified of the charge",
        "emp-dcb has no charge detail record",
    ]


def test_a_first_cdr_that_came_late_is_a_reason_in_the_record() -> None:
    record = complete()
    record.seconds_to_first_cdr = 21.4
    late = "the first CDR was delivered after 21.4 s, not within 20 s"
    assert shortcomings(record) == [late]
    assert json.loads(record.json_line([late]))["failed"] == [late]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"delivered": False}, "its CDR is not delivered"),
        ({"same_cdr": False}, "the eMSP's CDR says something else than ours"),
        ({"cdr_id": None}, "there is no CDR"),
        ({"session_updates": 0}, "the eMSP heard of no session"),
        ({"authorized_by": "real_time"}, "authorized by real_time, not by whitelist"),
    ],
)
def test_what_is_missing_of_a_drive_is_named(change: dict[str, Any], sentence: str) -> None:
    record = complete()
    for name, value in change.items():
        setattr(record.drives[0], name, value)
    assert shortcomings(record) == [f"drive known_card: {sentence}"]


def test_a_session_of_a_refused_card_is_a_fault() -> None:
    record = complete()
    next(record.of(drive) for drive in DRIVES if drive.is_refused).session_id = "s"
    assert shortcomings(record) == ["drive lost_card: there is a session of a refused card"]


def test_a_complaint_of_an_emsp_is_a_fault() -> None:
    record = complete()
    record.complaints.append("PUT sessions: /kwh: is missing")
    assert shortcomings(record) == ["an eMSP complains: PUT sessions: /kwh: is missing"]


@pytest.mark.parametrize(
    "theirs",
    [
        pytest.param(Decimal("9.8280"), id="2.1.1"),
        pytest.param({"excl_vat": Decimal("9.828"), "incl_vat": Decimal("11.6953")}, id="2.2.1"),
        pytest.param({"before_taxes": Decimal("9.828"), "taxes": [{"amount": Decimal("1.8673")}]}, id="2.3.0"),
    ],
)
def test_a_cdr_is_the_same_in_any_version(theirs: Any) -> None:
    seen = DriveRecord("known_card", "emsp-eee")
    seen.take_cdr(our_cdr(), our_cdr(total_cost=theirs), DELIVERED)
    assert (seen.delivered, seen.same_cdr, seen.authorized_by) == (True, True, "whitelist")
    assert (seen.total_cost, seen.total_cost_incl) == ("9.828", "11.6953")


@pytest.mark.parametrize(
    "change",
    [
        {"total_energy": Decimal("18.5")},
        {"currency": "SEK"},
        {"total_cost": Decimal("9.83")},
        {"total_cost": {"excl_vat": Decimal("9.828"), "incl_vat": Decimal("11.70")}},
    ],
)
def test_a_cdr_that_says_something_else_is_noticed(change: dict[str, Any]) -> None:
    seen = DriveRecord("known_card", "emsp-eee")
    seen.take_cdr(our_cdr(), our_cdr(**change), DELIVERED)
    assert seen.same_cdr is False


def test_a_cdr_that_the_emsp_never_had_is_not_delivered_whatever_we_think() -> None:
    seen = DriveRecord("known_card", "emsp-eee")
    seen.take_cdr(our_cdr(), None, DELIVERED)
    assert (seen.delivered, seen.same_cdr) == (False, None)


def test_an_amount_without_taxes_has_no_amount_with_them() -> None:
    assert amount({"before_taxes": Decimal(3)}) == Amount(Decimal(3), None)
    assert amount({"excl_vat": Decimal(3)}).shown("EUR") == "3.00 EUR"


def test_the_evse_is_found_in_sessions_and_cdrs_of_any_version() -> None:
    assert evse_of({"location": {"evses": [{"uid": "E1"}]}}) == "E1"
    assert evse_of({"evse_uid": "E1"}) == "E1"
    assert evse_of({"cdr_location": {"evse_uid": "E1"}}) == "E1"


def test_the_record_is_one_line_of_json_with_exact_numbers() -> None:
    record = complete()
    record.drives[0].kwh = Decimal("18.4000")
    written = record.json_line([])
    assert written.count(b"\n") == 1
    assert b'"kwh":18.4000' in written
    assert set(json.loads(written)) == {
        "partners",
        "drives",
        "oicp",
        "seconds_to_first_cdr",
        "rss_mb",
        "complaints",
        "troubles",
        "failed",
    }
