"""Connections to PostgreSQL, what they must promise, and which of their errors mean that the server cannot serve."""

from __future__ import annotations

from typing import Any, Final

import asyncpg

from hub.core.errors import NotReady
from hub.core.store.addresses import postgres_dsn
from hub.core.store.refusal import DatabaseRefused

_CONNECT_TIMEOUT_S: Final = 5.0
_STATEMENT_TIMEOUT_S: Final = 30.0

OUTAGES: Final = (
    OSError,  # also TimeoutError
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,  # the connection is closed
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,  # shutdown, crash, starting up, cancelled
    asyncpg.InsufficientResourcesError,  # disk full, memory, too many connections
    asyncpg.PostgresSystemError,  # input or output failed
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby
    asyncpg.IdleInTransactionSessionTimeoutError,
)


def is_outage(error: BaseException) -> bool:
    """Is it the server or the way to it that fails, and not what we asked?"""
    return isinstance(error, OUTAGES)


class Server:
    """How to reach the database."""

    def __init__(self, database_url: str, *, allow_unsafe: bool, lock_timeout_s: float) -> None:
        self._dsn = postgres_dsn(database_url)
        self._allow_unsafe = allow_unsafe
        self._settings = {
            "application_name": "busbar",
            "lock_timeout": f"{int(lock_timeout_s * 1000)}ms",
            # A hub that was stopped in the middle of a batch must not hold the writing lock of all others.
            "idle_in_transaction_session_timeout": f"{int(_STATEMENT_TIMEOUT_S * 1000)}ms",
        }

    async def connect(self) -> Any:
        """A connection of its own. Raises: NotReady."""
        try:
            return await asyncpg.connect(
                self._dsn,
                timeout=_CONNECT_TIMEOUT_S,
                command_timeout=_STATEMENT_TIMEOUT_S,
                server_settings=self._settings,
            )
        except OUTAGES as error:
            raise NotReady("the database server cannot be reached") from error

    async def pool(self, *, size: int) -> Any:
        """Connections for reading. Raises: NotReady."""
        try:
            return await asyncpg.create_pool(
                self._dsn,
                min_size=1,
                max_size=size,
                timeout=_CONNECT_TIMEOUT_S,
                command_timeout=_STATEMENT_TIMEOUT_S,
                server_settings=self._settings,
            )
        except OUTAGES as error:
            raise NotReady("the database server cannot be reached") from error

    async def require_durability(self, connection: Any) -> None:
        """Raises: DatabaseRefused, when the server may lose what it has acknowledged, unless that was allowed."""
        for name in ("fsync", "synchronous_commit"):
            if await connection.fetchval(f"SHOW {name}") == "off" and not self._allow_unsafe:
                raise DatabaseRefused(
                    f"PostgreSQL runs with {name} = off and may lose acknowledged facts: "
                    "switch it on, or allow an unsafe database"
                )
