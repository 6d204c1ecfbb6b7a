"""step_size: once per session, on what has a price, with the step of the last component."""

from __future__ import annotations

from decimal import Decimal

from modules.tariffs.pricing import Policy
from tests.modules.tariffs.pricing.cases import bill, codes, component, element, excl, period, tariff


def time_and_parking(time_step: int = 600, parking_step: int = 600) -> dict[str, object]:
    return tariff(element(component("TIME", "1", time_step), component("PARKING_TIME", "2", parking_step)))


def test_an_exact_multiple_is_not_raised() -> None:
    kwh = tariff(element(component("ENERGY", "1", 100)))
    assert bill(kwh, period("09:00", kwh="0.3"), end="10:00").billed.energy_kwh == Decimal("0.3")
    assert bill(kwh, period("09:00", kwh="0.3001"), end="10:00").billed.energy_kwh == Decimal("0.4")


def test_three_tenths_are_three_steps() -> None:
    kwh = tariff(element(component("ENERGY", "1", 100)))
    periods = [period(f"09:{n}0", kwh="0.1") for n in range(3)]
    assert excl(bill(kwh, *periods, end="10:00")) == Decimal("0.3")


def test_a_step_of_zero_rounds_nothing_and_a_step_of_one_rounds_to_whole_units() -> None:
    for step, billed in ((0, "0.1152"), (1, "0.116")):
        priced = bill(tariff(element(component("ENERGY", "1", step))), period("09:00", kwh="0.1152"), end="10:00")
        assert priced.billed.energy_kwh == Decimal(billed)


def test_parking_is_rounded_and_charging_is_not_in_either_order() -> None:
    charge = period("09:00", time="0.35")
    assert excl(bill(time_and_parking(), charge, period("09:21", parking="0.1167"), end="09:28")) == Decimal("0.6833")
    park_first = bill(time_and_parking(), period("09:00", parking="0.1167"), period("09:07", time="0.35"), end="09:28")
    assert (park_first.billed.time_s, park_first.billed.parking_s) == (Decimal(1260), Decimal(600))
    last = bill(
        time_and_parking(),
        period("09:00", parking="0.1167"),
        period("09:07", time="0.35"),
        end="09:28",
        policy=Policy(time_step="last"),
    )
    assert (last.billed.time_s, last.billed.parking_s) == (Decimal(1800), Decimal(420))


def test_of_two_periods_that_start_together_the_second_comes_last() -> None:
    periods = (period("09:00", parking="0.1"), period("09:00", time="0.1"))
    priced = bill(time_and_parking(), *periods, end="09:06", policy=Policy(time_step="last"))
    assert (priced.billed.time_s, priced.billed.parking_s) == (Decimal(600), Decimal(360))


def test_free_parking_at_a_price_of_zero_leaves_charging_exact_but_unpriced_parking_does_not() -> None:
    periods = (period("09:00", time="0.35"), period("09:21", parking="0.1167"))
    zero = tariff(element(component("TIME", "1", 600), component("PARKING_TIME", "0", 600)))
    assert bill(zero, *periods, end="09:28").billed.time_s == 1260
    unpriced = tariff(element(component("TIME", "1", 600)))
    assert bill(unpriced, *periods, end="09:28").billed.time_s == 1800


def test_unpriced_energy_does_not_count_for_the_step() -> None:
    half_free = tariff(element(component("ENERGY", "1", 1000), max_kwh=1))
    priced = bill(half_free, period("09:00", kwh="1"), period("09:30", kwh="0.7"), end="10:00")
    assert priced.billed.energy_kwh == Decimal(1)
    assert "unpriced_quantity" in codes(priced)


def test_the_step_of_the_last_component_with_a_quantity_counts() -> None:
    two = tariff(element(component("ENERGY", "1", 100), max_kwh=1), element(component("ENERGY", "2", 1000)))
    priced = bill(two, period("09:00", kwh="1.05"), period("09:30", kwh="0", time="0.5"), end="10:00")
    assert priced.billed.energy_kwh == Decimal("1.1")


def test_the_reservation_has_a_step_of_its_own() -> None:
    both = tariff(element(component("TIME", "1", 600), reservation="RESERVATION"), element(component("TIME", "1", 900)))
    priced = bill(both, period("09:00", reserved="0.0833"), period("09:05", time="0.0833"), end="09:10")
    assert (priced.billed.reservation_s, priced.billed.time_s) == (Decimal(600), Decimal(900))


def test_two_tariffs_in_one_session_share_one_rounding() -> None:
    first, second = (
        {**tariff(element(component("ENERGY", amount, 1000))), "id": name} for name, amount in (("A", "1"), ("B", "2"))
    )
    priced = bill([first, second], period("09:00", "A", kwh="0.4"), period("09:30", "b", kwh="0.3"), end="10:00")
    assert excl(priced) == Decimal("1.6")


def test_four_minutes_do_not_begin_a_fifth() -> None:
    minutes = tariff(element(component("TIME", "6", 60)))
    assert excl(bill(minutes, period("09:00", time="0.0667"), end="09:04")) == Decimal("0.4")
    by_volume = Policy(timestamps_over_volumes=False)
    assert excl(bill(minutes, period("09:00", time="0.0667"), end="09:04", policy=by_volume)) == Decimal("0.5")


def test_a_volume_that_contradicts_its_timestamps_is_billed_and_said() -> None:
    priced = bill(tariff(element(component("TIME", "6"))), period("09:00", time="0.5"), end="10:00")
    assert excl(priced) == Decimal(3)
    assert codes(priced) == {"volume_disagrees_with_timestamps"}


def test_energy_given_back_is_a_credit_without_steps() -> None:
    priced = bill(tariff(element(component("ENERGY", "1", 1000))), period("09:00", kwh="-1.5"), end="10:00")
    assert excl(priced) == Decimal("-1.5")
    assert codes(priced) == {"negative_energy"}
