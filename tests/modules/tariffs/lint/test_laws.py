"""What lint promises of every tariff, held against what pricing does."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import InvalidRequest
from modules.tariffs.lint import Finding, lint
from modules.tariffs.pricing import Case, price
from modules.tariffs.wire import TARIFF
from tests.modules.tariffs.lint.generated import BOUNDED, DAYS, START, period, sessions, tariffs

QUANTITIES = {"ENERGY", "TIME", "PARKING_TIME"}
GAPS = {"gap", "no_fallback", "parking_gap"}


def coded(found: list[Finding], *codes: str) -> list[Finding]:
    return [finding for finding in found if finding.code.value in codes]


@BOUNDED
@given(st.data())
def test_what_is_called_unreachable_never_prices_anything(data: st.DataObject) -> None:
    tariff = data.draw(tariffs)
    found = lint(tariff)
    elements = {int(finding.pointer.split("/")[2]) for finding in coded(found, "unreachable_element")}
    parts = {finding.pointer for finding in coded(found, "unreachable_component", "duplicate_component")}
    for segment in price(data.draw(sessions(tariff))).segments:
        if segment.component:
            pointer = f"/elements/{segment.component.element}/price_components/{segment.component.place}"
            assert segment.component.element not in elements
            assert pointer not in parts


@BOUNDED
@given(st.data())
def test_a_tariff_without_a_gap_prices_every_quantity_of_what_it_prices(data: st.DataObject) -> None:
    tariff = data.draw(tariffs)
    if coded(lint(tariff), *GAPS, "not_checked"):
        return
    priced = in_session(tariff)
    for segment in price(data.draw(sessions(tariff))).segments:
        if segment.dimension.name in priced and not segment.reserved:
            assert segment.component is not None, (segment, tariff)


def in_session(tariff: dict[str, Any]) -> set[str]:
    """The dimensions that some element outside of reservations prices."""
    return {
        component["type"]
        for element in tariff["elements"]
        if not element.get("restrictions", {}).get("reservation")
        for component in element["price_components"]
    } & QUANTITIES


@BOUNDED
@given(tariffs)
def test_the_example_of_a_gap_is_free(tariff: dict[str, Any]) -> None:
    for finding in coded(lint(tariff), *GAPS):
        if "in a session" in finding.message:
            assert finding.example is not None
            assert is_free(tariff, finding.example, finding.message), (finding, tariff)


def is_free(tariff: dict[str, Any], example: Any, message: str) -> bool:
    """Is the dimension of a finding unpriced in a session that reaches the example?"""
    (dimension,) = [name for name in QUANTITIES if f" {name} in a session" in message]
    at = moment_of(example)
    begun = at - timedelta(seconds=int(example.get("duration_s", 0)))
    volumes = {dimension: "0.01"}
    for name, low, high in (("power_kw", "MIN_POWER", "MAX_POWER"), ("current_a", "MIN_CURRENT", "MAX_CURRENT")):
        if example.get(name):
            volumes |= dict(zip((low, high), example[name], strict=True))
    before = period(begun, ENERGY=example.get("kwh", "0"), CURRENT="1")
    case = Case("2.2.1", "UTC", [tariff], begun, at + timedelta(minutes=1), [before, period(at, **volumes)])
    reached = [segment for segment in price(case).segments if segment.period.index == 1]
    return [segment.component for segment in reached if segment.dimension.name == dimension] == [None]


def moment_of(example: Any) -> datetime:
    """The first moment from our start on that the example describes."""
    day = date.fromisoformat(example["date"]) if "date" in example else START.date()
    while "date" not in example and "weekday" in example and DAYS[day.weekday()] != example["weekday"]:
        day += timedelta(days=1)
    clock = example.get("time", "06:00")
    return datetime.fromisoformat(f"{day}T{clock}:00+00:00")


numbers = st.one_of(st.integers(-(10**19), 10**19), st.decimals(-200, 200, places=6), st.just(Decimal("1E+15")))
odd = st.one_of(st.none(), numbers, st.text(max_size=5), st.lists(st.integers(), max_size=2))
odd_component = st.fixed_dictionaries(
    {"type": st.sampled_from(["ENERGY", "TIME", "PARKING_TIME", "FLAT"]), "price": numbers, "step_size": numbers},
    optional={"vat": numbers, "x": odd},
)
odd_restrictions = st.fixed_dictionaries(
    {},
    optional={
        "start_time": st.sampled_from(["24:00", "24:30", "00:00", "12:00"]),
        "end_time": st.sampled_from(["24:00", "00:00", "12:00"]),
        "start_date": st.sampled_from(["0000-00-00", "2024-02-30", "0001-01-01", "9999-12-31"]),
        "end_date": st.sampled_from(["0001-01-01", "9999-12-31"]),
        "min_kwh": numbers,
        "max_kwh": numbers,
        "min_duration": st.integers(-(2**63), 2**63 - 1),
        "min_current": numbers,
        "max_current": numbers,
        "max_power": numbers,
        "booking": odd,
        "a/b~c": odd,
        "reservation": st.sampled_from(["RESERVATION", "RESERVATION_EXPIRES", None]),
        "day_of_week": st.lists(st.sampled_from(DAYS), max_size=9),
    },
)
odd_element = st.fixed_dictionaries(
    {"price_components": st.lists(odd_component, min_size=1, max_size=5)},
    optional={"restrictions": st.one_of(st.none(), odd_restrictions)},
)
limits = st.fixed_dictionaries({"before_taxes": numbers}, optional={"after_taxes": numbers})
moments = st.sampled_from(["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "2024-01-01T00:00:00Z"])
odd_tariffs = st.fixed_dictionaries(
    {
        "country_code": st.just("DE"),
        "party_id": st.just("BSB"),
        "id": st.just("T"),
        "currency": st.just("EUR"),
        "tax_included": st.sampled_from(["YES", "NO", "N/A"]),
        "elements": st.lists(odd_element, min_size=1, max_size=4),
        "last_updated": moments,
    },
    optional={
        "min_price": limits,
        "max_price": limits,
        "start_date_time": moments,
        "end_date_time": moments,
        "type": st.sampled_from(["AD_HOC_PAYMENT", "REGULAR"]),
        "surprise": odd,
    },
)


@BOUNDED
@given(odd_tariffs)
def test_lint_says_something_of_whatever_the_wire_reads(tree: dict[str, Any]) -> None:
    try:
        tariff = TARIFF["2.3.0"].read(tree).tree()
    except InvalidRequest:
        return
    for finding in lint(tariff):
        assert finding.message.endswith(".")
        assert finding.versions
