"""/files: what chargers fetch and bring, under links that were told to them (`partners/ocpp/care/links.py`).

There is nothing to list and nothing to name: the link is the whole of it, what follows it in the path is for chargers
that look at a file's ending, or add the name of theirs. Whatever is wrong with a link is answered in the same way. What
a charger brought is never served here; an operator gets it over the API, as an attachment.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse

from hub.api.access import program_of
from hub.core.errors import InvalidRequest, NotFound, TooLarge, TooManyRequests, TooSlow
from hub.core.limits import RateLimiter, address_key
from partners.ocpp.care import firmware, links, logs
from partners.ocpp.care.shelf import Shelf

router = APIRouter(prefix=links.FOLDER, include_in_schema=False)

_SILENCE_S: Final = 60.0
"""How long a charger may keep still in the middle of a file."""
INERT: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "no-store",
}
"""Nothing that comes out of a file is to be run or shown by a browser."""


@router.api_route("/{token}", methods=["GET", "HEAD"])
@router.api_route("/{token}/{name:path}", methods=["GET", "HEAD"])
async def fetch(request: Request, token: str, name: str = "") -> Response:
    """The firmware that the link was made for; also parts of it (Range)."""
    hub = program_of(request).hub
    try:
        link, _ = await links.find(hub, token, "firmware")
        described = await firmware.get(hub, link.subject)
        path = Shelf.of(hub.settings).path(described.file)
    except NotFound:
        _count(request)
        raise
    return attachment(str(path), described.name)


@router.api_route("/{token}", methods=["PUT", "POST"])
@router.api_route("/{token}/{name:path}", methods=["PUT", "POST"])
async def bring(request: Request, token: str, name: str = "") -> Response:
    """The log that the link was made for, as it comes, once."""
    program = program_of(request)
    try:
        await links.find(program.hub, token, "log")
        await logs.receive(program.hub, token, parts_of(request, most=program.settings.log_bytes))
    except NotFound:
        _count(request)
        raise
    return Response(status_code=201)


def attachment(path: str, name: str) -> Response:
    """A file that is kept and not opened."""
    return FileResponse(path, media_type="application/octet-stream", filename=name, headers=INERT)


async def parts_of(request: Request, *, most: int) -> AsyncIterator[bytes]:
    """A body that is a file. Raises: InvalidRequest, TooLarge, TooSlow."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared[:20]) > most:
        raise TooLarge(f"the file is larger than {most} bytes")
    if "content-range" in request.headers:
        raise InvalidRequest("a file comes whole, not in ranges")
    came = False
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(_SILENCE_S):
                part = await anext(stream, None)
        except TimeoutError:
            raise TooSlow from None
        except ClientDisconnect:
            raise InvalidRequest("the file ends before it is whole") from None
        if part is None:
            break
        came = came or bool(part)
        yield part
    if not came:
        raise InvalidRequest("there is no file in the body")


def _count(request: Request) -> None:
    """A wrong link counts against the address it comes from. Raises: TooManyRequests."""
    address = address_key(request.client.host if request.client else "?")
    program_of(request).hub.logins.failed("files", address, "wrong link")
    failures: RateLimiter = request.app.state.failures
    wait_s = failures.take(address)
    if wait_s > 0:
        raise TooManyRequests(retry_after_s=max(1, round(wait_s)))
