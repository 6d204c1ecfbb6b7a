"""Other hubs hear of the parties that come and go behind us: PUT credentials, as `busbar partner rotate` sends it.

    a party came or went -> what our credentials say to a hub is not what it was told -> settle -> PUT -> told, on disk

What came together is told together, and one hub is asked once a minute at most. While credentials are exchanged with it
anyway nothing is begun, and what is told by that exchange counts. Where a hub does not take it, the pauses grow, and an
operator sees why (`Partner.untold`). A PUT whose answer was lost leaves one more token of ours good; after some of
those the next try is half a day away.

What a hub refused because it did not know the party yet is sent again, once, when it was told of it.

Whoever the partner is: an exchange of ours of which nobody heard how it ended is made again like this. It may have new
tokens for both sides by now, and ours of it may run out.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection
from functools import partial
from typing import Final

import structlog

from hub.core.addressed import owner_in
from hub.core.delivery import REFUSED, Lanes
from hub.core.errors import BusbarError, Conflict
from hub.core.inbound import parse
from hub.core.ports import Hub
from hub.core.registry import Partner, State, TokenUse
from hub.core.secrets import Seal
from hub.core.units import Audit, Document
from modules.credentials import service as credentials
from modules.credentials import told
from partners.ocpi import rotation, turn
from partners.ocpi.handshake import Handshake

log = structlog.get_logger()

LOOK_EVERY_S: Final = 2.0
SETTLE_S: Final = 5.0
LEAST_S: Final = 60.0
"""Seconds between two exchanges with one hub."""
_MOST_S: Final = 3_600.0
_MOST_WHILE_UNSETTLED_S: Final = 600.0
"""Our token of it may run out within the overlap of its side (ours: 15 minutes)."""
_RARELY_S: Final = 43_200.0
_MOST_TOKENS: Final = 4
_JITTER: Final = 1.5
"""Two hubs that begin at once refuse each other; they must not begin at once again."""
_UNKNOWN_PARTY: Final = re.compile(r"(403|404)/|[0-9]+/2001:")
"""How the reason begins of what a hub refused that did not know the party: http/OCPI code."""
_MOST_REFUSED: Final = 100_000
_REFUSED_LIMIT: Final = 64 * 1024


class Telling:
    """Tells the hubs among the partners, each on its own."""

    def __init__(self, hub: Hub, handshake: Handshake, seal: Seal, lanes: Lanes, rng: random.Random) -> None:
        self._hub = hub
        self._handshake = handshake
        self._seal = seal
        self._lanes = lanes
        self._rng = rng
        self.under_way: set[str] = set()
        """The partners that are being told just now."""
        self._since: dict[str, float] = {}
        """By partner: when it was first seen that it does not know the latest."""
        self._told_at: dict[str, float] = {}
        """By partner: when it was first seen that it was told of new parties."""
        self._not_before: dict[str, float] = {}
        self._failures: dict[str, int] = {}

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._hub.clock.sleep(LOOK_EVERY_S)
            try:
                await self.look()
            except BusbarError as fault:
                log.warning("other hubs are told later", why=fault.message)
            except Exception as error:  # one odd partner must not end this for all others
                log.exception("other hubs were not told", error=type(error).__name__)

    async def look(self) -> None:
        """Begin to tell whoever is due, and send again what may be taken now."""
        await credentials.hubs_give_way(self._hub)
        for partner in self._hub.registry.connected():
            if partner.name not in self.under_way:
                await self._look_at(partner)

    async def _look_at(self, partner: Partner) -> None:
        now = self._hub.clock.now()
        if turn.is_left_behind(partner, now):
            partner = await self._hub.registry.change(partner.name, partial(turn.without_old_mark, now))
        if told.is_told(partner):
            await self._send_again_what_is_known_now(partner)
        if partner.untold and self._is_up_to_date(partner):
            await self._hub.registry.change(partner.name, told.without_complaint)
        if self._is_due(partner):
            self.under_way.add(partner.name)
            self._hub.background.start(self._tell(partner.name), name=f"exchange credentials with {partner.name}")

    def _is_up_to_date(self, partner: Partner) -> bool:
        if partner.unsettled or not told.is_told(partner):
            return not partner.unsettled
        roles = told.roles_in(credentials.ours(self._hub, partner, "", partner.version or ""))
        return told.is_up_to_date(partner, roles, self._hub.registry.all())

    def _is_due(self, partner: Partner) -> bool:
        name, now = partner.name, self._hub.clock.monotonic()
        if self._is_up_to_date(partner):
            self._since.pop(name, None)
            return False
        settled = self._since.setdefault(name, now) + SETTLE_S
        return now >= max(settled, self._not_before.get(name, 0.0)) and not partner.is_busy(self._hub.clock.now())

    async def _tell(self, name: str) -> None:
        pause_s = LEAST_S
        try:
            await rotation.rotate(self._hub, self._handshake, self._seal, name)
            self._failures.pop(name, None)
            log.info("a partner has new credentials", partner=name)
        except Conflict:
            log.info("a partner is told later: credentials are being exchanged with it", partner=name)
        except BusbarError as fault:
            pause_s = await self._failed(name, fault)
        finally:
            self._since.pop(name, None)
            self._not_before[name] = self._hub.clock.monotonic() + pause_s * self._rng.uniform(1.0, _JITTER)
            self.under_way.discard(name)

    async def _failed(self, name: str, fault: BusbarError) -> float:
        """Let it be seen. Returns: seconds until the next try."""
        failures = self._failures[name] = self._failures.get(name, 0) + 1
        log.warning("a partner could not be told our credentials", partner=name, failures=failures, why=fault.message)

        def noted(partner: Partner) -> Partner:
            if partner.state is not State.CONNECTED or partner.untold == fault.message:
                return partner
            return partner.model_copy(update={"untold": fault.message})

        partner = await self._hub.registry.change(name, noted)
        if sum(token.use is TokenUse.LIVE for token in partner.our_tokens) > _MOST_TOKENS:
            return _RARELY_S
        most_s = _MOST_WHILE_UNSETTLED_S if partner.unsettled else _MOST_S
        return min(LEAST_S * 2.0 ** min(failures - 1, 20), most_s)

    async def _send_again_what_is_known_now(self, partner: Partner) -> None:
        """A little later: what was under way as it was told may still be refused."""
        name, parties, now = partner.name, partner.newly_told, self._hub.clock.monotonic()
        if not parties:
            self._told_at.pop(name, None)
        elif now >= self._told_at.setdefault(name, now) + SETTLE_S:
            await self._send_again(name, parties)
            self._told_at.pop(name)

    async def _send_again(self, name: str, parties: tuple[str, ...]) -> None:
        found = await self._hub.store.select(REFUSED, equal={"partner": name}, limit=_MOST_REFUSED)
        again = [document for document in found if _is_for_its_party(document, parties)]
        for document in again:
            audit = Audit("busbar", "partner.resent", f"{name}/{document.columns['module']}")
            await self._lanes.resend(name, document.key, audit=audit)

        def sent(known: Partner) -> Partner:
            rest = tuple(party for party in known.newly_told if party not in parties)
            return known.model_copy(update={"newly_told": rest})

        await self._hub.registry.change(name, sent)
        if again:
            log.info("what a hub refused is sent again, as it knows the party now", partner=name, objects=len(again))


def _is_for_its_party(document: Document, parties: Collection[str]) -> bool:
    """Was it refused because its owner is one of these? Some modules' keys have a word before the owner."""
    begins = document.columns["object"].split("/", 2)[:2]
    reason = parse(document.body, limit=_REFUSED_LIMIT)["reason"]
    return any(owner_in(part) in parties for part in begins) and _UNKNOWN_PARTY.match(reason) is not None
