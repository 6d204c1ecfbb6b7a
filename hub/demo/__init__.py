"""The main job, live: drivers of other networks charge at our chargers.

    busbar demo                what happens, as it happens; then it stays up, until Ctrl-C
    busbar demo --once         the same, and ends: status 0 only if everything that was expected has happened
    busbar demo --once --json  nothing on standard output but a record of it; `failed` says what went wrong

The hub, each of three eMSPs (one for each version of OCPI) and an EMP that speaks OICP run in processes of their own,
and talk over HTTP and TLS; twenty chargers are on real websockets. What is shown was observed: at the management API,
in what the partners received, in the frames of the chargers. Ports are free ones, and the database is a new one in a
temporary folder that is gone afterwards.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Final

from hub.demo.callers import AskFailed
from hub.demo.processes import ChildFailed
from hub.demo.record import Record, shortcomings
from hub.demo.show import Show
from hub.demo.timeline import a_console

_INTERRUPTED: Final = 130


def run(*, once: bool, as_json: bool) -> int:
    """Show it all. Returns: the exit status."""
    return asyncio.run(_until_told(once=once or as_json, as_json=as_json))


async def _until_told(*, once: bool, as_json: bool) -> int:
    """The show, until it ends or a signal ends it; what it started has ended when this returns."""
    show = Show(a_console(quiet=as_json), Record(), once=once)
    work = asyncio.create_task(show.run())
    loop = asyncio.get_running_loop()

    def end(number: signal.Signals) -> None:
        loop.remove_signal_handler(number)  # a second one ends us at once; the children see that and end too
        work.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end, number)
    try:
        await work
    except asyncio.CancelledError:
        return _INTERRUPTED if not show.is_over else 0
    except (AskFailed, ChildFailed) as error:
        show.record.troubles.insert(0, str(error))
        return _verdict(show.record, show.record.troubles, as_json=as_json)
    return _verdict(show.record, shortcomings(show.record), as_json=as_json)


def _verdict(record: Record, missing: list[str], *, as_json: bool) -> int:
    """The record, if it is asked for, and what is missing; the exit status."""
    if as_json:
        sys.stdout.buffer.write(record.json_line(missing))
        sys.stdout.flush()
    for sentence in missing:
        sys.stderr.write(f"demo: {sentence}\n")
    return 1 if missing else 0
