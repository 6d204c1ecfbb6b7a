"""Mistakes that partners make, seeded into true CDRs: each is named by its class, and the true CDR is right."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from modules.cdrs.check import Cause, Verdict
from tests.modules.cdrs.check.records import LATER, but, cdr, checked, component, element, period, tariff
from tests.world import VERSIONS

D = Decimal

# An evening in Berlin: 10 kWh at 0.40 until 20:00, then 20 kWh at 0.30; 24 minutes of parking, which are two quarters
# of an hour at 6.00; a fee of 1.00. 4.00 + 6.00 + 3.00 + 1.00 = 14.00, with 19 % 16.66.
EVENING_TARIFF = tariff(
    element(component("ENERGY", "0.40"), start_time="08:00", end_time="20:00"),
    element(component("ENERGY", "0.30"), component("PARKING_TIME", "6.00", 900), component("FLAT", "1.00")),
)
EVENING = cdr(
    [EVENING_TARIFF],
    [
        period("17:30", energy="10", time="0.5"),
        period("18:00", energy="20", time="1"),
        period("19:00", parking_time="0.4"),
    ],
    "19:24",
    total=("14.00", "16.66"),
    energy=("10.00", "11.90"),
    parking=("3.00", "3.57"),
    fixed=("1.00", "1.19"),
)

# An hour of charging at 3.00 and half an hour of parking at 4.00, minute by minute, and a start fee of 0.50 that stands
# in an element of its own before the others, as in the examples of the text: 3.00 + 2.00 + 0.50 = 5.50, 20 %: 6.60.
HOURS_TARIFF = tariff(
    element(component("FLAT", "0.50", vat="20")),
    element(component("TIME", "3.00", 60, vat="20"), component("PARKING_TIME", "4.00", 60, vat="20")),
    id="HOURS",
)
HOURS = cdr(
    [HOURS_TARIFF],
    [period("09:00", "HOURS", energy="8", time="1"), period("10:00", "HOURS", energy="0", parking_time="0.5")],
    "10:30",
    total=("5.50", "6.60"),
    time=("3.00", "3.60"),
    parking=("2.00", "2.40"),
    fixed=("0.50", "0.60"),
)

# Three times four minutes with breaks of a minute between, at 6.00 an hour in steps of two minutes: 12 minutes, 1.20.
# Each is written as 0.0667 h, which is 240.12 s.
MINUTES = cdr(
    [tariff(element(component("TIME", "6.00", 120, vat=None)))],
    [period("09:00", energy="1", time="0.0667"), period("09:04", energy="1", time="0.0667"),
     period("09:08", energy="1", time="0.0667")],
    "09:12",
    total=("1.20",),
)  # fmt: skip

# A kilowatt-hour at 0.25, at most 8.00 before and 9.52 after taxes: 40 kWh would be 10.00, and cost 8.00.
CAPPED = cdr(
    [
        tariff(
            element(component("ENERGY", "0.25")),
            max_price={"before_taxes": D("8.00"), "after_taxes": D("9.52")},
        )
    ],
    [period("09:00", energy="40", time="2")],
    "11:00",
    total=("8.00", "9.52"),
    energy=("10.00", "11.90"),
)

# Reserved for 15 minutes at 4.00 an hour, with a fee of 1.50 for it; then 10 kWh at 0.50 and a fee of 0.75.
# 1.00 + 1.50 + 5.00 + 0.75 = 8.25.
RESERVED = cdr(
    [
        tariff(
            element(component("TIME", "4.00", 60, None), component("FLAT", "1.50", 1, None), reservation="RESERVATION"),
            element(component("ENERGY", "0.50", 1, None), component("FLAT", "0.75", 1, None)),
            element(component("TIME", "2.00", 60, None), min_duration=3600),
        )
    ],
    [period("09:00", reservation_time="0.25"), period("09:15", energy="10", time="0.9")],
    "10:09",
    total=("8.25",),
    energy=("5.00",),
    fixed=("0.75",),
    reservation=("2.50",),
)

# Elements by energy: the first 10 kWh at 0.60, then 0.40; 25 kWh: 6.00 + 6.00 = 12.00.
TIERED = cdr(
    [tariff(element(component("ENERGY", "0.60", 1, "21")), id="OTHER"),
     tariff(
        element(component("ENERGY", "0.60", 1, "21"), max_kwh=D(10)),
        element(component("ENERGY", "0.40", 1, "21"), max_kwh=D(50)),
        element(component("ENERGY", "0.35", 1, "21")),
        id="TIERS",
    )],
    [period("09:00", "TIERS", energy="10", time="0.5"), period("09:30", "TIERS", energy="15", time="0.75")],
    "10:15",
    total=("12.00", "14.52"),
    energy=("12.00", "14.52"),
)  # fmt: skip

# Eight periods of 1.234 kWh at 0.3210: each is 0.396114, together 3.168912.
MANY = cdr(
    [tariff(element(component("ENERGY", "0.3210", 1, None)))],
    [period(f"09:{5 * n:02}", energy="1.234", time="0.0833") for n in range(8)],
    "09:40",
    total=("3.17",),
)


# Half an hour at night, in UTC still by day: 10 kWh at 0.30, and not at 0.60.
NIGHTLY = cdr(
    [tariff(element(component("ENERGY", "0.60"), start_time="08:00", end_time="20:00"),
            element(component("ENERGY", "0.30")))],
    [period("18:30", energy="10", time="0.5")],
    "19:00",
    total=("6.00", "7.14"),
)  # fmt: skip

# Ten kilowatt-hours at 0.20, and an hour at 3.00 that no period states.
TIMELESS = cdr(
    [tariff(element(component("TIME", "3.00", 60, None), component("ENERGY", "0.20", 1, None)))],
    [period("09:00", energy="5"), period("09:30", energy="5")],
    "10:00",
    total=("5.00",),
)


def in_watt_hours(tree: dict[str, Any]) -> list[dict[str, Any]]:
    """The periods of a CDR, as somebody writes them whose meter counts Wh."""
    return [
        {**each, "dimensions": [{**d, "volume": d["volume"] * 1000} if d["type"] == "ENERGY" else d
                                for d in each["dimensions"]]}
        for each in tree["charging_periods"]
    ]  # fmt: skip


class Seeded(NamedTuple):
    """A mistake: the CDR with it, what it is, and the versions in which it can be made."""

    name: str
    cdr: dict[str, Any]
    cause: Cause
    versions: tuple[str, ...] = LATER
    known: tuple[Any, ...] = ()


DEARER = tariff(
    element(component("ENERGY", "0.45"), start_time="08:00", end_time="20:00"),
    element(component("ENERGY", "0.33"), component("PARKING_TIME", "6.00", 900), component("FLAT", "1.00")),
    last_updated="2026-04-30T00:00:00Z",
)

MISTAKES = [
    # taxes
    Seeded("no tax at all", but(EVENING, total=("14.00", "14.00"), energy=("10.00", "10.00"),
                                parking=("3.00", "3.00"), fixed=("1.00", "1.00")), Cause.TAX),
    Seeded("no tax on the total", but(EVENING, total=("14.00", "14.00")), Cause.TAX),
    Seeded("tax twice", but(EVENING, total=("14.00", "19.83")), Cause.TAX),
    Seeded("gross as net", but(EVENING, total=("16.66", "16.66"), energy=("11.90", "11.90"),
                               parking=("3.57", "3.57"), fixed=("1.19", "1.19")), Cause.TAX),
    Seeded("gross as net, taxed again", but(CAPPED, total=("9.52", "11.3288"), energy=("11.90", "14.161")), Cause.TAX),
    Seeded("21 % instead of 19 %", but(EVENING, total=("14.00", "16.94"), energy=("10.00", "12.10"),
                                       parking=("3.00", "3.63"), fixed=("1.00", "1.21")), Cause.TAX),
    Seeded("net taken for gross", but(TIERED, total=("9.92", "12.00"), energy=("9.92", "12.00")), Cause.TAX),
    # steps
    Seeded("no step", but(EVENING, total=("13.40", "15.95"), parking=("2.40", "2.86")), Cause.STEP, VERSIONS),
    Seeded("step of each period", but(MINUTES, charging_periods=[
        period("09:00", energy="1", time="0.05"), period("09:03", energy="1", time="0.05"),
        period("09:06", energy="1", time="0.1")], total=("1.40",)), Cause.STEP, VERSIONS),
    Seeded("time rounded too", but(EVENING, tariffs=[tariff(
        element(component("TIME", "2.00", 7200), component("PARKING_TIME", "6.00", 900)), id="T1")],
        total=("7.00", "8.33"), time=("4.00", "4.76"), energy=("0.00", "0.00"), fixed=("0.00", "0.00")), Cause.STEP),
    # elements
    Seeded("first element as a whole", but(HOURS, total=("0.50", "0.60"), time=("0.00", "0.00"),
                                           parking=("0.00", "0.00")), Cause.WRONG_ELEMENT),
    Seeded("last element that fits", but(TIERED, tariffs=TIERED["tariffs"][1:], total=("8.75", "10.5875"),
                                           energy=("8.75", "10.5875")),
           Cause.WRONG_ELEMENT, VERSIONS),
    Seeded("price of the start", but(TIERED, tariffs=TIERED["tariffs"][1:], total=("15.00", "18.15"),
                                     energy=("15.00", "18.15")), Cause.WRONG_ELEMENT, VERSIONS),
    # time
    Seeded("UTC instead of local time", but(EVENING, total=("16.00", "19.04"), energy=("12.00", "14.28")),
           Cause.TIME_ZONE),
    Seeded("winter time in summer", but(EVENING, charging_periods=[
        period("17:30", energy="10", time="0.5"), period("18:00", energy="10", time="0.5"),
        period("18:30", energy="10", time="0.5"), period("19:00", parking_time="0.4")],
        total=("16.00", "19.04"), energy=("12.00", "14.28")), Cause.TIME_ZONE),
    Seeded("parking at the price of time", but(HOURS, total=("5.00", "6.00"), time=("4.50", "5.40"),
                                               parking=("0.00", "0.00")), Cause.PARKING_AS_TIME),
    Seeded("parking in the field of time", but(HOURS, time=("5.00", "6.00"), parking=("0.00", "0.00")),
           Cause.PARKING_AS_TIME),
    Seeded("parking billed as time too", but(HOURS, total=("7.00", "8.40"), time=("4.50", "5.40")),
           Cause.PARKING_AS_TIME),
    Seeded("time at the price of parking", but(HOURS, total=("6.50", "7.80"), time=("0.00", "0.00"),
                                               parking=("6.00", "7.20")), Cause.TIME_AS_PARKING),
    Seeded("hours as they are written", but(MINUTES, total=("1.40",)), Cause.HOURS_ROUNDING, VERSIONS),
    Seeded("price of an hour for a minute", but(HOURS, total=("182.50", "219.00"), time=("180.00", "216.00")),
           Cause.UNIT),
    # units
    Seeded("periods in watt-hours", but(EVENING, charging_periods=in_watt_hours(EVENING)), Cause.UNIT, VERSIONS),
    Seeded("all in watt-hours", but(EVENING, charging_periods=in_watt_hours(EVENING), total_energy=D(30_000)),
           Cause.UNIT, VERSIONS),
    Seeded("price of a kilowatt-hour for a watt-hour", but(EVENING, total=("10004.00", "11904.76"),
                                                          energy=("10000.00", "11900.00")), Cause.UNIT),
    # what no period states
    Seeded("night in UTC is day, and the total is doubled", NIGHTLY, Cause.TIME_ZONE, VERSIONS),
    Seeded("time from the clock", TIMELESS, Cause.TOTAL_TIME, VERSIONS),
    Seeded("time from somewhere", but(TIMELESS, total=("5.10",), time=("3.10",)), Cause.PERIODS),
    # limits and fees
    Seeded("no limit", but(CAPPED, total=("10.00", "11.90")), Cause.LIMIT),
    Seeded("limit of the parts", but(CAPPED, tariffs=[tariff(
        element(component("ENERGY", "0.25"), component("FLAT", "1.00")), max_price=CAPPED["tariffs"][0]["max_price"])],
        total=("9.00", "10.71"), energy=("8.00", "9.52"), fixed=("1.00", "1.19")), Cause.LIMIT),
    Seeded("fee of each period", but(EVENING, total=("16.00", "19.04"), fixed=("3.00", "3.57")),
           Cause.FLAT_PER_PERIOD),
    Seeded("fee twice", but(HOURS, total=("6.00", "7.20"), fixed=("1.00", "1.20")), Cause.FLAT_PER_PERIOD, VERSIONS),
    Seeded("fee left out", but(EVENING, total=("13.00", "15.47"), fixed=("0.00", "0.00")), Cause.LEFT_OUT, VERSIONS),
    # reservations
    Seeded("reservation for nothing", but(RESERVED, total=("5.75",), reservation=("0.00",)), Cause.RESERVATION),
    Seeded("one fee for both", but(RESERVED, total=("7.50",), fixed=("0.00",)), Cause.RESERVATION),
    # sums and rounding
    Seeded("wrong sum", but(EVENING, total=("14.50", "17.16")), Cause.ARITHMETIC),
    Seeded("each period rounded", but(MANY, total=("3.20",)), Cause.ROUNDING, VERSIONS),
    Seeded("whole kilowatt-hours", but(MANY, total=("2.57",)), Cause.ROUNDING, VERSIONS),
    # tariffs
    Seeded("yesterday's prices", but(EVENING, total=("15.10", "17.97"), energy=("11.10", "13.21")),
           Cause.STALE_TARIFF, LATER, (DEARER,)),
    Seeded("a price that is in no tariff", but(HOURS, tariffs=[tariff(
        element(component("ENERGY", "0.50", 1, "20")), id="HOURS")],
        total=("4.40", "5.28"), time=("0.00", "0.00"), parking=("0.00", "0.00"), fixed=("0.00", "0.00"),
        energy=("4.40", "5.28")), Cause.STALE_TARIFF, VERSIONS),
    Seeded("a tariff that has ended", but(EVENING, tariffs=[
        {**EVENING_TARIFF, "end_date_time": "2026-04-30T22:00:00Z"}]), Cause.STALE_TARIFF),
    Seeded("the tariff of another place", but(TIERED, total=("15.00", "18.15"), energy=("15.00", "18.15"), tariffs=[
        TIERED["tariffs"][0], {**TIERED["tariffs"][1], "elements": [
            element(component("ENERGY", "0.45", 1, "21"), max_kwh=D(10)),
            element(component("ENERGY", "0.40", 1, "21"))]}]), Cause.STALE_TARIFF),
    # the CDR against itself
    Seeded("another energy", but(EVENING, total_energy=D(31)), Cause.ENERGY, VERSIONS),
    Seeded("watt-hours", but(EVENING, total_energy=D(30_000)), Cause.ENERGY, VERSIONS),
    Seeded("minutes", but(EVENING, total_time=D(114)), Cause.TOTAL_TIME, VERSIONS),
    Seeded("half an hour less", but(EVENING, total_time=D("1.4")), Cause.TOTAL_TIME, VERSIONS),
    Seeded("more parking", but(EVENING, total_parking_time=D(1)), Cause.PARKING_TIME, VERSIONS),
    Seeded("another currency", but(EVENING, currency="CHF"), Cause.CURRENCY, VERSIONS),
    Seeded("a period after the end", but(EVENING, end_date_time="2026-05-04T18:30:00Z", total_time=D(1)),
           Cause.PERIODS, VERSIONS),
    Seeded("a period twice", but(EVENING, charging_periods=[EVENING["charging_periods"][0]] * 2 +
                                 EVENING["charging_periods"][1:], total_energy=D(40)), Cause.PERIODS, VERSIONS),
    Seeded("more time than there is", but(EVENING, charging_periods=[
        period("17:30", energy="10", time="0.9"), *EVENING["charging_periods"][1:]]), Cause.PERIODS, VERSIONS),
    Seeded("a period before the start", but(EVENING, start_date_time="2026-05-04T17:45:00Z", total_time=D("1.65")),
           Cause.PERIODS, VERSIONS),
    Seeded("two hours in one", but(HOURS, charging_periods=[
        period("09:00", "HOURS", energy="8", time="1"), period("09:30", "HOURS", energy="0", parking_time="0.5")]),
           Cause.PERIODS),
    Seeded("two times at once", but(HOURS, charging_periods=[
        period("09:00", "HOURS", energy="8", time="1"), period("09:00", "HOURS", energy="0", parking_time="0.5")]),
           Cause.PERIODS),
    Seeded("negative, and no credit", but(EVENING, total=("-14.00", "-16.66")), Cause.CREDIT),
    Seeded("a credit that is positive", but(EVENING, credit=True, credit_reference_id="CDR0"), Cause.CREDIT),
    Seeded("a credit that is positive after taxes", but(EVENING, credit=True, credit_reference_id="CDR0",
                                                       total=("-14.00", "16.66")), Cause.CREDIT),
    Seeded("a credit of nothing", but(EVENING, credit=True, total=("-14.00", "-16.66")), Cause.CREDIT),
]  # fmt: skip

CASES = [
    pytest.param(seeded, version, id=f"{seeded.name} {version}") for seeded in MISTAKES for version in seeded.versions
]
TRUE = {"evening": EVENING, "hours": HOURS, "minutes": MINUTES, "capped": CAPPED, "reserved": RESERVED,
        "tiered": TIERED, "many": MANY}  # fmt: skip


@pytest.mark.parametrize(("seeded", "version"), CASES)
def test_a_mistake_is_named(seeded: Seeded, version: str) -> None:
    result = checked(seeded.cdr, version, tariffs=seeded.known)
    assert result.verdict is Verdict.WRONG, result
    assert result.causes[0] is seeded.cause, result.deviations
    assert all(deviation.why for deviation in result.deviations)


def rows(tree: dict[str, Any], **more: Any) -> dict[str, tuple[Decimal | str | None, Cause]]:
    return {deviation.figure: (deviation.claimed, deviation.cause) for deviation in checked(tree, **more).deviations}


def test_energy_in_watt_hours_is_said_once_and_no_amount_is_blamed() -> None:
    written = but(EVENING, charging_periods=in_watt_hours(EVENING))
    assert rows(written) == {"charging_periods": (D(30_000), Cause.UNIT)}
    both = but(written, total_energy=D(30_000))
    assert rows(both) == {"charging_periods": (D(30_000), Cause.UNIT), "total_energy": (D(30_000), Cause.UNIT)}
    assert "it is in Wh" in checked(but(EVENING, total_energy=D(30_000))).why


IN_CENTS = {
    "euros and cents": but(EVENING, total=("1400", "1666"), energy=("1000", "1190"), parking=("300", "357"),
                           fixed=("100", "119")),
    "the total alone": but(EVENING, total=("1400", "1666")),
    "a total without parts": but(MANY, total=("317",)),
    "with tenths of cents": but(MANY, total=("316.9",)),
    "in a credit": but(EVENING, credit=True, credit_reference_id="CDR0", total=("-1400", "-1666"),
                       energy=("1000", "1190"), parking=("300", "357"), fixed=("100", "119")),
}  # fmt: skip


@pytest.mark.parametrize("name", IN_CENTS)
def test_amounts_in_cents_are_said_to_be_in_cents(name: str) -> None:
    deviations = checked(IN_CENTS[name]).deviations
    assert {deviation.cause for deviation in deviations} == {Cause.UNIT}
    assert {deviation.why for deviation in deviations} == {
        "Amounts are 100 times what they should be, as if they were in cents"
    }


def test_prices_in_cents_are_told_by_amounts_that_are_a_hundredth() -> None:
    dear = tariff(element(component("ENERGY", "40", vat=None)))
    record = cdr([dear], [period("09:00", energy="30", time="1")], "10:00", total=("12.00",), energy=("12.00",))
    result = checked(record)
    assert result.causes == (Cause.UNIT,)
    assert "prices of the tariff were in cents" in result.why
    near = but(but(CAPPED, tariffs=[tariff(element(component("ENERGY", "0.7378")))]), total=("0.30",), energy=("0.30",))
    assert Cause.UNIT not in checked(near).causes  # 29.51, of which a hundredth is that only give or take a cent
    free = but(MANY, total=("0.00",))
    assert set(checked(free).causes) == {Cause.LEFT_OUT}


@pytest.mark.parametrize(
    ("limit", "energy", "total"),
    [
        ({"max_price": {"before_taxes": D(10)}}, "30", ("10.00", "17.85")),
        ({"max_price": {"before_taxes": D(10)}}, "30", ("10.00", "12.85")),
        ({"max_price": {"before_taxes": D(10), "after_taxes": D("11.90")}}, "30", ("10.00", "17.85")),
        ({"max_price": {"before_taxes": D(4)}}, "10", ("4.00", "5.95")),
        ({"min_price": {"before_taxes": D(3)}}, "4", ("3.00", "2.38")),
        ({"min_price": {"before_taxes": D(3)}}, "4", ("3.00", "3.38")),
        ({"min_price": {"before_taxes": D(3), "after_taxes": D("3.57")}}, "4", ("2.00", "3.57")),
    ],
)
@pytest.mark.parametrize("fee", [None, "0.00"])
@pytest.mark.parametrize("with_parts", [True, False])
def test_a_limit_that_holds_on_one_side_of_the_taxes_only_is_a_mistake_with_the_limit(
    limit: dict[str, Any], energy: str, total: tuple[str, str], fee: str | None, with_parts: bool
) -> None:
    """No fee is charged: there is none, or it is nothing."""
    prices = [component("ENERGY", "0.50")] + ([component("FLAT", fee)] if fee else [])
    cost = D(energy) / 2
    parts: dict[str, Any] = {"energy": (str(cost), str(cost * D("1.19")))} if with_parts else {}
    record = cdr([tariff(element(*prices), **limit)], [period("09:00", energy=energy, time="0.5"),
                 period("09:30", time="0.5")], "10:00", total=total, **parts)  # fmt: skip
    for version in LATER:
        result = checked(record, version)
        assert (result.verdict, result.causes) == (Verdict.WRONG, (Cause.LIMIT,)), result


def test_a_mistake_that_leads_to_the_right_amounts_explains_nothing() -> None:
    """A tenth of a cent that nobody tolerates is nearer to the right amounts than to those of any mistake."""
    record = but(CAPPED, total=("8.001", "9.521"))
    result = checked(record, tolerance=D(0))
    assert (result.verdict, result.causes) == (Verdict.WRONG, (Cause.ARITHMETIC,))


def test_a_currency_without_cents_is_not_in_cents() -> None:
    yen = cdr([tariff(element(component("ENERGY", "30", vat=None)), currency="JPY")],
              [period("09:00", energy="10", time="1")], "10:00", total=("30000",), currency="JPY")  # fmt: skip
    assert not any("cents" in deviation.why for deviation in checked(yen).deviations)


def test_energy_that_is_not_billed_at_all_is_not_taken_for_watt_hours() -> None:
    free = but(EVENING, total=("4.00", "4.76"), energy=("0.00", "0.00"))
    assert set(checked(free).causes) == {Cause.LEFT_OUT}


def test_what_is_wrong_of_a_credit_is_said_with_its_sign_and_once() -> None:
    credit = but(EVENING, credit=True, credit_reference_id="CDR0", total=("-14.00", "-16.66"))
    sides = ("total_cost.before_taxes", "total_cost.after_taxes")
    assert rows(but(credit, total=("14.00", "16.66"))) == {
        side: (D(amount), Cause.CREDIT) for side, amount in zip(sides, ("14.00", "16.66"), strict=True)
    }
    half = rows(but(credit, total=("-7.00", "-8.33")), original=EVENING)
    assert half == {side: (D(amount), Cause.CREDIT) for side, amount in zip(sides, ("-7.00", "-8.33"), strict=True)}
    part = rows(but(credit, energy=("-9.10", "-10.83")))
    assert part["total_energy_cost.before_taxes"][0] == D("-9.10")


def test_where_the_periods_state_no_time_it_is_said_that_they_do_not() -> None:
    for changes in ({"total": ("5.10",), "time": ("3.10",)}, {"total": ("4.00",), "time": ("2.00",)}):
        deviations = checked(but(TIMELESS, **changes)).deviations
        assert all("no period states any" in deviation.why for deviation in deviations), deviations


# 13.457 kWh, 50 minutes, 17 of parking at 7 % and a fee: 5.1769 + 1.1083 + 0.8982 + 0.77 = 7.9534; 9.3568 taxed
FINE = cdr(
    [tariff(element(component("ENERGY", "0.3847"), component("TIME", "1.33"), component("PARKING_TIME", "3.17", 1, "7"),
                    component("FLAT", "0.77")))],
    [period("10:00", energy="13.457", time="0.8333"), period("10:50", parking_time="0.2833")],
    "11:07",
    total=("7.9534", "9.3568"),
    energy=("5.1769", "6.1605"),
    time=("1.1083", "1.3189"),
    parking=("0.8982", "0.9610"),
    fixed=("0.77", "0.9163"),
)  # fmt: skip


@pytest.mark.parametrize("off", ["0.02", "0.03", "0.0378", "0.05", "-0.0134", "-0.03"])
def test_a_total_that_is_not_rounded_is_a_wrong_sum_of_right_parts_before_taxes_and_after(off: str) -> None:
    assert checked(FINE).verdict is Verdict.RIGHT
    before = D("7.9534") + D(off)
    for after in (D("9.3568") + D(off), D("9.3568") + D(off) * D("1.19")):
        assert checked(but(FINE, total=(str(before), str(after)))).causes == (Cause.ARITHMETIC,)


def test_one_cause_has_one_class_before_taxes_and_after() -> None:
    cents = but(FINE, energy=("5.18", "6.16"), time=("1.11", "1.32"), parking=("0.90", "0.96"), fixed=("0.77", "0.92"))
    for before, after in (("7.97", "9.38"), ("7.98", "9.39"), ("7.93", "9.33")):
        result = checked(but(cents, total=(before, after)))
        assert (result.verdict, len(result.causes)) == (Verdict.WRONG, 1), result


def test_a_total_in_whole_units_is_rounded() -> None:
    assert checked(but(FINE, total=("8.00", "9.40"))).causes == (Cause.ROUNDING,)


@pytest.mark.parametrize("name", TRUE)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_true_cdr_is_right(name: str, version: str) -> None:
    if version == "2.1.1" and name in ("capped", "reserved", "tiered"):
        return  # it has neither limits nor reservations, and no way to say which of two tariffs it is
    result = checked(TRUE[name], version)
    assert (result.verdict, result.deviations) == (Verdict.RIGHT, ())
