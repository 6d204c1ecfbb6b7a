"""A partner at the end of its lane: which changes are for it, and how an object gets to it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, runtime_checkable

from hub.core.dialect import NotExpressible
from hub.core.errors import PeerFault
from hub.core.lane_away import Away
from hub.core.lane_faults import Verdict, judge
from hub.core.lane_gate import Gate
from hub.core.lane_queue import At
from hub.core.parties import PartyRole
from hub.core.ports import Hub
from hub.core.registry import Partner, State
from hub.core.units import Change


class Publication(Protocol):
    """How one module's objects get to a partner. Modules implement it, `modules.MODULES` lists them."""

    module: str
    readers: frozenset[PartyRole]
    """The roles that its objects are for; partners without one do not even note a change."""

    async def deliver(self, hub: Hub, partner: Partner, key: str, what: frozenset[str]) -> None:
        """Send the object `key` as it is now, if `partner` is entitled to it; `what` joins the changes' words.

        Raises: PeerFault's children; NotExpressible.
        """
        ...


@runtime_checkable
class Running(Protocol):
    """A publication whose objects a partner that registers has to hear of: they run for a while, or it does not pull
    them, and was not there when they came."""

    async def running(self, hub: Hub, partner: Partner) -> list[str]:
        """The keys of what is for the parties of `partner`; the oldest first."""
        ...


@runtime_checkable
class Choosy(Protocol):
    """A publication whose changes concern few: a partner's lane need not even note the others."""

    def concerns(self, hub: Hub, partner: Partner, change: Change) -> bool:
        """May this change be for `partner`? Asked for each lane at each change, so it looks nothing up on disk."""
        ...


ONLY: Final = "only/"
"""Prefix of the change words that mean one partner's lane alone, by name, and there the whole object, or the word that
follows the name after a `/`."""


@dataclass(slots=True)
class PartnerReceiver:
    """That partner, with all that is published to it."""

    hub: Hub
    name: str
    publications: Mapping[str, Publication]
    choosy: dict[str, Choosy] = field(init=False)

    def __post_init__(self) -> None:
        self.choosy = {module: each for module, each in self.publications.items() if isinstance(each, Choosy)}

    def wants(self, change: Change) -> str | None:
        publication = self.publications.get(change.module)
        if publication is None:
            return None
        partner = self.hub.registry.find(self.name)
        if partner is not None and not self._concerns(partner, publication, change):
            return None
        if not change.what.startswith(ONLY):
            return change.what
        name, _, word = change.what.removeprefix(ONLY).partition("/")
        return word if name == self.name else None

    def _concerns(self, partner: Partner, publication: Publication, change: Change) -> bool:
        is_only_for_it = f"{change.what}/".startswith(f"{ONLY}{self.name}/")
        if change.audience and change.audience not in partner.parties and not is_only_for_it:
            return False
        if partner.roles.isdisjoint(publication.readers):
            return False
        choosy = self.choosy.get(change.module)
        return choosy is None or choosy.concerns(self.hub, partner, change)

    def is_there(self) -> bool:
        partner = self.hub.registry.find(self.name)
        return partner is not None and partner.state is State.CONNECTED

    async def running(self) -> list[Change]:
        partner = self.hub.registry.get(self.name)
        found: list[Change] = []
        for module, publication in self.publications.items():
            if isinstance(publication, Running) and not partner.roles.isdisjoint(publication.readers):
                keys = await publication.running(self.hub, partner)
                found += [Change(module, key, what=f"{ONLY}{self.name}") for key in keys]
        return found

    async def deliver(self, at: At, what: frozenset[str], away: Away) -> None:
        module, key = at
        publication, partner = self.publications[module], self.hub.registry.get(self.name)
        hub = _through_a_gate(self.hub, away, publication) if partner.is_hub else self.hub
        await publication.deliver(hub, partner, key, what)

    def judge(self, at: At, fault: PeerFault | NotExpressible) -> Verdict:
        return judge(fault)


def _through_a_gate(hub: Hub, away: Away, publication: Publication) -> Hub:
    """`hub`, but that what a publication sends to a party goes through a `Gate`."""
    gated = copy.copy(hub)
    gated.peers = Gate(hub.peers, away, publication.readers)
    return gated
