"""/api/v1/stations: our chargers, and any OCPP call to them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from hub.api.access import Admin, Operator, Viewer, program_of
from hub.api.errors import Row, form
from hub.api.exchange import Limit, Segment, answer, asked, gives, object_body, takes
from hub.control import stations
from hub.control.asks import MaintenanceAsked, StationCall
from hub.control.stations import Called, register
from hub.core.operations import SMALL

router = APIRouter(prefix="/api/v1/stations", tags=["stations"])


@router.get("", responses=gives("Stations"))
async def list_stations(request: Request, bearer: Viewer) -> Response:
    """All chargers: connection, version, connectors, queue."""
    items = await (await register(program_of(request))).views()
    return answer({"items": items, "total": len(items)})


@router.put("/{identity}", openapi_extra=takes("StationAsked"), responses=gives("StationShown"))
async def put_station(request: Request, identity: Segment, bearer: Operator) -> Response:
    """Register a charger, or change it. A password that we make is shown this once."""
    tree = await object_body(request, limit=SMALL)
    return answer(await stations.put(program_of(request), identity, tree, actor=bearer.subject))


@router.get("/{identity}", responses=gives("StationShown"))
async def show_station(request: Request, identity: Segment, bearer: Viewer) -> Response:
    """One charger."""
    return answer(await (await register(program_of(request))).view(identity))


@router.delete("/{identity}", responses=gives("Deleted"))
async def delete_station(request: Request, identity: Segment, bearer: Admin) -> Response:
    """Forget a charger, and hang up."""
    await (await register(program_of(request))).delete(identity, actor=bearer.subject)
    return answer({"deleted": identity})


@router.put("/{identity}/maintenance", openapi_extra=takes("MaintenanceAsked"), responses=gives("StationShown"))
async def begin_maintenance(request: Request, identity: Segment, bearer: Operator) -> Response:
    """Out of service to partners, usable on site with our own tokens. Charges that go on are not touched."""
    ask = await asked(request, MaintenanceAsked)
    stations = await register(program_of(request))
    return answer(await stations.maintain(identity, ask.evses, ask.note, actor=bearer.subject))


@router.delete("/{identity}/maintenance", responses=gives("StationShown"))
async def end_maintenance(request: Request, identity: Segment, bearer: Operator) -> Response:
    """Back in service."""
    return answer(await (await register(program_of(request))).end_maintenance(identity, actor=bearer.subject))


@router.get("/{identity}/messages", responses=gives("Messages"))
async def list_messages(request: Request, identity: Segment, bearer: Viewer, limit: Limit = 50) -> Response:
    """The newest frames of a charger, both directions, without secrets; oldest of them first."""
    stations = await register(program_of(request))
    return answer({"items": await stations.messages(identity, limit=limit)})


@router.post(
    "/{identity}/calls",
    openapi_extra=takes("StationCall"),
    responses=gives("CallOutcome") | gives("CallOutcome", status=202),
)
async def call_station(request: Request, identity: Segment, bearer: Operator) -> Response:
    """Send any OCPP call. 202: no answer in time; 404: not connected; 409: too many calls wait."""
    ask = await asked(request, StationCall)
    return outcome(await stations.call(program_of(request), identity, ask, actor=bearer.subject))


@router.post("/{identity}/password", responses=gives("CallOutcome") | gives("CallOutcome", status=202))
async def change_password(request: Request, identity: Segment, bearer: Admin) -> Response:
    """Give a connected charger a new password. It is not shown: the charger has it, and nobody else needs it."""
    return outcome(await (await register(program_of(request))).change_password(identity, actor=bearer.subject))


def outcome(called: Called) -> Response:
    match called.outcome:
        case "not connected":
            return form(Row(404, "not_connected"), "the charger is not connected")
        case "queue full":
            return form(Row(409, "queue_full"), "too many calls wait for this charger already")
        case "pending":
            return answer({"outcome": "pending"}, 202)
        case "error":
            error: dict[str, Any] = {"code": called.code, "description": called.description}
            return answer({"outcome": "error", "error": error})
        case "result":
            finding = {"finding": called.finding} if called.finding else {}
            return answer({"outcome": "result", "result": called.payload or {}, **finding})
