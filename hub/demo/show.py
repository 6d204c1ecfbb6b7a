"""The whole of it, in order: start, join, drive, look, tell; then stay, or end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Final

from rich.console import Console

from hub.demo.callers import until
from hub.demo.closing import commands, table
from hub.demo.drives import play
from hub.demo.processes import alive_for_s, rss_mb
from hub.demo.record import Record, shortcomings
from hub.demo.stage import Emsp, Stage, a_stage
from hub.demo.timeline import BUSBAR, Timeline
from hub.demo.watch import Watch
from hub.demo.world import DRIVES

_DELIVERED_S: Final = 5.0
_IN_ALL_S: Final = 90.0


class Show:
    """One run. `record` grows while it runs; `is_over` says that all has been shown."""

    def __init__(self, console: Console | None, record: Record, *, once: bool) -> None:
        self.record = record
        self.is_over = False
        self._once = once
        self._began = time.monotonic() - alive_for_s()
        self._timeline = Timeline(console, self._age_s)

    async def run(self) -> None:
        """Raises: AskFailed, ChildFailed; CancelledError, after everything was ended."""
        self._timeline.heading("Drivers of other networks charge at our chargers")
        self._timeline.shows("Starting a hub on an empty database, and three eMSPs, each a process of its own ...\n")
        async with a_stage(self._timeline, stays=not self._once) as stage:
            await self._play(stage)
            self.is_over = True
            if not self._once:
                self._timeline.shows(*commands(stage))
                await asyncio.Event().wait()

    async def _play(self, stage: Stage) -> None:
        self._timeline.says(BUSBAR, f"is up at {stage.operator.base_url}, with chargers at {stage.ocpp_url}")
        watch = Watch({name: emsp.mailbox for name, emsp in stage.emsps.items()}, self._timeline, self._age_s)
        watching = asyncio.create_task(watch.run())
        try:
            async with asyncio.timeout(_IN_ALL_S):
                await stage.furnish()
                await stage.join()
                self._timeline.heading("Four drivers")
                await play(stage, watch, self.record)
        finally:
            watching.cancel()
        await self._look(stage, watch)
        self._timeline.shows(table(self.record))

    async def _look(self, stage: Stage, watch: Watch) -> None:
        """Complete the record from the management API and from what the eMSPs have."""
        with contextlib.suppress(Exception):
            pass
        for name, emsp in stage.emsps.items():
            await self._look_at_partner(stage, name, emsp)
        for drive in DRIVES:
            await self._look_at_drive(stage, watch, drive.number)
        self.record.seconds_to_first_cdr = None if watch.first_cdr_s is None else round(watch.first_cdr_s, 2)
        self.record.rss_mb = rss_mb(stage.hub.pid)
