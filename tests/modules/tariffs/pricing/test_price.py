"""Which tariff, which phase, which component; and warnings."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError
from decimal import Decimal

import pytest

from modules.tariffs.pricing import (
    NoTariffInForce,
    Policy,
    UnfitSession,
    UnknownTariff,
    at_hand,
    compile_tariff,
)
from modules.tariffs.pricing.at_hand import AT_MOST
from modules.tariffs.pricing.numbers import decimal_of
from tests.modules.tariffs.pricing.cases import bill, codes, component, element, excl, period, tariff

ONE = tariff(element(component("ENERGY", "1")), id="ONE")
TWO = tariff(element(component("ENERGY", "2")), id="TWO", type="AD_HOC_PAYMENT")


def test_a_period_gets_the_tariff_it_names_in_any_case() -> None:
    priced = bill([ONE, TWO], period("09:00", "one", kwh="1"), period("09:30", "TWO", kwh="1"), end="10:00")
    assert excl(priced) == Decimal(3)


def test_a_period_that_names_an_unknown_tariff_is_refused() -> None:
    with pytest.raises(UnknownTariff):
        bill([ONE], period("09:00", "THREE", kwh="1"), end="10:00")


def test_a_period_without_a_tariff_is_free_when_others_have_one() -> None:
    priced = bill([ONE], period("09:00", "ONE", kwh="1"), period("09:30", kwh="1"), end="10:00")
    assert excl(priced) == Decimal(1)
    assert codes(priced) == {"period_without_tariff"}


def test_the_tariff_at_the_start_prices_the_whole_session() -> None:
    ends = {**ONE, "end_date_time": "2024-01-15T09:30:00Z"}
    assert excl(bill([ends, TWO], period("09:00", kwh="1"), period("09:30", kwh="1"), end="10:00")) == Decimal(2)
    assert excl(bill([ends, TWO], period("09:30", kwh="1"), end="10:00")) == Decimal(2)
    with pytest.raises(NoTariffInForce):
        bill([ends], period("09:30", kwh="1"), end="10:00")


def test_the_type_of_the_tariff_fits_how_the_session_started() -> None:
    assert excl(bill([TWO, ONE], period("09:00", kwh="1"), end="10:00", tariff_type="REGULAR")) == Decimal(1)
    assert excl(bill([TWO, ONE], period("09:00", kwh="1"), end="10:00", tariff_type="AD_HOC_PAYMENT")) == Decimal(2)


def test_a_named_tariff_outside_its_validity_is_used_and_that_is_said() -> None:
    over = {**ONE, "end_date_time": "2020-01-01T00:00:00"}
    assert codes(bill([over], period("09:00", "ONE", kwh="1"), end="10:00")) == {"tariff_outside_its_validity"}


def test_the_first_matching_element_is_found_for_each_dimension_by_itself() -> None:
    layered = tariff(
        element(component("FLAT", "1")),
        element(component("ENERGY", "2"), max_kwh=1),
        element(component("ENERGY", "3"), component("FLAT", "100")),
        element(component("ENERGY", "50")),
    )
    priced = bill(layered, period("09:00", kwh="1"), period("09:30", kwh="1"), end="10:00", version="2.1.1")
    assert excl(priced) == Decimal(6)


def test_a_flat_is_due_once_however_many_become_active() -> None:
    late = tariff(element(component("FLAT", "5"), min_duration=1800), element(component("FLAT", "1")))
    assert excl(bill(late, period("09:00", kwh="1"), period("09:30", kwh="1"), end="10:00")) == Decimal(1)


def test_a_flat_of_the_reservation_and_one_of_the_session_are_two_unless_the_contract_says_one() -> None:
    both = tariff(element(component("FLAT", "2"), reservation="RESERVATION"), element(component("FLAT", "1")))
    periods = (period("09:00", reserved="0.5"), period("09:30", kwh="1"))
    assert excl(bill(both, *periods, end="10:00")) == Decimal(3)
    assert excl(bill(both, *periods, end="10:00", policy=Policy(flat_once_per="session"))) == Decimal(2)


def test_reserved_time_without_a_reservation_element_is_free_and_the_other_way_round() -> None:
    assert excl(bill(tariff(element(component("TIME", "1"))), period("09:00", reserved="1"), end="10:00")) == 0
    only = tariff(element(component("TIME", "1"), component("FLAT", "1"), reservation="RESERVATION"))
    assert excl(bill(only, period("09:00", time="1"), end="10:00")) == 0


def test_reserved_and_consumed_in_one_period_are_priced_apart_and_that_is_said() -> None:
    both = tariff(element(component("TIME", "4"), reservation="RESERVATION"), element(component("TIME", "1")))
    priced = bill(both, period("09:00", reserved="0.5", time="0.5"), end="10:00")
    assert excl(priced) == Decimal("2.5")
    assert codes(priced) == {"reserved_and_consumed_together"}


def test_a_period_over_a_price_change_is_priced_by_its_start_and_that_is_said() -> None:
    day = tariff(element(component("TIME", "1"), end_time="17:00"), element(component("TIME", "2")))
    spanning = bill(day, period("15:30", time="1"), end="16:30")
    assert (excl(spanning), codes(spanning)) == (Decimal(1), {"period_spans_a_price_change"})
    fitting = bill(day, period("15:30", time="0.5"), period("16:00", time="0.5"), end="16:30")
    assert (excl(fitting), codes(fitting)) == (Decimal("1.5"), set())


def test_a_flat_that_becomes_due_inside_a_period_is_missed_and_that_is_said() -> None:
    idle = tariff(element(component("FLAT", "9"), min_duration=1800))
    assert codes(bill(idle, period("09:00", kwh="1"), end="10:00")) == {"period_spans_a_price_change"}


def spanned(*elements: dict[str, object], **volumes: str) -> set[str]:
    """Which dimensions change their price in an hour from 10:30 to 11:30 in Amsterdam?"""
    priced = bill(tariff(*elements), period("09:30", **volumes), end="10:30")
    return {warning.subject for warning in priced.warnings if warning.code == "period_spans_a_price_change"}


def test_a_window_that_opens_and_closes_within_a_period_is_said() -> None:
    peak = element(component("TIME", "9"), start_time="10:40", end_time="11:00")
    assert spanned(peak, element(component("TIME", "1")), time="1") == {"TIME"}


def test_a_price_change_within_a_reservation_is_said() -> None:
    early = element(component("TIME", "1"), end_time="11:00", reservation="RESERVATION")
    late = element(component("TIME", "2"), component("FLAT", "5"), reservation="RESERVATION", start_time="11:00")
    assert spanned(early, late, reserved="1") == {"RESERVATION_TIME", "RESERVATION_FLAT"}


def test_every_quantity_whose_price_changes_is_named() -> None:
    cheap = element(component("TIME", "1"), component("ENERGY", "1"), max_duration=60)
    assert spanned(cheap, element(component("ENERGY", "2")), time="1", kwh="1") == {"TIME", "ENERGY"}


def test_energy_and_time_go_on_together_within_a_period() -> None:
    both = {"min_kwh": Decimal(1), "end_time": "11:00"}
    assert spanned(element(component("ENERGY", "1"), **both), element(component("ENERGY", "2")), kwh="3") == {"ENERGY"}
    assert spanned(element(component("ENERGY", "1"), **both), element(component("ENERGY", "2")), kwh="1.5") == set()


def test_a_power_that_straddles_a_bound_is_said() -> None:
    slow, fast = element(component("ENERGY", "1"), max_power=11), element(component("ENERGY", "2"))
    assert spanned(slow, fast, kwh="1", min_kw="7", max_kw="22") == {"ENERGY"}
    assert spanned(slow, fast, kwh="1", min_kw="7", max_kw="10") == set()


def test_periods_out_of_order_are_sorted_and_that_is_said() -> None:
    stepped = tariff(element(component("ENERGY", "1"), max_kwh=1), element(component("ENERGY", "2")))
    late, early = period("09:30", kwh="1"), period("09:00", kwh="1")
    priced = bill(stepped, late, early, end="10:00")
    assert excl(priced) == Decimal(3)
    assert codes(priced) == {"periods_out_of_order", "period_outside_the_session"}


def test_a_price_for_time_without_any_time_is_said() -> None:
    priced = bill(
        tariff(element(component("ENERGY", "1"), component("TIME", "1"))), period("09:00", kwh="1"), end="10:00"
    )
    assert codes(priced) == {"missing_dimension"}


def test_a_tariff_of_the_reservation_alone_misses_nothing_in_the_session() -> None:
    kwh = tariff(
        element(component("ENERGY", "1"), component("TIME", "1"), reservation="RESERVATION"), TWO["elements"][0]
    )
    periods = (period("09:00", "T", reserved="0.5"), period("09:30", time="0.5"))
    assert "missing_dimension" not in codes(bill(kwh, *periods, end="10:00"))


def test_a_second_component_of_a_dimension_does_not_count() -> None:
    twice = tariff(element(component("ENERGY", "1"), component("ENERGY", "2")))
    priced = bill(twice, period("09:00", kwh="1"), end="10:00")
    assert (excl(priced), codes(priced)) == (Decimal(1), {"duplicate_component"})


@pytest.mark.parametrize(
    "broken",
    [
        {"dimensions": []},
        {"start_date_time": "yesterday", "dimensions": []},
        {"start_date_time": "2024-01-15T09:00:00Z", "dimensions": [{"type": "TIME", "volume": -1}]},
        {"start_date_time": "2024-01-15T09:00:00Z", "dimensions": [{"type": "TIME", "volume": None}]},
    ],
)
def test_a_period_that_cannot_be_read_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(UnfitSession):
        bill(ONE, period("09:00", kwh="1"), broken, end="10:00")


NIGHT = tariff(
    element(component("FLAT", "1"), component("ENERGY", "0.25", 1, "19"), start_time="22:00", end_time="06:00"),
    element(component("ENERGY", "0.45", 1, "19"), max_kwh=20, reservation="RESERVATION"),
    max_price={"before_taxes": Decimal(9)},
)


def test_a_compiled_tariff_can_be_sent_to_another_process_and_prices_like_its_tree() -> None:
    compiled = compile_tariff(NIGHT, "2.2.1")
    sent = pickle.loads(pickle.dumps(compiled))
    assert sent == compiled
    for tree in (NIGHT, compiled, sent):
        priced = bill([tree], period("22:00", kwh="50"), end="23:00")
        assert priced.total == bill(NIGHT, period("22:00", kwh="50"), end="23:00").total


def test_nothing_in_a_compiled_tariff_can_be_changed() -> None:
    compiled = compile_tariff(NIGHT, "2.2.1")
    assert isinstance(hash(compiled), int)
    with pytest.raises(FrozenInstanceError):
        compiled.denominator = 1  # type: ignore[misc]
    with pytest.raises(AttributeError):
        compiled.phases[0][0][0].component.price = Decimal(0)  # type: ignore[misc]


def test_a_tariff_that_comes_again_is_compiled_once_and_a_changed_one_anew() -> None:
    first = at_hand(NIGHT, "2.3.0")
    assert at_hand(copy.deepcopy(NIGHT), "2.3.0") is first
    assert at_hand(NIGHT, "2.2.1") is not first
    assert at_hand({**NIGHT, "max_price": None}, "2.3.0").maximum is None


def test_only_so_many_compiled_tariffs_are_kept() -> None:
    first = at_hand(ONE, "2.3.0")
    for n in range(AT_MOST):
        at_hand({**ONE, "id": f"ANOTHER-{n}"}, "2.3.0")
    again = at_hand(ONE, "2.3.0")
    assert again is not first
    assert again == first


def test_a_session_without_periods_costs_nothing() -> None:
    assert excl(bill(ONE, end="10:00")) == 0


@pytest.mark.parametrize(
    "text", ["1_0", "\u0661\u0660", "\uff11\uff10", " 10", "10\n", "", ".", "0x10", "1e", "ten", "Infinity"]
)
def test_a_text_that_json_would_not_take_for_a_number_is_none(text: str) -> None:
    with pytest.raises(UnfitSession, match="energy is not a number"):
        decimal_of(text, "energy")


@pytest.mark.parametrize("text", ["10", "10.0", "+10", "1e1", "10."])
def test_a_number_as_text_is_a_number(text: str) -> None:
    assert decimal_of(text, "energy") == 10
