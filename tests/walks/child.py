"""A process that cannot outlive the test that started it; `tests.walks.nursery` makes them.

It runs MODULE as a program, and ends when its standard input ends, which is when the test process is gone, however
that came about. Each line that arrives there is a new list of failpoints: so a test arms them in a running hub, just
before the message that they are meant for.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading
from collections.abc import Sequence

from hub.core import failpoints


def _listen() -> None:
    for line in sys.stdin:
        failpoints.arm(line.strip())
        os.write(1, b"armed\n")
    os._exit(0)


def run(words: Sequence[str]) -> None:
    """Run the module named first as a program, with the other words as its arguments."""
    sys.argv = list(words)
    threading.Thread(target=_listen, daemon=True).start()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
