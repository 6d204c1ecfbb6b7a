"""/api/v1/price: price or check a session or CDR, with the receipt."""

from __future__ import annotations

import asyncio
from typing import Final

from fastapi import APIRouter, Request, Response

from hub.api.access import Viewer
from hub.api.errors import Row, form
from hub.api.exchange import answer, body, gives, takes
from hub.control.batch import Pricer
from hub.control.outcome import code_of
from hub.control.parts import CaseFault
from hub.control.price import PriceAsked, quote
from hub.core.jsontypes import Tree
from hub.core.operations import LARGE
from modules.tariffs.pricing import PricingFault

router = APIRouter(prefix="/api/v1", tags=["price"])


_UNPROCESSABLE: Final = 422


@router.post("/price", openapi_extra=takes("PriceAsked", "PricingCase"), responses=gives("Price", "PricingResult"))
async def price(request: Request, bearer: Viewer) -> Response:
    """What it costs, part by part and line by line; and whether what the CDR claims is so. Takes a case as well."""
    tree = await body(request, limit=LARGE)
    if isinstance(tree, dict) and tree.keys() & {"kind", "ocpi_version"}:
        return _result(await asyncio.to_thread(Pricer().of_tree, tree))
    try:
        return answer(await asyncio.to_thread(quote, PriceAsked.of(tree)))
    except (CaseFault, PricingFault) as fault:
        return form(Row(_UNPROCESSABLE, code_of(fault)), fault.message)


def _result(result: Tree) -> Response:
    """The result of a case, or its error in the form that all errors have."""
    error = result["error"]
    if error:
        return form(Row(_UNPROCESSABLE, error["code"]), error["message"])
    return answer(result)
