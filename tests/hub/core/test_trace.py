"""Ids that are unique, cheap and look like UUIDs."""

import asyncio
import subprocess
import sys
from uuid import UUID

from hub.core import trace


def test_ids_are_uuids_of_36_characters_and_never_the_same() -> None:
    ids = [trace.new_request_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert {len(each) for each in ids} == {36}
    assert UUID(ids[0]).version == 4


def test_another_process_counts_in_another_series() -> None:
    program = "from hub.core.trace import new_request_id; print(new_request_id())"
    other = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert other[:24] != trace.new_request_id()[:24]


async def test_each_task_has_its_own_journey() -> None:
    async def journey(name: str) -> tuple[str, str]:
        trace.begin(request_id=f"r{name}", correlation_id=f"c{name}")
        await asyncio.sleep(0)
        return trace.request_id(), trace.correlation()

    assert list(await asyncio.gather(journey("1"), journey("2"))) == [("r1", "c1"), ("r2", "c2")]


async def test_the_first_to_ask_starts_a_journey_and_the_next_is_on_it() -> None:
    first = trace.correlation()
    assert len(first) == 36
    assert trace.correlation() == first


async def test_missing_ids_are_made_up() -> None:
    trace.begin(correlation_id="theirs")
    assert trace.current_ids() == (trace.request_id(), "theirs")
    assert len(trace.request_id()) == 36
