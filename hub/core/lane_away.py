"""What a lane owes to parties behind a hub that cannot be reached just now.

A hub that is a partner speaks for parties of its own, all over one lane. What is for one that is away leaves the queue,
so that the others hear of theirs, and is written down for that party alone:

    queue --it is shut off, or the hub answers 4001, 4002 or 4003--> owed, on disk --its turn--> end of the queue

Each such party has a wait of its own, as long as those of a lane. One object is tried at a time, those first that were
not tried yet, and when it got there the next one; until then nothing new for the party is sent either. A party that its
hub calls anything but CONNECTED (`behind.py`) is not tried before the hub says another word of it. What is sent is the
object as it is then, with all words of its changes, so nothing older comes after what is newer. What is owed stays on
disk until it is settled: the party has it, or refused it, or is not to have it any more.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec
import structlog

from hub.core.behind import Told
from hub.core.clock import timestamp
from hub.core.errors import PartyAway
from hub.core.lane_faults import wait_s
from hub.core.lane_queue import At, Dirty
from hub.core.parties import PartyRole
from hub.core.ports import Hub
from hub.core.units import Delete, Kind, Put, Unit

log = structlog.get_logger()

AWAY: Final = Kind("away", columns=("partner", "party", "module", "object"), indexed=("partner",))
_MOST: Final = 1_000_000
_ROLES: Final = frozenset(PartyRole)


class Owed(msgspec.Struct, frozen=True):
    """One object that a party is owed. `what`: the words of its changes. `since`: when it was first held back."""

    what: tuple[str, ...]
    correlation_id: str
    since: str
    reason: str


@dataclass(slots=True)
class _Party:
    """What one party is owed, in the order in which it is tried."""

    owed: dict[At, Owed] = field(default_factory=dict)
    untried: dict[At, None] = field(default_factory=dict)
    """Those of them that may get there, for all that is known: what was tried may be what the party stumbles over."""
    failures: int = 0
    retry_at: float = 0.0
    heard: tuple[Told, ...] | None = None
    """What its hub said of it when it was tried last; None: it was not tried by this process."""


class Away:
    """The parties behind one partner that cannot be reached. Known in memory, and read from disk at the start."""

    def __init__(self, hub: Hub, name: str, rng: random.Random) -> None:
        self._hub = hub
        self._name = name
        self._rng = rng
        self._parties: dict[str, _Party] = {}
        self._party_of: dict[At, str] = {}

    async def load(self) -> None:
        """Read what is owed."""
        self._parties, self._party_of = {}, {}
        for document in await self._hub.store.select(AWAY, equal={"partner": self._name}, limit=_MOST):
            columns = document.columns
            at = (columns["module"], columns["object"])
            self._note(columns["party"], at, msgspec.json.decode(document.body, type=Owed))

    def objects(self) -> Collection[At]:
        """All that is owed."""
        return self._party_of.keys()

    def find(self, at: At) -> Owed | None:
        """What is owed of an object, if anything is."""
        party = self._party_of.get(at)
        return None if party is None else self._parties[party].owed[at]

    def is_shut(self, party: str, roles: Iterable[PartyRole]) -> bool:
        """Is nothing to be sent to the party just now? `roles`: those in which it would get it."""
        known = self._parties.get(party)
        return self._hub.behind.is_cut_off(self._name, party, roles) or (known is not None and self._rests(party))

    def due(self) -> list[tuple[At, Owed]]:
        """Of each party that may be tried now the object whose turn it is."""
        found = ((known, party) for party, known in self._parties.items() if known.owed)
        return [_first(known) for known, party in found if not self._rests(party)]

    def next_s(self) -> float | None:
        """Seconds until one may be tried again; None: not before something happens."""
        now = self._hub.clock.monotonic()
        found = ((known, party) for party, known in self._parties.items() if known.owed)
        waits = [known.retry_at - now for known, party in found if not self._is_cut_off(party)]
        return max(min(waits), 0.0) if waits else None

    def try_now(self) -> None:
        """Whatever failed before."""
        for known in self._parties.values():
            known.heard, known.retry_at = None, 0.0

    def reached(self, party: str) -> None:
        """It took something."""
        known = self._parties.get(party)
        if known is not None:
            known.failures, known.retry_at = 0, 0.0

    async def owe(self, at: At, dirty: Dirty, fault: PartyAway) -> None:
        """Write down that the party is owed the object; where it was tried its wait grows.

        Raises: NotReady, Conflict.
        """
        known = self.find(at)
        owed = Owed(
            what=tuple(sorted({*dirty.what, *(known.what if known is not None else ())})),
            correlation_id=dirty.correlation_id,
            since=known.since if known is not None else timestamp(self._hub.clock.now()),
            reason=fault.message if known is None or fault.was_tried else known.reason,
        )
        if owed != known or self._party_of[at] != fault.party:
            put = Put(AWAY, self._key(at), msgspec.json.encode(owed), columns=(self._name, fault.party, *at))
            await self._hub.store.commit(Unit().put(put))
        if fault.was_tried or self._party_of.get(at) != fault.party:
            self._forget(at)
        self._note(fault.party, at, owed)
        if fault.was_tried:
            self._parties[fault.party].untried.pop(at, None)
        self._back_off(fault)

    async def settle(self, at: At) -> None:
        """Nothing is owed of the object any more. Raises: NotReady, Conflict."""
        if at in self._party_of:
            await self._hub.store.commit(Unit().delete(Delete(AWAY, self._key(at))))
            party = self._party_of[at]
            self._forget(at)
            if not self._parties[party].owed:
                del self._parties[party]

    def _key(self, at: At) -> str:
        return "/".join((self._name, *at))

    def _note(self, party: str, at: At, owed: Owed) -> None:
        known = self._parties.setdefault(party, _Party())
        if at not in known.owed:
            known.untried[at] = None
        known.owed[at] = owed
        self._party_of[at] = party

    def _forget(self, at: At) -> None:
        party = self._party_of.pop(at, None)
        if party is not None:
            del self._parties[party].owed[at]
            self._parties[party].untried.pop(at, None)

    def _said(self, party: str) -> tuple[Told, ...]:
        return tuple(self._hub.behind.of_party(self._name, party))

    def _is_cut_off(self, party: str) -> bool:
        return self._hub.behind.is_cut_off(self._name, party, _ROLES)

    def _rests(self, party: str) -> bool:
        known = self._parties[party]
        if self._said(party) != known.heard:
            return False
        return self._is_cut_off(party) or self._hub.clock.monotonic() < known.retry_at

    def _back_off(self, fault: PartyAway) -> None:
        known, said = self._parties[fault.party], self._said(fault.party)
        known.failures = known.failures if said == known.heard else 0
        known.heard = said
        if fault.was_tried or not self._rests(fault.party):
            known.failures += 1
            known.retry_at = self._hub.clock.monotonic() + wait_s(self._hub.settings, self._rng, known.failures)
            log.info("party is away", partner=self._name, party=fault.party, owed=len(known.owed), error=fault.message)


def _first(known: _Party) -> tuple[At, Owed]:
    at = next(iter(known.untried or known.owed))
    return at, known.owed[at]
