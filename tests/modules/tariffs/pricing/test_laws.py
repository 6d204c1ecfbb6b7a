"""What holds for every tariff and every session."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modules.tariffs.pricing import Case, Policy, Priced, price

BOUNDED = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)
START = datetime(2024, 3, 30, 18, tzinfo=UTC)
"""The evening before the clocks go forward in Amsterdam."""
PARTS = ("energy", "time", "parking", "fixed", "reservation")

clocks = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 30]))
amounts = st.decimals(0, 20, places=3)
ODD = [Decimal(0), *map(Decimal, ("0.0001", "0.00003", "0.00005", "-0.00004", "0.000000000000004"))]
"""What a threshold is off a whole one by: also finer than the four decimals of a volume."""


def thresholds(least: int, most: int) -> st.SearchStrategy[Decimal]:
    return st.builds(Decimal.__add__, st.builds(Decimal, st.integers(least, most)), st.sampled_from(ODD))


restrictions = st.fixed_dictionaries(
    {},
    optional={
        "start_time": clocks,
        "end_time": clocks,
        "day_of_week": st.lists(st.sampled_from(["SATURDAY", "SUNDAY", "MONDAY"]), max_size=2),
        "min_kwh": thresholds(0, 10),
        "max_kwh": thresholds(5, 30),
        "min_duration": st.integers(0, 7200),
        "max_duration": st.integers(600, 20000),
        "min_power": thresholds(1, 40),
        "max_power": thresholds(5, 50),
        "max_current": thresholds(6, 32),
        "start_date": st.sampled_from(["2024-03-30", "2024-03-31"]),
        "end_date": st.sampled_from(["2024-03-31", "2024-04-01"]),
        "reservation": st.sampled_from(["RESERVATION", "RESERVATION_EXPIRES"]),
    },
)
components = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["ENERGY", "TIME", "PARKING_TIME", "FLAT"]),
        "price": amounts,
        "step_size": st.sampled_from([0, 1, 60, 300, 1000]),
    },
    optional={"vat": st.sampled_from([Decimal(0), Decimal("5.5"), Decimal(20), Decimal(21)])},
)
elements = st.fixed_dictionaries(
    {"price_components": st.lists(components, min_size=1, max_size=3)}, optional={"restrictions": restrictions}
)


def tariffs(*, limited: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    limit = st.fixed_dictionaries({"before_taxes": amounts}, optional={"after_taxes": amounts})
    return st.fixed_dictionaries(
        {
            "id": st.just("T"),
            "currency": st.just("EUR"),
            "tax_included": st.sampled_from(["YES", "NO", "N/A"]),
            "elements": st.lists(elements, min_size=1, max_size=4),
        },
        optional={"min_price": limit, "max_price": limit} if limited else {},
    )


@st.composite
def cases(draw: st.DrawFn, *, limited: bool = False) -> Case:
    at, periods = START, []
    if draw(st.booleans()):
        minutes = draw(st.integers(1, 60))
        reserved = {"type": "RESERVATION_TIME", "volume": hours(timedelta(minutes=minutes))}
        periods.append({"start_date_time": at.isoformat(), "dimensions": [reserved]})
        at += timedelta(minutes=minutes)
    for _ in range(draw(st.integers(1, 4))):
        length = timedelta(minutes=draw(st.integers(1, 300)))
        kind = draw(st.sampled_from(["TIME", "PARKING_TIME"]))
        energy = {"type": "ENERGY", "volume": draw(st.decimals(0, 20, places=4))}
        dimensions = [energy, {"type": kind, "volume": hours(length)}]
        periods.append({"start_date_time": at.isoformat(), "dimensions": dimensions})
        at += length
    return Case("2.3.0", "Europe/Amsterdam", [draw(tariffs(limited=limited))], START, at, periods)


def hours(length: timedelta) -> Decimal:
    return (Decimal(length // timedelta(seconds=1)) / 3600).quantize(Decimal("0.0001"))


def parts(priced: Priced) -> list[Any]:
    return [part for name in PARTS if (part := getattr(priced, name)) is not None]


@BOUNDED
@given(cases())
def test_sub_totals_add_up_to_the_total(case: Case) -> None:
    priced = price(case)
    off = sum((part.excl for part in parts(priced)), Decimal(0)) - priced.total.excl
    assert abs(off) <= Decimal("0.0001") * len(PARTS) / 2
    rounded = price(case, Policy(round_parts_first=True))
    assert sum((part.excl for part in parts(rounded)), Decimal(0)) == rounded.total.excl


@BOUNDED
@given(cases(limited=True), st.booleans())
def test_tax_lines_are_exactly_what_lies_between_net_and_gross(case: Case, parts_first: bool) -> None:
    priced = price(case, Policy(round_parts_first=parts_first))
    for money in (priced.total, *parts(priced)):
        assert (money.incl is None and not money.taxes) or (
            sum((line.amount for line in money.taxes), Decimal(0)) == money.incl - money.excl
        )


@BOUNDED
@given(cases(limited=True))
def test_pricing_twice_is_the_same_and_changes_nothing_it_was_given(case: Case) -> None:
    before = copy.deepcopy(case)
    assert price(case) == price(case)
    assert case == before


@BOUNDED
@given(cases(limited=True))
def test_the_total_is_within_its_limits(case: Case) -> None:
    tariff, total = case.tariffs[0], price(case).total
    assert isinstance(tariff, dict)
    if "max_price" in tariff and tariff["tax_included"] != "YES":
        assert total.excl <= tariff["max_price"]["before_taxes"]
    elif "min_price" in tariff and "max_price" not in tariff and tariff["tax_included"] != "YES":
        assert total.excl >= tariff["min_price"]["before_taxes"]


@BOUNDED
@given(cases(), st.integers(0, 4))
def test_elements_that_never_apply_change_nothing(case: Case, place: int) -> None:
    tariff = case.tariffs[0]
    assert isinstance(tariff, dict)
    dear = {"type": "ENERGY", "price": Decimal(999), "step_size": 1, "vat": Decimal(20)}
    never = {"price_components": [dear], "restrictions": {"end_date": "2020-01-01"}}
    more = {**tariff, "elements": [*tariff["elements"][:place], never, *tariff["elements"][place:]]}
    if not any(c.get("vat") is not None for e in tariff["elements"] for c in e["price_components"]):
        del dear["vat"]
    changed = Case(case.version, case.time_zone, [more], case.start, case.end, case.periods)
    assert price(changed).total == price(case).total


@BOUNDED
@given(tariffs(), st.integers(2, 280), st.decimals(0, 20, places=4), st.data())
def test_splitting_a_period_in_which_nothing_changes_changes_nothing(
    tariff: dict[str, Any], minutes: int, kwh: Decimal, data: st.DataObject
) -> None:
    for tree in tariff["elements"]:
        tree.pop("restrictions", None)
    cut = data.draw(st.integers(1, minutes - 1))
    share = data.draw(st.decimals(0, kwh, places=4))
    whole, head, tail = (timedelta(minutes=m) for m in (minutes, cut, minutes - cut))

    def period(at: datetime, energy: Decimal, length: timedelta) -> dict[str, Any]:
        dimensions = [{"type": "ENERGY", "volume": energy}, {"type": "TIME", "volume": hours(length)}]
        return {"start_date_time": at.isoformat(), "dimensions": dimensions}

    def total(*periods: dict[str, Any]) -> object:
        return price(Case("2.3.0", "Europe/Amsterdam", [tariff], START, START + whole, periods)).total

    split = total(period(START, share, head), period(START + head, kwh - share, tail))
    assert split == total(period(START, kwh, whole))
