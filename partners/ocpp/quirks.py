"""What chargers are forgiven, counted by vendor, model and firmware: whoever buys or certifies a model wants to know.

    an oddity -> count(identity, words)      a counter in memory, and only where something is odd
    every half minute -> write()             one document for each make and firmware, the counts added to it

What was counted since the last half minute is lost with a crash; nobody is billed by it. Words name what was odd and
where, and hold nothing that a charger said, but for the names of actions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import msgspec
import structlog

from hub.core.clock import timestamp
from hub.core.errors import BusbarError, Conflict
from hub.core.ports import Hub
from hub.core.store import Store
from hub.core.units import ABSENT, Kind, Put, Unit
from partners.ocpp.schemas import Finding

log = structlog.get_logger()

QUIRKS: Final = Kind("ocpp_quirks")

MOST_MAKES: Final = 10_000
_MOST_WORDS: Final = 200
"""Of one make and firmware; and of all, between two writes, as many thousands."""
_LONGEST: Final = 200
_ATTEMPTS: Final = 5
_AT: Final = re.compile(r"/\d+")
_ACTION: Final = re.compile(r"[A-Z][a-z]+[A-Za-z0-9]{0,38}")

CLOCK: Final = "its clock is more than a minute off"
CLOCK_S: Final = 60.0
LONE_STOP: Final = "a stop named a charge that is none of ours, and was kept for an operator"


class Make(NamedTuple):
    """Whose it is, and what runs on it; each "" where it was never told."""

    vendor: str
    model: str
    firmware: str

    @property
    def key(self) -> str:
        return "|".join(part.casefold() for part in self)


class Seen(msgspec.Struct):
    """How often, when first and last, and at which charger last."""

    times: int
    first: str
    last: str
    station: str


class Known(msgspec.Struct):
    """All that chargers of a make are forgiven, by its words."""

    vendor: str
    model: str
    firmware: str
    quirks: dict[str, Seen] = {}


Find = Callable[[str], Make]


class Quirks:
    """The counter of this process."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._counted: Counter[tuple[str, str]] = Counter()

    def count(self, identity: str, words: str) -> None:
        """A charger did this once more."""
        at = (identity, words[:_LONGEST])
        if at in self._counted or len(self._counted) < 1000 * _MOST_WORDS:
            self._counted[at] += 1

    async def write(self, make_of: Find) -> None:
        """Add what was counted to what is on record; what cannot be written now is counted on."""
        counted, self._counted = self._counted, Counter()
        by_make: dict[Make, Counter[tuple[str, str]]] = {}
        for at, times in counted.items():
            by_make.setdefault(make_of(at[0]), Counter())[at] += times
        for make, found in by_make.items():
            try:
                await self._add(make, found)
            except BusbarError as error:
                log.warning("quirks not written", error=error.message)
                self._counted.update(found)

    async def _add(self, make: Make, found: Mapping[tuple[str, str], int]) -> None:
        now = timestamp(self._hub.clock.now())
        for _ in range(_ATTEMPTS):
            document = await self._hub.store.get(QUIRKS, make.key)
            known = msgspec.json.decode(document.body, type=Known) if document is not None else Known(*make)
            for (station, words), times in found.items():
                _note(known, words, Seen(times, now, now, station))
            expect = document.version if document is not None else ABSENT
            put = Put(QUIRKS, make.key, msgspec.json.encode(known), last_updated=now, expect=expect)
            try:
                await self._hub.store.commit(Unit().put(put))
            except Conflict:  # another gateway has chargers of the same make
                continue
            return
        raise Conflict


def _note(known: Known, words: str, seen: Seen) -> None:
    before = known.quirks.get(words)
    if before is not None:
        seen.times, seen.first = before.times + seen.times, before.first
    elif len(known.quirks) >= _MOST_WORDS:
        return
    known.quirks[words] = seen


async def listed(store: Store) -> list[Known]:
    """Of all makes."""
    documents = await store.select(QUIRKS, limit=MOST_MAKES)
    return [msgspec.json.decode(document.body, type=Known) for document in documents]


def broken(action: str, finding: Finding, *, is_answer: bool = False) -> str:
    """A message that breaks its schema; of which element of a list does not matter."""
    where = _AT.sub("/*", finding.pointer) or "/"
    return f"{'answers' if is_answer else 'sends'} {action} against its schema: {where}, by {finding.keyword}"


def unknown(action: str) -> str:
    """A call that its version does not have, or that is not served."""
    return f"calls {action if _ACTION.fullmatch(action) else 'what is no action'}, which is not served"


def deaf(action: str) -> str:
    """A call of ours that it does not know."""
    return f"does not know {action}"


def silent(action: str) -> str:
    """A call of ours that it has not answered in time."""
    return f"leaves {action} without an answer in time"
