"""The command `busbar`: the verbs of the management API, from a shell.

`serve`, `migrate`, `doctor`, `openapi`, `price`, `demo` and `tariff lint FILE` need no running hub; everything else
talks to one over its API. With `--json` there is JSON on standard output and nothing else; messages go to standard
error. Exit codes:

    0 done      1 failed or refused      2 wrong usage      3 not found      4 no hub answers      5 not allowed
    6 cannot be checked
"""

from __future__ import annotations


def main() -> int:
    """The entry point. Never comes back but by SystemExit, with one of the codes above."""
    from hub.cli.commands import app

    app(prog_name="busbar")
    return 0
