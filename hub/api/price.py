"""/api/v1/price: price or check a session or CDR, with the receipt."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from hub.api.access import Viewer
from hub.api.exchange import answer, asked, gives, takes
from hub.control.price import PriceAsked, quote
from hub.core.operations import LARGE

router = APIRouter(prefix="/api/v1", tags=["price"])


@router.post("/price", openapi_extra=takes("PriceAsked"), responses=gives("Price"))
async def price(request: Request, bearer: Viewer) -> Response:
    """What it costs, part by part and line by line; and whether what the CDR claims is so."""
    ask = await asked(request, PriceAsked, limit=LARGE)
    return answer(await asyncio.to_thread(quote, ask))
