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
from modules.tariffs.pricing.totals import Tally, joined, to_add_up

FORMAT: Final = 1
"""The form of the tree; it changes when a reader of the old one would misread the new one."""

_SCALE: Final = 10**9
_MINUTE: Final = 60 * SECOND
_UNITS: Final = ("kWh", "s", "s", "1")
_WRITTEN: Final = (writing(KWH), writing(SECOND), writing(SECOND), writing(1))
"""By dimension: how a quantity is written in its unit."""
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
        "lines": _lines(told.segments, priced.time_zone),
        "steps": [_step(raised, told.segments) for raised in told.raised],
        "limits": [_limit(move) for move in (priced.within.moves if priced.within else ())],
        "figures": list(_figures(priced, told.counted)),
        "warnings": [_warning(warned) for warned in priced.warnings],
    }


@lru_cache(maxsize=16)
def _switches(policy: Policy) -> Tree:
    return {field.name: getattr(policy, field.name) for field in fields(policy)}


def _lines(segments: Sequence[Segment], zone: str | None) -> list[Tree]:
    """The segments of a period stand together."""
    lines: list[Tree] = []
    period: Period | None = None
    for segment in segments:
        if segment.period is not period:
            period = segment.period
            start, local_time = _start(period.start, zone)
        line = _line(segment)
        line["period"], line["start"], line["local_time"] = period.index, start, local_time
        lines.append(line)
    return lines


def _line(segment: Segment) -> Tree:
    """The line of a segment, in which only its period is still blank."""
    part, tariff, quantity, billed = segment.component, segment.tariff, segment.quantity, segment.billed
    write = _WRITTEN[segment.dimension]
    text = write(quantity)
    if not part or not tariff:
        line = _blank(segment)
    else:
        blank = tariff.blanks.get((part.element, part.place))
        if blank is None:
            blank = tariff.blanks[part.element, part.place] = _blank(segment)
        line = blank.copy()
        write_money = writing(tariff.denominator)
        line["before_taxes"] = write_money(billed * part.net)
        if part.tax:
            line["tax"] = write_money(billed * part.tax)
    line["quantity"] = text
    line["billed"] = text if billed == quantity else write(billed)
    if tariff and tariff.axes:
        line |= _standing(segment, tariff.axes)
    return line


def _blank(segment: Segment) -> Tree:
    """The fields of a line in their order, with what its component says."""
    part, tariff = segment.component, segment.tariff
    return {
        "period": None,
        "start": None,
        "local_time": None,
        "dimension": _name(segment),
        "tariff_id": tariff.id if tariff else None,
        "element": part.element if part else None,
        "component": part.place if part else None,
        "unit": _UNITS[segment.dimension],
        "quantity": None,
        "billed": None,
        "price": decimal_text(part.price) if part else None,
        "vat": decimal_text(part.rate) if part and part.rate is not None else None,
        "before_taxes": "0",
        "tax": "0",
        "energy_before_kwh": None,
        "elapsed_s": None,
        "power_kw": None,
        "current_a": None,
    }


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


_MINUTES: Final = tuple(f"T{hour:02}:{minute:02}:" for hour in range(24) for minute in range(60))
"""As in T23:59: by the minute of the day."""
_SECONDS: Final = {number * SECOND: f"{number:02}" for number in range(60)}


def _text(at: int) -> str:
    """ISO 8601, with a fraction of a second only if there is one."""
    day, of_day = divmod(at, DAY)
    minute, of_minute = divmod(of_day, _MINUTE)
    seconds = _SECONDS.get(of_minute) or f"{of_minute // SECOND:02}.{of_minute % SECOND:06}".rstrip("0")
    return f"{_date_text(day)}{_MINUTES[minute]}{seconds}"


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


def _figures(priced: Priced, counted: Tally) -> Iterator[Tree]:
    """Each published amount, from its exact value."""
    name = priced.policy.tax_name
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
    known = None
    if after is not None and money.incl is not None:
        known = {"exact": write(after), "rounded": plain_text(money.incl)}
    return {
        "name": part,
        "before_taxes": {"exact": write(before), "rounded": plain_text(money.excl)},
        "after_taxes": known,
        "taxes": [_tax(line, tax_name) for line in money.taxes],
    }


def _tax(line: TaxLine, name: str) -> Tree:
    rate = None if line.rate is None else _quoted(line.rate)
    return {"name": name, "percentage": rate, "amount": plain_text(line.amount)}


def _warning(warned: Warned) -> Tree:
    return {"code": warned.code.value, "period": warned.period, "subject": warned.subject}
