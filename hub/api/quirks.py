"""/api/v1/quirks: what chargers are forgiven, by make and firmware."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from hub.api.access import Viewer, program_of
from hub.api.exchange import answer, gives
from hub.control import quirks

router = APIRouter(prefix="/api/v1/quirks", tags=["stations"])

Model = Annotated[str, Query(max_length=100, description="A pattern as of file names, in any case: Terra*")]


@router.get("", responses=gives("Quirks"))
async def list_quirks(request: Request, bearer: Viewer, model: Model = "") -> Response:
    """What the gateway had to forgive chargers, counted by vendor, model and firmware; up to half a minute old."""
    return answer(await quirks.listed(program_of(request), model))
