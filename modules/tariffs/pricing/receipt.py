"""The receipt of a price: what it is made of, line by line, in exact numbers. This is what settles a dispute.

A tree of plain JSON, so that it can be stored, sent and read by anybody who has the text of OCPI at hand. All
numbers in it are text: a decimal with all its digits, or a fraction where these never end. The same case and
policy give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

from hub.core.jsontypes import Json, Tree
from modules.tariffs.pricing.compile import Dimension
from modules.tariffs.pricing.limits import Move
from modules.tariffs.pricing.money import Money, TaxLine, exact_amounts
from modules.tariffs.pricing.notes import Warned
from modules.tariffs.pricing.numbers import DAY, KWH, SECOND, WH, Exact, decimal_text, exact_text, plain_text, writing
from modules.tariffs.pricing.periods import Period
from modules.tariffs.pricing.policy import Policy
from modules.tariffs.pricing.price import Priced
from modules.tariffs.pricing.restrictions import (
    ELAPSED,
    ENERGY,
    MAX_CURRENT,
    MAX_POWER,
    MIN_CURRENT,
    MIN_POWER,
)
from modules.tariffs.pricing.steps import Raised, Segment
from modules.tariffs.pricing.times import moment_of, offset_at
from modules.tariffs.pricing.totals import joined, to_add_up

FORMAT: Final = 1
"""The form of the tree; it changes when a reader of the old one would misread the new one."""

_SCALE: Final = 10**9
_UNITS: Final = (("kWh", writing(KWH)), ("s", writing(SECOND)), ("s", writing(SECOND)), ("1", writing(1)))
"""By dimension: the unit, and how a quantity is written in it."""
_NAMES: Final = tuple(Dimension.__members__)
_BUCKETS: Final = ("energy", "time", "parking", "fixed", "reservation")

_quoted: Final = lru_cache(maxsize=2048)(decimal_text)
"""A price or a rate, which come again and again."""


def receipt_of(priced: Priced, *, currency: str | None, place: Mapping[str, str] | None = None) -> Tree:
    """The receipt of a price, in format 1; `currency` is that of the tariffs, or of the CDR if it states one.

    place: the `location` and the `evse` in words, as far as they are known.
    """
    told = priced.course.told
    return {
        "format": FORMAT,
        "currency": currency,
        **({"place": dict(place)} if place else {}),
        "time_zone": priced.time_zone,
        "policy": {**_switches(priced.policy)},
        "lines": list(_lines(told.segments, priced.time_zone)),
        "steps": [_step(raised, told.segments) for raised in told.raised],
        "limits": [_limit(move) for move in (priced.within.moves if priced.within else ())],
        "figures": list(_figures(priced)),
        "warnings": [_warning(warned) for warned in priced.warnings],
    }


@lru_cache(maxsize=16)
def _switches(policy: Policy) -> Tree:
    return {field.name: getattr(policy, field.name) for field in fields(policy)}


def _lines(segments: Sequence[Segment], zone: str | None) -> Iterator[Tree]:
    """The segments of a period stand together."""
    period: Period | None = None
    start = local_time = ""
    for segment in segments:
        if segment.period is not period:
            period = segment.period
            start, local_time = _start(period.start, zone)
        yield _line(segment, start, local_time)


def _line(segment: Segment, start: str, local_time: str) -> Tree:
    part, tariff, billed = segment.component, segment.tariff, segment.billed
    unit, quantity_text = _UNITS[segment.dimension]
    quantity = quantity_text(segment.quantity)
    element = place = price = vat = None
    before_taxes = tax = "0"
    if part and tariff:
        element, place, _, quoted, rate, _, net, added = part
        price, vat = _quoted(quoted), None if rate is None else _quoted(rate)
        money_text = writing(tariff.denominator)
        before_taxes = money_text(billed * net)
        tax = money_text(billed * added) if added else "0"
    line = {
        "period": segment.period.index,
        "start": start,
        "local_time": local_time,
        "dimension": _name(segment) if segment.reserved else _NAMES[segment.dimension],
        "tariff_id": tariff.id if tariff else None,
        "element": element,
        "component": place,
        "unit": unit,
        "quantity": quantity,
        "billed": quantity if billed == segment.quantity else quantity_text(billed),
        "price": price,
        "vat": vat,
        "before_taxes": before_taxes,
        "tax": tax,
        "energy_before_kwh": None,
        "elapsed_s": None,
        "power_kw": None,
        "current_a": None,
    }
    if tariff and tariff.axes:
        line |= _standing(segment, tariff.axes)
    return line


def _name(segment: Segment) -> str:
    if segment.reserved:
        return "RESERVATION_TIME" if segment.dimension == Dimension.TIME else "RESERVATION_FLAT"
    return _NAMES[segment.dimension]


def _standing(segment: Segment, axes: frozenset[int]) -> Tree:
    """Where the session stood when the component was chosen, on the axes that the tariff asks for."""
    standing, (low_a, high_a, low_kw, high_kw) = segment.standing, segment.period.measures
    return {
        "energy_before_kwh": _figure(standing[ENERGY], KWH) if ENERGY in axes else None,
        "elapsed_s": _figure(standing[ELAPSED], SECOND) if ELAPSED in axes else None,
        "power_kw": None if axes.isdisjoint({MIN_POWER, MAX_POWER}) else [_figure(low_kw), _figure(high_kw)],
        "current_a": None if axes.isdisjoint({MIN_CURRENT, MAX_CURRENT}) else [_figure(low_a), _figure(high_a)],
    }


def _figure(value: Exact | None, per_one: int = _SCALE) -> Json:
    return None if value is None else exact_text(value, per_one)


def _start(at: int, zone: str | None) -> tuple[str, str]:
    """The start of a period in UTC and as the wall clock showed it."""
    ahead = offset_at(at, zone) if zone else 0
    return f"{_text(at)}Z", f"{_text(at + ahead)}{_offset_text(ahead)}"


_TWO_DIGITS: Final = tuple(f"{number:02}" for number in range(60))
_MINUTES: Final = tuple(f"T{hour:02}:{minute:02}:" for hour in range(24) for minute in range(60))
"""As in T23:59: by the minute of the day."""


def _text(at: int) -> str:
    """ISO 8601, with a fraction of a second only if there is one."""
    second, part = divmod(at, SECOND)
    minute, second = divmod(second, 60)
    day, minute = divmod(minute, len(_MINUTES))
    text = f"{_date_text(day)}{_MINUTES[minute]}{_TWO_DIGITS[second]}"
    return f"{text}.{part:06}".rstrip("0") if part else text


@lru_cache(maxsize=1024)
def _date_text(day: int) -> str:
    return moment_of(day * DAY).date().isoformat()


@lru_cache(maxsize=64)
def _offset_text(ahead: int) -> str:
    """As in +01:00."""
    return datetime(1970, 1, 1, tzinfo=timezone(timedelta(microseconds=ahead))).isoformat()[19:]


def _step(raised: Raised, segments: Sequence[Segment]) -> Tree:
    segment = raised.segment
    unit, per_one = ("Wh", WH) if segment.dimension == Dimension.ENERGY else ("s", SECOND)
    return {
        "dimension": _name(segment),
        "line": next(at for at, each in enumerate(segments) if each is segment),
        "step_size": raised.step // per_one,
        "unit": unit,
        "sum": exact_text(raised.total, per_one),
        "raised_to": exact_text(raised.total + raised.surplus, per_one),
        "surplus": exact_text(raised.surplus, per_one),
    }


def _limit(move: Move) -> Tree:
    return {
        "limit": move.limit,
        "figure": move.figure,
        "bound": None if move.bound is None else exact_text(move.bound),
        "from": exact_text(move.was),
        "to": exact_text(move.now),
    }


def _figures(priced: Priced) -> Iterator[Tree]:
    """Each published amount, from its exact value."""
    counted, name = priced.counted, priced.policy.tax_name
    write = writing(counted.denominator)
    for bucket, (part, sums) in enumerate(zip(_BUCKETS, counted.buckets, strict=True)):
        if sums:
            exact = exact_amounts(sums, known=bucket not in counted.untold)
            yield _published(part, getattr(priced, part), exact, write, name)
    if priced.within:
        yield _published("total", priced.total, priced.within[:2], writing(1), name)
    else:
        added = to_add_up(counted, priced.policy)
        exact = exact_amounts(joined(added.buckets), known=not added.untold)
        yield _published("total", priced.total, exact, writing(added.denominator), name)


def _published(
    part: str, money: Money, exact: tuple[Exact, Exact | None], write: Callable[[Exact], str], tax_name: str
) -> Tree:
    before, after = exact
    excl, incl, taxes = money
    known = None
    if after is not None and incl is not None:
        known = {"exact": write(after), "rounded": plain_text(incl)}
    return {
        "name": part,
        "before_taxes": {"exact": write(before), "rounded": plain_text(excl)},
        "after_taxes": known,
        "taxes": [_tax(taxes[0], tax_name)] if len(taxes) == 1 else [_tax(line, tax_name) for line in taxes],
    }


def _tax(line: TaxLine, name: str) -> Tree:
    rate, amount = line
    return {"name": name, "percentage": None if rate is None else _quoted(rate), "amount": plain_text(amount)}


def _warning(warned: Warned) -> Tree:
    return {"code": warned.code.value, "period": warned.period, "subject": warned.subject}
