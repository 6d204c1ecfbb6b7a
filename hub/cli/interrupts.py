"""Ctrl-C between two steps, and never inside of one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """While it is entered, Ctrl-C waits until a `step` is over; elsewhere it comes at once, as KeyboardInterrupt."""

    def __init__(self) -> None:
        self._in_step = False
        self._wanted = False

    @contextmanager
    def held(self) -> Iterator[Interrupts]:
        """Take Ctrl-C over. Only the main thread gets it, so elsewhere there is nothing to do."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = signal.signal(signal.SIGINT, self._interrupt)
        try:
            yield self
        finally:
            signal.signal(signal.SIGINT, before)

    @contextmanager
    def step(self) -> Iterator[None]:
        """What must be done as a whole. Raises: KeyboardInterrupt, after it, if that was asked for meanwhile."""
        self._in_step = True
        try:
            yield
        finally:
            self._in_step = False
        if self._wanted:
            raise KeyboardInterrupt

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if not self._in_step:
            raise KeyboardInterrupt
        self._wanted = True
