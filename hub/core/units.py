"""A write unit is a value: the objects, the change for partners, the audit row, and what must still be true.

A service reads, decides and builds one `Unit`; the store commits it whole or not at all (`hub/core/store`). Nothing is
awaited over a network between the read and the commit. Every stored object is a *document*: the bytes of its own JSON
in our form, a few columns that queries need, and a `version` that counts its writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Self, TypeAlias

import msgspec
from msgspec import structs

from hub.core import trace

ANY: Final = -1
"""Expect nothing of the document's version."""

ABSENT: Final = 0
"""Expect that the document does not exist yet."""

UNUSED: Final = -2
"""Nobody ever used this key, and nobody looks: for keys that are made so that they cannot meet."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document: the name of its table, and the text columns it has beside the common ones.

    Common columns: seq (order of creation, assigned by the store), key (unique), version, owner, audience,
    last_updated, body. `indexed` names the columns of `columns` that get an index. A `log` is written at its end only,
    at a high rate: owner and audience are not indexed. Of what is `copied` there may be several copies of one object,
    one for all and one for each party that its owner addresses: the newest counts (`hub.core.addressed`).
    """

    name: str
    columns: tuple[str, ...] = ()
    indexed: tuple[str, ...] = ()
    log: bool = False
    copied: bool = False

    def __hash__(self) -> int:
        """By its name: statements are kept by kind, and looked up with each read."""
        return hash(self.name)


class Document(msgspec.Struct, frozen=True):
    """A stored object as it was read."""

    seq: int
    key: str
    version: int
    owner: str
    audience: str
    last_updated: str
    body: bytes
    columns: Mapping[str, str]


class Standing(NamedTuple):
    """What is on record of a document, but for its body."""

    version: int
    owner: str
    audience: str
    last_updated: str
    columns: tuple[str, ...]


class Put(msgspec.Struct, frozen=True):
    """Write one document. `expect`: the version it must have now (ANY, ABSENT, UNUSED, or a number that was read).

    `over` judges what is on record when the unit is written (None: nothing is), and spares a service the reading of it
    beforehand: where it says no, the unit is a Conflict. It must be quick and know nothing but its arguments, as it is
    called by the writer, in a thread of its own.
    """

    kind: Kind
    key: str
    body: bytes
    owner: str = ""
    audience: str = ""
    last_updated: str = ""
    columns: tuple[str, ...] = ()
    expect: int = ANY
    over: Over | None = None


Over: TypeAlias = Callable[[Put, Standing | None], bool]


def is_newer(put: Put, standing: Standing | None) -> bool:
    """For `Put.over`: nothing is on record, or it was changed earlier, both times being told as `timestamp` does."""
    return standing is None or standing.last_updated < put.last_updated


class Delete(msgspec.Struct, frozen=True):
    """Remove one document."""

    kind: Kind
    key: str
    expect: int = ANY


class Change(msgspec.Struct, frozen=True):
    """That something changed, for the partners' lanes: one row however many partners there are.

    `owner` is the party whose object it is, `audience` the only party that may have it ("" = all that are entitled).
    `what` says which part changed, in the module's own words ("" = the whole object).
    """

    module: str
    key: str
    owner: str = ""
    audience: str = ""
    what: str = ""
    correlation_id: str = ""


class Audit(msgspec.Struct, frozen=True):
    """Who did what to what. Never holds a secret or a card number."""

    actor: str
    action: str
    subject: str
    detail: str = ""


class Unit(msgspec.Struct):
    """What is written together, or not at all."""

    writes: list[Put | Delete] = []
    changes: list[Change] = []
    audits: list[Audit] = []
    cut: int = 0
    """Changes up to this number leave the log, but for the last one there is: what comes is numbered after it. Some
    thousands at a time, as nobody else writes meanwhile."""

    def put(self, put: Put) -> Self:
        self.writes.append(put)
        return self

    def delete(self, delete: Delete) -> Self:
        self.writes.append(delete)
        return self

    def tells(self, change: Change) -> Self:
        """Let partners hear of it; without a correlation id of its own it belongs to the journey of this task."""
        journey = trace.current_ids()[1]
        if journey and not change.correlation_id:
            change = structs.replace(change, correlation_id=journey)
        self.changes.append(change)
        return self

    def audited(self, audit: Audit | None) -> Self:
        """None: nobody asked for a row."""
        if audit is not None:
            self.audits.append(audit)
        return self

    def joins(self, other: Unit) -> Self:
        """Let all of `other` be written with it, after what it has."""
        self.writes += other.writes
        self.changes += other.changes
        self.audits += other.audits
        return self


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change as the log holds it; `seq` grows in the order of commits, without a late-comer below it."""

    seq: int
    at: str
    change: Change
