"""Who is next in a campaign: canaries until enough of them are verified, then as many at a time as a batch holds.

A canary is whoever comes first and can be told: one that is offline keeps nobody waiting. One that had the version
already proves nothing and is none. Pure: what is on record in, what to do out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from partners.ocpp.care.campaigns import Campaign
from partners.ocpp.care.updates import OVER, UNDER_WAY, Update


class Choice(NamedTuple):
    """`stop`: why it must not go on. `is_done`: nobody is left. Else up to `room` of `candidates` may be told now."""

    stop: str = ""
    is_done: bool = False
    room: int = 0
    candidates: tuple[Update, ...] = ()


def choose(campaign: Campaign, of_it: Sequence[Update], now: datetime) -> Choice:
    """What the rules of a running campaign allow now."""
    rules = campaign.rules
    failed = sum(update.state == "failed" for update in of_it)
    verified = sum(update.state == "verified" and update.attempt > 0 for update in of_it)
    busy = sum(update.state in UNDER_WAY for update in of_it)
    among_canaries = verified < rules.canary
    if among_canaries and failed > campaign.forgiven:
        return Choice(stop="a canary failed")
    if failed - campaign.forgiven >= rules.stop_after:
        return Choice(stop=f"{failed - campaign.forgiven} chargers failed")
    if all(update.state in OVER for update in of_it):
        return Choice(is_done=True)
    room = rules.canary - verified - busy if among_canaries else rules.batch - busy
    waiting = (update for update in of_it if update.state == "scheduled")
    due = tuple(update for update in waiting if update.not_before is None or update.not_before <= now)
    return Choice(room=max(0, room), candidates=due)
