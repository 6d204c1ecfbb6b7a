"""The tables, declared once: every Kind's own, and two that grow at their end, `changes` and `audit`.

A document is the bytes of its JSON with the few columns that queries need; nothing is normalised further. Text sorts by
code point in both databases (collation C in PostgreSQL), so that text order of timestamps is time order.

In PostgreSQL an update that changes no B-tree column stays in its page and touches no index (HOT, a fifth of the WAL).
Every write changes `last_updated`, so that column has a BRIN index there, which does not stand in the way since version
16, and pages are filled to 60 %. "Changed since" is what BRIN answers well: times only grow, so a block whose newest
entry is older holds nothing that is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from sqlalchemy import BigInteger, Column, Identity, Index, Integer, LargeBinary, MetaData, Table, Text

from hub.core.units import Kind

COMMON: Final = ("seq", "key", "version", "owner", "audience", "last_updated", "body")
"""The columns that every kind has, in the order in which they are read."""

VERSIONED: Final = "lowest"
"""The column of kinds that partners list, each in its version: how long a list is, is read off an index, that of many
owners (`listed`) or of one (`owner`)."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,47}", re.ASCII)


def table_name(kind: Kind) -> str:
    """The table that holds the documents of `kind`."""
    return f"doc_{kind.name}"


def check_kinds(kinds: Iterable[Kind]) -> dict[str, Kind]:
    """The kinds by name. Raises: ValueError, for a name that is no plain word, or is taken."""
    found: dict[str, Kind] = {}
    for kind in kinds:
        if found.setdefault(kind.name, kind) != kind:
            raise ValueError(f"two different kinds are called {kind.name}")
        for name in (kind.name, *kind.columns):
            if not _NAME.fullmatch(name) or name in COMMON:
                raise ValueError(f"{name!r} cannot name a kind or a column")
        if len(set(kind.columns)) < len(kind.columns) or not set(kind.indexed) <= set(kind.columns):
            raise ValueError(f"kind {kind.name} repeats a column, or indexes one that it has not")
    return found


def metadata(kinds: Sequence[Kind]) -> MetaData:
    """What the database must look like to serve `kinds`; not to be changed.

    Raises: ValueError, for names that cannot be.
    """
    return _metadata(tuple(kinds))


@lru_cache(maxsize=8)
def _metadata(kinds: tuple[Kind, ...]) -> MetaData:
    """Kept, as SQLAlchemy takes a tenth of a second for it, and it is asked for several times at each start."""
    tables = MetaData()
    for kind in check_kinds(kinds).values():
        _document_table(tables, kind)
    Table(
        "changes",
        tables,
        sequence_column(),
        *map(text_column, ("at", "module", "key", "owner", "audience", "what", "correlation_id")),
        sqlite_autoincrement=True,
    )
    Table(
        "audit",
        tables,
        Column("seq", _BIG, primary_key=True, autoincrement=False),
        *map(text_column, ("at", "actor", "action", "subject", "detail", "hash")),
    )
    return tables


_BIG: Final = BigInteger().with_variant(Integer(), "sqlite")
_TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")


def sequence_column() -> Column[int]:
    """Order of creation. A number is never given twice, not even after its row is gone."""
    return Column("seq", _BIG, Identity(always=False), primary_key=True)


def text_column(name: str) -> Column[str]:
    """A text that may be empty, but is always there."""
    return Column(name, _TEXT, nullable=False)


def _document_table(tables: MetaData, kind: Kind) -> None:
    name = table_name(kind)
    table = Table(
        name,
        tables,
        sequence_column(),
        Column("key", _TEXT, nullable=False),
        Column("version", _BIG, nullable=False),
        *map(text_column, ("owner", "audience", "last_updated")),
        *map(text_column, kind.columns),
        Column("body", LargeBinary, nullable=False),  # last: SQLite reads what lies behind a long value by way of it
        sqlite_autoincrement=True,
        postgresql_with={"fillfactor": 60},
    )
    Index(f"{name}_key", table.c.key, unique=True)
    told = (table.c.audience, table.c[VERSIONED]) if VERSIONED in kind.columns else ()
    for column in (*(() if kind.log else ("owner", "audience")), *kind.indexed):
        Index(f"{name}_{column}", table.c[column], table.c.seq, *(told if column == "owner" else ()))
    if told:
        Index(f"{name}_listed", table.c.seq, table.c.owner, *told)
    Index(
        f"{name}_last_updated",
        table.c.last_updated,
        postgresql_using="brin",
        postgresql_with={"pages_per_range": 16, "autosummarize": "on"},
    )
