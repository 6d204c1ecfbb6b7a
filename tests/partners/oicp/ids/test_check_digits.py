"""The last character of a contract id is the published one, and sees the mistakes people make."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from partners.oicp.ids.check_digits import ALPHABET, ISO_LENGTH, din_check_digit, iso_check_digit
from tests.partners.oicp.laws import BOUNDED

CODES = st.text(ALPHABET, min_size=ISO_LENGTH, max_size=ISO_LENGTH)


@pytest.mark.parametrize(
    ("code", "digit"),
    [
        ("NN123ABCDEFGHI", "T"),
        ("FRXYZ123456789", "2"),
        ("ITA1B2C3E4F5G6", "4"),
        ("ESZU8WOX834H1D", "R"),
        ("PT73902837ABCZ", "Z"),
        ("DE83DUIEN83QGZ", "D"),
        ("DE83DUIEN83ZGQ", "M"),
        ("DE8AA001234567", "0"),
        ("NLTNM000122045", "U"),
        ("NLTNMC00122045", "K"),
    ],
)
def test_the_check_digit_of_iso_15118_is_the_published_one(code: str, digit: str) -> None:
    assert iso_check_digit(code) == digit


@pytest.mark.parametrize(
    ("code", "digit"),
    [
        ("INTNM000071", "9"),
        ("INTNM000110", "X"),
        ("INTNM000114", "6"),
        ("INTNM000124", "0"),
        ("INTNM000191", "5"),
        ("NLTNM012204", "5"),
        ("NLTNM122045", "0"),
    ],
)
def test_the_check_digit_of_din_spec_91286_is_the_published_one(code: str, digit: str) -> None:
    assert din_check_digit(code) == digit


@BOUNDED
@given(code=CODES, place=st.integers(0, ISO_LENGTH - 1), other=st.sampled_from(ALPHABET))
def test_one_wrong_character_changes_the_check_digit(code: str, place: int, other: str) -> None:
    assume(code[place] != other)
    assert iso_check_digit(code) != iso_check_digit(code[:place] + other + code[place + 1 :])


@BOUNDED
@given(code=CODES, place=st.integers(0, ISO_LENGTH - 2))
def test_two_neighbours_that_change_places_change_the_check_digit(code: str, place: int) -> None:
    one, other = code[place], code[place + 1]
    assume(one != other)
    assert iso_check_digit(code) != iso_check_digit(code[:place] + other + one + code[place + 2 :])
