"""A program that writes units until it has written enough, or is killed; run by the tests in processes of its own.

    python -m tests.hub.core.store.writer DATABASE_URL FIRST COUNT

Unit number n is a token, a session, a change and an audit row that all name n. A number is printed once its unit is
acknowledged, in one write to the pipe: what has been printed must be there for ever.
"""

from __future__ import annotations

import asyncio
import os
import sys

from hub.core.store import open_store
from hub.core.units import ABSENT, Audit, Change, Unit
from tests.hub.core.store.samples import KINDS, session, token

CALLERS = 16


async def write(database_url: str, first: int, count: int) -> None:
    store = await open_store(database_url, KINDS)
    numbers = iter(range(first, first + count))

    async def caller() -> None:
        for n in numbers:
            unit = Unit().put(token(str(n), b"%d" % n, expect=ABSENT)).put(session(str(n), b"%d" % n, expect=ABSENT))
            await store.commit(unit.tells(Change("sessions", str(n))).audited(Audit("writer", "put", str(n))))
            os.write(1, b"%d\n" % n)

    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    await store.close()


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
