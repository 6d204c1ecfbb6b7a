"""What a price is made of, line by line: this is what settles a dispute."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Final

from modules.tariffs.pricing.compile import Dimension
from modules.tariffs.pricing.numbers import HOUR, KWH, SECOND, Exact, rounded
from modules.tariffs.pricing.restrictions import ELAPSED, ENERGY
from modules.tariffs.pricing.steps import Segment
from modules.tariffs.pricing.times import moment_of, offset_at

_PLACES: Final = 6
_PER_ONE: Final = {
    Dimension.ENERGY: KWH,
    Dimension.TIME: HOUR,
    Dimension.PARKING_TIME: HOUR,
    Dimension.FLAT: 1,
}


@dataclass(frozen=True, slots=True)
class Line:
    """One quantity of one period, and what it cost.

    quantity, billed: as measured, and after step_size; in kWh or hours, or 1 for a FLAT.
    element, component: the indices of what priced it; None, as is `price`, where nothing does.
    price, rate: as quoted, and the tax in percent. before_taxes, tax: the amounts, with six places.
    local_time, energy_before_kwh, elapsed_s: where the session stood when the component was chosen; the last
        two are None where the tariff never asks.
    """

    period: int
    dimension: str
    tariff_id: str | None
    element: int | None
    component: int | None
    quantity: Decimal
    billed: Decimal
    price: Decimal | None
    rate: Decimal | None
    before_taxes: Decimal
    tax: Decimal
    local_time: datetime
    energy_before_kwh: Decimal | None
    elapsed_s: Decimal | None


def lines_of(segments: Iterable[Segment], zone: str | None) -> tuple[Line, ...]:
    """The receipt of the segments, in their order, with times in `zone` (UTC if that is not known)."""
    return tuple(_line(segment, zone) for segment in segments)


def _line(segment: Segment, zone: str | None) -> Line:
    part, per_one = segment.component, _PER_ONE[segment.dimension]
    denominator = segment.tariff.denominator if segment.tariff else 1
    net, tax = (part.net, part.tax) if part else (0, 0)
    return Line(
        period=segment.period,
        dimension=_name(segment),
        tariff_id=segment.tariff.id if segment.tariff else None,
        element=part.element if part else None,
        component=part.place if part else None,
        quantity=rounded(segment.quantity, per_one, _PLACES),
        billed=rounded(segment.billed, per_one, _PLACES),
        price=part.price if part else None,
        rate=part.rate if part else None,
        before_taxes=rounded(segment.billed * net, denominator, _PLACES),
        tax=rounded(segment.billed * tax, denominator, _PLACES),
        local_time=_local(segment.at, zone),
        energy_before_kwh=_figure(segment.standing[ENERGY], KWH),
        elapsed_s=_figure(segment.standing[ELAPSED], SECOND),
    )


def _name(segment: Segment) -> str:
    if segment.reserved:
        return "RESERVATION_TIME" if segment.dimension == Dimension.TIME else "RESERVATION_FLAT"
    return segment.dimension.name


def _figure(value: Exact | None, per_one: int) -> Decimal | None:
    return None if value is None else rounded(value, per_one, _PLACES)


def _local(at: int, zone: str | None) -> datetime:
    ahead = timedelta(microseconds=offset_at(at, zone) if zone else 0)
    return moment_of(at).astimezone(timezone(ahead))
