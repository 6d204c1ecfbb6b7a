"""Bodies in and out, and the parts of paths. Nothing here leaves JSON to the web framework."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import unquote_to_bytes

from fastapi import Query, Request, Response
from pydantic import AfterValidator

from hub.control.asks import Ask
from hub.core.errors import InvalidRequest, TooLarge, TooSlow, WrongMediaType
from hub.core.inbound import encode, in_plain_numbers, parse
from hub.core.jsontypes import Json, Tree
from hub.core.operations import SMALL

_DEADLINE_S: Final = 30.0
A = TypeVar("A", bound=Ask)


def _segment(text: str) -> str:
    """One segment of a path, decoded. Raises: ValueError."""
    decoded = unquote_to_bytes(text).decode()
    if len(decoded) > 255 or not decoded.isprintable():
        raise ValueError("has characters that no id has, or too many")
    return decoded


Segment = Annotated[str, AfterValidator(_segment)]
Limit = Annotated[int, Query(ge=1, le=1000, description="Items at most.")]
Offset = Annotated[int, Query(ge=0, le=10**12, description="Items to pass over.")]


async def body(request: Request, *, limit: int) -> Json:
    """The JSON body of `request`, of at most `limit` bytes. Raises: TooLarge, TooSlow, WrongMediaType, Unreadable."""
    media_type = request.headers.get("content-type", "application/json")
    if media_type.split(";", 1)[0].strip().lower() != "application/json":
        raise WrongMediaType
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared[:20]) > limit:
        raise TooLarge(f"the body is larger than {limit} bytes")
    parts = bytearray()
    try:
        async with asyncio.timeout(_DEADLINE_S):
            async for part in request.stream():
                parts += part
                if len(parts) > limit:
                    raise TooLarge(f"the body is larger than {limit} bytes")
    except TimeoutError:
        raise TooSlow from None
    return in_plain_numbers(parse(bytes(parts), limit=limit))


async def asked(request: Request, model: type[A], *, limit: int = SMALL, optional: bool = False) -> A:
    """The body as `model`; with `optional`, no body stands for an empty one. Raises: as `body`; InvalidRequest."""
    if optional and request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers:
        return model.of({})
    return model.of(await body(request, limit=limit))


async def object_body(request: Request, *, limit: int) -> Tree:
    """A body that is a JSON object. Raises: as `body`; InvalidRequest."""
    tree = await body(request, limit=limit)
    if not isinstance(tree, dict):
        raise InvalidRequest("the body must be a JSON object")
    return tree


def answer(tree: Json, status: int = 200) -> Response:
    """JSON out; a Decimal is a number with the digits it has."""
    return Response(encode(tree), status, media_type="application/json")


def takes(*schemas: str) -> dict[str, Any]:
    """The documentation of a request body, by the names of its schemas in `hub/api/document.py`."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": _one_of(schemas)}}}}


def _one_of(schemas: tuple[str, ...]) -> dict[str, Any]:
    references = [{"$ref": f"#/components/schemas/{schema}"} for schema in schemas]
    return references[0] if len(references) == 1 else {"anyOf": references}


def gives(*schemas: str, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """The documentation of a successful answer."""
    reference = _one_of(schemas)
    words = {200: "Answered", 201: "Created", 202: "Not answered in time"}
    return {status: {"description": words[status], "content": {"application/json": {"schema": reference}}}}
