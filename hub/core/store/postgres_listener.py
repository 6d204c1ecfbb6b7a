"""What other processes commit, heard by NOTIFY: revisions grow at once, their changes are fetched and told.

A notification is lost while the connection is: after each reconnection no cache is believed any more, and everything
after the last number heard is fetched. A connection that has died without saying so is found by asking every few
seconds for the last number.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from hub.core.clock import Clock
from hub.core.store.news import News
from hub.core.store.postgres_connection import Server
from hub.core.store.postgres_statements import CHANNEL
from hub.core.units import ChangeRow

log = structlog.get_logger(__name__)

_CHECK_EVERY_S: Final = 5.0
_RECONNECT_AFTER_S: Final = 0.5

Between = Callable[[int, int], Awaitable[list[ChangeRow]]]
"""The changes from the first to the last number, at most a thousand of them."""


class PostgresListener:
    """One connection that only listens."""

    def __init__(self, server: Server, news: News, between: Between, *, origin: str, clock: Clock) -> None:
        self._server = server
        self._news = news
        self._between = between
        self._origin = origin
        self._clock = clock
        self._foreign: deque[tuple[int, int]] = deque()
        self._bell = asyncio.Event()
        self._heard = 0

    async def start(self) -> None:
        """Raises: NotReady, when the first connection fails."""
        connection, self._heard = await self._connect()
        self._task = asyncio.create_task(self._run(connection), name="busbar-postgres-listener")

    async def close(self) -> None:
        """Stop listening."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, connection: Any) -> None:
        while True:
            try:
                await self._listen(connection)
            except Exception as error:  # the hub must hear again, whatever it was
                log.warning("listener lost its connection", reason=type(error).__name__)
            finally:
                connection.terminate()
            connection = await self._reconnected()

    async def _reconnected(self) -> Any:
        while True:
            await asyncio.sleep(_RECONNECT_AFTER_S)
            try:
                connection, last = await self._connect()
            except Exception as error:  # whatever it is, we must hear again
                log.info("listener cannot reconnect yet", reason=type(error).__name__)
                continue
            self._news.all_touched()
            self._foreign.append((self._heard + 1, last))
            self._heard = max(self._heard, last)
            self._bell.set()
            return connection

    async def _connect(self) -> tuple[Any, int]:
        """A connection that listens, and the last number of the log after it began to."""
        connection = await self._server.connect()
        try:
            connection.add_termination_listener(lambda _: self._bell.set())
            await connection.add_listener(CHANNEL, self._notified)
            return connection, await self._last(connection)
        except BaseException:
            connection.terminate()
            raise

    async def _listen(self, connection: Any) -> None:
        while not connection.is_closed():
            try:
                await asyncio.wait_for(self._bell.wait(), _CHECK_EVERY_S)
            except TimeoutError:
                await self._last(connection)
            self._bell.clear()
            while self._foreign:
                await self._tell(*self._foreign.popleft())

    def _notified(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        origin, kinds, moved, first, last = payload.split("|")
        self._heard = max(self._heard, int(last))
        if origin == self._origin:
            return
        self._news.touched(kinds.split(","), moved.split(","))
        if int(last):
            self._foreign.append((int(first), int(last)))
            self._bell.set()

    async def _tell(self, first: int, last: int) -> None:
        while first <= last:
            rows = await self._between(first, last)
            if not rows:
                return
            self._news.tell(rows)
            first = rows[-1].seq + 1

    async def _last(self, connection: Any) -> int:
        return int(await connection.fetchval("SELECT coalesce(max(seq), 0) FROM changes", timeout=_CHECK_EVERY_S))
