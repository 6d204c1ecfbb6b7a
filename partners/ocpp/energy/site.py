"""A site: the tree of what its cables and fuses carry, and the EVSEs that hang from it.

A node is a grid connection, a sub-board or a circuit. Its limit is in A for each phase, in W over all, or both. An
EVSE's own L1 need not be the grid's: `wiring` says which grid phase each of its phases is, so that a charge on one
phase loads that phase alone, all the way up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from hub.core.errors import InvalidRequest
from partners.ocpp.energy.units import NOTHING, PHASES, PerPhase

LEAST_MA: Final = 6000
"""Below this no vehicle charges over a Type 2 or Type 1 connector (IEC 61851-1)."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a node carries: mA on each phase, mW over all; None is no limit of that kind."""

    ma: PerPhase | None = None
    mw: int | None = None


UNLIMITED: Final = Limit()


@dataclass(frozen=True, slots=True)
class Node:
    """A point of the tree; `parent` None is the grid connection.

    assumed_load_ma: what else hangs there draws on each phase, where nobody has measured it lately.
    """

    id: str
    parent: str | None = None
    limit: Limit = UNLIMITED
    assumed_load_ma: PerPhase = NOTHING


@dataclass(frozen=True, slots=True)
class Evse:
    """Where a charge can be.

    wiring: the grid phase of each phase of the EVSE, its own L1 first.
    safe_ma: what it allows on each phase when it was told nothing, what it was told has run out, or it is offline
    (its TxDefaultProfile). 0 is a charger that waits to be told.
    """

    id: str
    node: str
    most_ma: int
    wiring: tuple[int, ...] = PHASES
    least_ma: int = LEAST_MA
    step_ma: int = 100
    safe_ma: int = 0

    def __post_init__(self) -> None:
        if not self.wiring or len(set(self.wiring)) < len(self.wiring) or not set(self.wiring) <= set(PHASES):
            raise InvalidRequest(f"EVSE {self.id}: the wiring names each grid phase (1, 2, 3) at most once")
        if not 0 < self.step_ma <= self.least_ma <= self.most_ma or not 0 <= self.safe_ma <= self.most_ma:
            raise InvalidRequest(f"EVSE {self.id}: step, least and most current are not in order")

    def on_grid(self, own: tuple[int, ...] | None) -> tuple[int, ...]:
        """The grid phases behind phases of the EVSE (1, 2, 3); None, not known, is all that are wired."""
        return _on_grid(self.wiring, own)


@lru_cache(maxsize=256)
def _on_grid(wiring: tuple[int, ...], own: tuple[int, ...] | None) -> tuple[int, ...]:
    wired = wiring if own is None else {wiring[each - 1] for each in own if each <= len(wiring)}
    return tuple(sorted(wired))


@dataclass(frozen=True, eq=False)
class Site:
    """The tree as a whole; made once, and told from others by identity. Raises: InvalidRequest, where it is none."""

    nodes: tuple[Node, ...]
    evses: tuple[Evse, ...]
    volts_mv: PerPhase = (230_000, 230_000, 230_000)
    paths: Mapping[str, tuple[str, ...]] = field(init=False, repr=False)
    """From each node to the grid connection, both included."""
    evse: Mapping[str, Evse] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        known = {node.id: node for node in self.nodes}
        evse = {each.id: each for each in self.evses}
        if len(known) < len(self.nodes) or len(evse) < len(self.evses):
            raise InvalidRequest("two nodes or two EVSEs of a site have one name")
        if [node.parent for node in self.nodes].count(None) != 1:
            raise InvalidRequest("a site has one grid connection: one node without a parent")
        if lost := sorted(each.id for each in self.evses if each.node not in known):
            raise InvalidRequest(f"these EVSEs hang from no node of the site: {', '.join(lost)}")
        if any(volts <= 0 for volts in self.volts_mv):
            raise InvalidRequest("a phase without voltage carries no power")
        object.__setattr__(self, "paths", {name: _path(name, known) for name in known})
        object.__setattr__(self, "evse", evse)

    def must_have(self, *, evses: Iterable[str], nodes: Iterable[str]) -> None:
        """Raises: InvalidRequest, when one of these is not of this site."""
        unknown = sorted({*evses} - self.evse.keys()) + sorted({*nodes} - self.paths.keys())
        if unknown:
            raise InvalidRequest(f"the site has no {', no '.join(unknown)}")

    def unsafe(self) -> tuple[tuple[str, int], ...]:
        """Nodes and phases whose limit does not carry the building and every EVSE at its safe current.

        There a hub that is away cannot promise that no fuse blows: the operator should lower `safe_ma`.
        """
        drawn: Counter[tuple[str, int]] = Counter()
        for each in self.evses:
            drawn.update({(name, phase): each.safe_ma for name in self.paths[each.node] for phase in each.wiring})
        for node in self.nodes:
            loads = zip(PHASES, node.assumed_load_ma, strict=True)
            drawn.update({(name, phase): load for phase, load in loads for name in self.paths[node.id]})
        ma = {node.id: node.limit.ma for node in self.nodes}
        found = ((name, phase, ma[name]) for name, phase in drawn)
        return tuple(sorted((n, p) for n, p, most in found if most is not None and drawn[n, p] > most[p - 1]))


def _path(name: str, known: Mapping[str, Node]) -> tuple[str, ...]:
    """The way up from `name`."""
    way: list[str] = []
    at: str | None = name
    while at is not None:
        if at in way:
            raise InvalidRequest(f"the node {at} hangs from itself")
        if at not in known:
            raise InvalidRequest(f"the node {way[-1]} hangs from {at}, which is not known")
        way.append(at)
        at = known[at].parent
    return tuple(way)
