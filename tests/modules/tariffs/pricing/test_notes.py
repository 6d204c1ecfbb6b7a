"""Every warning there is, and a case that calls for it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from modules.tariffs.pricing import Case, Code, Priced, Warned
from modules.tariffs.pricing import free as price_of_nothing
from tests.modules.tariffs.pricing.cases import BESIDE_THE_ENGINE, bill, component, element, moment, period, tariff

ENERGY = tariff(element(component("ENERGY", "1")))
VALID_ONCE = {**ENERGY, "end_date_time": "2020-01-01T00:00:00Z"}
NO_RATE = {"version": "2.3.0"}
ONE = period("09:00", kwh="1")


def untariffed() -> Priced:
    return price_of_nothing(Case("2.3.0", None, [], moment("09:00"), moment("10:00"), [ONE]))


def limited(**after: str) -> dict[str, Any]:
    bounds = {"before_taxes": Decimal("0.5"), **{name: Decimal(value) for name, value in after.items()}}
    return {**ENERGY, "max_price": bounds}


CASES: dict[Code, tuple[Priced, Warned]] = {
    code: (priced, Warned(code, *about))
    for code, priced, *about in (
        (Code.NO_TARIFF, untariffed()),
        (Code.SEVERAL_TARIFFS_FIT, bill([ENERGY, {**ENERGY, "id": "U"}], ONE, end="10:00"), None, "T, U"),
        (
            Code.PERIOD_SPANS_A_PRICE_CHANGE,
            bill(tariff(element(component("ENERGY", "1"), max_kwh=1)), period("09:00", kwh="2"), end="10:00"),
            *(0, "ENERGY"),
        ),
        (
            Code.UNPRICED_QUANTITY,
            bill(tariff(element(component("ENERGY", "1"), min_kwh=1)), ONE, end="10:00"),
            *(0, "ENERGY"),
        ),
        (
            Code.MISSING_MEASUREMENT,
            bill(tariff(element(component("ENERGY", "1"), min_power=1)), ONE, end="10:00"),
            *(0, ""),
        ),
        (
            Code.MISSING_DIMENSION,
            bill(tariff(element(component("ENERGY", "1"), component("TIME", "1"))), ONE, end="10:00"),
            *(None, "TIME"),
        ),
        (Code.PERIOD_OUTSIDE_THE_SESSION, bill(ENERGY, ONE, end="08:00"), 0, ""),
        (Code.PERIODS_OUT_OF_ORDER, bill(ENERGY, period("09:30", kwh="1"), ONE, end="10:00"), None, ""),
        (Code.PERIODS_START_TOGETHER, bill(ENERGY, ONE, ONE, end="10:00"), 1, ""),
        (Code.TARIFF_OUTSIDE_ITS_VALIDITY, bill(VALID_ONCE, period("09:00", "t", kwh="1"), end="10:00"), None, "T"),
        (Code.PERIOD_WITHOUT_TARIFF, bill(ENERGY, ONE, period("09:30", "T", kwh="1"), end="10:00"), 0, ""),
        (Code.PRICE_LIMIT_APPLIED, bill(limited(after_taxes="0.5"), ONE, end="10:00"), None, ""),
        (Code.AFTER_TAX_LIMIT_MISSING, bill(limited(), ONE, end="10:00"), None, ""),
        (
            Code.TAX_INCLUDED_MISSING,
            bill(ENERGY | {"tax_included": None}, ONE, end="10:00", version="2.3.0"),
            None,
            "T",
        ),
        (Code.TAX_RATE_UNKNOWN, bill(ENERGY, ONE, end="10:00", version="2.3.0"), None, ""),
        (
            Code.TAX_NOT_SPLITTABLE,
            bill({**ENERGY, "tax_included": "YES"}, ONE, end="10:00", version="2.3.0"),
            *(None, ""),
        ),
        (
            Code.TAX_RATE_IGNORED,
            bill(tariff(element(component("ENERGY", "1", 0, "9")), tax_included="N/A"), ONE, end="10:00"),
            *(None, ""),
        ),
        (Code.VOLUME_DISAGREES_WITH_TIMESTAMPS, bill(ENERGY, period("09:00", time="0.5"), end="10:00"), 0, ""),
        (
            Code.RESERVED_AND_CONSUMED_TOGETHER,
            bill(ENERGY, period("09:00", reserved="0.5", kwh="1"), end="10:00"),
            *(0, ""),
        ),
        (Code.NEGATIVE_ENERGY, bill(ENERGY, period("09:00", kwh="-1"), end="10:00"), 0, ""),
        (
            Code.RESTRICTION_NOT_UNDERSTOOD,
            bill(tariff(element(component("ENERGY", "1"), moon="FULL")), ONE, end="10:00"),
            *(None, "moon"),
        ),
        (
            Code.DUPLICATE_COMPONENT,
            bill(tariff(element(component("ENERGY", "1"), component("ENERGY", "2"))), ONE, end="10:00"),
            *(None, "ENERGY"),
        ),
    )
}


@pytest.mark.parametrize("nothing", [0, "0", "0.00", Decimal("0.0")])
def test_of_what_is_free_no_tax_is_missed_however_nothing_is_written(nothing: object) -> None:
    free = tariff(element({"type": "ENERGY", "price": nothing, "step_size": 1}))
    assert bill(free, ONE, end="10:00", version="2.3.0").warnings == ()


@pytest.mark.parametrize("code", [code for code in Code if code not in BESIDE_THE_ENGINE])
def test_each_warning_is_given_and_names_its_period_and_subject(code: Code) -> None:
    priced, warned = CASES[code]
    assert warned in priced.warnings
