"""Whose turn it is in a look: what moved, what is due, and the rest once a minute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec import structs

from partners.ocpp.journal import Record
from partners.ocpp.live import Live
from partners.ocpp.register import Learned, parsed
from partners.ocpp.status import Heard
from partners.ocpp.watch.alerts import Alert, Watched
from partners.ocpp.watch.rules import Going, Severity, Sight, Thresholds
from partners.ocpp.watch.turns import AT_LEAST_EVERY_S, Turns, due_s
from tests.partners.ocpp.site import OURS, station
from tests.world import ManualClock

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
LIMITS = Thresholds()


class Yard:
    """One station, what goes on at it, and whose turn it is."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.charges: dict[int, Record] = {}
        self.live = a_station("CP1")
        self.turns = Turns(self.clock, lambda identity: self.charges)

    def look(self, live: Live | None = None, *, due_s: float = AT_LEAST_EVERY_S) -> bool:
        """Returns: was it its turn?"""
        live = live or self.live
        moves = self.turns.of(live)
        if moves is not None:
            self.turns.take(live, moves, due_s=due_s)
        return moves is not None

    def passes(self, seconds: float) -> None:
        self.clock.move_to(self.clock.monotonic() + seconds)

    def is_known_well(self) -> None:
        """It had its first turns, which are spread."""
        self.look()
        self.passes(AT_LEAST_EVERY_S)
        assert self.look()


def a_station(identity: str) -> Live:
    tree = {name: value for name, value in station(f"{identity}E").items() if name != "password"}
    return Live(parsed(identity, tree, party=str(OURS), profile=0), Learned(identity), frames_kept=0, offline_since=0.0)


def hears(yard: Yard) -> None:
    yard.live.connectors[1] = Heard("Faulted", NOW)


def connects(yard: Yard) -> None:
    yard.live.connected(yard.clock.monotonic())


def rejects(yard: Yard) -> None:
    yard.live.rejects(yard.clock.monotonic())


def starts(yard: Yard) -> None:
    yard.live.answered_start(yard.clock.monotonic(), refused=True)


def is_late(yard: Yard) -> None:
    yard.live.delays = (timedelta(seconds=90),)


def begins(yard: Yard) -> None:
    yard.charges[1] = Record("CP1/a", "CP1", "open", start=NOW)


def goes_elsewhere(yard: Yard) -> None:
    yard.live.station = structs.replace(yard.live.station, location="DE*BSB/LOC2")


@pytest.mark.parametrize("move", [hears, connects, rejects, starts, is_late, begins, goes_elsewhere])
def test_what_moves_a_station_gives_it_a_turn_at_once_and_once(move: Callable[[Yard], None]) -> None:
    yard = Yard()
    yard.is_known_well()
    assert not yard.look()
    move(yard)
    assert [yard.look(), yard.look()] == [True, False]


def test_a_meter_that_moves_is_seen_though_its_charge_is_the_same() -> None:
    yard = Yard()
    begins(yard)
    yard.is_known_well()
    yard.charges[1].energy_kwh = Decimal("0.4")
    assert [yard.look(), yard.look()] == [True, False]


def test_a_station_that_stands_still_has_its_turn_when_it_is_due_or_once_a_minute() -> None:
    yard = Yard()
    yard.is_known_well()
    for seconds, is_its_turn in ((59, False), (1, True), (59, False), (1, True)):
        yard.passes(seconds)
        assert yard.look(due_s=3600.0) is is_its_turn
    yard.turns.forget("CP1")
    yard.look(due_s=7)
    yard.turns.forget("CP1")
    yard.passes(7)
    assert yard.look()


def test_stations_that_are_seen_first_together_have_their_minutes_apart() -> None:
    yard = Yard()
    many = [a_station(f"CP{number}") for number in range(120)]
    assert all(yard.look(live) for live in many)
    each = []
    for _ in range(12):
        yard.passes(5)
        each.append(sum([yard.look(live) for live in many]))
    assert sum(each) == 120
    assert max(each) <= 12


def test_what_is_gone_is_forgotten() -> None:
    yard = Yard()
    yard.is_known_well()
    yard.turns.keep({"CP2"})
    assert yard.look()


def watched(*, rule: str = "faulted", is_open: bool = False, clearing: bool = False) -> Watched:
    alert = Alert("a", rule, "CP1/E1", Severity.HIGH, NOW, "seen") if is_open else None
    return Watched(rule, "CP1/E1", NOW, alert, clearing)


@pytest.mark.parametrize(
    ("one", "seconds"),
    [
        (watched(), LIMITS.faulted_s),
        (watched(rule="offline"), LIMITS.offline_s),
        (watched(is_open=True, clearing=True), LIMITS.clear_s),
        (watched(is_open=True), AT_LEAST_EVERY_S),
    ],
)
def test_a_rule_that_is_suspected_or_over_is_due_when_its_time_is(one: Watched, seconds: float) -> None:
    assert due_s(Sight("CP1", online=True), [one], LIMITS, NOW) == seconds


def test_a_charge_is_due_when_it_has_stood_still_for_long_enough_or_lasted() -> None:
    charge = Going("S1", "E1", NOW - timedelta(hours=47), NOW - timedelta(seconds=1790), is_asked_for=True)
    sight = Sight("CP1", online=True, charges=(charge,))
    assert due_s(sight, [], LIMITS, NOW) == 10
    still = replace(sight, charges=(replace(charge, progress_at=NOW - timedelta(seconds=1800)),))
    assert due_s(still, [], LIMITS, NOW) == 3600
