"""How pytest-xdist deals tests out: long ones first, then one by one, but the walks of one database to one worker.

Walks share processes that take seconds to start. What takes seconds comes before what takes milliseconds, so that no
worker is alone at the end. (xdist's own `--dist loadgroup` renames tests, which pytest 9.2 no longer lets it do, so its
groups have no effect; and its scheduler by scope counts all tests of a worker again after each of them.)
"""

from __future__ import annotations

from itertools import takewhile
from typing import Final

from xdist.scheduler import LoadScheduling
from xdist.workermanage import WorkerController

_WALKS: Final = "tests/walks/"
_LONG: Final = (
    _WALKS,
    "tests/test_readme.py",
    "tests/hub/demo/",
    "tests/hub/core/store/test_crashes.py",
    "tests/hub/core/store/test_several_processes.py",
    "tests/partners/ocpp/test_apart.py",
    "tests/laws/test_prices.py",
)
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
            self.pending[:] = sorted(range(len(collection)), key=lambda at: _turn(collection[at]))
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
            self._send_tests(node, self._together())

    def _together(self) -> int:
        """How many of what waits must go to one worker: one test, or all walks of a database."""
        assert self.collection is not None
        walks = _walks(self.collection[self.pending[0]])
        if not walks:
            return 1
        names = (self.collection[at] for at in self.pending)
        return sum(1 for _ in takewhile(lambda name: _walks(name) == walks, names))


def _turn(nodeid: str) -> tuple[int, str]:
    """What is least comes first; the others stay as they were collected."""
    turns = (turn for turn, start in enumerate(_LONG) if nodeid.startswith(start))
    return next(turns, len(_LONG)), _walks(nodeid)


def _walks(nodeid: str) -> str:
    """Which walks a test is of; empty for others."""
    if not nodeid.startswith(_WALKS):
        return ""
    return "sqlite" if "[sqlite" in nodeid else "postgresql"
