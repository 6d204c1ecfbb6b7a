"""`busbar` within this process. Its commands are put together once: typer takes 60 ms for it each time it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any
from unittest.mock import patch

import typer.main
from typer.testing import CliRunner, Result

from hub.cli.commands import app


@cache
def put_together() -> Any:
    """All commands, as typer makes them of `app`."""
    return typer.main.get_command(app)


def invoked(*words: str, stdin: str | bytes | None = None, env: Mapping[str, str] | None = None) -> Result:
    """Run these words, with what they say and how they end."""
    with patch("typer.testing._get_command", lambda _: put_together()):
        return CliRunner().invoke(app, list(words), input=stdin, env=env)
