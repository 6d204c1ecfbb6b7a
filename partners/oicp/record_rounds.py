"""Records that wait are gone on with, once a minute: those of each EMP by themselves, so that none waits for another.

An EMP that takes nothing is left alone for longer each time, up to the longest wait of lanes. Its records that a lane
brings are the lane's.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from hub.core.ports import Hub
from partners.oicp.record_store import HELD, NEW, WAITING, WITHHELD
from partners.oicp.records import Records

AGAIN_EVERY_S: Final = 60.0


class RecordRounds:
    """See the module."""

    def __init__(self, hub: Hub, records: Records) -> None:
        self._hub = hub
        self._records = records
        self._under_way: set[str] = set()
        self._failures: dict[str, int] = {}
        self._not_before: dict[str, float] = {}

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.round()
            await self._hub.clock.sleep(AGAIN_EVERY_S)

    async def round(self) -> None:
        """Begin to go on with what waits; "" are those that are billed here."""
        waiting: dict[str, list[str]] = defaultdict(list)
        for state in (NEW, WAITING, WITHHELD, HELD):
            for record in await self._records.store.in_state(state):
                if not record.on_lane:
                    waiting[record.emp].append(record.session)
        for emp, sessions in waiting.items():
            if emp not in self._under_way and self._hub.clock.monotonic() >= self._not_before.get(emp, 0.0):
                self._under_way.add(emp)
                self._hub.background.start(self._bring(emp, sessions), name=f"oicp records of {emp}")

    async def _bring(self, emp: str, sessions: list[str]) -> None:
        """The one that waits longest first, until the EMP fails."""
        try:
            for session in sessions:
                if not await self._records.go_on(session):
                    self._leave_alone(emp)
                    return
            self._failures.pop(emp, None)
        finally:
            self._under_way.discard(emp)

    def _leave_alone(self, emp: str) -> None:
        failures = self._failures[emp] = self._failures.get(emp, 0) + 1
        wait_s = min(AGAIN_EVERY_S * 2 ** min(failures - 1, 10), self._hub.settings.lane_cap_s)
        self._not_before[emp] = self._hub.clock.monotonic() + wait_s
