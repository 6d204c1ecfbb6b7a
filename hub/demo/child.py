"""`python -m hub.demo.child PROGRAM ARGUMENT...`: run a program that ends when the one that started it does.

The starter holds the other end of standard input. It closes when the starter ends, in whatever way, and then this
program is told to end as if by `kill`. So nothing of a demo that was killed stays behind.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading


def _end_with_the_starter() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Run `busbar`, or the module that the command line names, with the rest as its own command line."""
    threading.Thread(target=_end_with_the_starter, daemon=True).start()
    sys.argv = sys.argv[1:]
    if sys.argv[0] == "busbar":
        from hub import cli

        sys.exit(cli.main())
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
