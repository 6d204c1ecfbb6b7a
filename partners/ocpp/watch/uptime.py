"""How long an EVSE was up: the formula that regulators use.

    uptime = (T - (outage - excluded)) / T x 100

T is the span in minutes, `outage` the minutes within it in which the EVSE could not be used, `excluded` those of them
that do not count: planned maintenance, vandalism, a power cut of the grid, as the operator says (23 CFR 680.116(b) in
the United States asks for 97 % over twelve months; the European AFIR and the British regulations (99 % over a network
and year) count alike). Minutes in which several things were wrong count once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

_MINUTE = timedelta(minutes=1)
_PERCENT = Decimal("0.001")


class Span(NamedTuple):
    """From `start` to before `end`; None: it goes on."""

    start: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Uptime:
    """Minutes of the span, of outage, and of outage that is excluded; `percent` to three decimals."""

    minutes: Decimal
    outage: Decimal
    excluded: Decimal
    percent: Decimal


def uptime(outages: Iterable[Span], exclusions: Iterable[Span], since: datetime, until: datetime) -> Uptime:
    """Of one EVSE. Raises: ValueError, when the span is empty."""
    if since >= until:
        raise ValueError("the span is empty")
    down = merged(outages, since, until)
    excluded = [both for span in down for both in merged(exclusions, *_closed(span))]
    total, lost, forgiven = _minutes([Span(since, until)]), _minutes(down), _minutes(excluded)
    share = (total - (lost - forgiven)) / total * 100
    return Uptime(total, lost, forgiven, share.quantize(_PERCENT, ROUND_HALF_EVEN))


def merged(spans: Iterable[Span], since: datetime, until: datetime) -> list[Span]:
    """What of `spans` lies between, in order, without overlaps."""
    cut = [Span(max(span.start, since), min(span.end or until, until)) for span in spans]
    found: list[Span] = []
    for start, end in sorted(_closed(span) for span in cut):
        if start >= end:
            continue
        last = _closed(found[-1]) if found else None
        if last is not None and start <= last[1]:
            found[-1] = Span(last[0], max(last[1], end))
        else:
            found.append(Span(start, end))
    return found


def together(each: Sequence[Uptime]) -> Decimal:
    """The percentage of several EVSEs: all their minutes together. Raises: ValueError, when there is none."""
    total = sum((one.minutes for one in each), Decimal(0))
    if not total:
        raise ValueError("there is no EVSE")
    lost = sum((one.outage - one.excluded for one in each), Decimal(0))
    return ((total - lost) / total * 100).quantize(_PERCENT, ROUND_HALF_EVEN)


def _closed(span: Span) -> tuple[datetime, datetime]:
    if span.end is None:
        raise ValueError("the span goes on")
    return span.start, span.end


def _minutes(spans: Iterable[Span]) -> Decimal:
    whole = sum((end - start for start, end in map(_closed, spans)), timedelta(0))
    return Decimal(whole // timedelta(microseconds=1)) / (_MINUTE // timedelta(microseconds=1))
