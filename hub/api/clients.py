"""/api/v1/clients: who is connected."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from hub.api.access import Viewer, program_of
from hub.api.exchange import answer, gives
from hub.control import clients

router = APIRouter(prefix="/api/v1/clients", tags=["partners"])


@router.get("", responses=gives("Clients"))
async def list_clients(request: Request, bearer: Viewer) -> Response:
    """Every party in each of its roles, as partners are told of it; and what other hubs say of theirs."""
    return answer(await clients.listed(program_of(request)))
