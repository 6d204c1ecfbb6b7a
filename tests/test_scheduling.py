"""How tests are dealt out to workers: each once, walks together, and not all that wait at once."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tests.scheduling import LongestFirst

WALKS = [f"tests/walks/test_a.py::test_{n}[{database}]" for n in range(5) for database in ("sqlite", "postgresql")]
WAITING = [f"tests/partners/ocpp/sites/test_b.py::test_{n}" for n in range(20)]
OTHERS = [f"tests/modules/test_c.py::test_{n}" for n in range(100)]
ALL = [*OTHERS, *WAITING, *WALKS]


class Worker:
    """What the scheduler knows of one."""

    def __init__(self) -> None:
        self.shutting_down = False
        self.given: list[str] = []

    def send_runtest_some(self, indices: list[int]) -> None:
        self.given += [ALL[at] for at in indices]

    def shutdown(self) -> None:
        self.shutting_down = True


def scheduler_of(workers: list[Worker], monkeypatch: pytest.MonkeyPatch) -> LongestFirst:
    made = LongestFirst.__new__(LongestFirst)
    monkeypatch.setattr(LongestFirst, "_check_nodes_have_same_collection", lambda _: True)
    made.collection, made.pending = None, []
    made.node2collection = dict.fromkeys(workers, ALL)
    made.node2pending = {worker: [] for worker in workers}
    made.schedule()
    return made


@pytest.mark.parametrize("number", [1, 2, 3, 4, 8])
def test_every_test_is_given_once_and_half_of_the_workers_wait_at_most_while_there_is_something_to_compute(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers = [Worker() for _ in range(number)]
    scheduler = scheduler_of(workers, monkeypatch)
    at_hand: Any = scheduler.node2pending
    while any(at_hand.values()):
        waiting = sum(any(ALL[at] not in OTHERS for at in at_hand[worker]) for worker in workers)
        assert waiting <= (number + 1) // 2 or not any(ALL[at] in OTHERS for at in scheduler.pending)
        for worker in workers:
            if at_hand[worker]:
                at_hand[worker].pop(0)
                scheduler.check_schedule(cast("Any", worker))
    assert sorted(name for worker in workers for name in worker.given) == sorted(ALL)
    for database in ("sqlite", "postgresql"):
        assert sum(any(database in name for name in worker.given) for worker in workers) == 1
    assert all(worker.shutting_down for worker in workers)
