"""What a check takes for the same, what it cannot check, and what it says; and that no CDR keeps it busy for long."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest

from hub.core.inbound import encode
from modules.cdrs.check import Cause, Claim, Result, Verdict, check, glance
from modules.cdrs.check.size import MOST, size_of
from modules.cdrs.check.suppose import SUPPOSED
from modules.tariffs.pricing import Policy
from tests.modules.cdrs.check.records import BERLIN, but, cdr, checked, component, element, period, tariff
from tests.modules.cdrs.check.test_mistakes import CAPPED, EVENING, HOURS, MANY, MINUTES, RESERVED, TIERED

D = Decimal


def test_a_flat_fee_may_stand_with_the_parking_or_on_its_own() -> None:
    moved = but(EVENING, parking=("4.00", "4.76"), fixed=("0.00", "0.00"))
    assert checked(moved).verdict is Verdict.RIGHT
    del moved["total_fixed_cost"]
    assert checked(moved).verdict is Verdict.RIGHT
    assert checked(but(moved, parking=("4.50", "5.35"))).verdict is Verdict.WRONG


def test_a_cent_is_tolerated_and_told_and_two_are_not() -> None:
    near = checked(but(EVENING, total=("14.01", "16.66")))
    assert near.verdict is Verdict.WITHIN_TOLERANCE
    assert [(d.figure, d.cause, d.difference) for d in near.deviations] == [
        ("total_cost.before_taxes", Cause.ROUNDING, D("0.01"))
    ]
    far = but(EVENING, total=("14.02", "16.68"))
    assert checked(far).verdict is Verdict.WRONG
    assert checked(far, tolerance=D("0.05")).verdict is Verdict.WITHIN_TOLERANCE
    assert checked(but(EVENING, total=("14.01", "16.66")), tolerance=D(0)).verdict is Verdict.WRONG


def test_a_total_may_be_the_sum_of_parts_that_were_rounded() -> None:
    """1.1149 + 2.2249 + 3.3349 is 6.67; each rounded first it is 6.66 less a cent: 1.11 + 2.22 + 3.33."""
    prices = tariff(element(component("ENERGY", "1.1149", 1, None), component("FLAT", "2.2249", 1, None),
                            component("TIME", "3.3349", 0, None)))  # fmt: skip
    parts: dict[str, Any] = {"energy": ("1.11",), "fixed": ("2.22",), "time": ("3.33",)}
    periods = [period("09:00", energy="1", time="1")]
    assert checked(cdr([prices], periods, "10:00", total=("6.67",), **parts)).verdict is Verdict.RIGHT
    assert checked(cdr([prices], periods, "10:00", total=("6.66",), **parts)).verdict is Verdict.WITHIN_TOLERANCE
    assert checked(cdr([prices], periods, "10:00", total=("6.64",), **parts)).verdict is Verdict.WRONG


def test_yen_have_no_hundredths() -> None:
    prices = tariff(element(component("ENERGY", "30.5", 1, None)), currency="JPY")
    periods = [period("09:00", energy="10.3", time="1")]
    for total, verdict in (("314", Verdict.RIGHT), ("315", Verdict.WITHIN_TOLERANCE), ("316", Verdict.WRONG)):
        record = cdr([prices], periods, "10:00", total=(total,), currency="JPY")
        assert checked(record, zone="Asia/Tokyo").verdict is verdict, total


DOLLARS = tariff(element(component("ENERGY", "0.25")), id="DOLLARS", currency="USD")


def test_the_currency_of_a_tariff_that_prices_nothing_does_not_matter() -> None:
    named = but(HOURS, tariffs=[DOLLARS, *HOURS["tariffs"]])
    assert checked(named).verdict is Verdict.RIGHT
    over = {**DOLLARS, "end_date_time": "2026-05-01T00:00:00Z"}
    for unused in ([over, *EVENING["tariffs"]], [*EVENING["tariffs"], DOLLARS]):
        assert checked(but(EVENING, tariffs=unused)).verdict is Verdict.RIGHT


def test_the_currency_of_a_tariff_that_prices_something_is_that_of_the_amounts() -> None:
    some = [HOURS["charging_periods"][0], {**HOURS["charging_periods"][1], "tariff_id": "DOLLARS"}]
    for record in (
        but(HOURS, tariffs=[DOLLARS, *HOURS["tariffs"]], charging_periods=some),
        but(EVENING, tariffs=[DOLLARS, *EVENING["tariffs"]]),
        but(EVENING, tariffs=[], currency="USD"),
    ):
        result = checked(record, tariffs=EVENING["tariffs"])
        assert (result.verdict, result.causes) == (Verdict.WRONG, (Cause.CURRENCY,))


def test_amounts_without_a_currency_are_in_that_of_the_tariff_that_prices_them() -> None:
    record = but(HOURS, tariffs=[{**DOLLARS, "currency": "JPY"}, *HOURS["tariffs"]], total=("5.45", "6.54"))
    del record["currency"]
    assert check(Claim(cdr=record)).causes == (Cause.ARITHMETIC,)


def test_without_the_zone_of_the_location_local_prices_are_not_guessed() -> None:
    result = checked(EVENING, zone=None)
    assert result.verdict is Verdict.CANNOT_BE_CHECKED
    assert "time zone" in result.why
    assert checked(HOURS, zone=None).verdict is Verdict.RIGHT


def test_a_zone_that_there_is_not_is_named_also_where_no_price_needs_it() -> None:
    for record, verdict in ((EVENING, Verdict.CANNOT_BE_CHECKED), (HOURS, Verdict.RIGHT)):
        result = checked(record, zone="Mars/Olympus")
        assert (result.verdict, result.warnings) == (verdict, ("unknown_time_zone",))


def test_what_is_wrong_in_itself_is_wrong_though_it_cannot_be_priced() -> None:
    result = checked(but(EVENING, total_energy=D(44)), zone=None)
    assert (result.verdict, result.causes) == (Verdict.WRONG, (Cause.ENERGY,))


def test_a_cdr_without_a_tariff_is_free_or_cannot_be_checked() -> None:
    bare = but(MANY, tariffs=[])
    result = checked(bare)
    assert (result.verdict, result.causes) == (Verdict.CANNOT_BE_CHECKED, (Cause.MISSING_TARIFF,))
    assert checked(but(bare, total=("0.00",))).verdict is Verdict.RIGHT
    assert checked(bare, tariffs=MANY["tariffs"]).verdict is Verdict.RIGHT
    assert checked(but(bare, energy=("9.99",))).causes[0] is Cause.ARITHMETIC


def test_a_tariff_that_a_period_names_may_be_one_that_we_know() -> None:
    lacking = but(TIERED, tariffs=TIERED["tariffs"][:1])
    result = checked(lacking)
    assert (result.verdict, result.causes) == (Verdict.CANNOT_BE_CHECKED, (Cause.MISSING_TARIFF,))
    assert result.deviations[0].computed == "TIERS"
    assert checked(lacking, tariffs=TIERED["tariffs"][1:]).verdict is Verdict.RIGHT


def test_a_reservation_that_came_to_nothing_may_have_expired_or_been_cancelled() -> None:
    prices = tariff(
        element(component("TIME", "4.00", 60, None), reservation="RESERVATION"),
        element(component("TIME", "6.00", 60, None), reservation="RESERVATION_EXPIRES"),
    )
    for total, verdict in (("1.50", Verdict.RIGHT), ("1.00", Verdict.RIGHT), ("2.00", Verdict.WRONG)):
        record = cdr([prices], [period("09:00", reservation_time="0.25")], "09:15", total=(total,))
        assert checked(record).verdict is verdict, total


def test_the_reading_of_a_contract_is_the_right_one() -> None:
    literally = but(MINUTES, total=("1.40",))
    assert checked(literally).causes == (Cause.HOURS_ROUNDING,)
    assert checked(literally, policy=Policy(timestamps_over_volumes=False)).verdict is Verdict.RIGHT


def test_a_period_across_a_price_change_is_named_where_nothing_else_explains_the_amount() -> None:
    """Half an hour at 0.40 and half at 0.30, in one period: 20 kWh cost 7.00, and no period says so."""
    record = cdr([EVENING["tariffs"][0]], [period("17:30", energy="20", time="1")], "18:30", total=("8.17",),
                 energy=("7.17",), fixed=("1.00",))  # fmt: skip
    result = checked(record)
    assert (result.verdict, set(result.causes)) == (Verdict.WRONG, {Cause.UNSPLIT_PERIOD})
    assert "period_spans_a_price_change" in result.warnings


def test_two_mistakes_at_once_are_both_named() -> None:
    """No step on the parking, and the fee for each of the three periods: 10.00 + 2.40 + 3.00 = 15.40."""
    both = but(EVENING, total=("15.40", "18.33"), parking=("2.40", "2.86"), fixed=("3.00", "3.57"))
    assert set(checked(both).causes) == {Cause.STEP, Cause.FLAT_PER_PERIOD}


def test_a_total_that_is_the_sum_of_wrong_parts_names_what_is_wrong_with_each() -> None:
    """The fee is off by 2.00 and the parking by 0.60: the total is wrong by both, and above all by the fee."""
    both = but(EVENING, total=("15.40", "18.33"), parking=("2.40", "2.86"), fixed=("3.00", "3.57"))
    total = next(each for each in checked(both).deviations if each.figure == "total_cost.before_taxes")
    assert total.cause is Cause.FLAT_PER_PERIOD
    assert total.why == (
        "it is the sum of parts that are not right: The flat fee was charged for each period; No step_size was applied"
    )
    odd = but(EVENING, total=("16.62", "19.78"), parking=("2.40", "2.86"), energy=("13.22", "15.73"))
    found = {each.figure: each for each in checked(odd).deviations}
    assert found["total_cost.before_taxes"].cause is found["total_energy_cost.before_taxes"].cause
    assert "No step_size was applied" in found["total_cost.before_taxes"].why


def test_a_total_alone_may_state_taxes_and_is_the_sum_of_wrong_parts_all_the_same() -> None:
    both = but(EVENING, total=("15.40", "18.33"), energy=("10.00",), parking=("2.40",), fixed=("3.00",))
    assert set(checked(both).causes) == {Cause.STEP, Cause.FLAT_PER_PERIOD}


@pytest.mark.parametrize("total", ["19.99", "13.00", "11.00"])
def test_a_total_that_is_not_the_sum_of_its_wrong_parts_is_one_more_mistake(total: str) -> None:
    wrong = but(EVENING, total=(total,), parking=("2.40", "2.86"), fixed=("3.00", "3.57"))
    found = {each.figure: each for each in checked(wrong).deviations}
    assert found["total_cost.before_taxes"].cause is Cause.ARITHMETIC
    assert "not the sum of its parts" in found["total_cost.before_taxes"].why
    assert {Cause.STEP, Cause.FLAT_PER_PERIOD} < set(checked(wrong).causes)


def test_a_total_beyond_the_limit_that_is_the_sum_of_wrong_parts_names_the_limit() -> None:
    beyond = but(CAPPED, total=("12.34", "14.68"), energy=("12.34", "14.68"))
    found = {each.figure: each for each in checked(beyond).deviations}
    assert found["total_cost.before_taxes"].cause is Cause.LIMIT


@pytest.mark.parametrize("total", ["15.00", "13.00", "11.00", "4.00", "16.00", "13.40", "17.00", "20.00"])
def test_where_each_part_is_right_a_wrong_total_is_a_wrong_sum(total: str) -> None:
    """As after a fee charged twice, a part left out, the wrong zone, no step: but the parts say it was not so."""
    taxed = str(D(total) * D("1.19"))
    for changes in ({"total": (total,)}, {"total": (total, taxed)}):
        result = checked(but(EVENING, **changes))
        assert result.causes == (Cause.ARITHMETIC,), result.deviations
        assert result.deviations[0].why in (
            "each part is right, and the total is not their sum",
            "A part of the price was added to the total twice",
        )


def test_a_credit_is_held_against_what_it_takes_back() -> None:
    credit = but(EVENING, id="CDR1-C", credit=True, credit_reference_id="CDR1", total=("-14.00", "-16.66"))
    assert checked(credit).verdict is Verdict.RIGHT
    assert checked(credit, original=EVENING).verdict is Verdict.RIGHT
    result = checked(credit, original=but(EVENING, total=("15.00", "17.85")))
    assert (result.verdict, result.causes) == (Verdict.WRONG, (Cause.CREDIT,))
    assert checked(but(credit, total=("-13.40", "-15.95"), parking=("2.40", "2.86"))).causes == (Cause.STEP,)


def test_a_credit_has_the_driver_who_was_billed_however_it_is_written() -> None:
    credit = but(EVENING, id="CDR1-C", credit=True, credit_reference_id="CDR1", total=("-14.00", "-16.66"))
    token = {**EVENING["cdr_token"], "contract_id": "NL-EEE-C1-2"}
    bill = but(EVENING, cdr_token=token)
    for same in (
        {"country_code": "nl", "party_id": "eee", "contract_id": "nleeec12"},
        {"contract_id": "NL-EEE-C9"},
        {"uid": "CARD9"},
        {"country_code": "ZZ", "party_id": "#NA", "uid": "#NA"},
    ):
        assert checked(but(credit, cdr_token={**token, **same}), original=bill).verdict is Verdict.RIGHT, same
    for figure, other in (
        ("cdr_token.party_id", {"party_id": "FFF"}),
        ("cdr_token.contract_id", {"uid": "CARD9", "contract_id": "NL-EEE-C9"}),
        ("cdr_token.contract_id", {"uid": "#NA", "contract_id": "NL-EEE-C9"}),
    ):
        result = checked(but(credit, cdr_token={**token, **other}), original=bill)
        assert (result.verdict, result.causes) == (Verdict.WRONG, (Cause.CREDIT,))
        assert [each.figure for each in result.deviations] == [figure]
        assert "C9" not in str(result.tree())


def test_the_parts_of_a_credit_are_turned_all_or_none() -> None:
    credit = but(EVENING, id="CDR1-C", credit=True, credit_reference_id="CDR1", total=("-14.00", "-16.66"))
    turned = {"energy": ("-10.00", "-11.90"), "parking": ("-3.00", "-3.57"), "fixed": ("-1.00", "-1.19")}
    for original in (None, EVENING):
        assert checked(but(credit, **turned), original=original).verdict is Verdict.RIGHT
        for part in turned:
            result = checked(but(credit, **{part: turned[part]}), original=original)
            assert (result.verdict, result.causes) == (Verdict.WRONG, (Cause.CREDIT,))
            assert [deviation.figure for deviation in result.deviations] == [f"total_{part}_cost.before_taxes"]


def test_a_part_that_was_negative_may_stay_so_in_a_credit() -> None:
    """2 kWh given back for 1.00, and a fee of 3.00."""
    prices = tariff(element(component("ENERGY", "0.50", 1, None), component("FLAT", "3.00", 1, None)))
    record = cdr([prices], [period("09:00", energy="-2", time="1")], "10:00", total=("2.00",), energy=("-1.00",),
                 fixed=("3.00",))  # fmt: skip
    assert checked(record).verdict is Verdict.RIGHT
    back = but(record, id="CDR1-C", credit=True, credit_reference_id="CDR1", total=("-2.00",))
    for original in (None, record):
        assert checked(back, original=original).verdict is Verdict.RIGHT
    turned = but(back, energy=("1.00",), fixed=("-3.00",))
    assert checked(turned, original=record).verdict is Verdict.RIGHT
    assert Cause.CREDIT in checked(but(back, fixed=("-3.00",)), original=record).causes


def test_a_total_of_2_3_0_has_taxes_where_its_parts_do() -> None:
    silent = but(EVENING, total=("14.00",))
    said = checked(silent, "2.3.0")
    assert (said.verdict, said.causes) == (Verdict.WRONG, (Cause.TAX,))
    assert [(each.figure, each.computed) for each in said.deviations] == [("total_cost.taxes", D("2.66"))]
    assert checked(silent, "2.2.1").verdict is Verdict.RIGHT
    nobody = but(silent, energy=("10.00",), parking=("3.00",), fixed=("1.00",))
    assert checked(nobody, "2.3.0").verdict is Verdict.RIGHT
    assert checked(but(CAPPED, total=("8.00",)), "2.3.0").causes == (Cause.TAX,)
    net = but(CAPPED, total=("8.00",), tariffs=[{**CAPPED["tariffs"][0], "max_price": {"before_taxes": D("8.00")}}])
    assert checked(net, "2.3.0").verdict is Verdict.RIGHT


def test_a_tax_is_held_against_its_rate_where_there_is_one_rate() -> None:
    def taxed(excl: str, amount: str) -> dict[str, Any]:
        tax = {"name": "VAT", "percentage": D(20), "amount": D(amount)}
        return {"before_taxes": D(excl), "taxes": [tax]}

    prices = [component("ENERGY", "0.50", 1, "20"), component("FLAT", "1.00", 1, "20")]
    periods = [period("09:00", energy="10", time="1")]
    for amount, verdict in (("1.20", Verdict.RIGHT), ("1.26", Verdict.WRONG)):
        record = cdr([tariff(element(*prices))], periods, "10:00", total=("6.00",))
        result = check(Claim(cdr={**record, "total_cost": taxed("6.00", amount)}))
        assert result.verdict is verdict
        assert verdict is Verdict.RIGHT or result.causes == (Cause.TAX,)
    mixed = cdr([tariff(element(prices[0], component("FLAT", "1.00", 1, None)))], periods, "10:00", total=("6.00",))
    assert check(Claim(cdr={**mixed, "total_cost": taxed("6.00", "1.00")})).verdict is Verdict.RIGHT


def test_energy_may_flow_back() -> None:
    prices = tariff(element(component("ENERGY", "0.50", 1, None)))
    back = cdr([prices], [period("09:00", energy="-2", time="1")], "10:00", total=("-1.00",))
    assert checked(back).causes == (Cause.CREDIT,)
    both = [period("09:00", energy="10", time="1"), period("10:00", energy="-2", time="1")]
    assert checked(cdr([prices], both, "11:00", total=("4.00",))).verdict is Verdict.RIGHT


def test_the_result_can_be_read_by_programs_and_people() -> None:
    result = checked(but(EVENING, total=("13.40", "15.95"), parking=("2.40", "2.86")))
    tree = result.tree()
    assert tree["verdict"] == "wrong"
    assert tree["why"] == "total_cost.before_taxes: No step_size was applied"
    assert tree["deviations"][0] == {
        "figure": "total_cost.before_taxes", "claimed": D("13.4"), "computed": D(14), "difference": D("-0.6"),
        "class": "step", "why": "No step_size was applied", "tolerable": False,
    }  # fmt: skip
    assert tree["computed"]["total_parking_cost"] == {"before_taxes": D(3), "after_taxes": D("3.57")}
    assert b'"claimed":13.4' in encode(tree)


def test_each_supposition_says_in_words_what_was_done() -> None:
    words = [supposition.why for supposition in SUPPOSED]
    assert len(set(words)) == len(words) >= 40
    assert all(word and word[0].isupper() and not word.endswith(".") for word in words)


def test_a_glance_says_what_needs_no_diagnosis() -> None:
    right = Claim(cdr=EVENING, version="2.3.0", time_zone=BERLIN)
    assert glance(right) == check(right)
    assert glance(Claim(cdr=but(EVENING, total=("9.00", "10.71")), time_zone=BERLIN)) is None
    assert glance(Claim(cdr=hostile(periods=2_000, elements=1), time_zone=BERLIN)) is None


def hostile(*, periods: int, elements: int, rates: int = 1, total: str = "1.00") -> dict[str, Any]:
    """As many periods and elements as somebody likes to send; the last element prices, so all are looked at."""
    rows = [f"2026-05-04T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}Z" for n in range(periods)]
    never = [
        element(component("ENERGY", f"0.{n + 1}", 7, str(n % rates)), min_kwh=D(10**9), day_of_week=["SUNDAY"])
        for n in range(elements - 1)
    ]
    prices = tariff(*never, element(component("ENERGY", "0.1234567", 7, "19")))
    return cdr([prices], [period(at, energy="1.2345", time="0.0003") for at in rows], "23:59", total=(total,))


HOSTILE = {
    "10,000 periods": hostile(periods=10_000, elements=1),
    "10,000 elements": hostile(periods=1, elements=10_000),
    "1,000 of both": hostile(periods=1_000, elements=1_000),
    "400 of both": hostile(periods=400, elements=400),
    "5,000 tax rates": hostile(periods=10, elements=5_000, rates=5_000),
    "10,000 tariffs": but(MANY, tariffs=[{**MANY["tariffs"][0], "id": f"T{n}"} for n in range(10_000)]),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_cdr_keeps_the_check_busy_for_long(name: str) -> None:
    begin = time.process_time()
    result: Result = check(Claim(cdr=HOSTILE[name], version="2.2.1", time_zone=BERLIN))
    assert time.process_time() - begin < 15, name
    assert (result.verdict is Verdict.CANNOT_BE_CHECKED) == (size_of(HOSTILE[name]) > MOST)


FIRST, LAST = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"
"""The ends of the calendar."""


@pytest.mark.parametrize(
    "bill",
    [
        but(EVENING, start_date_time=FIRST),
        but(EVENING, end_date_time=LAST),
        but(EVENING, charging_periods=[period(FIRST, energy="1"), *EVENING["charging_periods"]]),
    ],
)
def test_a_charge_of_thousands_of_years_is_not_priced(bill: dict[str, Any]) -> None:
    assert size_of(bill) > MOST
    assert check(Claim(cdr=bill, version="2.2.1", time_zone=BERLIN)).computed is None


@pytest.mark.parametrize("zone", [BERLIN, "America/New_York"])
@pytest.mark.parametrize("at", [FIRST, LAST])
def test_a_charge_at_an_end_of_the_calendar_is_checked_like_any_other(at: str, zone: str) -> None:
    """Its clock there, or a minute before or after it, may have no name any more."""
    periods = [{**each, "start_date_time": at} for each in EVENING["charging_periods"]]
    whole = but(EVENING, start_date_time=at, end_date_time=at, charging_periods=periods)
    begun = but(EVENING, **({"start_date_time": at} if at == FIRST else {"end_date_time": at}))
    for bill in (whole, begun, but(EVENING, charging_periods=[*EVENING["charging_periods"], periods[0]])):
        result = check(Claim(cdr=bill, version="2.2.1", time_zone=zone))
        assert result.verdict in (Verdict.WRONG, Verdict.CANNOT_BE_CHECKED)
        assert result.causes or result.why


def test_a_glance_is_short_whatever_it_is_given() -> None:
    for name, record in HOSTILE.items():
        begin = time.process_time()
        glance(Claim(cdr=record, version="2.2.1", time_zone=BERLIN))
        assert time.process_time() - begin < 0.5, name


def test_a_reserved_and_charged_session_is_right_however_its_start_is_counted() -> None:
    assert checked(but(RESERVED, total_time=D("1.15"))).verdict is Verdict.RIGHT
    assert checked(but(RESERVED, total_time=D("0.9"))).verdict is Verdict.RIGHT
