"""A webhook at the end of its lane: which alerts are for it, and what becomes of one that it does not take.

no connection, no answer in time, 408, 429, 5xx, 3xx    DOWN: the lane backs off, and everything waits, in its order
other 4xx                                               the same, at most `TRIES` times; then that alert is set aside,
                                                        with the reason, and the lane goes on

An alert that opened and closed is told in this order, as both are words of one object of the lane.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from hub.core.dialect import NotExpressible
from hub.core.errors import PeerFault, PeerRefused
from hub.core.lane_away import Away
from hub.core.lane_faults import Fate, Verdict
from hub.core.lane_queue import At
from hub.core.store import Store
from hub.core.units import Change
from partners.ocpp.watch.rows import ALERTS, CHANGES, alert_in
from partners.webhooks.calling import Caller
from partners.webhooks.events import of_alert
from partners.webhooks.model import Webhook

TRIES: Final = 6


@dataclass(slots=True)
class WebhookReceiver:
    """`told`: events that it took, of alerts of which another waits."""

    store: Store
    caller: Caller
    webhook: Webhook
    tries: dict[At, int] = field(default_factory=dict)
    told: dict[At, set[str]] = field(default_factory=dict)

    def wants(self, change: Change) -> str | None:
        if change.module != CHANGES:
            return None
        happened, rule, severity = change.what.split(" ")
        return happened if self.webhook.hears_of(rule, severity) else None

    def is_there(self) -> bool:
        return True

    async def running(self) -> list[Change]:
        return []

    async def deliver(self, at: At, what: frozenset[str], away: Away) -> None:
        document = await self.store.get(ALERTS, at[1])
        for event in of_alert(alert_in(document), what) if document is not None else ():
            told = self.told.setdefault(at, set())
            if event.id not in told:
                await self.caller.call(self.webhook, event)
                told.add(event.id)
        self._is_over(at)

    def judge(self, at: At, fault: PeerFault | NotExpressible) -> Verdict:
        if not isinstance(fault, PeerRefused):
            return Verdict(Fate.DOWN, str(fault), str(fault))
        if 400 <= fault.http < 500 and fault.http not in (408, 429):
            self.tries[at] = self.tries.get(at, 0) + 1
        gives_up = self.tries.get(at, 0) >= TRIES
        if gives_up:
            self._is_over(at)
        return Verdict(Fate.REFUSED if gives_up else Fate.DOWN, fault.message, fault.message, fault.retry_after_s)

    def _is_over(self, at: At) -> None:
        self.tries.pop(at, None)
        self.told.pop(at, None)
