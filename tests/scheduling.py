"""How pytest-xdist deals tests out: one by one, long ones first, but the walks of one database to one worker.

There are two queues. Some tests mostly wait: for processes that start, and for what the hub does in its own time. Were
they dealt out like all others, several workers would wait at once and the processors with them. So no more than half of
the workers have such tests at a time, and the others have something to compute meanwhile.

Walks share processes that take seconds to start. What takes seconds comes before what takes milliseconds, so that no
worker is alone at the end. (xdist's own `--dist loadgroup` renames tests, which pytest 9.2 no longer lets it do, so its
groups have no effect; and its scheduler by scope counts all tests of a worker again after each of them.)
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import takewhile
from typing import Final

from xdist.scheduler import LoadScheduling
from xdist.workermanage import WorkerController

_WALKS: Final = "tests/walks/"
_WAITING: Final = (
    _WALKS,
    "tests/test_readme.py",
    "tests/hub/demo/",
    "tests/partners/ocpp/sites/",
    "tests/hub/core/store/test_crashes.py",
    "tests/hub/core/store/test_several_processes.py",
    "tests/partners/ocpp/test_apart.py",
    "tests/partners/ocpi/test_alive.py",
    "tests/partners/webhooks/test_delivery.py",
)
_COMPUTING: Final = (
    "tests/laws/test_prices.py",
    "tests/partners/ocpp/energy/",
    "tests/contract/test_schemathesis.py",
)
_TURNS: Final = (*_WAITING, *_COMPUTING)
_AT_HAND: Final = 2
"""So many tests a worker has: the one that it runs, and the next."""


class LongestFirst(LoadScheduling):  # type: ignore[misc] # it has no types
    """xdist keeps who has what, and we say who gets what next."""

    collection: list[str] | None
    pending: list[int]

    def schedule(self) -> None:
        """Begin; or go on with a worker that has come in place of one that died."""
        if self.collection is None:
            if not self._check_nodes_have_same_collection():
                return
            self.collection = collection = next(iter(self.node2collection.values()))
            self.pending[:] = sorted(range(len(collection)), key=self._turn)
        for _ in range(_AT_HAND):
            for node in self.nodes:
                self.check_schedule(node)

    def check_schedule(self, node: WorkerController, duration: float = 0) -> None:
        """Give a worker what comes next, or let it end."""
        if node.shutting_down:
            return
        if not self.pending:
            node.shutdown()
        elif len(self.node2pending[node]) < _AT_HAND:
            self._choose(node)
            self._send_tests(node, self._together())

    def _choose(self, node: WorkerController) -> None:
        """Bring what a worker gets to the front: if enough others wait already, the first test that does not."""
        others = [each for each in self.nodes if each is not node]
        waiting = sum(any(self._waits(at) for at in self.node2pending[each]) for each in others)
        if 2 * waiting >= len(self.nodes):
            first = bisect_left(self.pending, True, key=lambda at: not self._waits(at))
            if first < len(self.pending):
                self.pending.insert(0, self.pending.pop(first))

    def _together(self) -> int:
        """How many of what is at the front must go to one worker: one test, or all walks of a database."""
        walks = self._walks(self.pending[0])
        if not walks:
            return 1
        return sum(1 for _ in takewhile(lambda at: self._walks(at) == walks, self.pending))

    def _turn(self, at: int) -> tuple[int, str]:
        """What is least comes first, and what waits before what computes; the others stay as they were collected."""
        turns = (turn for turn, start in enumerate(_TURNS) if self._name(at).startswith(start))
        return next(turns, len(_TURNS)), self._walks(at)

    def _waits(self, at: int) -> bool:
        return self._name(at).startswith(_WAITING)

    def _walks(self, at: int) -> str:
        """Which walks a test is of; empty for others."""
        name = self._name(at)
        if not name.startswith(_WALKS):
            return ""
        return "sqlite" if "[sqlite" in name else "postgresql"

    def _name(self, at: int) -> str:
        assert self.collection is not None
        return self.collection[at]
