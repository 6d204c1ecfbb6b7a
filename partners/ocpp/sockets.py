"""A charger's socket: websockets' own, with a short way in and out for messages that need no task.

`websockets` wakes the task that reads for each message, and takes a context and a lock for each that is sent: for a
charger that says one thing at a time this costs more than what is said. So a whole text message goes to `listener`
first, if nothing that came before it is unread; and `send_now` writes at once, if nothing stands in the way. Whatever
is not as usual (fragments, a full buffer, a socket that is closing) takes websockets' way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from websockets.asyncio.server import ServerConnection
from websockets.frames import BINARY, CONT, TEXT, Frame
from websockets.protocol import OPEN, Event

_DATA: Final = frozenset({CONT, TEXT, BINARY})


class ChargerSocket(ServerConnection):
    """`listener` takes a text, or says that it cannot. `unread`: messages that whoever reads has not dealt with yet."""

    listener: Callable[[str], bool] | None = None
    unread: int = 0

    def process_event(self, event: Event) -> None:
        """Something came in."""
        if isinstance(event, Frame) and event.fin and event.opcode in _DATA:
            if event.opcode is TEXT and self.listener is not None and self.unread == 0 and self._taken(event):
                return
            self.unread += 1
        super().process_event(event)

    def send_now(self, text: str) -> bool:
        """Send without waiting. False: nothing was sent, and `send` must do it."""
        is_free = self.protocol.state is OPEN and not self.paused and self.send_in_progress is None
        if not is_free or self.transport.is_closing():
            return False
        self.protocol.send_text(text.encode())
        self.send_data()
        return True

    def _taken(self, frame: Frame) -> bool:
        try:
            text = str(frame.data, "utf-8")
        except UnicodeDecodeError:
            return False
        return self.listener is not None and self.listener(text)
