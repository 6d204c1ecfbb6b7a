"""Reading, the part that both databases share: the statements over a kind's table, and rows turned into documents.

Placeholders are `?` in SQLite and `$1` in PostgreSQL; everything else is the same SQL.
"""

# ruff: noqa: S608 - the names in our SQL are checked (`schema.check_kinds`), values are always bound

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

from hub.core.errors import InvalidRequest
from hub.core.inbound import encode
from hub.core.store.schema import COMMON, table_name
from hub.core.store.values import is_storable
from hub.core.units import Change, ChangeRow, Document, Kind

Order = Literal["seq", "last_updated", "key"]
Row = Sequence[Any]

CHANGE_COLUMNS: Final = ("seq", "at", "module", "key", "owner", "audience", "what", "correlation_id")

NO_CONDITION: Final[Mapping[str, str]] = MappingProxyType({})
NO_AMONG: Final[Mapping[str, Sequence[str]]] = MappingProxyType({})

_LARGEST: Final = 2**62
_TEXT_COLUMNS: Final = frozenset({"key", "owner", "audience", "last_updated"})


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, and how many documents the whole list has."""

    documents: list[Document]
    total: int


class Leaf(NamedTuple):
    """What a page of a list needs of a document."""

    seq: int
    key: str
    version: int
    body: bytes


class Statement:
    """SQL that is being written, with its values."""

    def __init__(self, *, numbered: bool) -> None:
        self.numbered = numbered
        self.values: list[Any] = []

    def bind(self, value: object) -> str:
        """The placeholder that stands for `value`."""
        self.values.append(value)
        return f"${len(self.values)}" if self.numbered else "?"

    def has_key_of(self, keys: Sequence[str]) -> str:
        """A condition that holds for the documents with these keys."""
        if self.numbered:
            return self.one_of("key", keys)
        return f"key IN (SELECT value FROM json_each({self.bind(encode(storable(keys)).decode())}))"

    def one_of(self, column: str, values: Sequence[str]) -> str:
        """A condition that holds when the column has one of `values`."""
        some = storable(values)
        if self.numbered:
            return f'"{column}" = ANY({self.bind(some)}::text[])'
        sign = "+" if is_wide(column, some) else ""
        return f'{sign}"{column}" IN ({", ".join(self.bind(value) for value in some)})'


def storable(values: Sequence[str]) -> list[str]:
    """Those of the texts that a database can hold: no document has another one."""
    return list(values) if is_storable("".join(values)) else [value for value in values if is_storable(value)]


def is_wide(column: str, values: Sequence[str]) -> bool:
    """Would SQLite, which keeps no count of values, take an index that hardly narrows the search?

    Nearly all shared objects are meant for everybody, and a list of many owners is nearly the whole list: it is then
    read in order of `seq`, or found by time.
    """
    return (column == "owner" and len(values) > 1) or (column == "audience" and "" in values)


@lru_cache(maxsize=512)
def get_sql(kind: Kind, *, numbered: bool) -> str:
    """The statement that reads one document by its key."""
    return f"SELECT {columns(kind)} FROM {table_name(kind)} WHERE key = {'$1' if numbered else '?'}"


@lru_cache(maxsize=512)
def columns(kind: Kind) -> str:
    """What is read of a document, as SQL."""
    return ", ".join(f'"{column}"' for column in (*COMMON, *kind.columns))


Shape = tuple[tuple[str, int, bool], ...]
"""The columns of a condition, how many values each may have, and if they are `wide`."""


@lru_cache(maxsize=512)
def leaves_sql(kind: Kind, shape: Shape, *, numbered: bool, bodies: bool) -> str:
    """The statement of `Store.leaves`."""
    body = "body" if bodies else "''::bytea" if numbered else "x''"
    first, last = ("$1", f"${len(shape) + 2}") if numbered else ("?", "?")
    where = " AND ".join([f"seq > {first}", *_conditions(kind, shape, numbered=numbered, after=1)])
    return f"SELECT seq, key, version, {body} FROM {table_name(kind)} WHERE {where} ORDER BY seq LIMIT {last}"


def shaped(among: Mapping[str, Sequence[str]], *, numbered: bool) -> tuple[Shape, list[Any]]:
    """The shape of a condition, and the values that it binds."""
    shape = tuple((name, len(some), is_wide(name, some)) for name, some in among.items())
    if numbered:
        return shape, list(among.values())
    return shape, [value for some in among.values() for value in some]


@lru_cache(maxsize=512)
def tally_sql(kind: Kind, among: tuple[tuple[str, ...], ...], *, numbered: bool) -> tuple[str, list[Any]]:
    """The statement of `Store.tally`, and what it binds after two seqs; `among` has each column with its values.

    It reads one row, as each that Python has to fetch costs more than to find it.
    """
    shape, chosen = shaped({name: storable(some) for name, *some in among}, numbered=numbered)
    first, last = ("$1", "$2") if numbered else ("?", "?")
    versions = "coalesce(sum(version), 0)::bigint" if numbered else "coalesce(sum(version), 0)"
    where = " AND ".join([f"seq BETWEEN {first} AND {last}", *_conditions(kind, shape, numbered=numbered, after=2)])
    return f"SELECT count(*), {versions} FROM {table_name(kind)} WHERE {where}", chosen


def _conditions(kind: Kind, shape: Shape, *, numbered: bool, after: int) -> list[str]:
    """What holds of a condition's columns; their values are bound `after` so many others."""
    check_columns(kind, [name for name, *_ in shape])
    if numbered:
        return [f'"{name}" = ANY(${at}::text[])' for at, (name, *_) in enumerate(shape, after + 1)]
    return [f'{"+" * wide}"{name}" IN ({", ".join("?" * count)})' for name, count, wide in shape]


def document(kind: Kind, row: Row) -> Document:
    """From the columns of `columns(kind)`."""
    common = len(COMMON)
    seq, key, version, owner, audience, last_updated, body = row[:common]
    own = dict(zip(kind.columns, row[common:], strict=True))
    return Document(seq, key, version, owner, audience, last_updated, body, own)


def change_row(row: Row) -> ChangeRow:
    """From CHANGE_COLUMNS."""
    return ChangeRow(row[0], row[1], Change(*row[2:]))


def select_sql(
    statement: Statement,
    kind: Kind,
    *,
    equal: Mapping[str, str],
    order: Order,
    descending: bool,
    limit: int,
    after_seq: int,
) -> str:
    """The statement of `Store.select`. Raises: ValueError, for a column that the kind has not."""
    check_columns(kind, equal)
    if order not in ("seq", "last_updated", "key"):
        raise ValueError(f"{kind.name} cannot be selected in order of {order}")
    conditions = [f'"{column}" = {statement.bind(value)}' for column, value in equal.items()]
    if after_seq:
        conditions.append(f"seq > {statement.bind(bounded(after_seq))}")
    direction = "DESC" if descending else "ASC"
    by = "seq" if order == "seq" else f'"{order}" {direction}, seq'
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return (
        f"SELECT {columns(kind)} FROM {table_name(kind)}{where}"
        f" ORDER BY {by} {direction} LIMIT {statement.bind(bounded(limit))}"
    )


def check_columns(kind: Kind, names: Iterable[str]) -> None:
    """Raises: ValueError, when the kind has no such text column."""
    unknown = set(names) - _TEXT_COLUMNS - set(kind.columns)
    if unknown:
        raise ValueError(f"{kind.name} cannot be selected by {sorted(unknown)}")


def page_where(
    statement: Statement,
    *,
    date_from: str | None,
    date_to: str | None,
    audiences: Sequence[str] | None,
    owners: Sequence[str] | None,
    among: Mapping[str, Sequence[str]] = NO_AMONG,
) -> str:
    """The condition of `Store.page`; it serves the page and its total."""
    conditions = []
    if date_from is not None:
        conditions.append(f"last_updated >= {statement.bind(date_from)}")
    if date_to is not None:
        conditions.append(f"last_updated < {statement.bind(date_to)}")
    if audiences is not None:
        conditions.append(statement.one_of("audience", audiences))
    if owners is not None:
        conditions.append(statement.one_of("owner", owners))
    conditions += [statement.one_of(column, values) for column, values in among.items()]
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def bounded(number: int) -> int:
    """A count or position that a database can take. Raises: InvalidRequest, when it is negative."""
    if number < 0:
        raise InvalidRequest("offset and limit are not negative")
    return min(number, _LARGEST)
