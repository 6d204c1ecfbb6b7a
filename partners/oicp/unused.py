"""Sessions of which nothing came: allowed by an EMP or ordered by one, and no charge was told for half an hour.

They are over then: no order is taken for them any more, and where we speak for the CPO, whoever let the driver charge
is told so by an Error notification. Nothing is settled by that. A charge that is told late, and a record above all,
counts as before; so no record of nothing is sent, which would close the session at a hub before the one with the bill.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

import structlog
from msgspec.structs import replace

from hub.core.errors import BusbarError, Conflict, NotFound
from partners.oicp.bridge import Bridge
from partners.oicp.ledger import PENDING, UNUSED, OicpSession
from partners.oicp.notifications import Notifications

log = structlog.get_logger()

_LOOK_EVERY_S: Final = 60.0
_LONGEST_RESERVATION: Final = timedelta(minutes=99)


class UnusedSessions:
    """See the module."""

    def __init__(self, bridge: Bridge, notifications: Notifications) -> None:
        self._bridge = bridge
        self._notifications = notifications

    async def run(self) -> None:
        """For ever, also over times without a database."""
        while True:
            await self._bridge.hub.clock.sleep(_LOOK_EVERY_S)
            try:
                await self.look()
            except BusbarError as fault:
                log.warning("sessions were not looked through", why=fault.message)

    async def look(self) -> None:
        """End those whose time is over. Raises: NotReady."""
        after = 0
        while True:
            rows, after = await self._bridge.ledger.pending(after_seq=after)
            if not rows:
                return
            over = [row for row in rows if self._is_over(row)]
            ended = await asyncio.gather(*map(self._ended, over))
            await self._tell([row for row, is_ended in zip(over, ended, strict=True) if is_ended])

    def _is_over(self, row: OicpSession) -> bool:
        within = timedelta(seconds=self._bridge.hub.settings.oicp_begin_within_s)
        if row.origin == "reservation":
            within += _LONGEST_RESERVATION
        return self._bridge.hub.clock.now() - row.opened >= within

    async def _ended(self, row: OicpSession) -> bool:
        """Is it over now? Not if a charge was told meanwhile, or a hub has given it another name."""
        try:
            known = await self._bridge.ledger.change(
                row.id, lambda known: replace(known, state=UNUSED, pin="") if known.state == PENDING else known
            )
        except (Conflict, NotFound):
            return False
        if known.state == UNUSED:
            log.info("session unused", session=row.id, origin=row.origin)
        return known.state == UNUSED

    async def _tell(self, rows: Iterable[OicpSession]) -> None:
        """Each EMP or hub of its own, one after the other: one that is silent delays no other."""
        by_emp: dict[str, list[OicpSession]] = defaultdict(list)
        for row in rows:
            if row.emp and not row.cpo and row.origin != "reservation":
                by_emp[row.emp].append(row)

        async def tell(of_one: list[OicpSession]) -> None:
            for row in of_one:
                await self._notifications.tell_unused(row)

        await asyncio.gather(*map(tell, by_emp.values()))
