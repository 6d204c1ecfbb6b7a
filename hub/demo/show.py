"""The whole of it, in order: start, join, drive, look, tell; then stay, or end."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from rich.console import Console
from rich.text import Text

from hub.demo import oicp
from hub.demo.callers import AskFailed, first_of
from hub.demo.closing import commands, table
from hub.demo.drives import play
from hub.demo.look import look
from hub.demo.processes import alive_for_s
from hub.demo.record import Record, shortcomings
from hub.demo.stage import Stage, a_stage
from hub.demo.timeline import BUSBAR, Timeline
from hub.demo.watch import Watch
from hub.demo.world import OICP_DRIVE

_IN_ALL_S: Final = 60.0


class Show:
    """One run. `record` grows while it runs; `is_over` says that all has been shown."""

    def __init__(self, console: Console | None, record: Record, *, once: bool) -> None:
        self.record = record
        self.is_over = False
        self._once = once
        self._began = time.monotonic() - alive_for_s()
        self._timeline = Timeline(console, self._age_s)

    async def run(self) -> None:
        """Raises: AskFailed, ChildFailed; CancelledError. What was started has ended then."""
        self._timeline.heading("Drivers of other networks charge at our chargers.")
        self._timeline.shows("Starting a hub on an empty database, and three eMSPs, each in a process of its own ...\n")
        async with a_stage(self._timeline, stays=not self._once) as stage:
            mailboxes = {name: emsp.mailbox for name, emsp in stage.emsps.items()}
            watch = Watch(mailboxes, self._timeline, self._age_s)
            try:
                await first_of(self._play(stage, watch), watch.run(), stage.until_one_ends())
            finally:
                self.record.troubles += stage.hub.logged_errors()
            self.is_over = True
            if not self._once:
                self._tell_what_is_missing()
                self._timeline.shows(commands(stage))
                await first_of(watch.run(), stage.until_one_ends())

    async def _play(self, stage: Stage, watch: Watch) -> None:
        self._timeline.says(BUSBAR, f"is up at {stage.operator.base_url}, for chargers at {stage.ocpp_url}")
        try:
            async with asyncio.timeout(_IN_ALL_S):
                await stage.furnish()
                await stage.join()
                self._timeline.heading("Four drivers")
                await play(stage, watch, self.record)
                self._timeline.heading("A fifth, whose provider speaks OICP")
                await oicp.play(stage.emp, stage.plugs[OICP_DRIVE.station], self.record, self._timeline)
                await look(stage, watch, self.record)
        except TimeoutError:
            raise AskFailed(f"it was not over within {_IN_ALL_S:.0f} s") from None
        self._timeline.shows("", table(self.record))

    def _tell_what_is_missing(self) -> None:
        for sentence in shortcomings(self.record):
            self._timeline.shows(Text(sentence, style="red"))

    def _age_s(self) -> float:
        return time.monotonic() - self._began
