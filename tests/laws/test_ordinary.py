"""What an ordinary session costs is summed in one pass; it is what walking it period by period comes to.

A condition that always holds changes no price, but then a tariff has one, so that its sessions are walked. 10,000 dealt
cases are priced either way. A failure names its seeds.
"""

from __future__ import annotations

from random import Random
from typing import Any, Final

import pytest

from modules.tariffs.pricing import Case, Policy, Priced, PricingFault, compile_tariff, price, receipt_of
from tests.verifier.cases import RATES, case_of, policy_of

CASES: Final = 10_000
PILES: Final = 10
ALWAYS: Final = {"max_duration": 10**9}
OF_THE_CONDITION: Final = "elapsed_s"
"""What a receipt says of it."""


def unconditional(seed: int) -> dict[str, Any]:
    """The case of a seed with one tariff that restricts nothing, mostly at one rate and without limits."""
    case, random = case_of(seed), Random(seed)
    rate = random.choice((*RATES, None))
    tariff = case["tariffs"][0]
    for element in tariff["elements"]:
        element["restrictions"] = None
        for component in element["price_components"]:
            if random.random() < 0.9:
                component["vat"] = rate
    if random.random() < 0.9:
        tariff = {name: value for name, value in tariff.items() if name not in ("min_price", "max_price")}
    for period in case["periods"] if random.random() < 0.8 else ():
        period.pop("tariff_id", None)
    return {**case, "tariffs": [tariff]}


def always(case: dict[str, Any]) -> dict[str, Any]:
    """The case under a condition that always holds."""
    (tariff,) = case["tariffs"]
    elements = [{**element, "restrictions": ALWAYS} for element in tariff["elements"]]
    return {**case, "tariffs": [{**tariff, "elements": elements}]}


def priced(case: dict[str, Any], policy: Policy) -> Priced | str:
    """The price, or why there is none."""
    try:
        return price(Case(**case), policy)
    except PricingFault as fault:
        return f"{type(fault).__name__}: {fault}"


def all_of(price: Priced | str) -> object:
    """All that is told of a price, but for the condition."""
    if isinstance(price, str):
        return price
    receipt = receipt_of(price, currency="EUR")
    for line in receipt["lines"]:
        del line[OF_THE_CONDITION]
    return price[:10], price.billed, price.counted, price.within, receipt


@pytest.mark.parametrize("pile", range(PILES))
def test_what_is_summed_in_one_pass_is_what_the_walk_comes_to(pile: int) -> None:
    failed = []
    for seed in range(pile * CASES // PILES, (pile + 1) * CASES // PILES):
        case, policy = unconditional(seed), Policy(**policy_of(seed))
        if all_of(priced(case, policy)) != all_of(priced(always(case), policy)):
            failed.append(seed)
    assert not failed


def test_most_of_the_cases_are_summed_in_one_pass() -> None:
    seeds = range(CASES // PILES)
    cases = [(unconditional(seed), Policy(**policy_of(seed))) for seed in seeds]
    ready = [compile_tariff(case["tariffs"][0], case["version"]).has_one_rate for case, _ in cases]
    assert sum(one_rate and policy.sums_first for one_rate, (_, policy) in zip(ready, cases, strict=True)) > 250
