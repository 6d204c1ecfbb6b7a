"""Received tariffs as they were: a CDR is billed by the version that was in force at the start of its session.

OCPI mod_cdrs_cdr_object. A CDR may name its tariff alone, and its CPO may have changed that since, so what a change or
an end takes away is kept, written with what takes it away. A version holds from the `last_updated` that its owner gave
it until that of the next one which says anything else, or until that one begins, where it was told before its
`start_date_time`; who sends the same again begins no version. After `history_days` it is forgotten.

A `last_updated` may be of long before the version was told, or that of the one before it. So of each it is on record
when it was heard. What was heard only after a session began could be shown to no driver; where something else was told
before that, both are answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from hub.core.clock import timestamp
from hub.core.forgetting import forget_all
from hub.core.inbound import parse
from hub.core.jsontypes import Tree
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.store import Store
from hub.core.types import parse_datetime
from hub.core.units import Document, Kind, Put
from modules.tariffs.store import TARIFFS, key_of

FORMER: Final = Kind("former_tariffs", columns=("tariff", "since", "heard"), indexed=("tariff",))
"""By key of the tariff, since when it was so, which is `since`, and when that was heard. `last_updated`: until when it
was so, or was the last that had been told, whichever is later."""

_LIMIT: Final = 8 * 1024 * 1024
_A_STEP: Final = 50
_MOST_ANNOUNCED: Final = 1_000
_NEXT: Final = timedelta(milliseconds=1)
"""Until a moment is before it."""


class Versions(NamedTuple):
    """Tariffs as they were at a moment, and later. `last_updated` of each says since when it is so.

    then: in force at that moment, as had been told by then; else as is told since; or where nothing so old is known,
    the first that is. late: as is told since of such as had been told otherwise by then. now: what became of these.
    """

    then: list[Tree]
    late: list[Tree]
    now: list[Tree]


def says_the_same(tree: Tree, known: Document | None) -> bool:
    """Does a tariff say the same as `known`, which it is to replace?"""
    if known is None:
        return False
    before: Tree = parse(known.body, limit=_LIMIT)
    return {**tree, "last_updated": ""} == {**before, "last_updated": ""}


def former_of(known: Document, *, until: str, now: str) -> Put | None:
    """The write that keeps `known`, which is replaced or withdrawn `now` (timestamps).

    None, where it never held, and was replaced as it was heard.
    """
    since, heard = known.columns["since"], known.columns["heard"]
    if since >= until and heard >= now:
        return None
    return Put(
        FORMER,
        f"{known.key}/{since}/{heard}",
        known.body,
        known.owner,
        known.audience,
        last_updated=max(until, now),
        columns=(known.key, since, heard),
    )


async def versions_at(
    store: Store, owner: Party | str, tariff_ids: Iterable[str], moment: datetime, *, audience: str = ""
) -> Versions:
    """What is known of these tariffs, for everybody or addressed to the party `audience`. Raises: NotReady."""
    at = timestamp(moment)
    copies = [[key_of(owner, tariff_id, to) for to in dict.fromkeys(("", audience))] for tariff_id in tariff_ids]
    current = await store.get_many(TARIFFS, [key for keys in copies for key in keys])
    versions = Versions([], [], [])
    for keys in copies:
        held = [document for key in keys if (document := current.get(key)) is not None]
        past = [former for key in keys for former in await _former(store, key, moment, current.get(key))]
        if any(_is_announced(document, at) for document in (*past, *held)):
            past = [former for key in keys for former in await _newest(store, key)]
        if not held and not past:
            continue
        chosen = _in_force([*past, *held], at)
        told = [document for document in (*past, *held) if _heard(document) <= at and _since(document) <= at]
        shown = _in_force(told, at) if told else chosen
        versions.then.append(_told(shown))
        if shown is not chosen:
            versions.late.append(_told(chosen))
        versions.now.extend(_told(document) for document in held if document not in (shown, chosen))
    return versions


def _in_force(known: Sequence[Document], at: str) -> Document:
    """The newest that is not after the moment; of two of one time the one that is addressed, then the one heard last.
    Else the oldest of all. What is only announced leaves in force what was before it.
    """
    before = [document for document in known if _since(document) <= at]
    if before:
        before = [document for document in before if not _is_announced(document, at)] or before
        return max(before, key=lambda document: (_since(document), document.audience, _heard(document)))
    return min(known, key=_since)


def _is_announced(document: Document, at: str) -> bool:
    """Does this version begin after the moment, by its own words?"""
    begins = parse(document.body, limit=_LIMIT).get("start_date_time")
    return isinstance(begins, str) and parse_datetime(begins) > parse_datetime(at)


async def _newest(store: Store, key: str) -> list[Document]:
    return await store.select(FORMER, equal={"tariff": key}, descending=True, limit=_MOST_ANNOUNCED)


async def _former(store: Store, key: str, moment: datetime, current: Document | None) -> list[Document]:
    """Of what holds no longer, what held at a moment, or was all that had been told by then.

    Where there is nothing so old, the first after it.
    """
    at, found, after = timestamp(moment), [], 0
    if current is not None and max(_since(current), _heard(current)) <= at:
        return []
    while True:
        page = await store.page(
            FORMER,
            date_from=timestamp(moment + _NEXT),
            date_to=None,
            offset=0,
            limit=_A_STEP,
            after_seq=after,
            among={"tariff": [key]},
        )
        for document in page.documents:
            found.append(document)
            if min(_since(document), _heard(document)) > at:
                return found
        if len(page.documents) < _A_STEP:
            return found
        after = page.documents[-1].seq


def _since(document: Document) -> str:
    return document.columns["since"]


def _heard(document: Document) -> str:
    return document.columns["heard"]


def _told(document: Document) -> Tree:
    tree: Tree = parse(document.body, limit=_LIMIT)
    return {**tree, "last_updated": _since(document)}


async def forget(hub: Hub) -> None:
    """What no session of these days can have begun with goes. Raises: NotReady, Conflict."""
    before = hub.clock.now() - timedelta(days=hub.settings.history_days)
    await forget_all(hub.store, FORMER, timestamp(before))
