"""Campaigns: one firmware for many stations of one model, a few first, then more, and no further when it goes wrong.

running     stations are told, as far as the campaign's rules allow
paused      by an operator; what is under way goes on
stopped     by itself: a canary failed, or too many did; an operator may resume it
aborted     by an operator, for good; stations that were not told are dropped
done        every station is verified or failed
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from hub.core.clock import timestamp
from hub.core.errors import Conflict, InvalidRequest, NotFound, RegistrationState
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.units import ABSENT, Audit, Document, Kind, Put, Unit
from partners.ocpp import register
from partners.ocpp.care import firmware, updates
from partners.ocpp.care.updates import STATES, Update
from partners.ocpp.register import Learned, folded

CARE_CAMPAIGNS: Final = Kind("care_campaigns", columns=("live",), indexed=("live",))
"""`live`: "yes", until nothing is left to be done for it."""

State = Literal["running", "paused", "stopped", "aborted", "done"]
Steer = Literal["pause", "resume", "abort"]
MOST: Final = 1_000
_AT_ONCE: Final = 500
_STEERS: Final[dict[Steer, tuple[State, tuple[State, ...], str]]] = {
    "pause": ("paused", ("running",), "campaign.paused"),
    "resume": ("running", ("paused", "stopped"), "campaign.resumed"),
    "abort": ("aborted", ("running", "paused", "stopped"), "campaign.aborted"),
}
"""To which state, from which, and the word in the audit log."""


class Rules(msgspec.Struct, frozen=True):
    """How careful a campaign is. `stop_after`: that many failures stop it; of the canaries, the first does."""

    canary: int = 1
    batch: int = 20
    stop_after: int = 2
    make_unavailable: bool = False
    retries: int = 2
    retry_s: float = 600
    patience_s: float = 7200
    """How long a station may say nothing."""
    verify_s: float = 60
    """How long after the installation it is asked for its version, if it has not booted."""


class Campaign(msgspec.Struct, frozen=True):
    """One campaign. `forgiven`: failures that an operator has seen, and resumed it all the same."""

    id: str
    firmware: str
    model: str
    version: str
    rules: Rules
    created: datetime
    state: State = "running"
    why: str = ""
    forgiven: int = 0
    is_live: bool = True

    def shown(self, of_it: list[Update]) -> Tree:
        """For the operator, in short: how many are where, and how it went by model."""
        counts = Counter(update.state for update in of_it)
        rules = msgspec.to_builtins(self.rules)
        return {
            "id": self.id, "firmware": self.firmware, "model": self.model, "version": self.version,
            "state": self.state, "why": self.why, "created": timestamp(self.created), "rules": rules,
            "total": len(of_it), "counts": {state: counts[state] for state in STATES if counts[state]},
            "success": success(of_it),
        }  # fmt: skip


def success(of_it: list[Update]) -> list[Tree]:
    """How it went, by model: of those that are through."""
    found: list[Tree] = []
    for model in sorted({update.model for update in of_it}):
        counts = Counter(update.state for update in of_it if update.model == model)
        through = counts["verified"] + counts["failed"]
        rate = round(100 * counts["verified"] / through) if through else None
        row = {"model": model, "verified": counts["verified"], "failed": counts["failed"], "success_percent": rate}
        found.append(row)
    return found


async def start(hub: Hub, name: str, model: str, wanted: Sequence[str], rules: Rules, *, actor: str) -> Campaign:
    """Begin a campaign for all stations of the firmware's model, or for those `wanted` of them, in that order.

    Raises: NotFound, InvalidRequest.
    """
    image = await firmware.ready(hub, name)
    if model and model != image.model:
        raise InvalidRequest(f"/model: {name} is for {image.model}")
    chosen = await _chosen(hub, image.model, wanted)
    now = hub.clock.now()
    campaign = Campaign(secrets.token_hex(4), name, image.model, image.version, rules, now)
    queue = [_place(campaign, number, learned, now) for number, learned in enumerate(chosen)]
    for first in range(0, len(queue), _AT_ONCE):  # the campaign comes last: half a queue is driven by nobody
        unit = Unit()
        for update in queue[first : first + _AT_ONCE]:
            unit.put(updates.put_of(update))
        await hub.store.commit(unit)
    audit = Audit(actor, "campaign.started", campaign.id, f"{name}, {len(queue)} chargers")
    await hub.store.commit(Unit().put(put_of(campaign, ABSENT)).audited(audit))
    return campaign


async def _chosen(hub: Hub, model: str, wanted: Sequence[str]) -> list[Learned]:
    """What is known of each station that it is for. Raises: InvalidRequest, for one that is of another model."""
    stations, learned = await register.load(hub.store)
    known = {folded(each.identity): learned.get(folded(each.identity)) or Learned(each.identity) for each in stations}
    fitting = {key: each for key, each in known.items() if each.model == model}
    wrong = next((identity for identity in wanted if folded(identity) not in fitting), None)
    if wrong is not None:
        raise InvalidRequest(f"/stations: no charger {wrong} is known to be a {model}")
    if not fitting:
        raise InvalidRequest(f"/model: no charger is known to be a {model}")
    return [fitting[key] for key in dict.fromkeys(map(folded, wanted))] if wanted else list(fitting.values())


def _place(campaign: Campaign, number: int, learned: Learned, now: datetime) -> Update:
    rules = campaign.rules
    update = Update(
        campaign.id, learned.identity, learned.model, campaign.version, number, now,
        retries=rules.retries, retry_s=rules.retry_s,
    )  # fmt: skip
    if learned.firmware == campaign.version:
        return updates.moved(update, "verified", now, why="it had it already")
    return updates.moved(update, "scheduled", now)


async def steer(hub: Hub, campaign_id: str, steer: Steer, *, actor: str) -> Campaign:
    """Pause, resume or abort. Raises: NotFound; RegistrationState, where that makes no sense now; Conflict."""
    document, campaign = await _on_record(hub, campaign_id)
    to, froms, word = _STEERS[steer]
    if campaign.state not in froms:
        raise RegistrationState(f"the campaign is {campaign.state}")
    failed = sum(update.state == "failed" for update in await updates.of_campaign(hub, campaign_id))
    forgiven = failed if steer == "resume" and campaign.state == "stopped" else campaign.forgiven
    fresh = replace(campaign, state=to, why="", forgiven=forgiven)
    await hub.store.commit(Unit().put(put_of(fresh, document.version)).audited(Audit(actor, word, campaign_id)))
    return fresh


async def settle(hub: Hub, campaign: Campaign, state: State, why: str = "", *, is_live: bool = True) -> None:
    """What the campaign comes to by itself; what an operator says meanwhile stands."""
    document, known = await _on_record(hub, campaign.id)
    if known.state != campaign.state:
        return
    fresh = replace(known, state=state, why=why or known.why, is_live=is_live)
    unit = Unit().put(put_of(fresh, document.version))
    if state != known.state:
        unit.audited(Audit("busbar", f"campaign.{state}", campaign.id, why))
    try:
        await hub.store.commit(unit)
    except Conflict:
        return


async def get(hub: Hub, campaign_id: str) -> Campaign:
    """Raises: NotFound."""
    return (await _on_record(hub, campaign_id))[1]


async def listed(hub: Hub, limit: int) -> list[Campaign]:
    """The newest first."""
    return [_read(each) for each in await hub.store.select(CARE_CAMPAIGNS, descending=True, limit=limit)]


async def live(hub: Hub) -> list[Campaign]:
    """Those for which something is left to be done."""
    return [_read(each) for each in await hub.store.select(CARE_CAMPAIGNS, equal={"live": "yes"}, limit=MOST)]


async def _on_record(hub: Hub, campaign_id: str) -> tuple[Document, Campaign]:
    document = await hub.store.get(CARE_CAMPAIGNS, campaign_id)
    if document is None:
        raise NotFound("there is no such campaign")
    return document, _read(document)


def _read(document: Document) -> Campaign:
    return msgspec.json.decode(document.body, type=Campaign)


def put_of(campaign: Campaign, expect: int) -> Put:
    live = "yes" if campaign.is_live else ""
    return Put(CARE_CAMPAIGNS, campaign.id, msgspec.json.encode(campaign), columns=(live,), expect=expect)
