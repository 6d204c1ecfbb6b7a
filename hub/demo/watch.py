"""Tells the timeline what the eMSPs receive, and keeps what the drives wait for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from hub.demo.callers import until
from hub.demo.mailbox import Charged, Known, Mailbox, Receipt, evse_of, verdict
from hub.demo.record import cost_of
from hub.demo.timeline import Timeline, provider
from hub.demo.world import number_at, number_with

_EVERY_S: Final = 0.03
_TOLD_EVERY_S: Final = 0.9
"""A session is shown at most this often while it grows; every update is counted."""


class Watch:
    """Looks at all mailboxes while it runs. `age_s` tells the seconds since the demo was started."""

    def __init__(self, mailboxes: Mapping[str, Mailbox], timeline: Timeline, age_s: Callable[[], float]) -> None:
        self._mailboxes = mailboxes
        self._timeline = timeline
        self._age_s = age_s
        self._told: dict[str, tuple[str, float]] = {}
        self.first_cdr_s: float | None = None

    async def run(self) -> None:
        """For ever."""
        while True:
            self.look()
            await asyncio.sleep(_EVERY_S)

    def look(self) -> None:
        """Take in what has arrived by now."""
        for mailbox in self._mailboxes.values():
            for receipt in mailbox.news(self._age_s()):
                self._tell(receipt)

    def known(self, name: str) -> Known:
        """What a partner knows by now."""
        self.look()
        return self._mailboxes[name].known

    async def charge(
        self, name: str, uid: str, condition: Callable[[Charged], bool], *, timeout_s: float, what: str
    ) -> Charged:
        """What a partner knows of the charge at an EVSE, once `condition` holds. Raises: AskFailed."""
        await until(lambda: condition(self.known(name).charge(uid)), timeout_s=timeout_s, what=what)
        return self.known(name).charge(uid)

    def _tell(self, receipt: Receipt) -> None:
        name = receipt.provider.name
        match (receipt.module, receipt.method):
            case ("tokens", "POST"):
                uid = receipt.path[1]
                text = f"is asked about card {uid}, and says {verdict(receipt)}"
                self._says(receipt, number_with(name, uid), text)
            case ("commands", "POST"):
                text = f"learns what came of {receipt.path[1]}: {receipt.body.get('result')}"
                self._says(receipt, number_with(name), text)
            case ("sessions", "PUT"):
                self._session(receipt)
            case ("cdrs", "POST"):
                self._cdr(receipt)

    def _session(self, receipt: Receipt) -> None:
        tree = receipt.body
        status, last = self._told.get(tree["id"], ("", 0.0))
        now = time.monotonic()
        if tree["status"] == status and now - last < _TOLD_EVERY_S:
            return
        self._told[tree["id"]] = (tree["status"], now)
        count = len(self._mailboxes[receipt.provider.name].known.charge(evse_of(tree)).updates)
        money = cost_of(tree).shown(tree["currency"])
        text = f"has session {tree['id'][:8]} {tree['status']}: {kwh(tree['kwh'])}, {money} (update {count})"
        self._says(receipt, number_at(evse_of(tree)), text)

    def _cdr(self, receipt: Receipt) -> None:
        tree = receipt.body
        if self.first_cdr_s is None and receipt.status in (200, 201):
            self.first_cdr_s = self._age_s()
        money = cost_of(tree).shown(tree["currency"])
        text = f"gets CDR {tree['id'][:8]}: {kwh(tree['total_energy'])}, {money}; answers {receipt.status}"
        self._says(receipt, number_at(evse_of(tree)), text, style="bold")

    def _says(self, receipt: Receipt, drive: int | None, what: str, *, style: str = "") -> None:
        self._timeline.says(provider(receipt.provider.label), what, drive=drive, style=style)


def kwh(energy: Decimal | int) -> str:
    """`7.214 kWh`"""
    return f"{Decimal(energy):.3f} kWh"
