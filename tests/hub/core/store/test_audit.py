"""The audit log tells when it was tampered with."""

from __future__ import annotations

import sqlite3

import pytest

from hub.core.store import AuditCheck, Store, open_store
from hub.core.units import Audit, Unit
from tests.hub.core.store.samples import KINDS


async def test_audit_rows_are_chained_over_batches(store: Store) -> None:
    for n in range(3):
        await store.commit(Unit().audited(Audit("op", "block", f"p{n}")).audited(Audit("op", "note", "p", "Grüße")))
    rows = await store.audit_rows(after=0, limit=99)
    assert [row.seq for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[1].audit == Audit("op", "note", "p", "Grüße")
    assert await store.verify_audit() == AuditCheck(rows=6, head=rows[-1].hash, broken_seq=None)


@pytest.mark.parametrize(
    ("tampering", "broken"),
    [
        ("UPDATE audit SET detail = 'innocent' WHERE seq = 600", 600),
        ("UPDATE audit SET actor = 'opb', action = 'lock' WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 3", 4),
        ("UPDATE audit SET seq = 9999 WHERE seq = 700", 9999),
        ("DELETE FROM audit WHERE seq = 1", 2),
    ],
)
async def test_the_first_broken_row_is_named(sqlite_url: str, tampering: str, broken: int) -> None:
    store = await open_store(sqlite_url, KINDS)
    log = Unit()
    for n in range(700):
        log.audited(Audit("op", "block", f"p{n}"))
    await store.commit(log)
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as intruder:
        intruder.execute(tampering)
    intruder.close()
    assert (await store.verify_audit()).broken_seq == broken
    await store.close()
