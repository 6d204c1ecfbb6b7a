"""Two readings of the text, written apart, agree on every field of the receipts of 10,000 dealt cases.

A failure names its seeds; `Dealt.of(seed)` deals the case again.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from decimal import Decimal
from typing import Any, Final, get_args, get_type_hints

import pytest

from modules.tariffs.pricing import Code, Policy
from tests.laws.dealt import Dealt
from tests.modules.tariffs.pricing.cases import BESIDE_THE_ENGINE
from tests.verifier import BY_THE_TEXT, Refused, recompute, refuse
from tests.verifier.cases import case_of, policy_of

CASES: Final = 10_000
PILES: Final = 20
"""So many tests, for they run beside each other."""


def disagreement(dealt: Dealt) -> list[str]:
    """What of the engine's receipt the second reading refuses; both may refuse the case."""
    receipt = dealt.receipt()
    if receipt is not None:
        return refuse(receipt, dealt.case, dealt.policy)
    try:
        recompute(dealt.case, dealt.policy)
    except Refused:
        return []
    return ["the engine refuses what has a price"]


@pytest.mark.parametrize("pile", range(PILES))
def test_two_readings_of_the_text_agree_on_every_field(pile: int) -> None:
    seeds = range(pile * CASES // PILES, (pile + 1) * CASES // PILES)
    found = {seed: reasons for seed in seeds if (reasons := disagreement(Dealt.of(seed)))}
    assert not found, f"seeds {list(found)}; the first: {next(iter(found.values()))}"


def test_two_readings_agree_on_thresholds_finer_than_a_volume() -> None:
    off = [Decimal(each) for each in ("0.00003", "0.00005", "-0.00005", "0.00000000000000004")]
    reached = 0
    for seed in range(CASES // PILES):
        dealt = Dealt.of(seed)
        finer = dealt._replace(case=with_thresholds_off(dealt.case, off[seed % len(off)]))
        assert not disagreement(finer), seed
        reached += finer.case != dealt.case
    assert reached > CASES // PILES // 5


def with_thresholds_off(case: dict[str, Any], by: Decimal) -> dict[str, Any]:
    """A case in which every threshold in kWh, kW and A is another one."""
    changed = copy.deepcopy(case)
    for tariff in changed["tariffs"]:
        for element in tariff["elements"]:
            bounds = element.get("restrictions") or {}
            bounds |= {
                name: Decimal(value) + by
                for name, value in bounds.items()
                if name[4:] in ("kwh", "power", "current") and value is not None
            }
    return changed


def test_the_dealt_cases_exercise_every_switch_in_every_position() -> None:
    dealt = Counter((name, value) for seed in range(CASES // PILES) for name, value in policy_of(seed).items())
    for name, hint in get_type_hints(Policy).items():
        for value in (False, True) if hint is bool else get_args(hint):
            assert dealt[name, value] > 50, (name, value)


def test_the_contract_by_default_is_the_text_in_both_readings() -> None:
    assert dict(BY_THE_TEXT) == {field.name: field.default for field in fields(Policy)}


def test_the_dealt_cases_reach_every_part_of_a_receipt() -> None:
    seen = Counter(what for seed in range(2 * CASES // PILES) for what in parts(Dealt.of(seed).receipt() or {}))
    dimensions = ("ENERGY", "TIME", "PARKING_TIME", "FLAT", "RESERVATION_TIME", "RESERVATION_FLAT")
    stepped = [("step", dimension) for dimension in dimensions if not dimension.endswith("FLAT")]
    moved = [(limit, figure) for limit in ("min_price", "max_price") for figure in ("before_taxes", "after_taxes")]
    warned = [("warning", code.value) for code in Code if code not in {*BESIDE_THE_ENGINE, Code.NO_TARIFF}]
    wanted = [*(("line", dimension) for dimension in dimensions), *stepped, *moved, *warned]
    assert {what: seen[what] for what in wanted if seen[what] < 10} == {}


def parts(receipt: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from (("line", line["dimension"]) for line in receipt.get("lines", ()) if line["price"] is not None)
    yield from (("step", step["dimension"]) for step in receipt.get("steps", ()))
    yield from ((move["limit"], move["figure"]) for move in receipt.get("limits", ()))
    yield from (("warning", warning["code"]) for warning in receipt.get("warnings", ()))


def test_the_dealt_cases_cover_every_restriction_and_version() -> None:
    seen = Counter(
        name
        for seed in range(CASES // PILES)
        for tariff in case_of(seed)["tariffs"]
        for element in tariff["elements"]
        for name in (case_of(seed)["version"], *(element.get("restrictions") or {}))
    )
    bounds = (f"{end}_{axis}" for end in ("min", "max") for axis in ("kwh", "power", "current", "duration"))
    windows = ("start_time", "end_time", "start_date", "end_date", "day_of_week", "reservation")
    assert {name for name in (*bounds, *windows, "2.1.1", "2.2.1", "2.3.0") if seen[name] < 20} == set()
