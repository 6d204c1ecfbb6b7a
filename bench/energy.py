"""What sharing the power of a large site costs, in CPU time of this process: 500 EVSEs under each policy, a small site,
and a plan over twelve hours.

The large site has one grid connection, ten boards and a circuit for every six EVSEs; at every EVSE a charge wants more
than there is. The least of the repetitions within a round counts: what is above it was something else on the machine.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from bench.harness import Effort, Figure, Findings
from partners.ocpp.energy.allocation import allocate
from partners.ocpp.energy.facts import Charge, Facts
from partners.ocpp.energy.planning import plan
from partners.ocpp.energy.rules import Policy, Rules
from partners.ocpp.energy.site import Evse, Limit, Node, Site

PART = "energy"
EVSES: Final = 500
_REPETITIONS: Final = 3
_NOW: Final = datetime(2026, 1, 12, 6, tzinfo=UTC)
_MINUTE: Final = timedelta(minutes=1)
_WIRINGS: Final = ((1, 2, 3), (2, 3, 1), (3, 1, 2))


def large_site(count: int) -> Site:
    """A car park of `count` EVSEs."""
    boards = [Node(f"board{n}", "grid", Limit((250_000, 250_000, 250_000))) for n in range(10)]
    circuits = [Node(f"circuit{n}", f"board{n % 10}", Limit((63_000, 63_000, 63_000))) for n in range(-(-count // 6))]
    grid = Node("grid", None, Limit((1_600_000, 1_600_000, 1_600_000), 1_000_000_000))
    evses = [Evse(f"E{n}", f"circuit{n // 6}", 16_000 * (1 + n % 2), _WIRINGS[n % 3]) for n in range(count)]
    return Site((grid, *boards, *circuits), tuple(evses))


def crowd(site: Site) -> Facts:
    """A charge at each EVSE; no two are alike."""
    rng = random.Random(1)
    return Facts(tuple(_charge(rng, evse) for evse in site.evses))


def _charge(rng: random.Random, evse: Evse) -> Charge:
    return Charge(
        f"C-{evse.id}",
        evse.id,
        _NOW - rng.randint(0, 300) * _MINUTE,
        rng.choice((None, (1,))),
        most_ma=rng.randint(6000, 32_000),
        wanted_wh=rng.randint(1000, 50_000),
        departure=_NOW + rng.randint(1, 40) * 15 * _MINUTE,
        priority=rng.randint(0, 3),
    )


def least_ms(work: Callable[[], object], repetitions: int) -> float:
    """CPU time of `work`, in ms."""
    found = []
    for _ in range(repetitions):
        begun = time.process_time()
        work()
        found.append((time.process_time() - begun) * 1e3)
    return min(found)


def _shared(site: Site, policy: Policy) -> Callable[[], object]:
    facts, rules = crowd(site), Rules(policy=policy)
    return lambda: allocate(site, facts, rules, _NOW)


def _planned(site: Site) -> Callable[[], object]:
    facts = crowd(site)
    return lambda: plan(site, facts, Rules(), _NOW, _NOW + timedelta(hours=12))


async def measure(effort: Effort) -> Findings:
    """The figures of this part."""
    large, small = large_site(EVSES), large_site(6)
    wanted = [(f"{EVSES} EVSEs shared, {policy}", _shared(large, policy), 1000.0, _REPETITIONS) for policy in Policy]
    figures = [Figure(PART, name, [], "ms", bound, at_least=False) for name, _, bound, _ in wanted]
    others = [("6 EVSEs shared, FAIR", _shared(small, Policy.FAIR), 50)]
    others.append((f"{EVSES} EVSEs planned for 12 hours", _planned(large), 1))
    figures += [Figure(PART, name, [], "ms", None, at_least=False) for name, _, _ in others]
    works = [(work, times) for _, work, _, times in wanted] + [(work, times) for _, work, times in others]
    for _ in range(effort.rounds):
        for figure, (work, times) in zip(figures, works, strict=True):
            figure.values.append(least_ms(work, times))
    return Findings(PART, figures, notes=["the plan's slots begin at each departure, and are 15 min long at most"])
