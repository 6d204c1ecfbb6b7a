"""Time that is written in minutes or seconds. OCPI has hours everywhere: periods then state far more than they last.

Which unit it is, the timestamps of the periods tell. A CDR is then read as it was meant, and the unit is told once: the
amounts of it may well be right.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import zip_longest
from typing import Final

from hub.core.types import parse_datetime
from modules.cdrs.check.claim import TIMED, Claim, Tree, hours_in
from modules.cdrs.check.placing import IN_AN_HOUR, WRITTEN, hours_of, unit_of
from modules.cdrs.check.result import Cause, Deviation

_SHORT: Final = hours_of(WRITTEN)
_TOTALS: Final = ("total_time", "total_parking_time")


def read_as_hours(claim: Claim) -> tuple[Claim, str]:
    """The claim, or where periods are in another unit, the one with these in hours, and that unit; else ""."""
    unit, places = _in_another_unit(claim)
    if not unit:
        return claim, ""
    periods = [_in_hours(each, IN_AN_HOUR[unit]) if at in places else each for at, each in enumerate(claim.periods)]
    return replace(claim, cdr={**claim.cdr, "charging_periods": periods}), unit


def _in_hours(period: Tree, in_one: int) -> Tree:
    dimensions = (
        {**d, "volume": Decimal(d["volume"]) / in_one} if d["type"] in TIMED else d for d in period["dimensions"]
    )
    return {**period, "dimensions": [*dimensions]}


def _in_another_unit(claim: Claim) -> tuple[str, frozenset[int]]:
    """In which unit the times of some periods are, and which these are; "" where that is not one unit for all of them.

    They are those that state more than they last.
    """
    stated = [hours_in(period) for period in claim.periods]
    begin, end = (parse_datetime(str(claim.cdr[name])) for name in ("start_date_time", "end_date_time"))
    if not stated or sum(stated) <= hours_of(end - begin) + _SHORT:
        return "", frozenset()
    starts = [parse_datetime(str(period["start_date_time"])) for period in claim.periods]
    ordered = sorted({*starts})
    until = dict(zip_longest(ordered, ordered[1:], fillvalue=max(end, ordered[-1])))
    lasted = [hours_of(until[start] - start) for start in starts]
    units = {at: unit_of(stated[at], lasted[at]) for at in range(len(stated)) if stated[at] > lasted[at] + _SHORT}
    names = set(units.values())
    return (names.pop(), frozenset(units)) if len(names) == 1 else ("", frozenset())


def told_once(found: list[Deviation], claim: Claim, read: Claim, unit: str) -> list[Deviation]:
    """What was found of a CDR that was read as hours, with the unit of its times as the one cause."""
    in_one = IN_AN_HOUR[unit]
    stated, meant = (sum(map(hours_in, each.periods), Decimal(0)) for each in (claim, read))
    why = f"times of the periods are in {unit}, not in hours; they are priced as hours here"
    told = [Deviation("charging_periods", stated, meant, Cause.UNIT, why)]
    for each in found:
        is_total = each.figure in _TOTALS and isinstance(each.claimed, Decimal) and isinstance(each.computed, Decimal)
        if is_total and abs(Decimal(each.claimed or 0) / in_one - Decimal(each.computed or 0)) <= _SHORT:
            each = replace(each, cause=Cause.UNIT, why=f"it is in {unit}, not in hours")
        told.append(each)
    return told
