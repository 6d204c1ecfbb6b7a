"""The audit log is a chain: each row holds a hash over the row before it and its own content.

Whoever changes, removes or inserts a row in the middle breaks every hash after it. Rows cut off at the end leave no
trace in the chain itself: who needs that too keeps `AuditCheck.head` somewhere else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from hub.core.units import Audit

GENESIS: Final = "0" * 64
"""The hash before the first row."""

AUDIT_COLUMNS: Final = ("seq", "at", "actor", "action", "subject", "detail", "hash")


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One entry as the log holds it; `seq` counts from 1 without a gap."""

    seq: int
    at: str
    audit: Audit
    hash: str


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """The outcome of a walk: how many rows are good, the last good hash, and the first broken row, if there is one."""

    rows: int
    head: str
    broken_seq: int | None = None


def link(previous: str, seq: int, at: str, audit: Audit) -> str:
    """The hash of a row that follows one with the hash `previous`."""
    content = json.dumps([previous, seq, at, audit.actor, audit.action, audit.subject, audit.detail])
    return hashlib.sha256(content.encode()).hexdigest()


def chained(last: tuple[int, str], at: str, audits: Iterable[Audit]) -> list[AuditRow]:
    """The rows for `audits`, following the row `last` = (seq, hash); (0, GENESIS) before the first."""
    seq, previous = last
    rows = []
    for audit in audits:
        seq += 1
        previous = link(previous, seq, at, audit)
        rows.append(AuditRow(seq, at, audit, previous))
    return rows


def check(so_far: AuditCheck, rows: Sequence[AuditRow]) -> AuditCheck:
    """Go on from `so_far` over the next rows, in order of seq."""
    good, head = so_far.rows, so_far.head
    for row in rows:
        if row.seq != good + 1 or row.hash != link(head, row.seq, row.at, row.audit):
            return AuditCheck(good, head, broken_seq=row.seq)
        good, head = row.seq, row.hash
    return AuditCheck(good, head)


def audit_row(row: Sequence[str | int]) -> AuditRow:
    """From the columns AUDIT_COLUMNS."""
    seq, at, actor, action, subject, detail, digest = row
    return AuditRow(int(seq), str(at), Audit(str(actor), str(action), str(subject), str(detail)), str(digest))
