"""/api/v1/stations/{identity}/variables, /monitors and /reports: what a charger tells of itself, and can be told."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from hub.api.access import Operator, Viewer, program_of
from hub.api.exchange import Segment, answer, asked, gives, takes
from hub.api.stations import outcome
from hub.control import devices
from hub.control.asks import MonitorAsked, VariableAsked

router = APIRouter(prefix="/api/v1/stations", tags=["stations"])

Filter = Annotated[str, Query(max_length=100, description="Part of the name.")]
Number = Annotated[int, Path(ge=0, le=2**31 - 1)]


@router.get("/{identity}/variables", responses=gives("Variables"))
async def list_variables(request: Request, identity: Segment, bearer: Viewer, filter: Filter = "") -> Response:  # noqa: A002
    """What a charger told of itself: its variables (2.x), or its configuration (1.6), which is asked for."""
    return answer(await devices.variables(program_of(request), identity, filter))


@router.post(
    "/{identity}/variables",
    openapi_extra=takes("VariableAsked"),
    responses=gives("VariableSet") | gives("CallOutcome", status=202),
)
async def set_variable(request: Request, identity: Segment, bearer: Operator) -> Response:
    """Set a variable, or a configuration key, and read it back."""
    ask = await asked(request, VariableAsked)
    done = await devices.set_variable(program_of(request), identity, ask, actor=bearer.subject)
    return answer(done) if isinstance(done, dict) else outcome(done)


@router.get("/{identity}/monitors", responses=gives("Monitors"))
async def list_monitors(request: Request, identity: Segment, bearer: Viewer) -> Response:
    """The monitors of a charger (2.x), as far as it told of them."""
    return answer(await devices.monitors(program_of(request), identity))


@router.post(
    "/{identity}/monitors",
    openapi_extra=takes("MonitorAsked"),
    responses=gives("MonitorSet") | gives("CallOutcome", status=202),
)
async def set_monitor(request: Request, identity: Segment, bearer: Operator) -> Response:
    """Let a charger watch one of its variables."""
    ask = await asked(request, MonitorAsked)
    done = await devices.set_monitor(program_of(request), identity, ask, actor=bearer.subject)
    return answer(done) if isinstance(done, dict) else outcome(done)


@router.delete("/{identity}/monitors/{number}", responses=gives("MonitorSet") | gives("CallOutcome", status=202))
async def clear_monitor(request: Request, identity: Segment, number: Number, bearer: Operator) -> Response:
    """Take a monitor away."""
    done = await devices.clear_monitor(program_of(request), identity, number, actor=bearer.subject)
    return answer(done) if isinstance(done, dict) else outcome(done)


@router.get("/{identity}/reports/{subject}", responses=gives("Report"))
async def show_report(request: Request, identity: Segment, subject: Segment, bearer: Operator) -> Response:
    """What a charger (2.x) reported: limits, needs of its cars, its profiles, messages, what it knows of a customer."""
    return answer(await devices.report(program_of(request), identity, subject))
