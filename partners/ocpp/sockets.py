"""A charger's socket: websockets' own, with a short way in and out for messages that need no task.

`websockets` wakes the task that reads for each message, and takes a context and a lock for each that is sent: for a
charger that says one thing at a time this costs more than what is said. So a whole text message goes to `listener`
first, if nothing that came before it is unread; and `send_now` writes at once, if nothing stands in the way. Whatever
is not as usual (fragments, a full buffer, a socket that is closing) takes websockets' way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.frames import OP_CONT, OP_TEXT, Frame
from websockets.http11 import Request
from websockets.protocol import CONNECTING, OPEN, Event


class ChargerSocket(ServerConnection):
    """`listener` takes a text, or says that it cannot. `unread` counts messages on their way to who reads."""

    listener: Callable[[str], bool] | None = None
    unread: int = 0

    def process_event(self, event: Event) -> None:
        """A frame came in."""
        if isinstance(event, Frame) and event.fin and event.opcode <= _LAST_DATA:
            if event.opcode is OP_TEXT and self.unread == 0 and self.listener is not None and self._taken(event):
                return
            self.unread += 1
        super().process_event(event)

    def send_now(self, text: str) -> bool:
        """Send without waiting. False: nothing was sent, use `send`."""
        if self.protocol.state is not OPEN or self.paused or self.send_in_progress or self.transport.is_closing():
            return False
        self.protocol.send_text(text.encode())
        self.send_data()
        return True
