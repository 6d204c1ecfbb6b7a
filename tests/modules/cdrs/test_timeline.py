"""Timelines become charging periods, and a reservation is cut where its price changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from modules.cdrs.build.facts import Sample, State
from modules.cdrs.build.timeline import Timeline, cut, doubts_of
from modules.tariffs.pricing import Code, UnfitSession, compile_tariff
from tests.modules.tariffs.pricing.cases import component, element, tariff

KWH = component("ENERGY", "0.25", 1)
HOUR = component("TIME", "2", 1)
PARKED = component("PARKING_TIME", "3", 1)


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2024-01-15T{clock}:00").replace(tzinfo=UTC)


def timeline(*states: tuple[str, str], end: str, meter: Sequence[tuple[str, int]] = ()) -> Timeline:
    return Timeline(
        start=at(states[0][0]),
        end=at(end),
        states=[State(at(clock), state) for clock, state in states],
        register=[Sample(at(clock), Decimal(kwh)) for clock, kwh in meter],
    )


def periods(
    tree: dict[str, Any], *states: tuple[str, str], end: str, meter: Sequence[tuple[str, int]] = ()
) -> list[tuple[str, dict[str, Decimal]]]:
    """When each period begins (UTC), and what it states."""
    pieces = cut(timeline(*states, end=end, meter=meter), [compile_tariff(tree)], "Europe/Berlin")
    return [
        (period["start_date_time"][11:16], {each["type"]: each["volume"] for each in period["dimensions"]})
        for period in pieces.periods
    ]


def test_charging_and_pauses_of_ours_are_time_and_what_the_car_does_is_parking() -> None:
    states = (("09:00", "CHARGING"), ("09:30", "SUSPENDED_EVSE"), ("10:00", "SUSPENDED_EV"), ("10:30", "FINISHED"))
    assert periods(tariff(element(HOUR, PARKED)), *states, end="11:00") == [
        ("09:00", {"TIME": Decimal("1.0000")}),
        ("10:00", {"PARKING_TIME": Decimal("1.0000")}),
    ]


def test_a_threshold_is_cut_where_the_register_passes_it() -> None:
    steps = tariff(element(KWH, max_kwh=10), element(HOUR, component("ENERGY", "0.5", 1)))
    found = periods(steps, ("09:00", "CHARGING"), end="10:00", meter=(("09:00", 100), ("10:00", 120)))
    assert [(start, volumes["ENERGY"]) for start, volumes in found] == [
        ("09:00", Decimal(10)),
        ("09:30", Decimal(10)),
    ]


def test_a_reservation_is_cut_where_its_price_changes_and_only_there() -> None:
    tree = tariff(
        element(HOUR, reservation="RESERVATION", max_duration=600),
        element(component("TIME", "4", 1), reservation="RESERVATION"),
        element(KWH, start_time="10:05"),
    )
    assert periods(tree, ("09:00", "RESERVED"), ("09:30", "CHARGING"), end="10:00") == [
        ("09:00", {"RESERVATION_TIME": Decimal("0.1667")}),
        ("09:10", {"RESERVATION_TIME": Decimal("0.3333")}),
        ("09:30", {"TIME": Decimal("0.5000")}),
    ]


def test_a_reservation_of_which_nothing_came_has_no_session() -> None:
    tree = tariff(element(HOUR, reservation="RESERVATION"), element(KWH))
    assert periods(tree, ("09:00", "RESERVED"), end="10:00") == [("09:00", {"RESERVATION_TIME": Decimal("1.0000")})]


RESERVED_FIRST = (("10:00", "RESERVED"), ("10:30", "CHARGING"))


@pytest.mark.parametrize(
    ("meter", "kwh", "warned"),
    [
        ((("10:00", 0), ("11:00", 10)), 5, [Code.METER_READ_OUTSIDE]),
        ((("10:00", 0), ("10:20", 5), ("10:40", 7), ("11:00", 9)), 3, [Code.METER_READ_OUTSIDE]),
        ((("09:00", 0), ("10:30", 5), ("11:00", 10)), 5, [Code.METER_READ_OUTSIDE]),
        ((("10:29", 5), ("11:00", 10)), 5, []),
        ((("10:30", 5), ("12:00", 14)), 3, [Code.METER_READ_OUTSIDE]),
        ((("10:00", 0), ("10:30", 5)), 0, [Code.METER_READ_OUTSIDE, Code.SINGLE_METER_READING]),
    ],
)
def test_what_the_meter_gained_while_reserved_is_not_billed(
    meter: Sequence[tuple[str, int]], kwh: int, warned: list[Code]
) -> None:
    for order in (meter, meter[::-1]):
        reserved, *charged = periods(tariff(element(KWH, HOUR)), *RESERVED_FIRST, end="11:00", meter=order)
        assert reserved == ("10:00", {"RESERVATION_TIME": Decimal("0.5000")})
        assert charged == [("10:30", {"ENERGY": kwh, "TIME": Decimal("0.5000")})]
        assert [each.code for each in doubts_of(timeline(*RESERVED_FIRST, end="11:00", meter=order))] == warned


def test_a_threshold_in_kwh_counts_from_where_the_charge_began() -> None:
    steps = tariff(element(KWH, max_kwh=2), element(component("ENERGY", "0.5", 1)))
    _, *charged = periods(steps, *RESERVED_FIRST, end="11:00", meter=(("10:00", 0), ("11:00", 10)))
    assert [(start, volumes["ENERGY"]) for start, volumes in charged] == [("10:30", Decimal(2)), ("10:42", Decimal(3))]


def test_a_meter_that_was_read_only_while_reserved_says_nothing_of_the_charge() -> None:
    with pytest.raises(UnfitSession, match="before the charge began"):
        periods(tariff(element(KWH)), *RESERVED_FIRST, end="11:00", meter=(("10:00", 0), ("10:20", 5)))


def test_a_meter_does_not_matter_to_a_reservation_of_which_nothing_came() -> None:
    tree = tariff(element(HOUR, reservation="RESERVATION"), element(KWH))
    found = periods(tree, ("09:00", "RESERVED"), end="10:00", meter=(("09:00", 0), ("10:00", 10)))
    assert found == [("09:00", {"RESERVATION_TIME": Decimal("1.0000")})]


def test_a_timeline_that_cannot_be_is_refused() -> None:
    for states, end in (
        ((("09:00", "CHARGING"), ("09:10", "RESERVED")), "10:00"),
        ((("09:00", "DREAMING"),), "10:00"),
        ((("09:00", "CHARGING"),), "08:00"),
    ):
        with pytest.raises(UnfitSession):
            periods(tariff(element(KWH)), *states, end=end)
