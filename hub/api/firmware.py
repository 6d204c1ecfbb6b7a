"""/api/v1/firmware, and the logs and local lists of stations."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request, Response

from hub.api.access import Admin, Operator, Viewer, program_of
from hub.api.exchange import Segment, answer, asked, gives, object_body, takes
from hub.api.files import attachment, parts_of
from hub.control.asks import LogAsked
from hub.control.stations import register
from hub.core.errors import InvalidRequest, NotFound
from hub.core.operations import SMALL
from hub.core.types import parse_datetime
from partners.ocpp.care import firmware, lists, logs
from partners.ocpp.care.payloads import Span
from partners.ocpp.care.shelf import Shelf

router = APIRouter(prefix="/api/v1")

_LOGS: Final = "/stations/{identity}/logs"
_LOG: Final = f"{_LOGS}/{{number}}"
_BYTES: Final = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}


@router.get("/firmware", tags=["firmware"], responses=gives("Firmwares"))
async def list_firmware(request: Request, bearer: Viewer) -> Response:
    """All firmware that stations can be given."""
    items = [each.shown() for each in await firmware.listed(program_of(request).hub)]
    return answer({"items": items, "total": len(items)})


@router.put("/firmware/{name}", tags=["firmware"], openapi_extra=takes("FirmwareAsked"), responses=gives("Firmware"))
async def put_firmware(request: Request, name: Segment, bearer: Admin) -> Response:
    """Describe a firmware; its file follows."""
    tree = await object_body(request, limit=SMALL)
    return answer((await firmware.put(program_of(request).hub, name, tree, actor=bearer.subject)).shown())


@router.put(
    "/firmware/{name}/file",
    tags=["firmware"],
    openapi_extra={"requestBody": {"required": True, **_BYTES}},
    responses=gives("Firmware"),
)
async def put_firmware_file(request: Request, name: Segment, bearer: Admin) -> Response:
    """The bytes of a firmware. They must have the sha256 that was said."""
    hub = program_of(request).hub
    parts = parts_of(request, most=hub.settings.firmware_bytes)
    return answer((await firmware.put_file(hub, name, parts, actor=bearer.subject)).shown())


@router.delete("/firmware/{name}", tags=["firmware"], responses=gives("Deleted"))
async def delete_firmware(request: Request, name: Segment, bearer: Admin) -> Response:
    """Forget a firmware; links to it lead nowhere from now on."""
    await firmware.delete(program_of(request).hub, name, actor=bearer.subject)
    return answer({"deleted": name})


@router.get("/stations/{identity}/local_list", tags=["stations"], responses=gives("LocalList"))
async def show_local_list(request: Request, identity: Segment, bearer: Viewer) -> Response:
    """What stands on a charger's local list: how many cards, not which."""
    program = program_of(request)
    view = await (await register(program)).view(identity)
    return answer((await lists.get(program.hub, view["identity"])).shown())


@router.get(_LOGS, tags=["stations"], responses=gives("StationLogs"))
async def list_logs(request: Request, identity: Segment, bearer: Viewer) -> Response:
    """What a charger was asked to bring, and what came; the newest first."""
    program = program_of(request)
    view = await (await register(program)).view(identity)
    now = program.hub.clock.now()
    items = [each.shown(now) for each in await logs.listed(program.hub, view["identity"])]
    return answer({"items": items, "total": len(items)})


@router.post(
    _LOGS,
    tags=["stations"],
    status_code=201,
    openapi_extra=takes("LogAsked"),
    responses=gives("StationLog", status=201),
)
async def ask_for_log(request: Request, identity: Segment, bearer: Operator) -> Response:
    """Ask a charger for its diagnostics, or its security log. The file comes when it comes."""
    program = program_of(request)
    ask = await asked(request, LogAsked)
    await register(program)
    span = Span(_moment("since", ask.since), _moment("until", ask.until))
    found = await logs.ask(program.hub, program.stations, identity, ask.kind, span, actor=bearer.subject)
    return answer(found.shown(program.hub.clock.now()), 201)


@router.get(_LOG, tags=["stations"], responses=gives("StationLog"))
async def show_log(request: Request, identity: Segment, number: int, bearer: Viewer) -> Response:
    """One request for a log."""
    hub = program_of(request).hub
    return answer((await logs.get(hub, identity, number)).shown(hub.clock.now()))


@router.get(
    f"{_LOG}/file", tags=["stations"], responses={200: {"description": "The file, as the charger brought it", **_BYTES}}
)
async def get_log_file(request: Request, identity: Segment, number: int, bearer: Operator) -> Response:
    """The file that came. It is served as an attachment: what a charger brings is nobody's page."""
    hub = program_of(request).hub
    found = await logs.get(hub, identity, number)
    if found.state != "received":
        raise NotFound("no file has come")
    return attachment(str(Shelf.of(hub.settings).path(found.file)), f"{found.kind}-{number}.log")


def _moment(name: str, text: str | None) -> datetime | None:
    """Raises: InvalidRequest."""
    try:
        return parse_datetime(text) if text is not None else None
    except (ValueError, OverflowError):
        raise InvalidRequest(f"/{name}: is not a timestamp") from None
