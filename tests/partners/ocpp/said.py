"""What a charger says, in one line each: the events of the ledger's tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from partners.ocpp.events import Event, Part, TransactionId
from partners.ocpp.readings import Reading

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
DEAD = datetime(1970, 1, 1, 0, 5, tzinfo=UTC)
"""The clock of a charger that nobody told the time, five minutes after it woke."""

AHEAD = datetime(2030, 1, 1, tzinfo=UTC)
"""The clock of one that was told a wrong time."""


def at(minutes: float, zero: datetime = NOON) -> datetime:
    return zero + timedelta(minutes=minutes)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def start(
    minutes: float = 0,
    *,
    station: str = "CP1",
    connector: int = 1,
    tag: str = "TAG1",
    meter: int | None = 1000,
    assigned: TransactionId | None = None,
    arrival: datetime | None = None,
    clock: datetime = NOON,
) -> Event:
    return Event(
        station=station,
        kind="start",
        arrival=arrival or at(minutes),
        connector=connector,
        id_tag=tag,
        timestamp=stamp(at(minutes, clock)),
        meter_wh=None if meter is None else Decimal(meter),
        assigned=assigned,
    )


def stop(
    minutes: float = 60,
    *,
    station: str = "CP1",
    transaction: TransactionId | None = 0,
    tag: str | None = "TAG1",
    meter: int | None = 8000,
    arrival: datetime | None = None,
    clock: datetime = NOON,
    readings: tuple[Reading, ...] = (),
) -> Event:
    return Event(
        station=station,
        kind="stop",
        arrival=arrival or at(minutes),
        id_tag=tag,
        timestamp=stamp(at(minutes, clock)),
        meter_wh=None if meter is None else Decimal(meter),
        transaction=transaction,
        reason="Local",
        readings=readings,
    )


def sample(
    minutes: float,
    kwh: str | None,
    *,
    station: str = "CP1",
    connector: int = 1,
    transaction: TransactionId | None = None,
    power: str | None = None,
    step: str | None = None,
    arrival: datetime | None = None,
    clock: datetime = NOON,
) -> Event:
    reading = Reading(
        at(minutes, clock),
        energy_kwh=None if kwh is None else Decimal(kwh),
        step_kwh=None if step is None else Decimal(step),
        power_kw=None if power is None else Decimal(power),
    )
    return Event(
        station=station,
        kind="meter",
        arrival=arrival or at(minutes),
        connector=connector,
        transaction=transaction,
        readings=(reading,),
    )


def part(
    minutes: float = 0,
    kind: Literal["Started", "Updated", "Ended"] = "Started",
    *,
    station: str = "CP1",
    transaction: str = "T1",
    connector: int | None = None,
    tag: str | None = None,
    kwh: Sequence[str] = (),
    arrival: datetime | None = None,
    clock: datetime = NOON,
    **more: Any,
) -> Event:
    """A TransactionEvent; `kwh` are registers, a minute apart, the last at its time. `more` is of its `Part`."""
    moments = [at(minutes - len(kwh) + place, clock) for place in range(1, len(kwh) + 1)]
    return Event(
        station=station,
        kind="part",
        arrival=arrival or at(minutes),
        connector=connector,
        id_tag=tag,
        timestamp=stamp(at(minutes, clock)),
        transaction=transaction,
        readings=tuple(Reading(moment, energy_kwh=Decimal(value)) for moment, value in zip(moments, kwh, strict=True)),
        part=Part(kind, **more),
    )


def available(minutes: float, *, station: str = "CP1", connector: int = 1) -> Event:
    return Event(
        station=station,
        kind="status",
        arrival=at(minutes),
        connector=connector,
        timestamp=stamp(at(minutes)),
        status="Available",
    )


def boot(minutes: float, *, station: str = "CP1") -> Event:
    return Event(station=station, kind="boot", arrival=at(minutes))
