"""Pulling partners' objects: everything after a registration, then what changed, day by day.

A page is followed by its `Link`, or by counting where there is none. What is invalid in a page is logged and passed
over, the rest is taken (REQ-012). The watermark is the time at which the pull began, less a little, as partners cut
milliseconds; it is kept with the partner when the whole pull went through.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol
from urllib.parse import urlencode, urljoin, urlsplit

import structlog

from hub.core import trace
from hub.core.clock import timestamp
from hub.core.errors import BusbarError, Conflict, NotReady, PeerNonsense
from hub.core.failpoints import failpoint
from hub.core.jsontypes import Json, Tree
from hub.core.operations import EMSP_LIKE, SENDER, Side
from hub.core.parties import Party
from hub.core.ports import Hub, PeerAnswer
from hub.core.registry import Partner, State
from modules.tokens import service as tokens
from modules.tokens.wire import TOKEN

log = structlog.get_logger()

OVERLAP: Final = timedelta(seconds=2)
MOST_PAGES: Final = 100_000
_LINK: Final = re.compile(r'<([^>]+)>\s*;[^,]*rel="?next"?', re.IGNORECASE)


class Pages(Protocol):
    """The part of the peer client that a pull needs."""

    async def send(
        self, partner: Partner, method: str, module: str, side: Side, *, query: dict[str, str]
    ) -> PeerAnswer: ...

    async def get(self, partner: Partner, url: str) -> PeerAnswer: ...


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull brought."""

    taken: int = 0
    unchanged: int = 0
    refused: int = 0


class Puller:
    """Pulls tokens from eMSPs."""

    def __init__(self, hub: Hub, pages: Pages) -> None:
        self._hub = hub
        self._pages = pages
        self._busy: set[str] = set()
        self._failures: dict[str, int] = {}
        self._not_before: dict[str, float] = {}

    async def run(self) -> None:
        """Pull from whoever is due, for ever: new partners at once, the others once a day."""
        while True:
            for partner in self._hub.registry.connected():
                if self._is_due(partner) and partner.name not in self._busy:
                    self._busy.add(partner.name)
                    self._hub.background.start(self._guarded(partner.name), name=f"pull {partner.name}")
            await self._hub.clock.sleep(self._hub.settings.pull_check_s)

    def _is_due(self, partner: Partner) -> bool:
        if not partner.roles & EMSP_LIKE or partner.endpoint("tokens", "SENDER") is None:
            return False
        if self._hub.clock.monotonic() < self._not_before.get(partner.name, 0.0):
            return False
        last = partner.pulled.get("tokens")
        every = timedelta(seconds=self._hub.settings.pull_every_s)
        return last is None or last < timestamp(self._hub.clock.now() - every)

    async def _guarded(self, name: str) -> None:
        try:
            await self.pull_tokens(name)
        except BusbarError as fault:
            self._back_off(name)
            log.warning("pull failed", partner=name, error=fault.message)
        else:
            self._failures.pop(name, None)
            self._not_before.pop(name, None)
        finally:
            self._busy.discard(name)

    def _back_off(self, name: str) -> None:
        """As the lanes do: a partner that fails is not asked for its whole list every few seconds."""
        settings = self._hub.settings
        failures = self._failures[name] = self._failures.get(name, 0) + 1
        wait_s = min(settings.lane_first_s * 2 ** min(failures - 1, 20), settings.lane_cap_s)
        self._not_before[name] = self._hub.clock.monotonic() + wait_s

    async def pull_tokens(self, name: str, *, full: bool = False) -> Pulled:
        """All tokens of a partner, or those that changed since the last pull. Raises: PeerFault's children."""
        trace.begin()
        partner = self._hub.registry.get(name)
        began = self._hub.clock.now()
        since = None if full else partner.pulled.get("tokens")
        taken = unchanged = refused = 0
        async for tree in self._objects(partner, since):
            outcome = await self._take(partner, tree)
            taken += outcome is True
            unchanged += outcome is False
            refused += outcome is None
        await self._mark(name, timestamp(began - OVERLAP))
        log.info("pulled tokens", partner=name, taken=taken, unchanged=unchanged, refused=refused)
        return Pulled(taken, unchanged, refused)

    async def _mark(self, name: str, until: str) -> None:
        """On the partner as it is now: it may have rotated its credentials while we pulled."""

        def marked(partner: Partner) -> Partner:
            if partner.state is not State.CONNECTED:
                return partner
            return partner.model_copy(update={"pulled": {**partner.pulled, "tokens": until}})

        await self._hub.registry.change(name, marked)

    async def _take(self, partner: Partner, tree: Json) -> bool | None:
        """True: taken; False: known already; None: not usable."""
        try:
            given = _owner(partner, tree)
            token = TOKEN[partner.version or ""].read(tree, given=given)
            owner = Party.of(token.country_code, token.party_id)
            if not partner.speaks_for(owner, EMSP_LIKE):
                log.warning("pulled a token of a foreign party", partner=partner.name, party=str(owner))
                return None
            return await tokens.put(self._hub.store, owner, token.uid, token)
        except (NotReady, Conflict):
            raise
        except BusbarError as fault:
            log.warning("pulled object is not valid", partner=partner.name, error=fault.message)
            return None

    async def _objects(self, partner: Partner, since: str | None) -> AsyncIterator[Json]:
        """Every object of the list. Raises: PeerFault's children."""
        query = {"limit": "500", **({"date_from": since} if since else {})}
        answer = await self._pages.send(partner, "GET", "tokens", SENDER, query=query)
        seen = 0
        asked: set[str] = set()
        while len(asked) < MOST_PAGES:
            page = answer.data
            if not isinstance(page, list):
                raise PeerNonsense("a list request was not answered with a list")
            for tree in page:
                yield tree
            failpoint("pull.page.after_commit")
            seen += len(page)
            following = _next_url(partner, answer, seen, query)
            if not page or following is None:
                return
            if following in asked:
                raise PeerNonsense("the pages of the list go round in a circle")
            asked.add(following)
            answer = await self._pages.get(partner, following)
        raise PeerNonsense(f"the list has more than {MOST_PAGES} pages")


def _owner(partner: Partner, tree: Json) -> Tree:
    """2.1.1 objects do not name their owner: it is the partner's party."""
    party = Party.parse(partner.party)
    return {"country_code": party.country_code, "party_id": party.party_id}


def _next_url(partner: Partner, answer: PeerAnswer, seen: int, query: Mapping[str, str]) -> str | None:
    """The `Link` to follow, if it leads to the partner's own host (our token goes with it); else counting on.

    Behind a proxy servers write `http` where they are reached by https: what was agreed on is kept.
    """
    base = partner.endpoint("tokens", "SENDER") or ""
    match = _LINK.search(answer.headers.get("link", ""))
    if match is not None:
        following, agreed = urlsplit(urljoin(base, match[1])), urlsplit(base)
        if following.netloc != agreed.netloc:
            raise PeerNonsense("the next page is on another host")
        return str(following._replace(scheme=agreed.scheme).geturl())
    total = answer.headers.get("x-total-count", "")
    if total.isascii() and total.isdigit() and int(total) > seen:
        return f"{base}?{urlencode({**query, 'offset': str(seen)})}"
    return None
