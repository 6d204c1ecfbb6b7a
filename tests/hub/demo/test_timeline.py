"""How the timeline looks."""

from __future__ import annotations

import io
from typing import Literal

from rich.console import Console

from hub.demo.timeline import BUSBAR, DRIVER, Timeline, a_console, charger, line, provider


def written(*, terminal: bool = False) -> tuple[Timeline, io.StringIO]:
    """A timeline on a terminal of 60 columns, or on none."""
    output = io.StringIO()
    colours: Literal["standard", "auto"] = "standard" if terminal else "auto"
    console = Console(file=output, force_terminal=terminal, highlight=False, width=60, color_system=colours)
    return Timeline(console, lambda: 2.308), output


def test_a_line_has_time_drive_actor_and_event() -> None:
    assert line(2.308, provider("NL*FFF (2.3.0)"), "says ALLOWED", drive=1).plain == (
        "+  2.31 s  [1]  NL*FFF (2.3.0)   says ALLOWED"
    )


def test_events_stand_below_each_other_whoever_it_was() -> None:
    lines = [line(at, who, "event") for at, who in ((0.0, DRIVER), (99.5, BUSBAR), (123.4, charger("CP01")))]
    assert len({text.plain.index("event") for text in lines}) == 1


def test_what_is_written_is_taken_as_it_stands() -> None:
    timeline, output = written()
    timeline.says(BUSBAR, "knows [bold] and :smile: and 12.34 EUR")
    assert output.getvalue().endswith("knows [bold] and :smile: and 12.34 EUR\n")


def test_a_long_line_is_not_broken() -> None:
    timeline, output = written()
    timeline.says(BUSBAR, "word " * 40)
    assert output.getvalue().count("\n") == 1


def test_without_a_terminal_there_is_no_colour() -> None:
    timeline, output = written()
    timeline.says(BUSBAR, "answers", drive=2, style="red")
    assert "\x1b" not in output.getvalue()
    timeline, output = written(terminal=True)
    timeline.says(BUSBAR, "answers", drive=2, style="red")
    assert "\x1b" in output.getvalue()


def test_nothing_is_written_when_the_record_is_asked_for() -> None:
    assert a_console(quiet=True) is None
    Timeline(None).says(BUSBAR, "unheard")
