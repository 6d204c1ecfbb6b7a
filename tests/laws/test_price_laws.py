"""What holds of every price, shown on the receipts of dealt cases. A failure names its seed."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from random import Random
from typing import Any, Final

import pytest

from tests.laws.dealt import Dealt, receipt, text

SEEDS: Final = 250
PILES: Final = 2
EACH_PILE: Final = pytest.mark.parametrize("pile", range(PILES))
Tree = dict[str, Any]


@cache
def receipts(pile: int) -> tuple[tuple[Dealt, Tree], ...]:
    """The priced cases of a pile of seeds. Nobody alters them."""
    dealt = (Dealt.of(seed) for seed in range(pile * SEEDS, (pile + 1) * SEEDS))
    return tuple((each, found) for each in dealt if (found := each.receipt()) is not None)


def exactly(figure: Mapping[str, Any], name: str) -> Fraction | None:
    return None if figure[name] is None else Fraction(figure[name]["exact"])


@EACH_PILE
def test_sub_totals_add_up_to_the_total_unless_a_limit_moved_it(pile: int) -> None:
    for dealt, found in receipts(pile):
        *parts, total = found["figures"]
        form = "rounded" if dealt.policy["round_parts_first"] else "exact"
        if not found["limits"]:
            net = sum(Fraction(part["before_taxes"][form]) for part in parts)
            assert exactly(total, "before_taxes") == net, dealt.seed
            unknown = any(part["after_taxes"] is None for part in parts)
            gross = None if unknown else sum(Fraction(part["after_taxes"][form]) for part in parts)
            assert exactly(total, "after_taxes") == gross, dealt.seed


@EACH_PILE
def test_lines_add_up_to_their_sub_totals(pile: int) -> None:
    buckets = {"time": {"TIME"}, "energy": {"ENERGY"}, "parking": {"PARKING_TIME"}, "fixed": {"FLAT"}}
    buckets["reservation"] = {"RESERVATION_TIME", "RESERVATION_FLAT"}
    for dealt, found in receipts(pile):
        for part in found["figures"][:-1]:
            lines = [line for line in found["lines"] if line["dimension"] in buckets[part["name"]]]
            net = sum((Fraction(line["before_taxes"]) for line in lines), Fraction(0))
            assert net == exactly(part, "before_taxes"), dealt.seed
            if part["after_taxes"] is not None:
                tax = sum(Fraction(line["tax"]) for line in lines)
                assert net + tax == exactly(part, "after_taxes"), dealt.seed


@EACH_PILE
def test_tax_lines_add_up_to_what_lies_between_the_amounts_to_the_last_decimal(pile: int) -> None:
    for dealt, found in receipts(pile):
        for figure in found["figures"]:
            taxes = sum(Fraction(tax["amount"]) for tax in figure["taxes"])
            if figure["after_taxes"] is None:
                assert figure["taxes"] == [], dealt.seed
            else:
                net, gross = (Fraction(figure[name]["rounded"]) for name in ("before_taxes", "after_taxes"))
                assert net + taxes == gross, dealt.seed
            amounts = [figure["before_taxes"]["rounded"], *(tax["amount"] for tax in figure["taxes"])]
            assert {len(amount.partition(".")[2]) for amount in amounts} == {dealt.policy["decimals"]}, dealt.seed


@EACH_PILE
def test_a_published_amount_is_off_by_half_a_decimal_at_most(pile: int) -> None:
    for dealt, found in receipts(pile):
        half = Fraction(1, 2 * 10 ** dealt.policy["decimals"])
        amounts = [figure[name] for figure in found["figures"] for name in ("before_taxes", "after_taxes")]
        for amount in filter(None, amounts):
            assert abs(Fraction(amount["rounded"]) - Fraction(amount["exact"])) <= half, dealt.seed


@EACH_PILE
def test_limits_are_honoured(pile: int) -> None:
    """Of a session under one tariff. A figure without a bound follows the other; the maximum comes last."""
    held = 0
    for dealt, found in receipts(pile):
        tariff = ruling(dealt, found)
        for name in ("before_taxes", "after_taxes") if tariff else ():
            amount = exactly(found["figures"][-1], name)
            least, most = ((tariff.get(limit) or {}).get(name) for limit in ("min_price", "max_price"))
            moves = [move["bound"] for move in found["limits"] if move["figure"] == name]
            if amount is None or moves[-1:] == [None]:
                continue
            assert most is None or amount <= Fraction(most), dealt.seed
            assert least is None or amount >= min(Fraction(least), Fraction(least if most is None else most)), (
                dealt.seed
            )
            held += least is not None or most is not None
    assert held > 20


def ruling(dealt: Dealt, found: Tree) -> Tree:
    """The only tariff of a session that names it throughout or not at all, and whose taxes can be told apart."""
    tariff, *others = dealt.case["tariffs"]
    named = {bool(period.get("tariff_id")) for period in dealt.case["periods"]}
    began = any(not line["dimension"].startswith("RESERVATION") for line in found["lines"])
    rated = any("vat" in part for element in tariff["elements"] for part in element["price_components"])
    only_gross = tariff["tax_included"] == "YES" and not rated
    fit: Tree = {} if others or len(named) != 1 or not began or only_gross else tariff
    return fit


@EACH_PILE
def test_pricing_twice_writes_the_same_bytes(pile: int) -> None:
    for seed in range(pile * SEEDS, (pile + 1) * SEEDS):
        assert text(*Dealt.of(seed)[1:]) == text(*Dealt.of(seed)[1:]), seed


@EACH_PILE
def test_the_order_of_the_periods_does_not_matter(pile: int) -> None:
    """But for those that start together: the one given first is priced first."""
    for dealt, found in receipts(pile):
        periods = dealt.case["periods"]
        order = list(range(len(periods)))
        Random(dealt.seed).shuffle(order)
        if len({period["start_date_time"].removesuffix("Z") for period in periods}) == len(periods):
            shuffled = receipt({**dealt.case, "periods": [periods[at] for at in order]}, dealt.policy)
            assert shuffled is not None
            assert as_given(shuffled, order) == as_given(found, list(range(len(periods)))), dealt.seed


def as_given(found: Tree, order: list[int]) -> Tree:
    """A receipt whose periods have the places that they had before they were shuffled."""
    lines = [{**line, "period": order[line["period"]]} for line in found["lines"]]
    warnings = [
        {**warning, "period": None if warning["period"] is None else order[warning["period"]]}
        for warning in found["warnings"]
        if warning["code"] != "periods_out_of_order"
    ]
    return {**found, "lines": lines, "warnings": warnings}


NEVER: Final[Tree] = {"min_duration": 10**9}


@EACH_PILE
def test_an_element_that_never_applies_changes_nothing(pile: int) -> None:
    """But for warnings of what nothing prices, and for where the session stood on the axis it asks for."""
    for dealt, found in receipts(pile):
        random = Random(dealt.seed)
        places = [random.randint(0, len(tariff["elements"])) for tariff in dealt.case["tariffs"]]
        free = {"price_components": [{"type": kind, "price": 0, "step_size": 7} for kind in ("ENERGY", "TIME", "FLAT")]}
        tariffs = [
            {
                **tariff,
                "elements": [*tariff["elements"][:at], {**free, "restrictions": NEVER}, *tariff["elements"][at:]],
            }
            for tariff, at in zip(dealt.case["tariffs"], places, strict=True)
        ]
        more = receipt({**dealt.case, "tariffs": tariffs}, dealt.policy)
        assert more is not None
        at = {tariff["id"]: place for tariff, place in zip(tariffs, places, strict=True)}
        assert without(more, at) == without(found, {}), dealt.seed


def without(found: Tree, added: Mapping[str, int]) -> Tree:
    """A receipt as it was before an element was added to each tariff."""
    lines = [dict(line, elapsed_s=None) for line in found["lines"]]
    for line in lines:
        if line["element"] is not None and line["element"] > added.get(line["tariff_id"], line["element"]):
            line["element"] -= 1
    return {**found, "lines": lines, "warnings": None}
