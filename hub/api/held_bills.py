"""/api/v1/transactions/{session_id}/release, correct and drop: what becomes of a bill that is held, or credited."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from hub.api.access import Operator, program_of
from hub.api.exchange import Segment, answer, asked, gives, takes
from hub.control import held_bills
from hub.control.asks import CorrectHeld, ReleaseHeld

router = APIRouter(prefix="/api/v1/transactions/{session_id}", tags=["transactions"])


@router.post("/release", openapi_extra=takes("ReleaseHeld"), responses=gives("Transaction"))
async def release_transaction(request: Request, session_id: Segment, bearer: Operator) -> Response:
    """Bill a held charge as its charger measured it; one that named no EVSE, at the one that you name.

    A charge whose CDR was credited is billed as in that CDR, by one with a new id.
    """
    ask = await asked(request, ReleaseHeld, optional=True)
    return answer(await held_bills.release(program_of(request), session_id, ask, actor=bearer.subject))


@router.post("/correct", openapi_extra=takes("CorrectHeld"), responses=gives("Transaction"))
async def correct_transaction(request: Request, session_id: Segment, bearer: Operator) -> Response:
    """Bill a held charge for a figure of yours; its CDR says so.

    So is one whose CDR was credited, by a CDR with a new id.
    """
    ask = await asked(request, CorrectHeld)
    return answer(await held_bills.correct(program_of(request), session_id, ask, actor=bearer.subject))


@router.post("/drop", responses=gives("Transaction"))
async def drop_transaction(request: Request, session_id: Segment, bearer: Operator) -> Response:
    """Never bill a charge that is held, or whose CDR was credited; what was billed of it before is credited."""
    return answer(await held_bills.drop(program_of(request), session_id, actor=bearer.subject))
