"""How much work a check is: it grows with periods times price components, and whoever sends a CDR chooses both.

Many different tax rates make the common denominator of all prices long, so they count too. So do days: on each the
clocks may be changed, and each has its times of day, and a CDR may say that it began in the year 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hub.core.types import parse_datetime

QUICK: Final = 400
"""Up to this size a check, diagnosis included, takes milliseconds."""
MOST: Final = 200_000
"""Beyond this size nothing is priced."""
BUDGET: Final = 400_000
"""The size of all pricings of one diagnosis together."""
_MOST_RATES: Final = 50
_A_PERIOD: Final = 5
_A_COMPONENT: Final = 5
"""What a period, and a component that is made ready, take beside looking at a component in a period."""
_A_DAY: Final = 2
"""What a day takes from the first to the last moment that a CDR names."""


def size_of(cdr: Mapping[str, Any], others: Sequence[Mapping[str, Any]] = ()) -> int:
    """The size of one pricing of a CDR in our form; `MOST` + 1 where its tax rates alone are too many."""
    tariffs = [*(cdr.get("tariffs") or ()), *others]
    components = [
        component
        for tariff in tariffs
        for element in tariff.get("elements") or ()
        for component in element.get("price_components") or ()
    ]
    if len({component.get("vat") for component in components}) > _MOST_RATES:
        return MOST + 1
    elements = sum(len(tariff.get("elements") or ()) for tariff in tariffs)
    periods = len(cdr.get("charging_periods") or ())
    return periods * (_A_PERIOD + len(components)) + elements + _A_COMPONENT * len(components) + _A_DAY * _days(cdr)


def _days(cdr: Mapping[str, Any]) -> int:
    told = [cdr.get("start_date_time"), cdr.get("end_date_time")]
    told += [period.get("start_date_time") for period in cdr.get("charging_periods") or ()]
    moments = [parse_datetime(each) for each in told if isinstance(each, str)]
    return (max(moments) - min(moments)).days if moments else 0


def is_quick(cdr: Mapping[str, Any]) -> bool:
    """May it be checked while a partner waits for its answer?"""
    return size_of(cdr) <= QUICK
