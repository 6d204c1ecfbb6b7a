"""The update of one station in a campaign, from its place in the queue to the version that the station boots with.

    scheduled    nothing was sent; it may be that an attempt has failed before
    asking       written down before the station is told: after a fall of the hub nobody knows whether it was
    asked, downloading, downloaded, installing, installed      as the station says, forward only
    verified     it booted with the new version, or had it already
    failed       after its last attempt
    dropped      never told, as the campaign was aborted

A step is one write that expects what was read, so that the gateway, which hears the station, and the worker, which
drives the campaign, may both be at it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from hub.core.clock import timestamp
from hub.core.errors import Conflict
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.units import ABSENT, Audit, Document, Kind, Put, Unit
from partners.ocpp.care.payloads import FINAL, FIRMWARE_WORDS
from partners.ocpp.register import folded

CARE_UPDATES: Final = Kind("care_updates", columns=("campaign", "busy"), indexed=("campaign", "busy"))
"""`busy`: the station, while an update of it is under way; else ""."""

State = Literal[
    "scheduled", "asking", "asked", "downloading", "downloaded", "installing", "installed",
    "verified", "failed", "dropped",
]  # fmt: skip
STATES: Final[tuple[State, ...]] = (
    "scheduled", "asking", "asked", "downloading", "downloaded", "installing", "installed",
    "verified", "failed", "dropped",
)  # fmt: skip
UNDER_WAY: Final = STATES[1:7]
OVER: Final = STATES[7:]
_MOST_STEPS: Final = 40


class Step(msgspec.Struct, frozen=True):
    """A state, and when it was reached."""

    state: State
    at: str


class Update(msgspec.Struct, frozen=True):
    """One station of a campaign. `attempt` counts what was sent; `number` is the request of the last one."""

    campaign: str
    station: str
    model: str
    version: str
    place: int
    since: datetime
    state: State = "scheduled"
    attempt: int = 0
    retries: int = 0
    retry_s: float = 0
    number: int = 0
    why: str = ""
    not_before: datetime | None = None
    is_withdrawn: bool = False
    """It was taken out of use for the update, and is to be put back."""
    asked_version: bool = False
    course: tuple[Step, ...] = ()

    def shown(self) -> Tree:
        """For the operator."""
        course = [{"state": step.state, "at": step.at} for step in self.course]
        return {"station": self.station, "model": self.model, "state": self.state, "attempt": self.attempt,
                "why": self.why, "withdrawn": self.is_withdrawn, "course": course}  # fmt: skip


def moved(update: Update, state: State, now: datetime, *, why: str = "") -> Update:
    """The update, in another state."""
    course = (*update.course, Step(state, timestamp(now)))[-_MOST_STEPS:]
    return replace(update, state=state, since=now, why=why, course=course)


def fell(update: Update, why: str, now: datetime, *, for_good: bool = False) -> Update:
    """An attempt has failed: back into the queue for the next, or failed."""
    if for_good or update.attempt > update.retries:
        return moved(update, "failed", now, why=why)
    later = now + timedelta(seconds=update.retry_s)
    return replace(moved(update, "scheduled", now, why=why), not_before=later, asked_version=False)


async def heard(hub: Hub, station: str, payload: Tree) -> None:
    """A station says how far it is. What is of another request, or older than what is known, changes nothing."""
    status = str(payload.get("status"))
    word, number = FIRMWARE_WORDS.get(status, ""), payload.get("requestId")
    if not word:
        return

    def step(update: Update) -> Update:
        if number not in (None, update.number):
            return update
        now = hub.clock.now()
        if word == "failed":
            return fell(update, f"the charger says {status}", now, for_good=status in FINAL)
        state = next(state for state in STATES if state == word)
        return moved(update, state, now) if STATES.index(state) > STATES.index(update.state) else update

    await _step_of(hub, station, step)


async def booted(hub: Hub, station: str, version: str) -> None:
    """A station has booted, and says with which firmware."""

    def step(update: Update) -> Update:
        now = hub.clock.now()
        if version == update.version:
            return moved(update, "verified", now)
        return fell(update, f"it booted with {version or 'no version'}", now) if update.state == "installed" else update

    await _step_of(hub, station, step)


async def change(hub: Hub, update: Update, step: Callable[[Update], Update], *more: Put) -> Update:
    """Take a step from what is on record now; again, when somebody was faster. Returns: what is on record then."""
    while True:
        document = await hub.store.get(CARE_UPDATES, key_of(update))
        if document is None:
            return update
        known = read(document)
        fresh = step(known)
        if fresh == known:
            return known
        unit = Unit().put(put_of(fresh, document.version))
        for put in more:
            unit.put(put)
        if fresh.state == "failed" and known.state != "failed":
            detail = f"{fresh.campaign}: {fresh.why}"
            unit.audited(Audit("busbar", "campaign.station_failed", fresh.station, detail))
        try:
            await hub.store.commit(unit)
        except Conflict:
            continue
        return fresh


async def of_campaign(hub: Hub, campaign: str) -> list[Update]:
    """All of a campaign, in their order."""
    found: list[Update] = []
    after = 0
    while True:
        page = await hub.store.select(CARE_UPDATES, equal={"campaign": campaign}, after_seq=after)
        found += map(read, page)
        if not page:
            return found
        after = page[-1].seq


async def under_way(hub: Hub, station: str) -> Update | None:
    """The update that a station is at."""
    documents = await hub.store.select(CARE_UPDATES, equal={"busy": folded(station)}, descending=True, limit=1)
    return read(documents[0]) if documents else None


async def _step_of(hub: Hub, station: str, step: Callable[[Update], Update]) -> None:
    """A step of the update that the station is at, if there is one."""
    update = await under_way(hub, station)
    if update is not None:
        await change(hub, update, lambda known: step(known) if known.state in UNDER_WAY else known)


def key_of(update: Update) -> str:
    return f"{update.campaign}/{folded(update.station)}"


def put_of(update: Update, expect: int = ABSENT) -> Put:
    busy = folded(update.station) if update.state in UNDER_WAY else ""
    body = msgspec.json.encode(update)
    return Put(CARE_UPDATES, key_of(update), body, columns=(update.campaign, busy), expect=expect)


def read(document: Document) -> Update:
    return msgspec.json.decode(document.body, type=Update)
