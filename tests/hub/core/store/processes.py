"""Starting `writer` in processes of its own."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

ROOT = Path(__file__).parents[4]


async def start_writer(database_url: str, first: int, count: int) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.hub.core.store.writer",
        database_url,
        str(first),
        str(count),
        cwd=ROOT,
        stdout=PIPE,
        limit=2**20,
    )


async def acknowledged(writer: Process) -> list[int]:
    """What it has still to say, until it is gone."""
    assert writer.stdout is not None
    rest = await writer.stdout.read()
    await writer.wait()
    return [int(line) for line in rest.split(b"\n") if line]
