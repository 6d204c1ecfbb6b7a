"""Whether a site keeps its limits, worked out apart from the product: phase by phase, from what really flows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from partners.ocpp.energy.facts import Facts
from partners.ocpp.energy.site import Site

Flow = tuple[int, int, int]
"""mA on L1, L2, L3 of the grid."""

Over = dict[tuple[str, int | None], int]
"""By node and phase (None: power), by how much a limit is exceeded, in mA or µW."""


class Referee:
    """Judges one site."""

    def __init__(self, site: Site) -> None:
        self.site = site
        parents = {node.id: node.parent for node in site.nodes}
        self.ways: dict[str, list[str]] = {}
        for name in parents:
            way, at = [], name
            while at:
                way.append(at)
                at = parents[at] or ""
            self.ways[name] = way

    def flows(self, facts: Facts, at: datetime, drawn: Mapping[str, Flow]) -> dict[str, list[int]]:
        """What flows through each node: its building, and what is `drawn` at EVSEs, all the way up."""
        through = {node.id: [0, 0, 0] for node in self.site.nodes}
        for node in self.site.nodes:
            told = facts.loads[node.id].at(at) if node.id in facts.loads else None
            self._add(through, node.id, told if told is not None else node.assumed_load_ma)
        for evse, flow in drawn.items():
            self._add(through, self.site.evse[evse].node, flow)
        return through

    def _add(self, through: dict[str, list[int]], node: str, flow: Flow) -> None:
        if flow != (0, 0, 0):
            for name in self.ways[node]:
                sums = through[name]
                for index in range(3):
                    sums[index] += flow[index]

    def over(self, facts: Facts, at: datetime, drawn: Mapping[str, Flow]) -> Over:
        """The limits that are exceeded."""
        found: Over = {}
        through = self.flows(facts, at, drawn)
        for node in self.site.nodes:
            flow = through[node.id]
            for limit in (node.limit, *((facts.limits[node.id].at(at),) if node.id in facts.limits else ())):
                if limit.ma is not None:
                    for phase in (1, 2, 3):
                        if flow[phase - 1] > limit.ma[phase - 1]:
                            found[node.id, phase] = flow[phase - 1] - limit.ma[phase - 1]
                if limit.mw is not None:
                    power = sum(ma * mv for ma, mv in zip(flow, self.site.volts_mv, strict=True))
                    if power > limit.mw * 1000:
                        found[node.id, None] = power - limit.mw * 1000
        return found

    def loads(self, evse: str, flow: Flow, row: tuple[str, int | None]) -> bool:
        """Does what flows at `evse` flow through this limit too?"""
        node, phase = row
        through = node in self.ways[self.site.evse[evse].node]
        return through and (any(flow) if phase is None else flow[phase - 1] > 0)
