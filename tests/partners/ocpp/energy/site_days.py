"""Days at sites, dealt by a seed: trees, wirings, cars that come and go, limits and buildings that change, chargers
that go away, and cars that draw what they like.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from partners.ocpp.energy.facts import Charge
from partners.ocpp.energy.rules import Policy, Rules
from partners.ocpp.energy.site import Evse, Limit, Node, Site
from partners.ocpp.energy.timeline import Steps
from partners.ocpp.energy.units import PerPhase

MORNING = datetime(2026, 1, 12, tzinfo=UTC)
WIRINGS = ((1, 2, 3), (2, 3, 1), (3, 1, 2), (1, 3, 2), (1,), (2,), (3,))
RULES = Rules(holds=timedelta(hours=4), renewed=timedelta(minutes=130), fresh=timedelta(minutes=20))
"""What chargers are told lasts from one moment of a dealt day to the one after the next."""

EVERY = 110
"""Minutes between two moments, where nothing else happens."""


def at(minutes: int) -> datetime:
    """A time of the day."""
    return MORNING + timedelta(minutes=minutes)


@dataclass(frozen=True, slots=True)
class Car:
    """A charge as it really is. `phases` are those of the EVSE; `known`: the hub was told them.

    bold_ma: what it draws from `bold_from` on, whatever it was told. takes: the share of what it may that it draws.
    """

    charge: Charge
    leaves: datetime
    phases: tuple[int, ...]
    bold_ma: int = 0
    bold_from: datetime = MORNING
    takes: float = 1.0

    def here(self, moment: datetime) -> bool:
        return self.charge.arrival <= moment < self.leaves

    def is_bold(self, moment: datetime) -> bool:
        return self.bold_ma > 0 and moment >= self.bold_from

    def flow(self, ma: int, evse: Evse) -> PerPhase:
        """`ma` on its phases, as the grid sees them."""
        found = [0, 0, 0]
        for own in self.phases:
            found[evse.wiring[own - 1] - 1] = ma
        return found[0], found[1], found[2]

    def read(self, ma: int) -> PerPhase:
        """`ma` on its phases, as the meter of the EVSE sees them."""
        first, second, third = (ma if own in self.phases else 0 for own in (1, 2, 3))
        return first, second, third


@dataclass(frozen=True, slots=True)
class SiteDay:
    """Everything about a day that nobody decides."""

    site: Site
    rules: Rules
    cars: tuple[Car, ...]
    limits: dict[str, Steps[Limit]]
    loads: dict[str, Steps[PerPhase | None]]
    away: dict[str, tuple[datetime, datetime]]
    deaf: frozenset[str]
    moments: tuple[datetime, ...]


def dealt(seed: int, *, calm: bool = False) -> SiteDay:
    """The day of this seed.

    calm: every charger is there, obeys and takes tenths of an ampere, and leaving times and energies are known.
    """
    rng = random.Random(seed)
    begin, nodes = rng.randint(0, 80), _nodes(rng)
    limits = {"grid": _limits(rng, nodes[0])} if rng.random() < 0.5 else {}
    loads = {rng.choice(nodes).id: _loads(rng)} if rng.random() < 0.5 else {}
    evses = [
        _evse(rng, number, nodes, steps=(100,) if calm else (100, 100, 500, 1000))
        for number in range(rng.randint(2, 6))
    ]
    site = Site(tuple(nodes), tuple(_safe(evses, nodes, limits, loads)), _volts(rng))
    cars = tuple(car for evse in site.evses for car in _cars(rng, evse, begin, calm=calm))
    quiet = site.evse.keys() - {car.charge.evse for car in cars if car.bold_ma}
    away = {} if calm else {name: _span(rng, begin) for name in sorted(quiet) if rng.random() < 0.15}
    changes = {moment for steps in (*limits.values(), *loads.values()) for moment, _ in steps.changes}
    moments = {at(minutes) for minutes in range(begin, 1440, EVERY)} | changes
    deaf = frozenset(car.charge.evse for car in cars if car.bold_ma and car.charge.id.endswith("3"))
    rules = replace(RULES, policy=rng.choice(list(Policy)), band_ma=rng.choice((0, 500, 1000)))
    return SiteDay(site, rules, cars, limits, loads, away, deaf, tuple(sorted(moments)))


def _nodes(rng: random.Random) -> list[Node]:
    main = rng.choice((16, 20, 25, 32, 40, 63)) * 1000
    power = rng.choice((None, None, main * 600))
    nodes = [Node("grid", None, Limit((main, main, main), power))]
    for number in range(rng.randint(0, 3)):
        fuse = rng.choice((16, 20, 25, 32)) * 1000
        limit = Limit((fuse, fuse, fuse)) if rng.random() < 0.7 else Limit(mw=fuse * 690)
        nodes.append(Node(f"board{number}", rng.choice(nodes).id, limit))
    return nodes


def _limits(rng: random.Random, main: Node) -> Steps[Limit]:
    """A grid operator's limits through the day."""
    most = (main.limit.ma or (0, 0, 0))[0]
    hours = sorted(rng.sample(range(1, 24), rng.randint(1, 3)))
    told = (rng.choice((8000, 12_000, 16_000, most)) for _ in hours)
    return Steps(Limit(), tuple((at(60 * hour), Limit((ma, ma, ma))) for hour, ma in zip(hours, told, strict=True)))


def _loads(rng: random.Random) -> Steps[PerPhase | None]:
    """A building, as it is measured; the last measurement may be lost."""
    hours = sorted(rng.sample(range(24), 2))
    loads = [(rng.randrange(9000), rng.randrange(9000), rng.randrange(9000)) for _ in range(3)]
    last = loads[2] if rng.random() < 0.8 else None
    return Steps(loads[0], ((at(60 * hours[0]), loads[1]), (at(60 * hours[1]), last)))


def _evse(rng: random.Random, number: int, nodes: list[Node], steps: tuple[int, ...]) -> Evse:
    wiring, step = rng.choice(WIRINGS), rng.choice(steps)
    safe = rng.choice((0, 6000))
    return Evse(f"E{number}", rng.choice(nodes).id, rng.choice((16_000, 32_000)), wiring, 6000, step, safe)


def _safe(
    evses: list[Evse], nodes: list[Node], limits: dict[str, Steps[Limit]], loads: dict[str, Steps[PerPhase | None]]
) -> list[Evse]:
    """Chargers fall to a safe current only where the site carries all of them at once."""
    smallest = _smallest(nodes, limits)
    building = max((max(load) for steps in loads.values() for load in steps.values() if load is not None), default=0)
    safe = sum(evse.safe_ma for evse in evses) + building <= smallest
    return evses if safe else [replace(evse, safe_ma=0) for evse in evses]


def _smallest(nodes: list[Node], limits: dict[str, Steps[Limit]]) -> int:
    """The least that any phase of any node ever carries, where power counts as if it were on three phases."""
    every = [node.limit for node in nodes] + [limit for steps in limits.values() for limit in steps.values()]
    return min([*(min(each.ma) for each in every if each.ma), *(each.mw // 760 for each in every if each.mw)])


def _volts(rng: random.Random) -> PerPhase:
    return rng.choice(((230_000, 230_000, 230_000), (228_400, 231_700, 233_100)))


def _cars(rng: random.Random, evse: Evse, begin: int, *, calm: bool) -> list[Car]:
    """One or two cars at `evse`. They come and go at the moments at which the hub is asked: it hears of both."""
    cars, clock = [], begin + EVERY * rng.randint(0, 6)
    for number in range(rng.randint(1, 2)):
        leaves = clock + EVERY * rng.randint(1, 7)
        if leaves <= 1440:
            name = f"{evse.id}-{number}{rng.randrange(10)}"
            cars.append(_car(rng, evse, name, at(clock), at(leaves), calm=calm))
        clock = leaves + EVERY * rng.randint(0, 2)
    return cars


def _car(rng: random.Random, evse: Evse, name: str, arrival: datetime, leaves: datetime, *, calm: bool) -> Car:
    phases = rng.choice(((1,), (1, 2), (1, 2, 3)))[: len(evse.wiring)]
    known = calm or rng.random() < 0.7
    charge = Charge(
        name,
        evse.id,
        arrival,
        phases if known else None,
        most_ma=rng.choice((None, None, 16_000, 20_000)),
        wanted_wh=rng.randint(2 if calm else 0, 50) * 1000 if known else None,
        departure=leaves if known else None,
        priority=rng.randrange(3),
        wish=Steps(None, ((arrival, rng.choice((0, 7000, 10_000))), (leaves, None)))
        if not calm and rng.random() < 0.1
        else Steps(None),
    )
    bold = 0 if calm or rng.random() > 0.12 else rng.randint(7, evse.most_ma // 1000) * 1000
    takes = rng.choice((1.0, 1.0, 0.6)) if not calm else 1.0
    bold_from = arrival + timedelta(minutes=max(rng.randint(0, 200) - 100, 0))
    return Car(charge, leaves, phases, bold, bold_from, takes)


def _span(rng: random.Random, begin: int) -> tuple[datetime, datetime]:
    """An outage; half of them begin so shortly before the hub is asked that it cannot know."""
    away = begin + EVERY * rng.randint(0, 11) - rng.choice((1, rng.randint(1, EVERY)))
    return at(away), at(away + rng.randint(40, 400))
