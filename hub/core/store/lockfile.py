"""One hub writes to one SQLite file. A second one is told so, instead of sharing locks and stale caches with the first.

The lock stands on a file beside the database: closing any other descriptor of the database file itself would drop the
locks that SQLite holds on it (POSIX advisory locks belong to the process, not to the descriptor).
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from hub.core.store.refusal import DatabaseRefused


class LockFile:
    """Held from its creation until `release`, or until the process is gone, however it went."""

    def __init__(self, database: Path) -> None:
        """Raises: DatabaseRefused, when another hub has the database, or the directory cannot be written to."""
        path = database.with_name(database.name + ".lock")
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DatabaseRefused(f"{database} cannot be opened for writing: {error.strerror}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._descriptor, 20).decode(errors="replace") or "unknown"
            os.close(self._descriptor)
            raise DatabaseRefused(
                f"{database} is in use by another hub (process {holder}): one process writes to a SQLite file"
            ) from error
        os.truncate(self._descriptor, 0)
        os.pwrite(self._descriptor, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Let another process have it. The file stays: removing it would race with a new holder."""
        os.close(self._descriptor)
