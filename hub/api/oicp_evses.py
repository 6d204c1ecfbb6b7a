"""/api/v1/oicp: the terms of operators, and what keeps their EVSEs from partners of OICP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from hub.api.access import Admin, Viewer, program_of
from hub.api.exchange import Segment, answer, asked, gives, takes
from hub.control import oicp_evses
from hub.control.oicp_asks import OicpOperator

What = Annotated[
    str,
    Query(
        description="Which of it, where more than one is held: pushed, pulled, cards, products or evse-prices; of an"
        " operator of ours that is not the first one there, products-DE*ABC or evse-prices-DE*ABC.",
        pattern=r"^(pushed|pulled|cards|(products|evse-prices)(-[A-Z0-9*+]{4,12})?)?$",
    ),
]

router = APIRouter(prefix="/api/v1/oicp", tags=["oicp"])


@router.get("/operators", responses=gives("OicpOperators"))
async def list_oicp_operators(request: Request, bearer: Viewer) -> Response:
    """What was said of CPOs that OICP asks for and OCPI does not tell."""
    items = await oicp_evses.operators(program_of(request))
    return answer({"items": items, "total": len(items)})


@router.get("/operators/{party}", responses=gives("OicpOperatorShown"))
async def show_oicp_operator(request: Request, party: Segment, bearer: Viewer) -> Response:
    """What was said of one CPO."""
    return answer(await oicp_evses.operator(program_of(request), party))


@router.patch("/operators/{party}", openapi_extra=takes("OicpOperator"), responses=gives("OicpOperatorShown"))
async def say_oicp_operator(request: Request, party: Segment, bearer: Admin) -> Response:
    """Say what OICP asks of a CPO, ours or a partner's; what is not named stays, null takes one back."""
    ask = await asked(request, OicpOperator)
    return answer(await oicp_evses.say_operator(program_of(request), party, ask, actor=bearer.subject))


@router.get("/findings", responses=gives("OicpFindings"))
async def list_oicp_findings(request: Request, bearer: Viewer) -> Response:
    """What keeps EVSEs and prices from partners of OICP: by owner and reason, how many, and one of them."""
    items = await oicp_evses.findings(program_of(request))
    return answer({"items": items, "total": len(items)})


@router.post("/records/{session}/resend", responses=gives("OicpRecordResent"))
async def resend_oicp_record(request: Request, session: Segment, bearer: Admin) -> Response:
    """Bring a charge detail record again that is held, or that its EMP refused."""
    return answer(await oicp_evses.resend(program_of(request), session, actor=bearer.subject))


@router.post("/connections/{name}/confirm", responses=gives("OicpConfirmed"))
async def confirm_oicp(request: Request, name: Segment, bearer: Admin, what: What = "") -> Response:
    """Let a hub lose what is held back there: more than a fifth within a day is not taken back unasked."""
    return answer(await oicp_evses.confirm(program_of(request), name, what, actor=bearer.subject))
