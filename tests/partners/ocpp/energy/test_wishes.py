"""OCPI's charging profiles and preferences as facts."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from hub.core.errors import InvalidRequest
from hub.core.ports import Limits
from partners.ocpp.energy.wishes import wish_of, with_preference
from tests.partners.ocpp.energy.garage import car
from tests.partners.ocpp.energy.site_days import MORNING

BEGUN = MORNING - timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def test_a_profile_in_amperes_counts_from_its_start_until_its_duration_is_over() -> None:
    limits = Limits("A", ((0, Decimal(16)), (600, Decimal("8.5"))), MORNING, 1200)
    wish = wish_of(limits, begun=BEGUN, mv=690_000)
    assert [wish.at(MORNING + minutes * MINUTE) for minutes in (-1, 0, 10, 20)] == [None, 16_000, 8500, None]


def test_a_profile_without_a_start_counts_from_the_begin_of_the_charge_and_goes_on() -> None:
    wish = wish_of(Limits("A", ((0, Decimal(10)),)), begun=BEGUN, mv=690_000)
    assert (wish.at(BEGUN), wish.at(MORNING + timedelta(days=2))) == (10_000, 10_000)


def test_a_profile_in_watts_is_in_total_and_rounded_down() -> None:
    wish = wish_of(Limits("W", ((0, Decimal(11_000)),)), begun=BEGUN, mv=690_000)
    assert wish.at(MORNING) == 15_942


BACKWARDS = ((9, Decimal(1)), (0, Decimal(1)))


@pytest.mark.parametrize("limits", [Limits("V", ()), Limits("A", ((0, Decimal(-1)),)), Limits("A", BACKWARDS)])
def test_a_profile_that_is_none_is_refused(limits: Limits) -> None:
    with pytest.raises(InvalidRequest):
        wish_of(limits, begun=BEGUN, mv=690_000)


def test_a_preference_tells_when_and_how_much_and_leaves_the_rest() -> None:
    charge = car(0, wanted_wh=5000, departure=MORNING)
    later = with_preference(charge, departure=MORNING + MINUTE, energy_kwh=Decimal("12.3456"))
    assert (later.departure, later.wanted_wh) == (MORNING + MINUTE, 12_345)
    assert with_preference(charge, departure=None, energy_kwh=None) == charge
