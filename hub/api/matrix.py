"""/api/v1/matrix: what two partners can have of each other, before either is live."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from hub.api.access import Viewer, program_of
from hub.api.exchange import answer, gives
from hub.control import matrix

router = APIRouter(prefix="/api/v1", tags=["partners"])

End = Annotated[str, Query(max_length=100, description="A partner's name, or a version and roles: 2.2.1:EMSP,CPO.")]


@router.get("/matrix", responses=gives("Matrix"))
async def show_matrix(request: Request, a: End, b: End, bearer: Viewer) -> Response:
    """Which use cases two partners can have through this hub, and what objects lose between their versions."""
    return answer(matrix.matrix(program_of(request), a, b))
