"""What a charge point fetches and brings over HTTP. A location of another scheme is only pretended to be used.

A firmware is any file; when its first line is `version: 1.2.3`, that is the version the charge point boots with
afterwards. A log is a few lines of text.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import httpx

Say = Callable[[str], Awaitable[None]]
_MARK: Final = b"version: "
_TIMEOUT_S: Final = 30.0


def is_real(location: str) -> bool:
    """Is there somebody to fetch it from, or to bring it to?"""
    return location.startswith(("http://", "https://"))


async def fetch(location: str) -> bytes | None:
    """The file, in two halves as after a broken connection; None when it cannot be had."""
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as http:
            head = await http.head(location)
            half = int(head.headers.get("content-length", 0)) // 2
            first = await http.get(location, headers={"Range": f"bytes=0-{half}"})
            if first.status_code != httpx.codes.PARTIAL_CONTENT:
                return first.content if first.is_success else None
            rest = await http.get(location, headers={"Range": f"bytes={half + 1}-"})
            return first.content + (rest.content if rest.is_success else b"")
    except httpx.HTTPError:
        return None


async def bring(location: str, name: str, content: bytes) -> bool:
    """Put a file there, under `name`. False when it is not taken."""
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as http:
            return (await http.put(f"{location.rstrip('/')}/{name}", content=content)).is_success
    except httpx.HTTPError:
        return False


def version_in(image: bytes) -> str:
    """What the file says it is; empty when it does not."""
    line = image.split(b"\n", 1)[0]
    return line.removeprefix(_MARK).decode("ascii", "replace").strip()[:50] if line.startswith(_MARK) else ""
