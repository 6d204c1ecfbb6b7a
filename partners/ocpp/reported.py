"""What a station of 2.x reported of itself, for operators and for a restart: one document a station and subject.

Subjects are few and each is bounded, so that no station can fill the store: its variables, its monitors, the limits
that hold at its EVSEs, what its cars need. What is told once and must not be lost stands in the audit log instead.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from hub.core.clock import timestamp
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.store import Store
from hub.core.units import Delete, Kind, Put, Unit
from partners.ocpp.register import folded

OCPP_REPORTED: Final = Kind("ocpp_reported", columns=("station",), indexed=("station",))

_LARGEST: Final = 8 * 1024 * 1024
_MOST_SUBJECTS: Final = 1000


def put_of(identity: str, subject: str, tree: Tree, now: datetime) -> Put:
    """The write of what is known of a subject now."""
    key = _key(identity, subject)
    return Put(OCPP_REPORTED, key, encode(tree), last_updated=timestamp(now), columns=(folded(identity),))


async def read(store: Store, identity: str, subject: str) -> Tree:
    """What was reported last, with `at`; empty, where nothing was."""
    document = await store.get(OCPP_REPORTED, _key(identity, subject))
    if document is None:
        return {}
    tree: Tree = parse(document.body, limit=_LARGEST)
    return {**tree, "at": document.last_updated}


async def forgotten(store: Store, identity: str) -> Unit:
    """Removes all that a station reported."""
    unit = Unit()
    documents = await store.select(OCPP_REPORTED, equal={"station": folded(identity)}, limit=_MOST_SUBJECTS)
    for document in documents:
        unit.delete(Delete(OCPP_REPORTED, document.key))
    return unit


def _key(identity: str, subject: str) -> str:
    return f"{folded(identity)}/{subject}"
