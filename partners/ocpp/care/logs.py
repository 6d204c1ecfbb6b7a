"""Logs of stations: asked for, brought to a link of its own, kept for the operator.

    asked       the station was told, or may have been
    uploading   it says that it is on its way
    received    the file is here
    failed      refused, or the station says that it could not; `why` says it
    expired     its time is over and nothing came

Of one request at most one file is taken. What the station says moves the state; only the file itself makes `received`.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterable
from datetime import datetime
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from hub.core.clock import timestamp
from hub.core.errors import Conflict, NotFound, TooManyRequests
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.units import ABSENT, ANY, Audit, Delete, Kind, Put, Unit
from partners.ocpp.care import links
from partners.ocpp.care.payloads import LOG_WORDS, LogKind, Span, log_answer, log_order
from partners.ocpp.care.shelf import Kept, Shelf
from partners.ocpp.care.surroundings import Stations
from partners.ocpp.register import folded
from partners.ocpp.stations import Called

CARE_LOGS: Final = Kind("care_logs", columns=("station",), indexed=("station",))
MOST_OF_A_STATION: Final = 20
"""Requests that are kept; the oldest go, with their files."""
_TIMEOUT_S: Final = 30.0

State = Literal["asked", "uploading", "received", "failed", "expired"]
OPEN: Final = ("asked", "uploading")


class LogRequest(msgspec.Struct, frozen=True):
    """One request. `file_name` is the station's name for it, `file` ours."""

    number: int
    station: str
    kind: LogKind
    asked: datetime
    expires: datetime
    action: str
    state: State = "asked"
    why: str = ""
    file_name: str = ""
    size: int = 0
    sha256: str = ""
    file: str = ""

    def shown(self, now: datetime) -> Tree:
        """For the operator: without where the file lies."""
        state = "expired" if self.state in OPEN and self.expires <= now else self.state
        tree: Tree = msgspec.to_builtins(self)
        shown = {name: value for name, value in tree.items() if name not in ("file", "action")}
        return {**shown, "asked": timestamp(self.asked), "expires": timestamp(self.expires), "state": state}


async def ask(hub: Hub, stations: Stations, identity: str, kind: LogKind, span: Span, *, actor: str) -> LogRequest:
    """Ask a station for a log. Raises: NotFound, also when it is not connected; TooManyRequests; NotReady."""
    Shelf.of(hub.settings)
    view = await stations.view(identity)
    if not view["connected"]:
        raise NotFound("the charger is not connected")
    station, number = str(view["identity"]), secrets.randbelow(2**31 - 1) + 1
    is_secure = int(view["security_profile"]) >= 2
    minted = links.mint(hub, "log", station, str(number), name="", is_secure=is_secure)
    order = log_order(str(view["version"]), kind, number, minted.url, span)
    request = LogRequest(number, station, kind, hub.clock.now(), minted.expires, order.action)
    unit = await _room_for(hub, station)
    unit.put(minted.put).put(_put(request, ABSENT)).audited(Audit(actor, "station.log_asked", station, kind))
    await hub.store.commit(unit)
    called = await stations.call(station, order.action, order.payload, timeout_s=_TIMEOUT_S, force=False)
    return await _answered(hub, request, called)


async def _answered(hub: Hub, request: LogRequest, called: Called) -> LogRequest:
    """What the station said at once. The file may be here before this is written down."""
    match called.outcome:
        case "result":
            answer = log_answer(request.action, called.payload or {})
            if not answer.refused:
                return await _change(hub, request.station, request.number, file_name=answer.file_name[:255])
            return await _change(hub, request.station, request.number, state="failed", why=answer.refused)
        case "error":
            why = f"answered {called.code}"
            return await _change(hub, request.station, request.number, state="failed", why=why)
        case "not connected" | "queue full":
            return await _change(hub, request.station, request.number, state="failed", why=called.outcome)
        case "pending":
            return request


async def heard(hub: Hub, station: str, action: str, payload: Tree) -> None:
    """A station says how far the upload is. Without a number it is the newest request of that sort."""
    word = LOG_WORDS.get(str(payload.get("status")), "")
    number = payload.get("requestId")
    sort = "GetDiagnostics" if action == "DiagnosticsStatusNotification" else "GetLog"
    requests = [each for each in await listed(hub, station) if each.action == sort and each.state in OPEN]
    if number is not None:
        requests = [each for each in requests if each.number == number]
    if not word or not requests or word == "uploaded":
        return
    state: State = "failed" if word == "failed" else "uploading"
    why = f"the charger says {payload['status']}" if word == "failed" else ""
    await _change(hub, station, requests[0].number, state=state, why=why)


async def receive(hub: Hub, token: str, parts: AsyncIterable[bytes]) -> None:
    """A station brings what it was asked for. Raises: NotFound, for any wrong link; TooLarge; Conflict."""
    link, spent = await links.find(hub, token, "log")
    shelf = Shelf.of(hub.settings)
    kept = await shelf.keep(parts, most=hub.settings.log_bytes)
    try:
        await _arrived(hub, spent, await get(hub, link.station, int(link.subject)), kept)
    except (NotFound, Conflict):
        await shelf.drop(kept.name)
        raise


async def _arrived(hub: Hub, spent: Delete, request: LogRequest, kept: Kept) -> None:
    """The link ends with the same write: of two who bring a file under it, one is too late."""
    file = {"file": kept.name, "size": kept.size, "sha256": kept.sha256}
    fresh = replace(request, state="received", why="", **file)
    audit = Audit(request.station, "station.log_received", request.station, f"{request.kind}, {kept.size} bytes")
    await hub.store.commit(Unit().delete(spent).put(_put(fresh, ANY)).audited(audit))


async def get(hub: Hub, station: str, number: int) -> LogRequest:
    """Raises: NotFound."""
    document = await hub.store.get(CARE_LOGS, _key(station, number))
    if document is None:
        raise NotFound("there is no such request for a log")
    return _in(document.body)


async def listed(hub: Hub, station: str) -> list[LogRequest]:
    """Those of a station, the newest first."""
    equal = {"station": folded(station)}
    found = await hub.store.select(CARE_LOGS, equal=equal, descending=True, limit=2 * MOST_OF_A_STATION)
    return [_in(document.body) for document in found]


async def _room_for(hub: Hub, station: str) -> Unit:
    """The removal of the oldest requests, as one more comes. Raises: TooManyRequests, when all are still open."""
    requests = await listed(hub, station)
    over = requests[MOST_OF_A_STATION - 1 :]
    now = hub.clock.now()
    if any(each.state in OPEN and each.expires > now for each in over):
        raise TooManyRequests(f"{MOST_OF_A_STATION} requests for logs of this charger are open", retry_after_s=60)
    unit = Unit()
    for old in over:
        await Shelf.of(hub.settings).drop(old.file)
        unit.delete(Delete(CARE_LOGS, _key(station, old.number)))
    return unit


async def _change(
    hub: Hub, station: str, number: int, *, state: State | None = None, why: str = "", file_name: str = ""
) -> LogRequest:
    """Write what was heard, unless the file is here. Raises: NotFound."""
    while True:
        document = await hub.store.get(CARE_LOGS, _key(station, number))
        if document is None:
            raise NotFound("there is no such request for a log")
        request = _in(document.body)
        fresh = replace(request, file_name=file_name or request.file_name)
        if request.state in OPEN and state is not None:
            fresh = replace(fresh, state=state, why=why)
        try:
            await hub.store.commit(Unit().put(_put(fresh, document.version)))
        except Conflict:
            continue
        return fresh


def _key(station: str, number: int) -> str:
    return f"{folded(station)}/{number}"


def _put(request: LogRequest, expect: int) -> Put:
    body = msgspec.json.encode(request)
    columns = (folded(request.station),)
    return Put(CARE_LOGS, _key(request.station, request.number), body, columns=columns, expect=expect)


def _in(body: bytes) -> LogRequest:
    return msgspec.json.decode(body, type=LogRequest)
