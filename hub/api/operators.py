"""/api/v1/operators: bearer tokens for people and programs."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request, Response

from hub.api.access import Admin, program_of
from hub.api.exchange import answer, asked, gives, takes
from hub.control.asks import OperatorToken
from hub.core.jwt import OperatorRole

router = APIRouter(prefix="/api/v1/operators", tags=["operators"])


@router.post(
    "/tokens", status_code=201, openapi_extra=takes("OperatorToken"), responses=gives("IssuedToken", status=201)
)
async def issue_token(request: Request, bearer: Admin) -> Response:
    """A bearer token with a role and an end, shown this once."""
    ask = await asked(request, OperatorToken)
    role, lifetime = OperatorRole(ask.role), timedelta(days=ask.days)
    operators = program_of(request).operators
    return answer(await operators.issue(ask.subject, role, lifetime=lifetime, actor=bearer.subject), 201)
