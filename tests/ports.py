"""Ports of programs that tests start.

A port that was only looked for is anybody's until the program listens there, and again whenever it is down between two
starts: another test's program may be given it, or an outgoing connection. So it is bound here as well, without being
listened on, for as long as it is wanted. Who binds it by its number may (SO_REUSEADDR, which servers set); nobody is
given it by chance.
"""

from __future__ import annotations

from hub.server import bound


class Port:
    """A port of the loopback address, for one program at a time."""

    def __init__(self) -> None:
        self._held = bound("127.0.0.1", 0)
        self.number: int = self._held.getsockname()[1]

    def release(self) -> None:
        """Nobody wants it any more."""
        self._held.close()
