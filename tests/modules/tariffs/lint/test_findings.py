"""Each finding by a tariff that shows it, and what is not found in a tariff that is well made."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest

from modules.tariffs.lint import Finding, LintCode, lint, unreadable
from modules.tariffs.lint.findings import KINDS
from modules.tariffs.wire import TARIFF
from tests.modules.tariffs.pricing.cases import component, element, tariff

KWH = component("ENERGY", "0.5", step=1, vat="19")
HOUR = component("TIME", "2", step=1, vat="19")
PARKED = component("PARKING_TIME", "2", step=1, vat="19")
FEE = component("FLAT", "1", step=1, vat="19")
STEPPED = component("TIME", "2", step=60, vat="19")
ANY = element(KWH)
FINE = Decimal("0.33333")
OWNED = {"country_code": "DE", "party_id": "BSB", "last_updated": "2024-01-01T00:00:00Z"}


def read(*elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return TARIFF["2.3.0"].read({**OWNED, **tariff(*elements, **more)}).tree()


def found(*elements: dict[str, Any], **more: Any) -> list[Finding]:
    return lint(read(*elements, **more))


ODD: list[tuple[str, str, list[dict[str, Any]], dict[str, Any]]] = [
    ("unknown_restriction", "/elements/0/restrictions/weather", [element(KWH, weather="SUN"), ANY], {}),
    ("unusable_restriction", "/elements/0/restrictions", [element(KWH, start_date="2024-02-30"), ANY], {}),
    ("unreachable_element", "/elements/1", [ANY, element(KWH, min_kwh=5)], {}),
    ("unreachable_element", "/elements/1", [element(KWH, max_kwh=9), element(KWH, max_kwh=5), ANY], {}),
    ("unreachable_component", "/elements/1/price_components/0", [ANY, element(KWH, HOUR)], {}),
    ("duplicate_component", "/elements/0/price_components/1", [element(KWH, KWH)], {}),
    ("impossible_restriction", "/elements/0/restrictions/max_kwh", [element(KWH, min_kwh=5, max_kwh=5), ANY], {}),
    (
        "impossible_restriction",
        "/elements/0/restrictions",
        [element(KWH, start_date="2024-01-15", end_date="2024-01-16", day_of_week=["SUNDAY"]), ANY],
        {},
    ),
    ("reservation_dimension", "/elements/0/price_components/0", [element(KWH, reservation="RESERVATION"), ANY], {}),
    ("vat_out_of_range", "/elements/0/price_components/0/vat", [element(component("ENERGY", "1", 1, "119"))], {}),
    ("vat_out_of_range", "/elements/0/price_components/0/vat", [element(component("ENERGY", "1", 1, "-100"))], {}),
    ("negative_step", "/elements/0/price_components/0/step_size", [element(component("ENERGY", "1", -1))], {}),
    (
        "min_above_max_price",
        "/min_price/before_taxes",
        [ANY],
        {"min_price": {"before_taxes": 5}, "max_price": {"before_taxes": 4}},
    ),
    (
        "empty_validity",
        "/end_date_time",
        [ANY],
        {"start_date_time": "2024-01-02T00:00:00Z", "end_date_time": "2024-01-02T00:00:00Z"},
    ),
    ("other_price", "/elements/0", [element(KWH, booking="BOOKING"), ANY], {}),
    ("gap", "/elements", [element(KWH, start_time="08:00", end_time="20:00")], {}),
    ("no_fallback", "/elements", [element(KWH, max_power=11), element(KWH, min_power=11)], {}),
    ("equal_times", "/elements/0/restrictions/end_time", [element(KWH, start_time="08:00", end_time="08:00")], {}),
    (
        "wrapping_window",
        "/elements/0/restrictions/end_time",
        [element(KWH, start_time="22:00", end_time="06:00", day_of_week=["FRIDAY"]), ANY],
        {},
    ),
    ("step_on_flat", "/elements/0/price_components/0/step_size", [element(component("FLAT", "1", 60), KWH)], {}),
    ("negative_price", "/elements/0/price_components/0/price", [element(component("ENERGY", "-1", 1))], {}),
    ("vat_ignored", "/elements/0/price_components/0/vat", [ANY], {"tax_included": "N/A"}),
    ("rate_unknown", "/tax_included", [element(component("ENERGY", "1", 1))], {}),
    ("rate_unknown", "/tax_included", [element(component("ENERGY", "1", 1))], {"tax_included": "YES"}),
    ("not_sent", "", [element(component("ENERGY", "1", 1))], {"tax_included": "YES"}),
    ("not_sent", "", [ANY], {"type": "AD_HOC_PAYMENT"}),
    ("element_left_out", "/elements/1", [ANY, element(HOUR, reservation="RESERVATION")], {}),
    ("element_left_out", "/elements/1", [ANY, element(HOUR, booking="BOOKING")], {}),
    ("not_sent", "", [element(KWH, min_current=16), ANY], {}),
    ("not_sent", "", [ANY, element(HOUR, max_current=16)], {}),
    ("price_rounded", "/elements/0/price_components/0/price", [ANY], {"tax_included": "YES"}),
    ("price_too_fine", "/elements/0/price_components/0/price", [element(component("ENERGY", "0.12345", 1))], {}),
    ("threshold_too_fine", "/elements/0/restrictions/max_kwh", [element(KWH, max_kwh=FINE), ANY], {}),
    ("threshold_too_fine", "/elements/0/restrictions/max_current", [element(KWH, max_current=FINE), ANY], {}),
    ("limit_lost", "/max_price", [ANY], {"max_price": {"before_taxes": 4}}),
    ("validity_lost", "/end_date_time", [ANY], {"end_date_time": "2024-01-02T00:00:00Z"}),
    ("parking_gap", "/elements", [ANY, element(PARKED, min_duration=3600)], {}),
    ("empty_restriction", "/elements/0/restrictions", [element(KWH, day_of_week=[], end_time="00:00")], {}),
    ("time_step_gives_way", "/elements/0/price_components/0/step_size", [element(STEPPED, PARKED)], {}),
    ("nothing_by_use", "/elements", [element(FEE)], {}),
    ("step_zero", "/elements/0/price_components/0/step_size", [element(component("ENERGY", "1", 0))], {}),
    ("step_above_one", "/elements/0/price_components/0/step_size", [element(component("ENERGY", "1", 100))], {}),
    ("component_without_rate", "/elements/0/price_components/1", [element(KWH, component("TIME", "1", 1))], {}),
    ("tax_lost", "/tax_included", [ANY], {"tax_included": "YES"}),
    ("field_lost", "/type", [ANY], {"type": "REGULAR"}),
    ("no_oicp_form", "/elements/0", [element(KWH, HOUR)], {}),
    ("no_oicp_form", "/elements/0/restrictions/min_kwh", [element(KWH, min_kwh=5), ANY], {}),
    ("no_oicp_form", "/elements/0", [element(FEE), ANY], {}),
    ("power_not_in_cdrs", "/elements/0/restrictions/min_power", [element(KWH, min_power=5), ANY], {}),
    ("oicp_loses", "/elements/0/price_components/0/vat", [ANY], {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "pointer", "elements", "more"), ODD, ids=lambda part: part if isinstance(part, str) else ""
)
def test_an_odd_tariff_is_told_where_it_is_odd(
    code: str, pointer: str, elements: list[dict[str, Any]], more: dict[str, Any]
) -> None:
    assert (code, pointer) in [(finding.code.value, finding.pointer) for finding in found(*elements, **more)]


def test_every_code_is_shown_by_a_tariff_or_by_a_refusal() -> None:
    elsewhere = {"tax_included_missing", "unreadable", "unknown_dimension", "cannot_be_priced", "not_checked"}
    assert {code for code, *_ in ODD} | elsewhere == {code.value for code in LintCode}
    assert set(KINDS) == set(LintCode)


def test_a_well_made_tariff_has_no_errors_and_no_warnings() -> None:
    day = element(KWH, PARKED, start_time="08:00", end_time="20:00")
    night = element(KWH, PARKED, start_time="20:00", end_time="08:00")
    told = found(day, night, element(FEE), max_price={"before_taxes": 50, "after_taxes": Decimal("59.5")})
    assert {finding.severity.value for finding in told if "2.3.0" in finding.versions} <= {"hint"}


def test_findings_come_worst_first_and_only_those_that_concern() -> None:
    tree = read(ANY, element(KWH, min_kwh=5), element(HOUR, max_current=16), min_price={"before_taxes": 1})
    ranks = [finding.severity.rank for finding in lint(tree)]
    assert ranks == sorted(ranks)
    assert all("2.3.0" in finding.versions for finding in lint(tree, concerning=["2.3.0"]))
    assert {finding.code.value for finding in lint(tree, concerning=["OICP"])} == {"no_oicp_form", "oicp_loses"}


def test_a_gap_is_shown_by_a_moment() -> None:
    (gap,) = [finding for finding in found(element(KWH, day_of_week=["MONDAY"], max_kwh=20)) if finding.code == "gap"]
    assert gap.example == {"weekday": "TUESDAY", "kwh": "0"}
    assert gap.message == "Nothing prices ENERGY in a session on a TUESDAY, after 0 kWh: it is free there."


def test_windows_and_days_that_close_the_week_together_leave_no_gap() -> None:
    week = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"]
    parts = [
        element(KWH, start_time="06:00", end_time="22:00", day_of_week=week),
        element(KWH, start_time="22:00", end_time="06:00", day_of_week=week),
        element(KWH, day_of_week=["SATURDAY", "SUNDAY"]),
    ]
    assert "gap" not in {finding.code.value for finding in found(*parts)}
    assert "gap" in {finding.code.value for finding in found(*parts[:2])}


def test_a_tariff_that_says_when_it_begins_has_no_gap_before() -> None:
    dated = element(KWH, start_date="2024-01-01")
    assert "gap" not in {f.code.value for f in found(dated, start_date_time="2024-01-01T00:00:00Z")}
    assert "gap" in {f.code.value for f in found(dated)}


def test_an_element_behind_one_that_always_applies_names_it() -> None:
    (error,) = [f for f in found(ANY, element(KWH, min_kwh=5)) if f.code == "unreachable_element"]
    assert error.message == ("This element never prices anything: element 0 stands in front of it and always applies.")


def test_an_expired_reservation_has_elements_of_its_own() -> None:
    reserved = element(HOUR, reservation="RESERVATION")
    expired = element(HOUR, reservation="RESERVATION_EXPIRES")
    codes = {finding.code.value for finding in found(ANY, reserved, expired)}
    assert "unreachable_element" not in codes
    again = [f for f in found(ANY, reserved, reserved) if f.code == "unreachable_element"]
    assert [finding.pointer for finding in again] == ["/elements/2"]


def test_what_the_wire_refuses_is_one_finding() -> None:
    strange = unreadable("/elements/0/price_components/0/type: Input should be 'ENERGY', 'FLAT' or 'TIME'")
    assert (strange.code.value, strange.pointer) == ("unknown_dimension", "/elements/0/price_components/0/type")
    assert unreadable("/currency: Field required").message == "This is not a tariff: Field required."


def test_a_tariff_with_very_many_conditions_is_given_up_in_time() -> None:
    many = [
        element(KWH, min_kwh=n, max_kwh=n + 7, min_duration=n * 60, max_duration=n * 60 + 999, min_power=n % 50)
        for n in range(400)
    ]
    begin = time.thread_time()  # of the processor, whatever else it has to do
    codes = {finding.code.value for finding in found(*many)}
    assert codes & {"not_checked", "gap"}
    assert time.thread_time() - begin < 20


def test_two_days_of_dated_hours_are_checked_hour_by_hour() -> None:
    hours = [
        element(KWH, start_date=f"2024-01-{day:02}", end_date=f"2024-01-{day + 1:02}", **clock(hour))
        for day in (1, 2)
        for hour in range(24)
    ]
    (gap,) = [finding for finding in found(*hours, start_date_time="2024-01-01T00:00:00Z") if finding.code == "gap"]
    assert gap.example == {"date": "2024-01-03", "weekday": "WEDNESDAY", "time": "00:00"}


def clock(hour: int) -> dict[str, str]:
    return {"start_time": f"{hour:02}:00", "end_time": f"{(hour + 1) % 24:02}:00"}


def test_a_threshold_with_the_dust_of_a_float_is_told_as_it_is_read() -> None:
    (dust,) = [
        each
        for each in found(element(KWH, max_kwh=Decimal("0.30000000000000004")), ANY)
        if each.code is LintCode.THRESHOLD_TOO_FINE
    ]
    assert "max_kwh is read as 0.3." in dust.message
    assert not [
        each
        for each in found(element(KWH, max_kwh=Decimal("0.33330"), min_duration=90), ANY)
        if each.code is LintCode.THRESHOLD_TOO_FINE
    ]
