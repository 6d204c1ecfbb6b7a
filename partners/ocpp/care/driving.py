"""What drives campaigns: every few seconds, from what is on record, so that it goes on where a stopped hub left off.

A station is told after that has been written down. When the hub falls between the two, the update is found `asking`:
it is not sent again, since the station may have been told; it is given the same patience as one that says nothing.
"""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from typing import Final

import structlog
from msgspec.structs import replace

from hub.core.errors import BusbarError, NotFound
from hub.core.failpoints import failpoint
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from partners.ocpp.care import campaigns, firmware, links, updates
from partners.ocpp.care.campaigns import Campaign
from partners.ocpp.care.choosing import Choice, choose
from partners.ocpp.care.firmware import Firmware
from partners.ocpp.care.payloads import (
    FINAL,
    Image,
    Order,
    availability_order,
    update_order,
    update_refused,
)
from partners.ocpp.care.surroundings import Stations, is_free
from partners.ocpp.care.updates import UNDER_WAY, Update, fell, moved
from partners.ocpp.register import learned_of
from partners.ocpp.stations import Called

log = structlog.get_logger()

_TIMEOUT_S: Final = 30.0
_ASKING_S: Final = 90.0
_AGAIN_S: Final = 30.0
_UNKNOWN: Final = ("NotSupported", "NotImplemented")


class Campaigns:
    """All live campaigns."""

    def __init__(self, hub: Hub, stations: Stations, *, every_s: float = 5.0) -> None:
        self._hub, self._stations, self._every_s = hub, stations, every_s

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                await self.step()
            except BusbarError as fault:
                log.warning("campaigns wait", why=fault.message)
            await self._hub.clock.sleep(self._every_s)

    async def step(self) -> None:
        """Do what is due."""
        live = await campaigns.live(self._hub)
        if not live:
            return
        views = {str(view["identity"]): view for view in await self._stations.views()}
        for campaign in live:
            try:
                await self._drive(campaign, views)
            except BusbarError as fault:
                log.warning("a campaign waits", campaign=campaign.id, why=fault.message)
            except Exception as error:  # one odd campaign must not be the end of all
                log.exception("a campaign broke", campaign=campaign.id, error=type(error).__name__)

    async def _drive(self, campaign: Campaign, views: dict[str, Tree]) -> None:
        of_it = await updates.of_campaign(self._hub, campaign.id)
        for update in of_it:
            if update.state in UNDER_WAY:
                await self._look_at(campaign, update)
            elif update.state == "scheduled" and campaign.state == "aborted":
                await updates.change(self._hub, update, self._dropped)
            elif update.is_withdrawn and self._may_be_used(campaign, update):
                await self._put_back(update, views.get(update.station))
        of_it = await updates.of_campaign(self._hub, campaign.id)
        if campaign.state == "running":
            await self._go_on(campaign, of_it, views)
        elif campaign.state in ("aborted", "done") and not any(
            each.is_withdrawn or each.state in UNDER_WAY for each in of_it
        ):
            await campaigns.settle(self._hub, campaign, campaign.state, is_live=False)

    async def _go_on(self, campaign: Campaign, of_it: list[Update], views: dict[str, Tree]) -> None:
        choice = choose(campaign, of_it, self._hub.clock.now())
        if choice.stop or choice.is_done:
            state: campaigns.State = "stopped" if choice.stop else "done"
            await campaigns.settle(self._hub, campaign, state, choice.stop)
            return
        if not choice.room or not choice.candidates:
            return
        try:
            image = await firmware.ready(self._hub, campaign.firmware)
        except NotFound:
            await campaigns.settle(self._hub, campaign, "stopped", "its firmware was deleted")
            return
        chosen = await self._free(choice, views)
        await asyncio.gather(*(self._begin(campaign, update, image, view) for update, view in chosen))

    async def _free(self, choice: Choice, views: dict[str, Tree]) -> list[tuple[Update, Tree]]:
        """The first of the candidates that are there and idle."""
        found: list[tuple[Update, Tree]] = []
        for update in choice.candidates:
            view = views.get(update.station)
            if view is not None and await is_free(self._hub, view):
                found.append((update, view))
            if len(found) == choice.room:
                break
        return found

    async def _begin(self, campaign: Campaign, update: Update, image: Firmware, view: Tree) -> None:
        """Tell a station, unless it has the version already, or cannot be taken out of use as it should."""
        now, learned = self._hub.clock.now(), await learned_of(self._hub.store, update.station)
        if learned.firmware == update.version:
            await updates.change(self._hub, update, lambda known: moved(known, "verified", now, why="it has it"))
            return
        if campaign.rules.make_unavailable and not await self._withdraw(update, str(view["version"])):
            return
        number = secrets.randbelow(2**31 - 1) + 1
        link = links.mint(
            self._hub, "firmware", update.station, image.name, name=f"{image.name}.bin",
            is_secure=int(view["security_profile"]) >= 2,
        )  # fmt: skip

        def begun(known: Update) -> Update:
            if known.state != "scheduled":
                return known
            return replace(moved(known, "asking", now), attempt=known.attempt + 1, number=number, not_before=None)

        fresh = await updates.change(self._hub, update, begun, link.put)
        if fresh.number == number:
            failpoint("care.before_tell")
            signed = image.is_signed and "SignedUpdateFirmware" not in learned.not_supported
            told = Image(link.url, image.signature, image.certificate)
            await self._tell(fresh, told, str(view["version"]), signed=signed)

    async def _tell(self, update: Update, image: Image, version: str, *, signed: bool) -> None:
        now = self._hub.clock.now()
        called = await self._call(update, update_order(version, image, update.number, now, signed=signed))
        if signed and version == "1.6" and called.outcome == "error" and called.code in _UNKNOWN:
            called = await self._call(update, update_order(version, image, update.number, now, signed=False))
        await updates.change(self._hub, update, lambda known: self._answered(known, update.number, called))

    def _answered(self, known: Update, number: int, called: Called) -> Update:
        """After the answer. The station may have said more by now, and that stands."""
        now = self._hub.clock.now()
        if known.number != number or known.state != "asking":
            return known
        if called.outcome in ("not connected", "queue full"):
            later = now + timedelta(seconds=_AGAIN_S)
            unsent = replace(known, attempt=known.attempt - 1, not_before=later)
            return moved(unsent, "scheduled", now, why=called.outcome)
        if called.outcome == "error":
            return fell(known, f"answered {called.code}", now)
        refused = update_refused(called.payload or {}) if called.outcome == "result" else ""
        if refused:
            return fell(known, refused, now, for_good=refused.removeprefix("answered ") in FINAL)
        return moved(known, "asked", now)

    async def _look_at(self, campaign: Campaign, update: Update) -> None:
        """Has it been silent for too long, or not said its version?"""
        now, rules = self._hub.clock.now(), campaign.rules
        silent = now - update.since
        if update.state == "asking":
            if silent > timedelta(seconds=_ASKING_S):
                await updates.change(self._hub, update, lambda known: self._perhaps_told(known, update))
        elif silent > timedelta(seconds=rules.patience_s):
            why = f"nothing was heard of it for {rules.patience_s:.0f} s"
            await updates.change(self._hub, update, lambda known: fell(known, why, now) if known == update else known)
        elif update.state == "installed" and not update.asked_version and silent > timedelta(seconds=rules.verify_s):
            asked = await updates.change(self._hub, update, lambda known: replace(known, asked_version=True))
            if asked.state == "installed":
                await self._call(asked, Order("TriggerMessage", {"requestedMessage": "BootNotification"}))

    def _perhaps_told(self, known: Update, update: Update) -> Update:
        now = self._hub.clock.now()
        return moved(known, "asked", now, why="it may not have been told") if known == update else known

    def _dropped(self, known: Update) -> Update:
        return moved(known, "dropped", self._hub.clock.now()) if known.state == "scheduled" else known

    async def _withdraw(self, update: Update, version: str) -> bool:
        """Take it out of use. That is written down before, so that it is put back whatever happens."""
        if not update.is_withdrawn:
            await updates.change(self._hub, update, lambda known: replace(known, is_withdrawn=True))
        called = await self._call(update, availability_order(version, operative=False))
        status = (called.payload or {}).get("status")
        if called.outcome == "result" and status == "Accepted":
            return True
        later = self._hub.clock.now() + timedelta(seconds=_AGAIN_S)
        why = "it charges" if status == "Scheduled" else "it cannot be taken out of use"
        await updates.change(self._hub, update, lambda known: replace(known, not_before=later, why=why))
        return False

    def _may_be_used(self, campaign: Campaign, update: Update) -> bool:
        """It is through, or its next attempt is not soon."""
        soon = self._hub.clock.now() + timedelta(seconds=_AGAIN_S)
        waits = update.not_before is not None and update.not_before > soon
        return update.state != "scheduled" or campaign.state != "running" or waits

    async def _put_back(self, update: Update, view: Tree | None) -> None:
        if view is None or not view["connected"]:
            return
        called = await self._call(update, availability_order(str(view["version"]), operative=True))
        if called.outcome == "result" and (called.payload or {}).get("status") in ("Accepted", "Scheduled"):
            await updates.change(self._hub, update, lambda known: replace(known, is_withdrawn=False))

    async def _call(self, update: Update, order: Order) -> Called:
        return await self._stations.call(update.station, order.action, order.payload, timeout_s=_TIMEOUT_S, force=False)
