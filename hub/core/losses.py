"""What objects lose on their way between us and a partner, because its version has no place for it.

Every translation names its losses by JSON pointer, with `*` for any index. Here they are counted for each partner, by
direction and module. An object is counted in memory; a clock writes the sums, one document a partner, so that a push of
ten thousand locations is one write. A process that is killed forgets the counts since then (`WRITTEN_EVERY_S`).

What comes counts when it is taken: bodies, PATCHes, what we pull, and answers to what we ask; not what passes as it
came, from one partner to another of its version. What goes counts when it is sent: pushes, results, answers and single
objects each time; a page, or an authorization that is said again from memory, when the partner gets it for the first
time, and again only when something in it may have changed. What cannot be said at all is not sent, and loses no field.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from hub.core.dialect import Loss
from hub.core.errors import Conflict
from hub.core.store import Store
from hub.core.units import ABSENT, Kind, Put, Unit

LOSSES: Final = Kind("losses")
WRITTEN_EVERY_S: Final = 5.0
"""Seconds of counting that a process which is killed may lose; one that is stopped writes them."""
_INDEX: Final = re.compile(r"/\d+(?=/|$)")
_ATTEMPTS: Final = 5
Way = Literal["in", "out"]


class Lost(NamedTuple):
    """One field that was lost on one way."""

    way: Way
    module: str
    field: str


class _Kept(msgspec.Struct):
    way: Way
    module: str
    field: str
    times: int


def pointers(losses: Sequence[Loss]) -> tuple[str, ...]:
    """Where something was lost, whichever index it had."""
    return () if not losses else tuple(_INDEX.sub("/*", loss.pointer) for loss in losses)


class Losses:
    """The counts of all partners, by name."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: dict[str, Counter[Lost]] = {}

    def note(self, partner: str, way: Way, module: str, fields: Collection[str]) -> None:
        """Objects of `module` went this way without `fields`; a mapping says how often each was lost."""
        if fields:
            counted = self._waiting.setdefault(partner, Counter())
            for field, times in Counter(fields).items():
                counted[Lost(way, module, field)] += times

    async def write(self) -> None:
        """Write what was counted since the last time. Raises: NotReady, Conflict; then it is written the next time."""
        for partner in list(self._waiting):
            counted = self._waiting.pop(partner)
            try:
                await self._add(partner, counted)
            except BaseException:
                self._waiting.setdefault(partner, Counter()).update(counted)
                raise

    async def of(self, partner: str) -> dict[Lost, int]:
        """What was lost so far, the most frequent first; as far as it is written, and what this process has counted."""
        total, _ = await self._read(partner)
        total.update(self._waiting.get(partner, {}))
        return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))

    async def _add(self, partner: str, counted: Counter[Lost]) -> None:
        """Other processes count too: read again when one was faster."""
        for _ in range(_ATTEMPTS):
            total, version = await self._read(partner)
            total.update(counted)
            body = msgspec.json.encode([_Kept(*lost, times) for lost, times in sorted(total.items())])
            try:
                await self._store.commit(Unit().put(Put(LOSSES, partner, body, expect=version)))
            except Conflict:
                continue
            return
        raise Conflict

    async def _read(self, partner: str) -> tuple[Counter[Lost], int]:
        document = await self._store.get(LOSSES, partner)
        if document is None:
            return Counter(), ABSENT
        kept = msgspec.json.decode(document.body, type=list[_Kept])
        return Counter({Lost(each.way, each.module, each.field): each.times for each in kept}), document.version
