"""Killed at any instant, the store has lost nothing that it acknowledged, and torn nothing."""

from __future__ import annotations

import asyncio
import random

from hub.core.store import Store, open_store
from tests.hub.core.store.processes import acknowledged, start_writer
from tests.hub.core.store.samples import KINDS, SESSION, TOKEN

ROUNDS = {"sqlite": 8, "postgresql": 4}


async def killed_round(database_url: str, first: int, *, after_s: float) -> set[int]:
    """Let a writer run for a while, kill it. Returns: the units it had acknowledged."""
    writer = await start_writer(database_url, first, 1_000_000)
    assert writer.stdout is not None
    seen = {int(await writer.stdout.readline())}
    await asyncio.sleep(after_s)
    writer.kill()
    return seen | set(await acknowledged(writer))


async def stored_numbers(store: Store) -> tuple[set[int], set[int], set[int]]:
    """Numbers of the tokens, sessions and changes."""
    tokens = {int(found.body) for found in await store.select(TOKEN, limit=10**6)}
    sessions = {int(found.body) for found in await store.select(SESSION, limit=10**6)}
    changes = {int(row.change.key) for row in await store.changes(after=0, limit=10**6)}
    return tokens, sessions, changes


async def test_a_killed_hub_keeps_what_it_acknowledged_and_tears_nothing(database_url: str) -> None:
    rng = random.Random(23)
    promised: set[int] = set()
    for turn in range(ROUNDS[database_url.partition(":")[0]]):
        promised |= await killed_round(database_url, turn * 1_000_000, after_s=rng.uniform(0.02, 0.15))
    store = await open_store(database_url, KINDS)
    tokens, sessions, changes = await stored_numbers(store)
    assert promised <= tokens
    assert tokens == sessions == changes
    audit = await store.verify_audit()
    assert (audit.rows, audit.broken_seq) == (len(tokens), None)
    await store.close()
