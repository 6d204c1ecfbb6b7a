"""Pulling partners' objects: everything after a registration, then what changed, day by day.

What is invalid in a page is logged and passed over, the rest is taken (REQ-012). What comes again as it came before is
known by its bytes, and costs no more than that. What is pushed while we read is not undone by what the list said before
(`hub/core/overtaken.py`). The watermark is the time at which the pull began, less a little, as partners cut
milliseconds; it is kept with the partner when the whole pull went through.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from hashlib import blake2b
from itertools import chain
from typing import Any, Final, NamedTuple

import structlog

from hub.core import trace
from hub.core.clock import timestamp
from hub.core.dialect import Loss
from hub.core.errors import BusbarError, Conflict, NotReady
from hub.core.failpoints import failpoint
from hub.core.inbound import encode
from hub.core.jsontypes import Json
from hub.core.losses import pointers
from hub.core.overtaken import Overtaken, Told
from hub.core.own_ids import NOWHERE, Names, Said
from hub.core.parties import Party
from hub.core.ports import Hub
from hub.core.registry import Partner, State
from modules.credentials.claims import have_come
from partners.ocpi.marks import Mark
from partners.ocpi.pages import Crawl, Page, Pages
from partners.ocpi.sources import SOURCES, Source, WholeList
from partners.ocpi.whole_lists import READINGS, read_whole

log = structlog.get_logger()

OVERLAP: Final = timedelta(seconds=2)
_MOST_KNOWN: Final = 500_000


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull brought: new objects, known ones, and such as cannot be used."""

    taken: int = 0
    unchanged: int = 0
    refused: int = 0

    def __add__(self, other: Pulled) -> Pulled:
        return Pulled(self.taken + other.taken, self.unchanged + other.unchanged, self.refused + other.refused)


_At = tuple[str, str, bool, int]
"""Partner, module, is it a whole list?, and how many objects are on the pages before."""


class _Marked(NamedTuple):
    """A page of which all is known: how it came, and by key which writing of ours each object made.

    revision: that of the kind, since which nothing of it was written; then there is nothing to look for.
    """

    mark: Mark
    versions: dict[str, int]
    revision: int


class Puller:
    """Pulls the lists of `SOURCES` from whoever owns what is on them."""

    def __init__(self, hub: Hub, pages: Pages) -> None:
        self._hub = hub
        self._pages = pages
        self._busy: set[str] = set()
        self._failures: dict[tuple[str, str], int] = {}
        self._not_before: dict[tuple[str, str], float] = {}
        self._known: dict[tuple[str, str], tuple[bytes, int]] = {}
        """By module and key: how an object came the last time, and which writing of ours it made."""
        self._marked: dict[_At, _Marked] = {}
        self._read_whole: set[tuple[str, str]] = set()
        """By partner and module: the whole lists that were read since the start."""

    async def run(self) -> None:
        """Pull from whoever is due, for ever: new partners at once, the others once a day."""
        while True:
            for partner in self._hub.registry.connected():
                due = self.due(partner) if partner.name not in self._busy else []
                if due:
                    self._busy.add(partner.name)
                    self._hub.background.start(self.pull_due(partner.name, due), name=f"pull {partner.name}")
            await self._hub.clock.sleep(self._hub.settings.pull_check_s)

    def due(self, partner: Partner) -> list[Source | WholeList]:
        """What is to be pulled of `partner` now."""
        if partner.interpreter:
            return []
        return [source for source in SOURCES if source.offered_by(partner) and self._is_due(partner, source)]

    def _is_due(self, partner: Partner, source: Source | WholeList) -> bool:
        at = (partner.name, source.module)
        if self._hub.clock.monotonic() < self._not_before.get(at, 0.0):
            return False
        if isinstance(source, WholeList) and at not in self._read_whole:
            return True
        last = partner.pulled.get(source.module)
        every = timedelta(seconds=self._hub.settings.pull_every_s)
        return last is None or last < timestamp(self._hub.clock.now() - every)

    async def pull_due(self, name: str, due: Iterable[Source | WholeList]) -> None:
        """One list after the other; one that fails is tried again later, ever more rarely."""
        try:
            for source in due:
                await self._guarded(name, source)
        finally:
            self._busy.discard(name)

    async def _guarded(self, name: str, source: Source | WholeList) -> None:
        at = (name, source.module)
        try:
            await self._pull(name, source, full=False)
        except BusbarError as fault:
            self._back_off(at)
            log.warning("pull failed", partner=name, module=source.module, error=fault.message)
        else:
            self._failures.pop(at, None)
            self._not_before.pop(at, None)

    def _back_off(self, at: tuple[str, str]) -> None:
        """As the lanes do: a partner that fails is not asked for its whole list every few seconds."""
        settings = self._hub.settings
        failures = self._failures[at] = self._failures.get(at, 0) + 1
        wait_s = min(settings.lane_first_s * 2 ** min(failures - 1, 20), settings.lane_cap_s)
        self._not_before[at] = self._hub.clock.monotonic() + wait_s

    async def pull(self, name: str, *, full: bool = False) -> Pulled:
        """All lists of a partner, or what changed in them since the last pull. Raises: PeerFault's children."""
        pulled = Pulled()
        partner = self._hub.registry.get(name)
        for source in SOURCES:
            if source.offered_by(partner):
                pulled += await self._pull(name, source, full=full)
        return pulled

    async def _pull(self, name: str, source: Source | WholeList, *, full: bool) -> Pulled:
        trace.begin()
        partner = self._hub.registry.get(name)
        began = self._hub.clock.now()
        if isinstance(source, WholeList):
            pulled = await self._take_whole(partner, source)
        else:
            pulled = await self._take_changed(partner, source, None if full else partner.pulled.get(source.module))
        await self._mark(partner, source.module, timestamp(began - OVERLAP))
        log.info("pulled", partner=name, module=source.module, taken=pulled.taken, refused=pulled.refused)
        return pulled

    async def _take_whole(self, partner: Partner, source: WholeList) -> Pulled:
        found, refused = await read_whole(self._pages, partner, source)
        new = await source.keep(self._hub, partner, found)
        self._read_whole.add((partner.name, source.module))
        return Pulled(new, len(found) - new, refused)

    async def _take_changed(self, partner: Partner, source: Source, since: str | None) -> Pulled:
        name, pulled = partner.name, Pulled()
        for _ in range(READINGS):
            crawl = Crawl(self._pages, partner, source.module, since, partial(self._known_page, name, source, since))
            told = await self._from_now_on(source)
            async for page in crawl.pages():
                at = (name, source.module, since is None, page.at)
                pulled += await self._take_page(partner, source, page, at, told)
                failpoint("pull.page.after_commit")
                told = await self._from_now_on(source)
            if not crawl.shrank:
                break
        return pulled

    async def _from_now_on(self, source: Source) -> Told:
        return Told(self._hub.store, source.module, await self._hub.store.last_change())

    async def _mark(self, asked: Partner, module: str, until: str) -> None:
        """On the partner as it is now: it may have rotated its credentials while we pulled.

        For a party that came with them this pull does not count.
        """

        def marked(partner: Partner) -> Partner:
            if partner.state is not State.CONNECTED or have_come(partner.claims, asked.claims):
                return partner
            return partner.model_copy(update={"pulled": {**partner.pulled, module: until}})

        await self._hub.registry.change(asked.name, marked)

    def _known_page(self, name: str, source: Source, since: str | None, at: int) -> Mark | None:
        marked = self._marked.get((name, source.module, since is None, at))
        return marked.mark if marked else None

    async def _take_page(self, partner: Partner, source: Source, page: Page, at: _At, told: Told) -> Pulled:
        """A page that came as before is not looked into, if all that was on it is still what we have."""
        marked = self._marked.pop(at, None)
        revision = self._hub.store.revision(source.kind)  # before we look: what is written meanwhile makes it older
        if marked is not None and page.objects is None and await self._are_ours_still(source, marked, revision):
            self._marked[at] = marked._replace(revision=revision)
            return Pulled(unchanged=len(page))
        pulled, versions = await self._take_objects(partner, source, page.read(), told)
        if page.mark is not None and len(versions) == len(page):
            self._marked[at] = _Marked(page.mark, versions, revision)
        return pulled

    async def _are_ours_still(self, source: Source, marked: _Marked, revision: int) -> bool:
        if revision == marked.revision:
            return True
        return await self._hub.store.versions(source.kind, list(marked.versions)) == marked.versions

    async def _take_objects(
        self, partner: Partner, source: Source, trees: list[Json], told: Told
    ) -> tuple[Pulled, dict[str, int]]:
        """Only what came otherwise than before is looked into; what we have lost since is taken anew.

        Also returns: by key the writing that each object made, for those that are known from now on.
        """
        keys = [_key(partner, source, tree) for tree in await self._as_named_here(partner, source, trees)]
        before = await self._hub.store.versions(source.kind, [key for key in keys if key])
        pulled, digests = Pulled(), {}
        for tree, key in zip(trees, keys, strict=True):
            digest = blake2b(encode(tree), digest_size=16).digest()
            if key in before and self._known.get((source.module, key)) == (digest, before[key]):
                pulled += Pulled(unchanged=1)
                continue
            before.pop(key, None)
            try:
                outcome = await self._take(partner, source, tree, told)
            except Overtaken:
                pulled += Pulled(unchanged=1)
                continue
            pulled += Pulled(taken=outcome is True, unchanged=outcome is False, refused=outcome is None)
            if outcome is not None and key:
                digests[key] = digest
        return pulled, before | await self._remember(source, digests)

    async def _as_named_here(self, partner: Partner, source: Source, trees: list[Json]) -> list[Json]:
        """With the names that the partner's own ids have here (`hub/core/own_ids.py`); none gets one by this."""
        spots = source.wires[partner.version or ""].spots
        if spots is None:
            return trees
        ids = [*chain(*spots.ids(trees))]
        names = await self._hub.own_ids.names(Said(str(source.party_of(partner)), listed=ids))
        named: list[Json] = spots.renamed(trees, names.others) if names.others else trees
        return named

    async def _remember(self, source: Source, digests: dict[str, bytes]) -> dict[str, int]:
        if len(self._known) + len(digests) > _MOST_KNOWN:
            self._known.clear()
            self._marked.clear()
        versions = await self._hub.store.versions(source.kind, list(digests)) if digests else {}
        for key, version in versions.items():
            self._known[source.module, key] = (digests[key], version)
        return versions

    async def _take(self, partner: Partner, source: Source, tree: Json, told: Told) -> bool | None:
        """True: taken; False: known already; None: not usable. Raises: Overtaken."""
        try:
            names, read = await self._read(partner, source, tree)
            owner = Party.of(read.country_code, read.party_id)
            if not partner.speaks_for(owner, source.owners):
                log.warning("pulled what is not its own", partner=partner.name, module=source.module, party=str(owner))
                return None
            with self._hub.own_ids.spoken(names):
                return await source.keep(self._hub, owner, read, told)
        except (NotReady, Conflict):
            raise
        except BusbarError as fault:
            log.warning("pulled object is not valid", partner=partner.name, module=source.module, error=fault.message)
            return None

    async def _read(self, partner: Partner, source: Source, tree: Json) -> tuple[Names, Any]:
        """In our form, by the names that things have here, and those. Raises: InvalidRequest."""
        given = source.party_of(partner)
        named = {} if given is None else {"country_code": given.country_code, "party_id": given.party_id}
        wire, lost = source.wires[partner.version or ""], list[Loss]()
        spots = wire.spots or NOWHERE
        names = await self._hub.own_ids.names(Said(str(given), *spots.ids(tree)))
        read = wire.read(spots.renamed(tree, names.others) if names.others else tree, given=named, losses=lost)
        self._hub.losses.note(partner.name, "in", source.module, pointers(lost))
        return names, read


def _key(partner: Partner, source: Source, tree: Json) -> str:
    """Where it would be kept; "" for what is no such object."""
    try:
        party = source.party_of(partner) if partner.version == "2.1.1" else None
        return source.key(party or Party.of(tree["country_code"], tree["party_id"]), tree)
    except (KeyError, TypeError, AttributeError, BusbarError):
        return ""
