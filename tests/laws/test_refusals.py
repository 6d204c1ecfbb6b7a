"""No receipt can be altered in any one place without being refused."""

from __future__ import annotations

import copy
from typing import Any, Final

import pytest

from tests.laws.alterations import altered
from tests.laws.dealt import Dealt
from tests.verifier import Refused, recompute, refuse
from tests.verifier.refuse import differences

SEEDS: Final = (*range(16), 1668, 1951)
"""The last two have both limits, and taxes that came from a limit."""


def written(seed: int) -> dict[str, Any]:
    """The engine's receipt of a seed, or of the next one that has a price."""
    return Dealt.of(seed).receipt() or written(seed + 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_altered_in_a_receipt_it_is_refused(seed: int) -> None:
    receipt = written(seed)
    expected = copy.deepcopy(receipt)
    kept = [how for how in altered(receipt) if next(differences(expected, receipt), None) is None]
    assert kept == []
    assert receipt == expected


def test_what_a_receipt_is_held_against_is_the_case_alone() -> None:
    dealt = Dealt.of(3)
    receipt = dealt.receipt()
    assert receipt is not None
    assert refuse(receipt, dealt.case, dealt.policy) == []
    assert receipt == recompute(dealt.case, dealt.policy)
    told = {how: refuse(receipt, dealt.case, dealt.policy) for how in altered(receipt["figures"][-1])}
    assert len(told) > 50
    assert [how for how, reasons in told.items() if not reasons] == []
    assert all(reason.startswith("receipt/figures/") for reasons in told.values() for reason in reasons)


def test_a_receipt_of_another_case_or_contract_is_refused() -> None:
    one, other = Dealt.of(3), Dealt.of(12)
    assert refuse(one.receipt(), other.case, one.policy)
    assert refuse(one.receipt(), one.case, {**one.policy, "tax_name": "another"})
    assert refuse(None, one.case, one.policy) == [f"receipt: None instead of {recompute(one.case, one.policy)!r}"]


def test_a_receipt_of_a_case_without_a_price_is_refused() -> None:
    dealt = Dealt.of(3)
    unpriced = {**dealt.case, "tariffs": []}
    with pytest.raises(Refused):
        recompute(unpriced, dealt.policy)
    assert len(refuse(dealt.receipt(), unpriced, dealt.policy)) == 1
