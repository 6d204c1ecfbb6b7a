"""Lists of those who may have several copies of one object (`Kind.copied`): each object once, as its newest copy says.

    DE*AAA/LOC1          for all
    DE*AAA>NL*EEE/LOC1   for NL*EEE alone

Copies are found by their keys. In a whole list an object stands where the first of its copies came, so that it keeps
its place whichever of them is the newest: that is row by row in order of `seq`, as a crawler reads it. Between two
dates the newest copies themselves are looked for, by their time.

Nearly all objects have one copy. A list is therefore made of two: of what has no copy for a single party, which is read
off the same indexes as for everybody else, and of the few objects that have, whose copies are held against each other.

Who may have the copies for all alone has nothing told apart, and is not served here.
"""

# ruff: noqa: S608 - the names in our SQL are checked (`schema.check_kinds`), values are always bound

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.core.store.documents import Statement, bounded, page_where
from hub.core.store.schema import table_name
from hub.core.units import Kind

_OF_ALL_COPIES = ("owner", "audience")
"""Columns by which a copy may be had, or not; all others are judged by the newest."""


def has_copies(kind: Kind, among: Mapping[str, Sequence[str]]) -> bool:
    """May several copies of one object be among these?"""
    return kind.copied and len(among.get("audience", ())) > 1


def listed(
    statement: Statement,
    kind: Kind,
    *,
    date_from: str | None,
    date_to: str | None,
    among: Mapping[str, Sequence[str]],
) -> str:
    """The statement that reads the `seq` of all that belongs in a list, each object once."""
    table = table_name(kind)

    def where() -> str:
        return page_where(statement, date_from=date_from, date_to=date_to, audiences=None, owners=None, among=among)

    one = f"SELECT seq FROM {table}{where()} AND seq NOT IN ({_told_apart(statement, kind, among)})"
    if date_from is date_to is None:
        several = f"SELECT seq FROM {table} WHERE seq IN ({_told_apart(statement, kind, among)})"
        return f"{one} UNION ALL {several} AND {_is_first(statement, kind, among)}"
    several = f"SELECT seq FROM {table}{where()} AND seq IN ({_told_apart(statement, kind, among)})"
    return f"{one} UNION ALL {several} AND {_is_newest(statement, kind, among)}"


def listed_after(
    statement: Statement, kind: Kind, wanted: str, among: Mapping[str, Sequence[str]], *, after_seq: int, limit: int
) -> str:
    """The statement that reads `wanted` (SQL) of the first in the whole list after `after_seq`."""
    where = f"seq > {statement.bind(bounded(after_seq))} AND {_is_first(statement, kind, among)}"
    return f"SELECT {wanted} FROM {table_name(kind)} WHERE {where} ORDER BY seq LIMIT {statement.bind(bounded(limit))}"


def _told_apart(statement: Statement, kind: Kind, among: Mapping[str, Sequence[str]]) -> str:
    """What selects the copies of all objects that have one for a single party."""
    table, named = table_name(kind), [audience for audience in among["audience"] if audience]
    both = f"{table} AS named JOIN {table} AS o ON {_copies_of(statement, 'named', among['audience'])}"
    return f"SELECT o.seq FROM {both} WHERE named.{statement.one_of('audience', named)}"


def _is_first(statement: Statement, kind: Kind, among: Mapping[str, Sequence[str]]) -> str:
    """The condition that holds for the first copy of each object whose newest copy is among these."""
    table, audiences = table_name(kind), among["audience"]
    copies = f"FROM {table} AS o WHERE {_copies_of(statement, table, audiences)}"
    conditions = [f"NOT EXISTS (SELECT 1 {copies} AND o.seq < {table}.seq)"]
    for column, values in among.items():
        if column in _OF_ALL_COPIES:
            conditions.append(statement.one_of(column, values))
            continue
        copies = f"FROM {table} AS o WHERE {_copies_of(statement, table, audiences)}"
        newest = f'SELECT o."{column}" {copies} ORDER BY o.last_updated DESC, o.audience DESC LIMIT 1'
        conditions.append(f"({newest}) IN ({', '.join(map(statement.bind, values))})")
    return " AND ".join(conditions)


def _is_newest(statement: Statement, kind: Kind, among: Mapping[str, Sequence[str]]) -> str:
    """The condition that holds for what is the newest copy of its object."""
    table = table_name(kind)
    copies = f"SELECT 1 FROM {table} AS o WHERE {_copies_of(statement, table, among['audience'])}"
    as_old = f"o.last_updated = {table}.last_updated AND o.audience > {table}.audience"
    return f"NOT EXISTS ({copies} AND (o.last_updated > {table}.last_updated OR ({as_old})))"


def _copies_of(statement: Statement, row: str, audiences: Sequence[str]) -> str:
    """The condition that holds for all copies `o` of the object of a row, that row among them."""
    addressed = f"CASE {row}.audience WHEN '' THEN 0 ELSE length({row}.audience) + 1 END"
    rest = f"substr({row}.key, length({row}.owner) + 1 + {addressed})"
    marks = [f">{audience}" if audience else "" for audience in audiences]
    keys = [f"{row}.owner || CAST({statement.bind(mark)} AS text) || {rest}" for mark in marks]
    return f"o.key IN ({', '.join(keys)})"
