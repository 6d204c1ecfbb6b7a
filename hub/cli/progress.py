"""How far a long run is: a bar where somebody watches, a line now and then where nobody does."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.progress import Progress

_PATIENCE_S: Final = 2.0
"""Work that is done sooner shows nothing."""
_EVERY_S: Final = 30.0
_LOOK_EVERY: Final = 64
"""Steps between two looks at the clock."""


class LongRun:
    """Told of each step with `step`; `total` in whatever `done` counts, None where nobody knows it."""

    def __init__(self, words: str, *, total: int | None) -> None:
        self._words = words
        self._total = total
        self._begin = self._told = time.monotonic()
        self._steps = 0
        self._bar: Progress | None = None

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._begin

    def step(self, done: int) -> None:
        """One more; `done` of `total` are behind us."""
        self._steps += 1
        if self._steps % _LOOK_EVERY:
            return
        if not sys.stderr.isatty():
            self._say_now_and_then()
        elif self.seconds > _PATIENCE_S:
            self._show(done)

    def close(self) -> None:
        """Leave no bar behind."""
        if self._bar is not None:
            self._bar.stop()

    def _say_now_and_then(self) -> None:
        now = time.monotonic()
        if now - self._told > _EVERY_S:
            self._told = now
            sys.stderr.write(f"{self._steps} {self._words}\n")

    def _show(self, done: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        if self._bar is None:
            columns = (TextColumn("{task.fields[steps]} {task.description}"), BarColumn(), TimeElapsedColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.add_task(self._words, total=self._total, steps=0)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=done, steps=self._steps)
