"""Statements for SQLite that read and write many rows at once.

The thread that writes has to wait for its turn in Python after each statement, and after each row that it reads: so
what a batch has to know comes as one row of JSON, and is written by as few statements as few texts allow. Sizes are
multiples of eight, above 64 powers of two, so that all texts stay cached. A log, which is written with nearly every
batch, has a text for each size up to `_ONE`.
"""

# ruff: noqa: S608 - the names in our SQL are checked (`schema.check_kinds`), values are always bound

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec

from hub.core.store.batch import KindWrites, stays
from hub.core.store.schema import COMMON, table_name
from hub.core.units import Kind, Standing

_IN_PLACE: Final = ("version", "last_updated", "body")
"""What changes of a document that stays in its place on all lists."""
_Item = TypeVar("_Item")
_ONE: Final = 64

CUT_CHANGES: Final = "DELETE FROM changes WHERE seq <= ? AND seq < (SELECT max(seq) FROM changes)"
_SIZES: Final = (256, 128, *range(64, 8, -8), *range(8, 0, -1))


class SqliteStatements:
    """Read versions of, and write to, the table of one kind."""

    def __init__(self, kind: Kind) -> None:
        names = (*COMMON[1:], *kind.columns)
        self._table = table_name(kind)
        self._at_once = _ONE if kind.log else 1
        quoted = ", ".join(f'"{name}"' for name in names)
        self._into = f"{self._table} ({quoted})"
        told = ", ".join((*COMMON[1:-1], *(f'"{name}"' for name in kind.columns)))
        wanted = "key IN (SELECT value FROM json_each(?))"
        self._present = f"SELECT json_group_array(json_array({told})) FROM {self._table} WHERE {wanted}"
        self._otherwise = _update(names[1:])
        self._in_place = _update(_IN_PLACE)

    def present(self, connection: sqlite3.Connection, keys: Sequence[str]) -> list[Sequence[Any]]:
        """Of those keys that exist: key, version, owner, audience, last_updated, own columns."""
        (found,) = connection.execute(self._present, (msgspec.json.encode(keys).decode(),)).fetchone()
        return msgspec.json.decode(found, type=list[Sequence[Any]])

    def write(self, connection: sqlite3.Connection, writes: KindWrites, before: Mapping[str, Standing]) -> None:
        """First the deletes, then the puts: a document that was removed and came again is a new one.

        SQLite writes an index anew for each column that is named, be its value the same: so those by which a document
        is found are not named where they stay what they were `before`.
        """
        for part in _parts(tuple(writes.deletes)):
            connection.execute(f"DELETE FROM {self._table} WHERE key IN ({', '.join('?' * len(part))})", part)
        stay: list[Sequence[object]] = []
        others: list[Sequence[object]] = []
        for key, (put, version) in writes.puts.items():
            rows = stay if stays(put, before.get(key)) else others
            rows.append((key, version, put.owner, put.audience, put.last_updated, put.body, *put.columns))
        insert_rows(connection, self._into, stay, self._in_place, at_once=self._at_once)
        insert_rows(connection, self._into, others, self._otherwise, at_once=self._at_once)


@lru_cache(maxsize=256)
def statements_of(kind: Kind) -> SqliteStatements:
    """Kept: they hold texts alone, a hundred of which a store needs when it opens."""
    return SqliteStatements(kind)


def _update(names: Iterable[str]) -> str:
    return "ON CONFLICT (key) DO UPDATE SET " + ", ".join(f'"{name}" = excluded."{name}"' for name in names)


def insert_rows(
    connection: sqlite3.Connection,
    into: str,
    rows: Sequence[Sequence[object]],
    otherwise: str = "",
    *,
    at_once: int = 1,
) -> int:
    """Insert all rows, up to `at_once` by one statement. Returns: the last seq, when the table counts by itself."""
    last = 0
    for part in _parts(rows, at_once):
        row = f"({', '.join('?' * len(part[0]))})"
        sql = f"INSERT INTO {into} VALUES {', '.join([row] * len(part))} {otherwise}"
        cursor = connection.execute(sql, [value for values in part for value in values])
        last = cursor.lastrowid or 0
    return last


def _parts(items: Sequence[_Item], at_once: int = 1) -> Iterator[Sequence[_Item]]:
    start = 0
    while start < len(items):
        left = len(items) - start
        size = left if left <= at_once else next(size for size in _SIZES if size <= left)
        yield items[start : start + size]
        start += size
