"""Group commit, the deciding half: many waiting units become one transaction, each standing or falling alone.

The writer reads the present versions of all keys of the batch, `decide` goes through the units in order and keeps track
of what each one would leave behind, so that two units of one batch that touch the same key are both judged right. Of a
key written several times only the last state goes to disk. Nothing here knows SQL or waits for anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.core.errors import Conflict, NotReady
from hub.core.failpoints import FailpointRaised, failpoint
from hub.core.units import ANY, UNUSED, Audit, Change, Kind, Put, Standing, Unit

Standings = dict[str, dict[str, Standing]]
"""Kind name -> key -> what the database holds; a key that does not exist has no entry."""


def known(rows: Iterable[Sequence[Any]]) -> dict[str, Standing]:
    """From rows of key, version, owner, audience, last_updated and own columns."""
    return {
        key: Standing(version, owner, audience, last_updated, tuple(columns))
        for key, version, owner, audience, last_updated, *columns in rows
    }


def stays(put: Put, before: Standing | None) -> bool:
    """Is the document on the same lists afterwards?"""
    return before is not None and (before.owner, before.audience, before.columns) == (
        put.owner,
        put.audience,
        put.columns,
    )


class Waiter:
    """A unit that somebody waits for, and its fate once that is known."""

    __slots__ = ("error", "future", "unit", "versions")

    def __init__(self, unit: Unit, future: asyncio.Future[tuple[int, ...]]) -> None:
        self.unit = unit
        self.future = future
        self.versions: tuple[int, ...] = ()
        self.error: Exception | None = None

    def complete(self) -> None:
        """Tell the caller. In the event loop's thread only."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.versions)
        else:
            self.future.set_exception(self.error)


@dataclass(slots=True)
class KindWrites:
    """What a batch does to the table of one kind: first the deletes, then the puts, in order of creation."""

    puts: dict[str, tuple[Put, int]] = field(default_factory=dict)
    deletes: set[str] = field(default_factory=set)

    def move(self, before: Mapping[str, Standing]) -> bool:
        """Is any list of the kind another one afterwards, and not only its documents?"""
        return bool(self.deletes) or not all(stays(put, before.get(key)) for key, (put, _) in self.puts.items())


@dataclass(slots=True)
class Decision:
    """What a batch writes, after all expectations were judged."""

    kinds: dict[str, KindWrites] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    audits: list[Audit] = field(default_factory=list)
    cut: int = 0

    def moved(self, before: Standings) -> tuple[str, ...]:
        """The kinds of which a document came, went, or changed its place on lists."""
        return tuple(kind for kind, writes in self.kinds.items() if writes.move(before.get(kind, {})))

    @property
    def is_empty(self) -> bool:
        """Is there nothing that others have to hear of? That old changes leave the log they need not."""
        return not (self.kinds or self.changes or self.audits)


def keys_of(waiters: Iterable[Waiter]) -> dict[str, list[str]]:
    """Kind name -> the keys whose versions must be known before `decide`, each once."""
    keys: dict[str, dict[str, None]] = {}
    for waiter in waiters:
        for write in waiter.unit.writes:
            if write.expect != UNUSED:
                keys.setdefault(write.kind.name, {})[write.key] = None
    return {kind: list(found) for kind, found in keys.items()}


def decide(waiters: Sequence[Waiter], before: Standings) -> Decision:
    """Judge each unit in order; `before` is what the database holds, and stays as it is.

    Sets `versions` or `error` (Conflict) of each waiter.
    """
    decision = Decision()
    versions = {kind: {key: each.version for key, each in found.items()} for kind, found in before.items()}
    for waiter in waiters:
        waiter.error = _overruled(waiter, decision, before) or _apply(waiter, versions)
        if waiter.error is None:
            _keep(waiter, decision)
    return decision


def _overruled(waiter: Waiter, decision: Decision, before: Standings) -> Conflict | None:
    """Does a `Put.over` of the unit say no, as things stand after the units that were judged already?"""
    for put in waiter.unit.writes:
        if not isinstance(put, Put) or put.over is None:
            continue
        if not put.over(put, _standing(put, decision.kinds.get(put.kind.name), before.get(put.kind.name, {}))):
            return _conflict(put.kind)
    return None


def _conflict(kind: Kind) -> Conflict:
    """Its words may reach the far end, which knows nothing of tables; a traceback names the kind."""
    fault = Conflict()
    fault.add_note(f"kind: {kind.name}")
    return fault


def _standing(put: Put, writes: KindWrites | None, before: Mapping[str, Standing]) -> Standing | None:
    if writes is not None:
        written = writes.puts.get(put.key)
        if written is not None:
            last, version = written
            return Standing(version, last.owner, last.audience, last.last_updated, last.columns)
        if put.key in writes.deletes:
            return None
    return before.get(put.key)


def _apply(waiter: Waiter, versions: dict[str, dict[str, int]]) -> Conflict | None:
    if all(write.expect == UNUSED for write in waiter.unit.writes):
        waiter.versions = (1,) * len(waiter.unit.writes)
        return None
    undo: list[tuple[dict[str, int], str, int]] = []
    after: list[int] = []
    for write in waiter.unit.writes:
        table = versions.setdefault(write.kind.name, {})
        present = table.get(write.key, 0)
        if write.expect not in (ANY, UNUSED, present):
            for changed, key, version in reversed(undo):
                changed[key] = version
            return _conflict(write.kind)
        undo.append((table, write.key, present))
        table[write.key] = present + 1 if isinstance(write, Put) else 0
        after.append(table[write.key])
    waiter.versions = tuple(after)
    return None


def _keep(waiter: Waiter, decision: Decision) -> None:
    for write, version in zip(waiter.unit.writes, waiter.versions, strict=True):
        writes = decision.kinds.get(write.kind.name)
        if writes is None:
            writes = decision.kinds[write.kind.name] = KindWrites()
        if isinstance(write, Put):
            writes.puts[write.key] = (write, version)
        else:
            writes.puts.pop(write.key, None)
            writes.deletes.add(write.key)
    decision.changes += waiter.unit.changes
    decision.audits += waiter.unit.audits
    if waiter.unit.cut:
        decision.cut = max(decision.cut, waiter.unit.cut)


def lose_answers(waiters: Iterable[Waiter]) -> None:
    """Here a test may lose the answers of a batch that is already on disk."""
    try:
        failpoint("store.after_commit")
    except FailpointRaised:
        for waiter in waiters:
            waiter.error = NotReady("the answer was lost")
