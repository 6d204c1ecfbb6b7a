"""Tariffs with every kind of restriction, and sessions that meet them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from modules.tariffs.pricing import Case

BOUNDED = settings(
    max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)
START = datetime(2024, 3, 29, 6, tzinfo=UTC)
"""A Friday."""
DAYS = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
DIMENSIONS = ["ENERGY", "TIME", "PARKING_TIME", "FLAT"]

clocks = st.sampled_from(["00:00", "06:00", "08:00", "18:00", "22:00"])
dates = st.sampled_from(["2024-03-28", "2024-03-29", "2024-03-30", "2024-03-31", "2024-04-02"])
restrictions = st.fixed_dictionaries(
    {},
    optional={
        "start_time": clocks,
        "end_time": clocks,
        "start_date": dates,
        "end_date": dates,
        "day_of_week": st.one_of(
            st.lists(st.sampled_from(DAYS), max_size=3, unique=True), st.sampled_from([DAYS[:5], DAYS[5:]])
        ),
        "min_kwh": st.sampled_from([Decimal(0), Decimal("2.50004"), Decimal(10)]),
        "max_kwh": st.sampled_from([Decimal("2.5"), Decimal(10), Decimal(20)]),
        "min_duration": st.sampled_from([0, 1800, 7200]),
        "max_duration": st.sampled_from([1800, 7200, 20000]),
        "min_power": st.sampled_from([Decimal(11), Decimal(50)]),
        "max_power": st.sampled_from([Decimal(11), Decimal("50.000000000000007")]),
        "max_current": st.sampled_from([Decimal(16), Decimal(32)]),
        "reservation": st.sampled_from([None, None, None, "RESERVATION", "RESERVATION_EXPIRES"]),
    },
)
few = restrictions.flatmap(
    lambda all_of_them: st.lists(st.sampled_from(sorted(all_of_them) or [""]), max_size=2, unique=True).map(
        lambda kept: {name: all_of_them[name] for name in kept if all_of_them.get(name) is not None}
    )
)
components = st.builds(
    lambda kind, price: {"type": kind, "price": price, "step_size": 1}, st.sampled_from(DIMENSIONS), st.integers(1, 9)
)
elements = st.builds(
    lambda priced, bound: {"price_components": priced, **({"restrictions": bound} if bound else {})},
    st.lists(components, min_size=1, max_size=2),
    st.one_of(few, restrictions),
)
tariffs = st.builds(
    lambda listed: {"id": "T", "currency": "EUR", "tax_included": "NO", "elements": listed},
    st.lists(elements, min_size=1, max_size=6),
)
"""Trees in our form, as the wire reads them."""


@st.composite
def sessions(draw: st.DrawFn, tariff: dict[str, Any]) -> Case:
    """A session of up to a few days in which every period states everything, or no power and no current."""
    at, periods = START, []
    if draw(st.booleans()):
        periods.append(period(at, RESERVATION_TIME="0.5"))
        at += timedelta(minutes=30)
    for _ in range(draw(st.integers(1, 5))):
        hours = draw(st.sampled_from(["0.25", "1", "5", "26"]))
        kind = draw(st.sampled_from(["TIME", "PARKING_TIME"]))
        measured = draw(st.sampled_from([{}, {"MAX_POWER": "7", "MAX_CURRENT": "10"}, {"MIN_POWER": "11"}]))
        straddling = draw(st.sampled_from([{}, {"MIN_CURRENT": "6", "MAX_CURRENT": "40"}]))
        energy = draw(st.sampled_from(["0.5", "2.5", "7.5"]))
        periods.append(period(at, **{"ENERGY": energy, kind: hours, **measured, **straddling}))
        at += timedelta(hours=float(hours))
    expired = draw(st.booleans())
    return Case("2.2.1", "UTC", [tariff], START, at, periods, reservation_expired=expired)


def period(at: datetime, **volumes: str) -> dict[str, Any]:
    """A ChargingPeriod tree."""
    dimensions = [{"type": kind, "volume": Decimal(volume)} for kind, volume in volumes.items()]
    return {"start_date_time": at.isoformat(), "dimensions": dimensions}
