"""What is taken for a card number, and what is not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.errors import InvalidRequest
from modules.payments.card_numbers import holds_card_number, passes_luhn, refuse_card_numbers


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "card 378282246310005, valid 12/26",
        "Nr 4111 1111 1111 1111 12 26",
        "6304000000000000",
        "x4222222222222",
    ],
)
def test_a_card_number_is_seen_however_it_is_written(text: str) -> None:
    assert holds_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "**** **** **** 1234",
        "AID: A0000000041010",
        "AID: A0000000031010",
        "Amount: EUR 4.40",
        "2026-05-04T10:00:00Z",
        "4111111111111112",
        "411111111111",
        "41111111111111111111",
        "0000000000000000",
        "",
    ],
)
def test_what_is_masked_short_long_or_fails_luhn_passes(text: str) -> None:
    assert not holds_card_number(text)


def with_check_digit(digits: str) -> str:
    return next(digits + last for last in "0123456789" if passes_luhn(digits + last))


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(
    digits=st.text("0123456789", min_size=12, max_size=18).filter(lambda text: text.strip("0") != ""),
    gap=st.sampled_from(["", " ", "-", "."]),
    before=st.sampled_from(["", "PAN ", "n:"]),
)
def test_every_number_that_passes_luhn_is_refused_wherever_it_stands(digits: str, gap: str, before: str) -> None:
    number = with_check_digit(digits)
    grouped = gap.join(number[at : at + 4] for at in range(0, len(number), 4))
    with pytest.raises(InvalidRequest) as refused:
        refuse_card_numbers({"x_list": [{"deep": f"{before}{grouped} end"}]})
    assert number not in refused.value.message
    assert grouped not in refused.value.message


def test_identifiers_are_not_looked_at() -> None:
    refuse_card_numbers(
        {"terminal_id": "4111111111111111", "id": "4111111111111111", "location_ids": ["4111111111111111"]}
    )
