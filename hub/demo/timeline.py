"""The live view: one line an event, with its time, its drive, who it happened at, and what.

A line is written when something was observed; nothing here knows what ought to happen. Without a console (the record is
asked for) nothing is written at all. Colour is left out where the output is no terminal, or NO_COLOR is set.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.text import Text

_WHO: Final = 15
"""Columns for the actor: as long as the longest of them."""
_PIPED: Final = 120
"""Columns where there is no terminal to ask."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who something happened at."""

    name: str
    style: str


DRIVER: Final = Actor("driver", "yellow")
BUSBAR: Final = Actor("Busbar", "bold green")


def charger(identity: str) -> Actor:
    """A charger, by its identity."""
    return Actor(f"charger {identity}", "cyan")


def provider(label: str) -> Actor:
    """An eMSP, as `NL*EEE (2.2.1)`."""
    return Actor(label, "magenta")


class Timeline:
    """Writes the lines. `age_s` tells the seconds since the demo was started."""

    def __init__(self, console: Console | None, age_s: Callable[[], float] = time.monotonic) -> None:
        self.console = console
        self._age_s = age_s

    def says(self, actor: Actor, what: str, *, drive: int | None = None, style: str = "") -> None:
        """Something was observed just now."""
        if self.console is not None:
            self.console.print(line(self._age_s(), actor, what, drive=drive, style=style), soft_wrap=True)

    def heading(self, what: str) -> None:
        """A new part begins."""
        if self.console is not None:
            self.console.print(Text(f"\n{what}", style="bold"), soft_wrap=True)

    def shows(self, *renderables: object) -> None:
        """Tables and text of several lines."""
        if self.console is not None:
            self.console.print(*renderables, soft_wrap=True)


def line(age_s: float, actor: Actor, what: str, *, drive: int | None = None, style: str = "") -> Text:
    """`+ 2.31 s  [1]  NL*FFF (2.3.0)   says ALLOWED`"""
    tag = f"[{drive}]" if drive is not None else "   "
    return Text.assemble(
        (f"+{age_s:6.2f} s  ", "dim"),
        (f"{tag}  ", "bold"),
        (f"{actor.name:<{_WHO}}", actor.style),
        ("  ", ""),
        (what, style),
    )


def a_console(*, quiet: bool) -> Console | None:
    """Where the lines go: standard output, or nowhere."""
    if quiet:
        return None
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PIPED)
