"""The statements of the PostgreSQL writer: arrays in, rows out, the same text for one unit and for five hundred."""

# ruff: noqa: S608 - the names in our SQL are checked (`schema.check_kinds`), values are always bound

from __future__ import annotations

from typing import Any, Final

from hub.core.store.batch import KindWrites
from hub.core.store.schema import COMMON, table_name
from hub.core.units import Kind

CHANNEL: Final = "busbar_commits"
"""NOTIFY channel. The payload is origin|kinds|those whose lists changed|first seq|last seq."""

LOCK: Final = "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock(7094711480316755970)"
"""In one round trip. Later statements have younger snapshots than the lock, so they see what its last holder did."""

ADD_CHANGES: Final = f"""
WITH added AS (
    INSERT INTO changes (at, module, key, owner, audience, what, correlation_id)
    SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
    RETURNING seq)
SELECT array_agg(seq ORDER BY seq),
       pg_notify('{CHANNEL}', $8::text || coalesce(min(seq) || '|' || max(seq), '0|0'))
FROM added"""

CUT_CHANGES: Final = "DELETE FROM changes WHERE seq <= $1 AND seq < (SELECT max(seq) FROM changes)"

LAST_AUDIT: Final = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1"

ADD_AUDITS: Final = """
INSERT INTO audit (at, seq, actor, action, subject, detail, hash)
SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])"""

_TYPES: Final = {"version": "bigint", "body": "bytea"}


class PostgresStatements:
    """Read versions of, and write to, the table of one kind."""

    def __init__(self, kind: Kind) -> None:
        table = table_name(kind)
        names = (*COMMON[1:], *kind.columns)
        arrays = ", ".join(f"${n}::{_TYPES.get(name, 'text')}[]" for n, name in enumerate(names, 1))
        quoted = ", ".join(f'"{name}"' for name in names)
        updates = ", ".join(f'"{name}" = excluded."{name}"' for name in names[1:])
        self._put = (
            f"INSERT INTO {table} ({quoted}) SELECT * FROM unnest({arrays}) ON CONFLICT (key) DO UPDATE SET {updates}"
        )
        self._delete = f"DELETE FROM {table} WHERE key = ANY($1::text[])"
        told = ", ".join(f'"{name}"' for name in (*COMMON[1:-1], *kind.columns))
        self.present: Final = f"SELECT {told} FROM {table} WHERE key = ANY($1::text[])"

    async def write(self, connection: Any, writes: KindWrites) -> None:
        """First the deletes, then the puts: a document that was removed and came again is a new one."""
        if writes.deletes:
            await connection.execute(self._delete, list(writes.deletes))
        if writes.puts:
            rows = [
                (key, version, put.owner, put.audience, put.last_updated, put.body, *put.columns)
                for key, (put, version) in writes.puts.items()
            ]
            await connection.execute(self._put, *map(list, zip(*rows, strict=True)))
