"""Files of chargers on disk: firmware that they fetch, logs that they bring.

A name is chosen by us and never by a URL or a charger. A file is there whole or not at all: it is written beside its
place, and moved there when it is on disk.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
from collections.abc import AsyncIterable
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Self

from hub.core.errors import NotFound, NotReady, TooLarge
from hub.core.settings import Settings

_NAME: Final = re.compile(r"[0-9a-f]{32}")
_WRITTEN_AT_ONCE: Final = 1024 * 1024


class Kept(NamedTuple):
    """A file that is on disk."""

    name: str
    size: int
    sha256: str


class Shelf:
    """One directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Raises: NotReady, where no directory is set."""
        directory = settings.files_directory
        if directory is None:
            raise NotReady("there is no directory for files of chargers: set BUSBAR_FILES")
        return cls(directory)

    async def keep(self, parts: AsyncIterable[bytes], *, most: int) -> Kept:
        """Write a new file. Raises: TooLarge, above `most` bytes; NotReady; what `parts` raises. Then nothing stays."""
        name, digest, size = secrets.token_hex(16), hashlib.sha256(), 0
        draft = self._directory / f"{name}.part"
        try:
            file = await asyncio.to_thread(self._begin, draft)
            with file:
                waiting = bytearray()
                async for part in parts:
                    size += len(part)
                    if size > most:
                        raise TooLarge(f"the file is larger than {most} bytes")
                    digest.update(part)
                    waiting += part
                    if len(waiting) >= _WRITTEN_AT_ONCE:
                        await asyncio.to_thread(file.write, bytes(waiting))
                        waiting.clear()
                await asyncio.to_thread(_finish, file, bytes(waiting))
            await asyncio.to_thread(draft.replace, self._directory / name)
        except OSError as error:
            raise NotReady(f"the file cannot be kept: {error.strerror}") from None
        finally:
            await asyncio.to_thread(draft.unlink, missing_ok=True)
        return Kept(name, size, digest.hexdigest())

    def path(self, name: str) -> Path:
        """Where a file lies. Raises: NotFound."""
        path = self._directory / name
        if not _NAME.fullmatch(name) or not path.is_file():
            raise NotFound("there is no such file")
        return path

    async def drop(self, name: str) -> None:
        """Remove a file, if it is there."""
        if _NAME.fullmatch(name):
            await asyncio.to_thread((self._directory / name).unlink, missing_ok=True)

    def _begin(self, draft: Path) -> BinaryIO:
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _finish(file: BinaryIO, rest: bytes) -> None:
    file.write(rest)
    file.flush()
    os.fsync(file.fileno())
