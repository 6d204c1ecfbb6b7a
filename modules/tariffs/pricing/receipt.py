"""The receipt of a price: what it is made of, line by line, in exact numbers. This is what settles a dispute.

A tree of plain JSON, so that it can be stored, sent and read by anybody who has the text of OCPI at hand. All
numbers in it are text: a decimal with all its digits, or a fraction where these never end. The same case and
policy give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

from hub.core.jsontypes import Json, Tree
from modules.tariffs.pricing.compile import Dimension
from modules.tariffs.pricing.limits import Move
from modules.tariffs.pricing.money import Money, exact_amounts
from modules.tariffs.pricing.notes import Warned
from modules.tariffs.pricing.numbers import DAY, KWH, SECOND, WH, Exact, decimal_text, exact_text, plain_text
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
_UNITS: Final = (("kWh", KWH), ("s", SECOND), ("s", SECOND), ("1", 1))
"""By dimension."""
_NAMES: Final = tuple(Dimension.__members__)
_BUCKETS: Final = ("energy", "time", "parking", "fixed", "reservation")

_quoted: Final = lru_cache(maxsize=2048)(decimal_text)
"""A price or a rate, which come again and again."""


def receipt_of(priced: Priced, *, currency: str | None, place: Mapping[str, str] | None = None) -> Tree:
    """The receipt of a price, in format 1; `currency` is that of the tariffs, or of the CDR if it states one.

    place: the `location` and the `evse` in words, as far as they are known.
    """
    starts: dict[int, tuple[str, str]] = {}
    return {
        "format": FORMAT,
        "currency": currency,
        **({"place": dict(place)} if place else {}),
        "time_zone": priced.time_zone,
        "policy": {**_switches(priced.policy)},
        "lines": [_line(segment, priced.time_zone, starts) for segment in priced.segments],
        "steps": [_step(raised, priced.segments) for raised in priced.raised],
        "limits": [_limit(move) for move in (priced.within.moves if priced.within else ())],
        "figures": list(_figures(priced)),
        "warnings": [_warning(warned) for warned in priced.warnings],
    }


@lru_cache(maxsize=16)
def _switches(policy: Policy) -> Tree:
    return {field.name: getattr(policy, field.name) for field in fields(policy)}


def _line(segment: Segment, zone: str | None, starts: dict[int, tuple[str, str]]) -> Tree:
    part, tariff, period = segment.component, segment.tariff, segment.period
    unit, per_one = _UNITS[segment.dimension]
    if period.index not in starts:
        starts[period.index] = _start(period, zone)
    start, local_time = starts[period.index]
    denominator = tariff.denominator if tariff else 1
    quantity = exact_text(segment.quantity, per_one)
    return {
        "period": period.index,
        "start": start,
        "local_time": local_time,
        "dimension": _name(segment),
        "tariff_id": tariff.id if tariff else None,
        "element": part.element if part else None,
        "component": part.place if part else None,
        "unit": unit,
        "quantity": quantity,
        "billed": quantity if segment.billed == segment.quantity else exact_text(segment.billed, per_one),
        "price": _quoted(part.price) if part else None,
        "vat": _quoted(part.rate) if part and part.rate is not None else None,
        "before_taxes": exact_text(segment.billed * part.net, denominator) if part else "0",
        "tax": exact_text(segment.billed * part.tax, denominator) if part and part.tax else "0",
        **_standing(segment),
    }


def _name(segment: Segment) -> str:
    if segment.reserved:
        return "RESERVATION_TIME" if segment.dimension == Dimension.TIME else "RESERVATION_FLAT"
    return _NAMES[segment.dimension]


_NO_MATTER: Final = dict.fromkeys(("energy_before_kwh", "elapsed_s", "power_kw", "current_a"))


def _standing(segment: Segment) -> Tree:
    """Where the session stood when the component was chosen, on the axes that the tariff asks for."""
    axes = segment.tariff.axes if segment.tariff else frozenset()
    if not axes:
        return _NO_MATTER
    standing, (low_a, high_a, low_kw, high_kw) = segment.standing, segment.period.measures
    return {
        "energy_before_kwh": _figure(standing[ENERGY], KWH) if ENERGY in axes else None,
        "elapsed_s": _figure(standing[ELAPSED], SECOND) if ELAPSED in axes else None,
        "power_kw": None if axes.isdisjoint({MIN_POWER, MAX_POWER}) else [_figure(low_kw), _figure(high_kw)],
        "current_a": None if axes.isdisjoint({MIN_CURRENT, MAX_CURRENT}) else [_figure(low_a), _figure(high_a)],
    }


def _figure(value: Exact | None, per_one: int = _SCALE) -> Json:
    return None if value is None else exact_text(value, per_one)


def _start(period: Period, zone: str | None) -> tuple[str, str]:
    """The start of a period in UTC and as the wall clock showed it."""
    ahead = offset_at(period.start, zone) if zone else 0
    return f"{_text(period.start)}Z", f"{_text(period.start + ahead)}{_offset_text(ahead)}"


_TWO_DIGITS: Final = tuple(f"{number:02}" for number in range(60))
_MINUTES: Final = tuple(f"T{hour:02}:{minute:02}:" for hour in range(24) for minute in range(60))
"""As in T23:59: by the minute of the day."""


def _text(at: int) -> str:
    """ISO 8601, with a fraction of a second only if there is one."""
    day, of_day = divmod(at, DAY)
    minute, rest = divmod(of_day, 60 * SECOND)
    second, part = divmod(rest, SECOND)
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
    for bucket, (part, sums) in enumerate(zip(_BUCKETS, counted.buckets, strict=True)):
        if sums:
            exact = exact_amounts(sums, known=bucket not in counted.untold)
            yield _published(part, getattr(priced, part), *exact, counted.denominator, name)
    if priced.within:
        yield _published("total", priced.total, priced.within.before, priced.within.after, 1, name)
    else:
        added = to_add_up(counted, priced.policy)
        exact = exact_amounts(joined(added.buckets), known=not added.untold)
        yield _published("total", priced.total, *exact, added.denominator, name)


def _published(part: str, money: Money, before: Exact, after: Exact | None, per_one: int, tax_name: str) -> Tree:
    known = None
    if after is not None and money.incl is not None:
        known = {"exact": exact_text(after, per_one), "rounded": plain_text(money.incl)}
    return {
        "name": part,
        "before_taxes": {"exact": exact_text(before, per_one), "rounded": plain_text(money.excl)},
        "after_taxes": known,
        "taxes": [
            {
                "name": tax_name,
                "percentage": None if line.rate is None else _quoted(line.rate),
                "amount": plain_text(line.amount),
            }
            for line in money.taxes
        ],
    }


def _warning(warned: Warned) -> Tree:
    return {"code": warned.code.value, "period": warned.period, "subject": warned.subject}
