"""A write unit is a value: the objects, the change for partners, the audit row, and what must still be true.

A service reads, decides and builds one `Unit`; the store commits it whole or not at all (`hub/core/store`). Nothing is
awaited over a network between the read and the commit. Every stored object is a *document*: the bytes of its own JSON
in our form, a few columns that queries need, and a `version` that counts its writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

ANY: Final = -1
"""Expect nothing of the document's version."""

ABSENT: Final = 0
"""Expect that the document does not exist yet."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document: the name of its table, and the text columns it has beside the common ones.

    Common columns: seq (order of creation, assigned by the store), key (unique), version, owner, audience,
    last_updated, body. `indexed` names the columns of `columns` that get an index.
    """

    name: str
    columns: tuple[str, ...] = ()
    indexed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A stored object as it was read."""

    seq: int
    key: str
    version: int
    owner: str
    audience: str
    last_updated: str
    body: bytes
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Put:
    """Write one document. `expect`: the version it must have now (ANY, ABSENT, or a number that was read)."""

    kind: Kind
    key: str
    body: bytes
    owner: str = ""
    audience: str = ""
    last_updated: str = ""
    columns: tuple[str, ...] = ()
    expect: int = ANY


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove one document."""

    kind: Kind
    key: str
    expect: int = ANY


@dataclass(frozen=True, slots=True)
class Change:
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


@dataclass(frozen=True, slots=True)
class Audit:
    """Who did what to what. Never holds a secret or a card number."""

    actor: str
    action: str
    subject: str
    detail: str = ""


@dataclass(slots=True)
class Unit:
    """What is written together, or not at all."""

    writes: list[Put | Delete] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    audits: list[Audit] = field(default_factory=list)

    def put(self, put: Put) -> Self:
        self.writes.append(put)
        return self

    def delete(self, delete: Delete) -> Self:
        self.writes.append(delete)
        return self

    def tells(self, change: Change) -> Self:
        self.changes.append(change)
        return self

    def audited(self, audit: Audit) -> Self:
        self.audits.append(audit)
        return self


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change as the log holds it; `seq` grows in the order of commits, without a late-comer below it."""

    seq: int
    at: str
    change: Change
