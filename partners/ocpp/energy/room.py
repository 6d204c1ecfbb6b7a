"""What is left of every limit at a moment.

A row is one limit: a phase of a node in mA, or a node's power in µW. What a charge draws loads, for each mA, every
row on its way up: a phase's row by one, a power row by the voltage of its phases. A charge fits when it fits in all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from partners.ocpp.energy.facts import Facts
from partners.ocpp.energy.site import Limit, Site
from partners.ocpp.energy.units import PHASES, UW_PER_MW, PerPhase, together_mv

Load = tuple[tuple[int, int], ...]
"""Rows, by index, and what one mA takes of each."""

ENDLESS: Final = 10**30
"""What is left of a row at a time without that limit."""


class Row(NamedTuple):
    """One limit: of a phase, or (None) of the power of all."""

    node: str
    phase: int | None


class Rows:
    """The rows of a site: the limits of its own, and those that `told` nodes are given from outside."""

    def __init__(self, site: Site, told: frozenset[str]) -> None:
        self._site = site
        found = ((node, phase) for node in site.nodes for phase in (*PHASES, None))
        self.all = tuple(Row(n.id, phase) for n, phase in found if n.id in told or _of(n.limit, phase) != ENDLESS)
        self._index = {row: index for index, row in enumerate(self.all)}
        self._loads: dict[tuple[str, tuple[int, ...]], Load] = {}

    def load(self, node: str, phases: tuple[int, ...]) -> Load:
        """What one mA on each of `phases` takes, when drawn at `node`."""
        key = (node, phases)
        if key not in self._loads:
            self._loads[key] = tuple(self._taken(node, phases))
        return self._loads[key]

    def _taken(self, node: str, phases: tuple[int, ...]) -> Iterator[tuple[int, int]]:
        for name in self._site.paths[node]:
            for phase in phases:
                if (row := self._index.get(Row(name, phase))) is not None:
                    yield row, 1
            if (row := self._index.get(Row(name, None))) is not None:
                yield row, together_mv(self._site.volts_mv, phases)


_rows_of = lru_cache(maxsize=64)(Rows)
"""Of the sites that were asked about last: the tree hardly ever changes."""


class Grid:
    """A site and what is free of it over time, when no charge draws."""

    def __init__(self, site: Site, facts: Facts) -> None:
        self.site = site
        self._facts = facts
        self._rows = _rows_of(site, frozenset(facts.limits))
        self._static = {node.id: node for node in site.nodes}
        self.rows = self._rows.all
        self.load = self._rows.load

    def free(self, moment: datetime) -> list[int]:
        """What every row leaves to charges at `moment`: its limit without the building."""
        room = Room([self._most(row, moment) for row in self.rows])
        for name in self._static:
            for phase, ma in zip(PHASES, self._building(name, moment), strict=True):
                if ma:
                    room.take(self.load(name, (phase,)), ma)
        return room.left

    def _building(self, node: str, moment: datetime) -> PerPhase:
        told = self._facts.loads.get(node)
        measured = told.at(moment) if told is not None else None
        return measured if measured is not None else self._static[node].assumed_load_ma

    def _most(self, row: Row, moment: datetime) -> int:
        own = _of(self._static[row.node].limit, row.phase)
        told = self._facts.limits.get(row.node)
        return own if told is None else min(own, _of(told.at(moment), row.phase))

    def next_change(self, after: datetime) -> datetime | None:
        """When a limit or a load changes next, as far as is known."""
        steps = (*self._facts.limits.values(), *self._facts.loads.values())
        return min((at for each in steps if (at := each.next_after(after)) is not None), default=None)


def _of(limit: Limit, phase: int | None) -> int:
    if phase is None:
        return limit.mw * UW_PER_MW if limit.mw is not None else ENDLESS
    return limit.ma[phase - 1] if limit.ma is not None else ENDLESS


@dataclass(slots=True)
class Room:
    """What is left of each row; less than nothing where others draw too much already."""

    left: list[int] = field(default_factory=list)

    def take(self, load: Load, ma: int) -> None:
        """Draw `ma` more (or, below zero, less)."""
        left = self.left
        for row, each in load:
            left[row] -= each * ma

    def most(self, load: Load) -> int:
        """How many mA more fit in; below zero, by how many it is too much."""
        most, left = ENDLESS, self.left
        for row, each in load:
            if left[row] < most * each:
                most = left[row] // each
        return most

    def fits(self, load: Load, ma: int) -> bool:
        """Is there room for `ma` more?"""
        return self.most(load) >= ma

    def tightest(self, load: Load) -> int | None:
        """The row that ends first; None, where nothing limits."""
        return min(load, key=lambda part: (self.left[part[0]] // part[1], part[0]), default=(None, 0))[0]

    def copy(self) -> Room:
        """The same room, to try something in."""
        return Room(list(self.left))
