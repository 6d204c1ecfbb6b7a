"""A dealt day, played: chargers that hold themselves to what they last accepted, and a hub that asks for shares.

At each moment cars come and go, the hub asks, and sends. Raises act when they are sent, lowerings only when all have
been sent: between the two a referee looks whether anybody rose too early. A charger that did not answer, or has been
away for a while, is known to be away, and the hub asks again. Then limits must be kept, now and until just before the
next moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from partners.ocpp.energy.allocation import allocate
from partners.ocpp.energy.facts import Charge, Drawn, Facts, Told, Turn
from partners.ocpp.energy.reckoning import unanswered
from partners.ocpp.energy.shares import Allocation, Share
from tests.partners.ocpp.energy.referee import Flow, Over, Referee
from tests.partners.ocpp.energy.site_days import EVERY, Car, SiteDay

_MOMENT = timedelta(seconds=1)
NOTICED = timedelta(minutes=2)
"""How long a charger is away before the hub knows it by itself."""


@dataclass(slots=True)
class Played:
    """The state of a day that is being played."""

    day: SiteDay
    referee: Referee
    accepted: dict[str, Told] = field(default_factory=dict)
    """By charge: what its charger really holds it to; the next charge there begins at the safe current."""
    believed: dict[str, Told] = field(default_factory=dict)
    """By charge: what the hub must think of that."""
    turns: dict[str, Turn] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    """EVSEs that the hub knows to be away."""
    known: dict[str, Car] = field(default_factory=dict)
    """By EVSE: the car that the hub knows of, which may be gone while the charger is away."""
    cars: dict[str, list[Car]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for car in self.day.cars:
            self.cars.setdefault(car.charge.evse, []).append(car)

    def run(self) -> Iterator[tuple[Facts, Allocation]]:
        """Play it. Raises: AssertionError, where a limit is not kept."""
        ends = [*self.day.moments[1:], self.day.moments[-1] + timedelta(minutes=EVERY)]
        for moment, end in zip(self.day.moments, ends, strict=True):
            self._look_around(moment)
            unanswered = True
            while unanswered:
                facts = self._facts(moment)
                allocation = allocate(self.day.site, facts, self.day.rules, moment)
                yield facts, allocation
                unanswered = self._tell(facts, allocation, moment)
            self._judge(facts, allocation, moment)
            self._judge(facts, allocation, end - _MOMENT)

    def _is_away(self, evse: str, moment: datetime) -> bool:
        begin, end = self.day.away.get(evse, (moment, moment))
        return begin <= moment < end

    def _car(self, evse: str, moment: datetime) -> Car | None:
        return next((car for car in self.cars.get(evse, ()) if car.here(moment)), None)

    def _look_around(self, moment: datetime) -> None:
        for evse in self.day.site.evse:
            if self._is_away(evse, moment):
                if self._is_away(evse, moment - NOTICED):
                    self.missing.add(evse)
                continue
            self.missing.discard(evse)
            car = self._car(evse, moment)
            self.known.pop(evse, None)
            if car is not None:
                self.known[evse] = car

    def _facts(self, moment: datetime) -> Facts:
        charges = tuple(self._charge(car, evse, moment) for evse, car in self.known.items())
        return Facts(charges, frozenset(self.missing), self.day.deaf, self.day.limits, self.day.loads)

    def _charge(self, car: Car, evse: str, moment: datetime) -> Charge:
        read = car.bold_ma if car.is_bold(moment) else int(self._allowed(car, moment) * car.takes)
        drawn = Drawn(car.read(read), max(moment - _MOMENT, car.charge.arrival))
        told, turn = self.believed.get(car.charge.id), self.turns.get(car.charge.id)
        return replace(car.charge, told=told, turn=turn, drawn=None if self._is_away(evse, moment) else drawn)

    def _allowed(self, car: Car, moment: datetime) -> int:
        told = self.accepted.get(car.charge.id)
        return told.ma if told is not None and told.until > moment else self.day.site.evse[car.charge.evse].safe_ma

    def _drawn(self, moment: datetime, bold: set[str]) -> dict[str, Flow]:
        """What flows at each EVSE; `bold`: where somebody was seen to draw what he likes."""
        found: dict[str, Flow] = {}
        for name, evse in self.day.site.evse.items():
            if (car := self._car(name, moment)) is not None:
                ma = self._allowed(car, moment)
                found[name] = car.flow(max(ma, car.bold_ma) if name in bold else ma, evse)
        return found

    def _tell(self, facts: Facts, allocation: Allocation, moment: datetime) -> bool:
        """Send what is to be told, the raises first. Was there a charger that should have answered and did not?"""
        bold = self._bold(allocation)
        before = self._drawn(moment, bold)
        sent = [share for share in allocation.shares if share.tell]
        for share in allocation.shares:
            self.turns[share.charge] = share.turn
        for share in sent:
            if share.ma >= self._allowed(self.known[share.evse], moment):
                self._accept(share, moment)
        early = self._drawn(moment, bold)
        self._nobody_rose_too_early(facts, moment, before, early)
        for share in sent:
            self._accept(share, moment)
        silent = {share.evse for share in sent if self._is_away(share.evse, moment)}
        self.missing |= silent
        return bool(silent)

    def _accept(self, share: Share, moment: datetime) -> None:
        if self._is_away(share.evse, moment):
            evse, before = self.day.site.evse[share.evse], self.believed.get(share.charge)
            self.believed[share.charge] = unanswered(before, share.told, evse)
        else:
            self.believed[share.charge] = self.accepted[share.charge] = share.told

    def _nobody_rose_too_early(
        self, facts: Facts, moment: datetime, before: dict[str, Flow], after: dict[str, Flow]
    ) -> None:
        was, now = (self.referee.over(facts, moment, drawn) for drawn in (before, after))
        assert {row: by for row, by in now.items() if by > was.get(row, 0)} == {}, (was, now)

    def _judge(self, facts: Facts, allocation: Allocation, moment: datetime) -> None:
        """All limits are kept, but for what nobody can steer; and where that alone is too much, nobody else draws."""
        bold = self._bold(allocation)
        drawn = self._drawn(moment, bold)
        over = self.referee.over(facts, moment, drawn)
        if over:
            steered = {share.evse for share in allocation.shares} - {each.evse for each in allocation.reserved}
            alone = {evse: flow for evse, flow in drawn.items() if evse not in steered}
            unavoidable: Over = self.referee.over(facts, moment, alone)
            assert over == unavoidable, (over, unavoidable)

    def _bold(self, allocation: Allocation) -> set[str]:
        """Where a meter showed more than was told: before that, nobody can know.

        The first reading of a charge shows it, as nobody draws more than the safe current before being told.
        """
        unruly = {each.evse for each in allocation.reserved if each.why in ("OVERDRAWN", "DEAF")}
        new = {evse for evse, car in self.known.items() if car.charge.arrival == allocation.begin}
        return {evse for evse in unruly | new if self.known[evse].is_bold(allocation.begin)}
