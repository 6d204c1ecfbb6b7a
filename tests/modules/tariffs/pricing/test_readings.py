"""Where the text of OCPI is silent or contradicts itself: how each question is answered, and which switch of the
policy answers it otherwise. The questions are numbered, so that a partner can be pointed at one.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from modules.tariffs.pricing import NoTariffInForce, Policy, Priced, UnfitSession, UnknownTariff
from tests.modules.tariffs.pricing.cases import bill, codes, component, element, excl, period, tariff

ENERGY = tariff(element(component("ENERGY", "1")))


def times(priced: Priced) -> tuple[int, int, int]:
    """Billed seconds: charging, parking, reserved."""
    billed = priced.billed
    return int(billed.time_s), int(billed.parking_s), int(billed.reservation_s)


def kwh(priced: Priced) -> Decimal:
    return priced.billed.energy_kwh.normalize()


@pytest.mark.parametrize("version", ["2.1.1", "2.2.1", "2.3.0"])
def test_q1_the_first_element_that_matches_is_sought_for_each_dimension(version: str) -> None:
    layered = tariff(element(component("FLAT", "2")), element(component("ENERGY", "1"), component("FLAT", "9")))
    assert excl(bill(layered, period("09:00", kwh="3"), end="10:00", version=version)) == 5


def test_q2_a_flat_is_due_once_in_the_reservation_and_once_in_the_session() -> None:
    flats = tariff(
        element(component("FLAT", "4"), reservation="RESERVATION"),
        element(component("FLAT", "2"), max_duration=1800),
        element(component("FLAT", "1")),
    )
    periods = (period("08:30", reserved="0.5"), period("09:00", kwh="1"), period("09:30", kwh="1"))
    assert excl(bill(flats, *periods, end="10:00")) == 6
    assert excl(bill(flats, *periods, end="10:00", policy=Policy(flat_once_per="session"))) == 4


def test_q3_the_flat_of_a_session_is_a_fixed_cost_and_that_of_a_reservation_is_a_reservation_cost() -> None:
    flats = tariff(
        element(component("FLAT", "4"), reservation="RESERVATION"),
        element(component("FLAT", "2"), component("PARKING_TIME", "1")),
    )
    priced = bill(flats, period("08:30", reserved="0.5"), period("09:00", parking="1"), end="10:00")
    assert priced.fixed
    assert priced.reservation
    assert priced.parking
    assert (priced.fixed.excl, priced.reservation.excl, priced.parking.excl) == (Decimal(2), Decimal(4), Decimal(1))


def test_q4_only_what_has_a_price_counts_for_a_step() -> None:
    free_later = tariff(element(component("PARKING_TIME", "1", 900), max_duration=480))
    periods = (period("09:00", parking="0.1333"), period("09:08", parking="0.2"))
    assert times(bill(free_later, *periods, end="09:20"))[1] == 900
    assert times(bill(free_later, *periods, end="09:20", policy=Policy(step_counts_unpriced=True)))[1] == 480 + 600


TIMES = tariff(element(component("TIME", "1", 600), component("PARKING_TIME", "2", 600)))


def test_q5_parking_is_rounded_and_charging_time_is_not_whatever_came_last() -> None:
    periods = (period("09:00", parking="0.1167"), period("09:07", time="0.35"))
    assert times(bill(TIMES, *periods, end="09:28"))[:2] == (1260, 600)
    assert times(bill(TIMES, *periods, end="09:28", policy=Policy(time_step="last")))[:2] == (1800, 420)


def test_q6_parking_at_a_price_of_zero_is_the_one_that_is_rounded_but_unpriced_parking_is_not() -> None:
    periods = (period("09:00", time="0.35"), period("09:21", parking="0.1167"))
    at_zero = tariff(element(component("TIME", "1", 600), component("PARKING_TIME", "0", 600)))
    assert times(bill(at_zero, *periods, end="09:28"))[:2] == (1260, 600)
    assert times(bill(tariff(element(component("TIME", "1", 600))), *periods, end="09:28"))[:2] == (1800, 0)


def test_q7_a_volume_of_zero_is_not_the_last_one() -> None:
    two = tariff(element(component("ENERGY", "1", 100), max_kwh=1), element(component("ENERGY", "2", 1000)))
    periods = (period("09:00", kwh="1.05"), period("09:30", kwh="0", time="0.5"))
    assert kwh(bill(two, *periods, end="10:00")) == Decimal("1.1")
    other = bill(two, *periods, end="10:00", policy=Policy(step_counts_zero=True))
    assert (kwh(other), excl(other)) == (Decimal(2), Decimal("2.95"))


def test_q8_an_exact_multiple_is_not_raised() -> None:
    stepped = tariff(element(component("ENERGY", "1", 500)))
    assert kwh(bill(stepped, period("09:00", kwh="5.5"), end="10:00")) == Decimal("5.5")
    assert kwh(bill(stepped, period("09:00", kwh="5.4"), end="10:00")) == Decimal("5.5")


def test_q9_a_step_of_zero_rounds_nothing_and_a_step_of_one_rounds_to_whole_watt_hours() -> None:
    for step, billed in ((0, "0.1152"), (1, "0.116")):
        stepped = tariff(element(component("ENERGY", "1", step)))
        assert kwh(bill(stepped, period("09:00", kwh="0.1152"), end="10:00")) == Decimal(billed)


def test_q10_two_tariffs_of_a_session_share_one_rounding() -> None:
    both = [
        {**tariff(element(component("ENERGY", price, 1000))), "id": name} for name, price in (("A", "1"), ("B", "2"))
    ]
    periods = (period("09:00", "A", kwh="0.4"), period("09:30", "B", kwh="0.3"))
    assert excl(bill(both, *periods, end="10:00")) == Decimal("1.6")
    assert excl(bill(both, *periods, end="10:00", policy=Policy(step_over="tariff"))) == 3


def test_q11_reserved_time_is_rounded_on_its_own() -> None:
    both = tariff(element(component("TIME", "1", 600), reservation="RESERVATION"), element(component("TIME", "1", 900)))
    periods = (period("09:00", reserved="0.0833"), period("09:05", time="0.0833"))
    assert times(bill(both, *periods, end="09:10")) == (900, 0, 600)
    assert times(bill(both, *periods, end="09:10", policy=Policy(reservation_step="time"))) == (600, 0, 300)


def test_q12_hours_that_agree_with_the_timestamps_are_taken_from_these() -> None:
    minutes = tariff(element(component("TIME", "6", 60)))
    assert times(bill(minutes, period("09:00", time="0.0667"), end="09:04"))[0] == 240
    by_volume = bill(minutes, period("09:00", time="0.0667"), end="09:04", policy=Policy(timestamps_over_volumes=False))
    assert times(by_volume)[0] == 300


def test_q13_a_period_over_a_price_change_is_priced_by_its_start_and_that_is_said() -> None:
    day = tariff(element(component("TIME", "1"), end_time="17:00"), element(component("TIME", "2")))
    priced = bill(day, period("15:30", time="1"), end="16:30")
    assert (excl(priced), codes(priced)) == (Decimal(1), {"period_spans_a_price_change"})


@pytest.mark.parametrize("bound", [{"min_power": 16}, {"max_power": 16}, {"min_current": 16}, {"max_current": 16}])
def test_q14_a_range_of_power_that_touches_a_bound_meets_it(bound: dict[str, int]) -> None:
    asks = tariff(element(component("ENERGY", "1"), **bound))
    straddles = period("09:00", kwh="1", min_kw="10", max_kw="20", min_a="10", max_a="20")
    assert excl(bill(asks, straddles, end="10:00")) == 1
    assert excl(bill(asks, straddles, end="10:00", policy=Policy(measured_range="fits"))) == 0


def test_q15_one_measurement_stands_for_both_and_none_fulfils_nothing() -> None:
    asks = tariff(element(component("ENERGY", "1"), min_power=16))
    assert excl(bill(asks, period("09:00", kwh="1", min_kw="20"), end="10:00")) == 1
    missing = bill(asks, period("09:00", kwh="1"), end="10:00")
    assert (excl(missing), "missing_measurement" in codes(missing)) == (Decimal(0), True)
    taken = bill(asks, period("09:00", kwh="1"), end="10:00", policy=Policy(missing_measurement="fulfilled"))
    assert (excl(taken), "missing_measurement" in codes(taken)) == (Decimal(1), True)


def test_q16_power_is_never_read_from_current_not_in_2_1_1_either() -> None:
    asks = tariff(element(component("ENERGY", "1"), max_power=32))
    priced = bill(asks, period("09:00", kwh="1", min_a="16", max_a="16"), end="10:00", version="2.1.1")
    assert (excl(priced), "missing_measurement" in codes(priced)) == (Decimal(0), True)
    assert excl(bill(asks, period("09:00", kwh="1", max_kw="11"), end="10:00", version="2.1.1")) == 1


def test_q17_a_duration_counts_from_the_start_of_the_session_not_of_the_reservation_nor_of_parking() -> None:
    first_hour = tariff(element(component("PARKING_TIME", "1"), max_duration=3600))
    periods = (period("08:00", reserved="1"), period("09:00", time="0.5"), period("09:30", parking="0.5"))
    assert excl(bill(first_hour, *periods, end="10:00")) == Decimal("0.5")
    assert excl(bill(first_hour, *periods, end="10:00", policy=Policy(duration_from="start"))) == 0
    assert excl(bill(first_hour, *periods[:2], period("10:00", parking="0.5"), end="10:30")) == 0


def test_q18_a_window_over_midnight_on_a_weekday_does_not_reach_into_the_next_day() -> None:
    friday = tariff(element(component("ENERGY", "1"), start_time="22:00", end_time="06:00", day_of_week=["FRIDAY"]))
    assert excl(bill(friday, period("2024-01-19T22:00", kwh="1"), end="2024-01-19T22:30")) == 1
    assert excl(bill(friday, period("2024-01-20T01:00", kwh="1"), end="2024-01-20T01:30")) == 0


@pytest.mark.parametrize(
    ("window", "applies"),
    [
        ({"end_time": "00:00"}, True),
        ({"start_time": "00:00", "end_time": "00:00"}, True),
        ({"start_time": "14:00", "end_time": "14:00"}, True),
        ({"start_time": "20:00", "end_time": "00:00"}, False),
    ],
)
def test_q19_midnight_is_the_end_of_the_day_and_equal_times_are_the_whole_day(
    window: dict[str, str], *, applies: bool
) -> None:
    priced = bill(tariff(element(component("ENERGY", "1"), **window)), period("09:00", kwh="1"), end="09:30")
    assert bool(excl(priced)) is applies


def test_q20_one_time_alone_is_from_or_until_midnight() -> None:
    for window, cost in (({"start_time": "10:00"}, 1), ({"end_time": "10:00"}, 0)):
        priced = bill(tariff(element(component("ENERGY", "1"), **window)), period("09:00", kwh="1"), end="09:30")
        assert excl(priced) == cost


def test_q21_windows_follow_the_clock_on_the_wall_and_durations_do_not() -> None:
    repeated = tariff(element(component("TIME", "1"), start_time="02:00", end_time="03:00"))
    twice = (period("2024-10-27T00:00", time="1"), period("2024-10-27T01:00", time="1"))
    assert excl(bill(repeated, *twice, end="2024-10-27T02:00")) == 2
    skipped = bill(repeated, period("2024-03-31T01:00", time="1"), end="2024-03-31T02:00")
    assert excl(skipped) == 0
    after_two_hours = tariff(element(component("TIME", "1"), min_duration=7200))
    assert excl(bill(after_two_hours, *twice, end="2024-10-27T02:00")) == 0


def test_q22_without_the_zone_of_the_location_local_time_is_refused_and_early_periods_are_priced() -> None:
    with pytest.raises(UnfitSession):
        bill(
            tariff(element(component("ENERGY", "1"), start_time="08:00")),
            period("09:00", kwh="1"),
            end="10:00",
            zone=None,
        )
    late, early = period("09:30", kwh="1"), period("09:00", kwh="1")
    priced = bill(ENERGY, late, early, end="10:00")
    assert (excl(priced), "period_outside_the_session" in codes(priced)) == (Decimal(2), True)


def test_q23_a_window_within_a_range_of_dates_holds_on_each_of_its_days() -> None:
    both = tariff(
        element(
            component("ENERGY", "1"),
            start_date="2024-01-15",
            end_date="2024-01-17",
            start_time="08:00",
            end_time="18:00",
        )
    )
    assert excl(bill(both, period("2024-01-16T08:00", kwh="1"), end="2024-01-16T08:30")) == 1
    assert excl(bill(both, period("2024-01-15T20:00", kwh="1"), end="2024-01-15T20:30")) == 0


def test_q24_reserved_time_is_priced_by_elements_for_reservations_and_nothing_else_is() -> None:
    unrestricted = tariff(element(component("TIME", "1"), component("FLAT", "1")))
    assert excl(bill(unrestricted, period("09:00", reserved="1"), end="10:00")) == 0
    reserving = tariff(element(component("TIME", "1"), component("FLAT", "1"), reservation="RESERVATION"))
    assert excl(bill(reserving, period("09:00", time="1"), end="10:00")) == 0


def test_q25_an_expired_reservation_is_priced_by_its_own_elements_first_wherever_they_stand() -> None:
    both = tariff(
        element(component("FLAT", "1"), component("TIME", "2"), reservation="RESERVATION"),
        element(component("FLAT", "7"), reservation="RESERVATION_EXPIRES"),
    )
    assert excl(bill(both, period("09:00", reserved="1"), end="10:00", reservation_expired=True)) == 9
    assert excl(bill(both, period("09:00", reserved="1"), end="10:00", reservation_expired=False)) == 3


def test_q25_where_nobody_says_so_a_reservation_without_a_session_has_expired() -> None:
    both = tariff(
        element(component("TIME", "2"), reservation="RESERVATION"),
        element(component("TIME", "7"), reservation="RESERVATION_EXPIRES"),
        element(component("ENERGY", "1")),
    )
    reserved = period("09:00", reserved="1")
    assert excl(bill(both, reserved, end="10:00")) == 7
    assert excl(bill(both, reserved, period("10:00", kwh="3", time="1"), end="11:00")) == 5


def test_the_bookings_edition_says_by_a_dimension_that_a_reservation_expired() -> None:
    both = tariff(
        element(component("TIME", "2"), reservation="RESERVATION"),
        element(component("TIME", "7"), reservation="RESERVATION_EXPIRES"),
        element(component("ENERGY", "1")),
    )
    expired = of_kinds(RESERVATION_EXPIRES=1)
    assert excl(bill(both, expired, end="10:00")) == 7
    assert excl(bill(both, expired, period("10:00", kwh="3", time="1"), end="11:00")) == 10
    assert excl(bill(both, expired, end="10:00", reservation_expired=False)) == 2


def test_time_beyond_a_booking_has_no_price_and_that_is_said() -> None:
    priced = bill(tariff(element(component("ENERGY", "1"))), of_kinds(ENERGY=3, RESERVATION_OVERTIME=1), end="10:00")
    assert excl(priced) == 3
    assert notes(priced) == [("unpriced_quantity", 0, "RESERVATION_OVERTIME")]
    quiet = bill(tariff(element(component("ENERGY", "1"))), of_kinds(ENERGY=3, RESERVATION_OVERTIME=0), end="10:00")
    assert notes(quiet) == []


def of_kinds(**volumes: int) -> dict[str, Any]:
    """A period from nine o'clock, by the names of OCPI's dimensions."""
    dimensions = [{"type": kind, "volume": volume} for kind, volume in volumes.items()]
    return {**period("09:00"), "dimensions": dimensions}


def notes(priced: Priced) -> list[tuple[str, int | None, str]]:
    return [(warned.code.value, warned.period, warned.subject) for warned in priced.warnings]


def limited(**limits: dict[str, str]) -> dict[str, Any]:
    bounds = {name: {bound: Decimal(value) for bound, value in limit.items()} for name, limit in limits.items()}
    return tariff(
        element(component("ENERGY", "1", 0, "20"), component("TIME", "1", 0, "20"), reservation=None), **bounds
    )


@pytest.mark.parametrize(("reading", "after"), [("proportion", "6"), ("unmoved", "12"), ("unknown", None)])
def test_q26_bounds_are_independent_and_a_tax_without_one_moves_in_proportion(reading: Any, after: str | None) -> None:
    only_before = limited(max_price={"before_taxes": "5"})
    priced = bill(only_before, period("09:00", kwh="10"), end="10:00", policy=Policy(limit_without_after_taxes=reading))
    assert (priced.total.excl, priced.total.incl) == (Decimal(5), None if after is None else Decimal(after))
    assert priced.energy
    assert priced.energy.excl == 10
    assert codes(priced) == {"price_limit_applied", "after_tax_limit_missing", "missing_dimension"}


def test_q27_a_reservation_before_a_session_is_within_the_limit_and_one_alone_has_no_minimum() -> None:
    reserving = tariff(
        element(component("TIME", "10"), reservation="RESERVATION"),
        element(component("ENERGY", "1")),
        min_price={"before_taxes": Decimal(20)},
        max_price={"before_taxes": Decimal(25)},
    )
    used = (period("08:00", reserved="1"), period("09:00", kwh="1"))
    assert excl(bill(reserving, *used, end="10:00")) == 20
    alone = period("09:00", reserved="1")
    assert excl(bill(reserving, alone, end="10:00", reservation_expired=True)) == 10
    contract = Policy(minimum_without_session=True)
    assert excl(bill(reserving, alone, end="10:00", reservation_expired=True, policy=contract)) == 20


def test_q28_the_limits_are_those_of_the_tariff_at_the_start_of_the_session() -> None:
    first, second = {**ENERGY, "id": "A", "max_price": {"before_taxes": Decimal(3)}}, {**ENERGY, "id": "B"}
    periods = (period("09:00", "A", kwh="2"), period("09:30", "B", kwh="2"))
    assert excl(bill([first, second], *periods, end="10:00")) == 3
    swapped = (period("09:00", "B", kwh="2"), period("09:30", "A", kwh="2"))
    assert excl(bill([first, second], *swapped, end="10:00")) == 4


@pytest.mark.parametrize(("version", "after"), [("2.1.1", None), ("2.2.1", 1), ("2.3.0", None)])
def test_q29_without_any_vat_there_is_none_in_2_2_1_and_the_tax_is_unknown_elsewhere(
    version: str, after: int | None
) -> None:
    assert bill(ENERGY, period("09:00", kwh="1"), end="10:00", version=version).total.incl == after
    doubting = Policy(missing_vat="unknown")
    assert bill(ENERGY, period("09:00", kwh="1"), end="10:00", version=version, policy=doubting).total.incl is None
    mixed = tariff(element(component("FLAT", "1"), component("ENERGY", "1", 0, "20")))
    priced = bill(mixed, period("09:00", kwh="1"), end="10:00", version="2.3.0", policy=doubting)
    assert priced.energy
    assert priced.fixed
    assert (priced.energy.incl, priced.fixed.incl, priced.total.incl) == (Decimal("1.2"), None, None)


@pytest.mark.parametrize(
    ("included", "vat", "net", "gross", "warning"),
    [
        ("NO", "20", "12", "14.4", None),
        ("NO", None, "12", None, "tax_rate_unknown"),
        ("YES", "20", "10", "12", None),
        ("YES", None, "12", "12", "tax_not_splittable"),
        ("N/A", "20", "12", "12", "tax_rate_ignored"),
    ],
)
def test_q30_tax_included_says_what_a_price_is(
    included: str, vat: str | None, net: str, gross: str | None, warning: str | None
) -> None:
    tree = tariff(element(component("ENERGY", "12", 0, vat)), tax_included=included)
    priced = bill(tree, period("09:00", kwh="1"), end="10:00", version="2.3.0")
    assert (priced.total.excl, priced.total.incl) == (Decimal(net), None if gross is None else Decimal(gross))
    assert codes(priced) == ({warning} if warning else set())


def test_q31_there_is_one_tax_line_a_rate_and_the_lines_are_exactly_what_lies_between() -> None:
    three = tariff(
        *(element(component(kind, "0.3333", 0, vat)) for kind, vat in (("ENERGY", "7"), ("TIME", "19"), ("FLAT", "7")))
    )
    total = bill(three, period("09:00", kwh="1", time="1"), end="10:00", version="2.3.0").total
    assert [line.rate for line in total.taxes] == [7, 19]
    assert total.incl is not None
    assert sum(line.amount for line in total.taxes) == total.incl - total.excl


def test_q32_each_figure_is_rounded_once_half_away_from_zero() -> None:
    parts = tariff(element(component("ENERGY", "0.125"), component("TIME", "0.125")))
    at = period("09:00", kwh="1", time="1")
    assert excl(bill(parts, at, end="10:00", policy=Policy(decimals=2))) == Decimal("0.25")
    assert excl(bill(parts, at, end="10:00", policy=Policy(decimals=2, round_parts_first=True))) == Decimal("0.26")
    even = Policy(decimals=2, round_parts_first=True, rounding="half_even")
    assert excl(bill(parts, at, end="10:00", policy=even)) == Decimal("0.24")


def test_q33_the_tariff_at_the_start_stays_an_unknown_one_is_refused_and_a_period_without_one_is_free() -> None:
    first = {**tariff(element(component("ENERGY", "1"))), "id": "A", "end_date_time": "2024-01-15T09:30:00Z"}
    second = {**tariff(element(component("ENERGY", "2"))), "id": "B"}
    assert excl(bill([first, second], period("09:00", kwh="1"), period("09:45", kwh="1"), end="10:00")) == 2
    with pytest.raises(NoTariffInForce):
        bill([first], period("09:45", kwh="1"), end="10:00")
    with pytest.raises(UnknownTariff):
        bill([first], period("09:00", "C", kwh="1"), end="10:00")
    outside = bill([first, second], period("09:45", "a", kwh="1"), end="10:00")
    assert (excl(outside), codes(outside)) == (Decimal(1), {"tariff_outside_its_validity"})
    some = (period("09:00", "B", kwh="1"), period("09:20", kwh="1"))
    assert excl(bill([first, second], *some, end="10:00")) == 2
    assert excl(bill([first, second], *some, end="10:00", policy=Policy(period_without_tariff="in_force"))) == 3


def test_q34_what_is_stated_is_billed_and_a_price_for_what_is_not_is_said() -> None:
    both = tariff(element(component("ENERGY", "1"), component("TIME", "3")))
    priced = bill(both, period("09:00", kwh="1"), end="10:00")
    assert (excl(priced), codes(priced)) == (Decimal(1), {"missing_dimension"})
    lasting = bill(both, period("09:00", kwh="1"), end="10:00", policy=Policy(unstated_time="period"))
    assert (excl(lasting), codes(lasting)) == (Decimal(4), set())


def test_q36_energy_given_back_is_a_credit_without_steps_and_that_is_said() -> None:
    stepped = tariff(element(component("ENERGY", "1", 1000)))
    priced = bill(stepped, period("09:00", kwh="-1.5"), end="10:00")
    assert (excl(priced), codes(priced)) == (Decimal("-1.5"), {"negative_energy"})
    free = bill(stepped, period("09:00", kwh="-1.5"), end="10:00", policy=Policy(negative_energy="free"))
    assert (excl(free), "negative_energy" in codes(free)) == (Decimal(0), True)


def test_every_question_but_that_of_our_own_chargers_is_asked_here() -> None:
    """Whether a pause is parking (35) is a matter of `modules/cdrs/build`, and is tested there."""
    asked = {int(found[1]) for name in globals() if (found := re.match(r"test_q(\d+)_", name))}
    assert asked == set(range(1, 37)) - {35}
