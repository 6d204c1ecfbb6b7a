"""Delivery: one lane per partner, in order per object, each lane on its own.

The change log holds one row per change. A lane reads it from its own durable cursor and keeps a map of *dirty objects*:
changes of one object that wait are joined, and what is sent is the object as it is then, never an old state of it. A
partner that was away for a day gets each dirty object once.

    change log --on_commit--> wake --> dirty (ordered by first change) --> Publication.deliver --> partner
                                          cursor = just below the oldest dirty object, on disk

How one lane works, and what it does about failures, is in `lane.py`, and what is owed to parties behind a hub that are
away, beside the cursor, in `lane_away.py`; here they are started, stopped and told. Others
than partners, such as an operator's webhooks, get lanes of their own in the same way.

After a crash the cursor may stand a little low: objects are sent again as they are now, which is harmless, since all
modules but CDRs are PUT. CDRs are POSTed, and carry a delivery state of their own (`modules/cdrs/publication.py`).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol, TypedDict

import msgspec

from hub.core.addressed import audience_in, owner_in
from hub.core.errors import NotFound
from hub.core.lane import LANES, REFUSED, Lane, LaneState, Receiver, refused_key
from hub.core.lane_partner import ONLY, PartnerReceiver, Publication
from hub.core.lane_queue import At
from hub.core.parties import PartyRole
from hub.core.ports import Hub
from hub.core.registry import Partner, State
from hub.core.store import Store
from hub.core.units import Audit, Change, ChangeRow, Delete, Put, Unit

__all__ = [
    "LANES",
    "REFUSED",
    "Between",
    "Lane",
    "LaneState",
    "Lanes",
    "Publication",
    "entitled",
    "lane_from_now_on",
    "may_have",
    "only_for",
    "parties",
    "refused_key",
]


class Others(Protocol):
    """Receivers beside the partners, by the names of their lanes."""

    def receivers(self) -> Mapping[str, Receiver]: ...

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call back whenever there are others than before."""
        ...


class Lanes:
    """All lanes: one for each connected partner, started and stopped as partners come and go; `others` likewise."""

    def __init__(
        self,
        hub: Hub,
        publications: Sequence[Publication],
        rng: random.Random | None = None,
        others: Others | None = None,
    ) -> None:
        self._hub = hub
        self._publications = {publication.module: publication for publication in publications}
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not secrecy
        self._others = others
        self._lanes: dict[str, Lane] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        """From now on every commit wakes the lanes."""
        self._hub.store.on_commit(self._committed)
        self._hub.registry.on_change(self.follow)
        if self._others is not None:
            self._others.on_change(self.follow)
        self._hub.behind.on_change(self._behind_changed)
        self._hub.registry.heard = self._heard
        self.follow()

    def follow(self) -> None:
        """A lane for each connected partner and each other receiver; those of who went stop."""
        wanted = self._receivers()
        for name in self._tasks.keys() - wanted.keys():
            self._tasks.pop(name).cancel()
            self._lanes.pop(name)
        for name in wanted.keys() - self._tasks.keys():
            lane = Lane(self._hub, name, wanted[name], self._rng)
            self._lanes[name] = lane
            self._tasks[name] = asyncio.create_task(lane.run(), name=f"lane {name}")

    def _receivers(self) -> dict[str, Receiver]:
        hub, publications = self._hub, self._publications
        names = [partner.name for partner in hub.registry.connected()]
        found: dict[str, Receiver] = {name: PartnerReceiver(hub, name, publications) for name in names}
        if self._others is not None:
            found.update(self._others.receivers())
        return found

    def _committed(self, rows: Sequence[ChangeRow]) -> None:
        for lane in self._lanes.values():
            lane.told(rows)

    def _behind_changed(self) -> None:
        for lane in self._lanes.values():
            lane.wake.set()

    def _heard(self, name: str) -> None:
        self._hub.pulses.called(name)
        lane = self._lanes.get(name)
        if lane is not None:
            lane.partner_called()

    def find(self, name: str) -> Lane | None:
        """The lane of a connected partner."""
        return self._lanes.get(name)

    def all(self) -> list[Lane]:
        """Those that run in this process."""
        return list(self._lanes.values())

    async def resend(self, name: str, refused: str, *, audit: Audit | None = None) -> None:
        """Put a refused object back into its partner's lane; `audit` is written with it. Raises: NotFound."""
        document = await self._hub.store.get(REFUSED, refused)
        if document is None or document.columns["partner"] != name or not self._has_lane(name):
            raise NotFound("there is no such refused object")
        change = only_for(name, document.columns["module"], document.columns["object"])
        await self._hub.store.commit(Unit().delete(Delete(REFUSED, refused)).tells(change).audited(audit))
        self.try_now(name)

    async def mark(self, name: str, objects: Iterable[At], *, audit: Audit | None = None) -> None:
        """Let one partner's lane send these (module, key) as they are now; `audit` is written with it.

        Raises: NotFound.
        """
        if not self._has_lane(name):
            raise NotFound(f"{name} has no running lane")
        changes = [only_for(name, module, key) for module, key in objects]
        await self._hub.store.commit(Unit(changes=changes).audited(audit))
        self.try_now(name)

    def _has_lane(self, name: str) -> bool:
        """Here, or in the process that has the lanes."""
        known = self._hub.registry.find(name)
        return name in self._lanes or (known is not None and known.state is State.CONNECTED)

    def try_now(self, name: str) -> None:
        """Whatever failed before, and even if the lane has stopped."""
        lane = self._lanes.get(name)
        if lane is not None:
            lane.try_now()

    async def stop(self) -> None:
        """Cancel all lanes and wait for their end."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        self._lanes.clear()


def only_for(name: str, module: str, key: str, word: str = "") -> Change:
    """What lets the lane of that partner alone send an object as it is then, or hear that word of it."""
    return Change(module, key, what=f"{ONLY}{name}/{word}" if word else f"{ONLY}{name}")


async def lane_from_now_on(store: Store, name: str) -> Put:
    """What starts a new partner's lane with the changes that come: what exists already, the partner pulls.

    What is under way for its parties (`lane.Running`) is brought to it all the same.
    """
    return Put(LANES, name, msgspec.json.encode(LaneState(cursor=await store.last_change(), fresh=True)))


def may_have(hub: Hub, partner: Partner, module: str, key: str) -> bool:
    """May `partner` have the shared object of this key: by its audience, and by what was agreed with its owner?"""
    return entitled(partner, audience=audience_in(key)) and hub.agreements.may(partner, owner_in(key), module).allowed


class Between(TypedDict, total=False):
    """Between whom a message goes, for `Peers.send`."""

    to: str
    sender: str


def parties(hub: Hub, owner: str, audience: str) -> Between:
    """The hub speaks where it broadcasts; what is for one party comes from its owner (Message Routing Headers)."""
    return {"to": audience, "sender": owner} if audience else {"sender": hub.settings.hub}


def entitled(
    partner: Partner, *, audience: str, owner: str = "", roles: Collection[PartyRole] = frozenset(PartyRole)
) -> bool:
    """May `partner` have an object that is meant for `audience` ("" = all) in one of `roles`? `owner`: whose it is.

    A connection that stands for one party of ours carries that party's objects alone.
    """
    if owner and not partner.stands_for(owner):
        return False
    return not audience or audience in partner.parties_as(roles)


def entitled_to(partner: Partner, roles: Collection[PartyRole]) -> Mapping[str, Sequence[str]]:
    """The same of what is addressed, for `Listing.page`: whose objects, and for whom."""
    owners = {"owner": (partner.represents,)} if partner.represents else {}
    return {"audience": sorted(partner.parties_as(roles)), **owners}
