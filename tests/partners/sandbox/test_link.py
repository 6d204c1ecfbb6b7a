"""The connection of the scripted charge point, lost at the worst moment."""

from __future__ import annotations

import asyncio
import gc
from typing import Any, cast

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosedError

from partners.sandbox.complaints import Complaints
from partners.sandbox.point.link import Link, NotConnectedError, Security


class BreaksWhileSent:
    """A connection whose end is noticed by the reader while a frame is being sent."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def send(self, text: str) -> None:
        self._link._lose()
        raise ConnectionClosedError(None, None)


async def test_a_connection_that_ends_while_a_call_is_sent_leaves_no_answer_that_nobody_asks_for() -> None:
    async def nothing() -> None: ...

    link = Link("ws://h", "CP1", lambda *_: ({}, None), nothing, security=Security(None, None), complaints=Complaints())
    link._socket = cast("ClientConnection", BreaksWhileSent(link))
    unasked: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unasked.append(context["message"]))
    with pytest.raises(NotConnectedError):
        await link.call("Heartbeat", {})
    gc.collect()
    await asyncio.sleep(0)
    assert unasked == []
