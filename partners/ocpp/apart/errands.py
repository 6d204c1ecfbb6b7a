"""What one process wants of a charger whose socket is in another: a row that goes from asked to taken to done.

What is asked and what is answered is sealed: it may be a password (AuthorizationKey), and the row lies in the database
until its asker has read the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

import msgspec

from hub.core import trace
from hub.core.errors import Conflict, NotReady
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.secrets import Seal
from hub.core.units import ABSENT, Change, ChangeRow, Delete, Document, Kind, Put, Unit
from partners.ocpp.apart.held import Held

ERRANDS: Final = Kind("ocpp_errands", columns=("state",))
"""Its owner is the gateway that is to do it."""
MODULE: Final = "ocpp_errands"
"""The changes that wake the other side. No partner is told of them."""

ASKED: Final = "asked"
TAKEN: Final = "taken"
DONE: Final = "done"

GRACE_S: Final = 1.5
"""How much longer than its time an errand's answer may take to come home: less than what a command is left over a
restart (`modules/commands/results`)."""
MOST_OPEN: Final = 512
"""Errands that one process may wait for."""
_LARGEST: Final = 4 * 1024 * 1024


class Errand(msgspec.Struct, frozen=True):
    """`name` says what is to be done; `until` is when it has to be over."""

    name: str
    until: datetime
    correlation_id: str
    asked: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Home:
    """What became of an errand, as far as its asker can know.

    done       `answer` says how
    unbegun    nobody has done anything, and nobody will
    unheard    it was begun, and what came of it is not known
    crowded    too many wait already
    """

    became: str
    answer: Tree | None = None


UNBEGUN: Final = Home("unbegun")
UNHEARD: Final = Home("unheard")
CROWDED: Final = Home("crowded")


class Sealing:
    """The content of errands, as it is stored; each under its own key, so that none stands for another."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    def closed(self, key: str, tree: Tree) -> str:
        return self._seal.seal(encode(tree).decode(), about=f"errand/{key}")

    def opened(self, key: str, text: str) -> Tree:
        """Raises: BrokenSealError."""
        tree: Tree = parse(self._seal.open(text, about=f"errand/{key}").encode(), limit=_LARGEST)
        return tree


def errand_in(document: Document) -> Errand:
    return msgspec.json.decode(document.body, type=Errand)


def errand_put(key: str, gateway: str, errand: Errand, state: str, *, expect: int) -> Put:
    return Put(ERRANDS, key, msgspec.json.encode(errand), gateway, columns=(state,), expect=expect)


def wakes(gateway: str, key: str) -> Change:
    """Tells a gateway that an errand is there for it."""
    return Change(MODULE, key, what=f"{ASKED}/{gateway}")


def is_for(gateway: str, change: Change) -> bool:
    """Is it that word, for this gateway?"""
    return (change.module, change.what) == (MODULE, f"{ASKED}/{gateway}")


class Errands:
    """The asking side."""

    def __init__(self, hub: Hub, seal: Seal, *, most_open: int = MOST_OPEN) -> None:
        self._hub, self._sealing, self._most_open = hub, Sealing(seal), most_open
        self._waiting: dict[str, asyncio.Event] = {}
        hub.store.on_commit(self._committed)

    async def ask(self, held: Held, name: str, asked: Tree, *, timeout_s: float) -> Home:
        """Let the gateway that holds the socket do `name`. Raises: NotReady, when it cannot even be asked."""
        if len(self._waiting) >= self._most_open:
            return CROWDED
        key = str(uuid4())
        until = self._hub.clock.now() + timedelta(seconds=timeout_s)
        errand = Errand(name, until, trace.correlation(), self._sealing.closed(key, asked))
        unit = Unit().put(errand_put(key, held.gateway, errand, ASKED, expect=ABSENT))
        heard = self._waiting[key] = asyncio.Event()
        try:
            await self._hub.store.commit(unit.tells(wakes(held.gateway, key)))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(heard.wait(), timeout_s + GRACE_S)
        finally:
            del self._waiting[key]
        return await self._fetched(key)

    def _committed(self, rows: Sequence[ChangeRow]) -> None:
        for row in rows:
            heard = self._waiting.get(row.change.key) if row.change.module == MODULE else None
            if heard is not None and row.change.what == DONE:
                heard.set()

    async def _fetched(self, key: str) -> Home:
        """What the row says; it goes with that. One that nobody took is taken back, so that nobody can."""
        store = self._hub.store
        with contextlib.suppress(NotReady):
            while (document := await store.get(ERRANDS, key)) is not None:
                try:
                    await store.commit(Unit().delete(Delete(ERRANDS, key, document.version)))
                except Conflict:
                    continue
                if document.columns["state"] == DONE:
                    return Home("done", self._sealing.opened(key, errand_in(document).answer))
                return UNBEGUN if document.columns["state"] == ASKED else UNHEARD
        return UNHEARD
