"""Reasons as sentences."""

from __future__ import annotations

from partners.ocpp.energy.prose import GIVEN, HELD, sentence, warning
from partners.ocpp.energy.reasons import Crowded, Held, Overdrawn, OverLimit, Why
from tests.partners.ocpp.energy.garage import at_once, car, garage, told
from tests.partners.ocpp.energy.played import Played
from tests.partners.ocpp.energy.referee import Referee
from tests.partners.ocpp.energy.site_days import dealt


def test_every_reason_has_its_words() -> None:
    assert GIVEN.keys() == set(Why)
    assert HELD.keys() == set(Held)


def test_a_share_tells_where_each_ampere_comes_from_and_what_holds_it() -> None:
    found = at_once(garage(25_000, 2), car(0, uses=(2,)), car(1, uses=(2,)))
    assert sentence(found.of("C0")) == (
        "12.5 A on L2: 6.0 A as it is its turn, 6.5 A as an equal share with the others; "
        "no more, as L2 of grid has no more"
    )


def test_a_charge_that_waits_is_told_for_what() -> None:
    found = at_once(garage(8000, 2), car(0, told=told(8000)), car(1))
    assert sentence(found.of("C1")) == (
        "0.0 A on L1, L2, L3; waits for its turn, as L1 of grid has no room for its least current"
    )


def test_a_warning_names_the_place_and_the_excess() -> None:
    assert warning(OverLimit("board", 2, 1500)) == "L2 of board is exceeded by 1.5 A that nobody can steer"
    assert (
        warning(OverLimit("board", None, 999_900)) == "the power of board is exceeded by 999.9 W that nobody can steer"
    )
    assert warning(Crowded("board", 1, 9000, 50_000)) == (
        "L1 of board has 9.0 A too little for the 50.0 A that are kept as chargers may allow them unasked; "
        "they are not drawn"
    )
    assert warning(Overdrawn("C0", "E0", 6000, (16_000, 0, 0))) == (
        "E0 draws 16.0 A, 0.0 A, 0.0 A on L1, L2, L3, and was told 6.0 A"
    )


def test_whatever_happens_on_a_day_can_be_said() -> None:
    for seed in range(30):
        day = dealt(seed)
        for _, allocation in Played(day, Referee(day.site)).run():
            said = [*map(sentence, allocation.shares), *map(warning, allocation.notices)]
            assert not any("{" in each or "None" in each for each in said)
