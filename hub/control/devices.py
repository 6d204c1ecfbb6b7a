"""What a charger can be told of itself: its variables (2.x) or configuration (1.6), and monitors that watch them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hub.control.asks import MonitorAsked, VariableAsked
from hub.control.stations import Called, StationRegister, register
from hub.core.errors import InvalidRequest, NotCapable
from hub.core.jsontypes import Tree
from hub.core.units import Audit, Unit
from partners.ocpp import device_model, reported
from partners.ocpp.desired import exchange
from partners.ocpp.desired.exchange import TIMEOUT_S, first, version_of
from partners.ocpp.variables import parsed

if TYPE_CHECKING:
    from hub.app import Program

SUBJECTS: Final = tuple(sorted({*device_model.SUBJECTS, "ev-schedules", "limits", "needs", "tariffs", "template"}))
"""What a charger of 2.x may report, when it is asked, or by itself."""
_PASSWORDS: Final = frozenset({"authorizationkey", "securityctrlr.basicauthpassword"})


async def variables(program: Program, identity: str, text: str) -> Tree:
    """What a charger told of itself, by name, as far as `text` is part of the name. Raises: NotFound."""
    stations = await register(program)
    view = await stations.view(identity)
    rows = await exchange.told(program.hub, stations, view)
    wanted = text.casefold()
    items = [row for row in sorted(rows, key=lambda row: str(row["name"])) if wanted in str(row["name"]).casefold()]
    return {"items": items, "total": len(items)}


async def set_variable(program: Program, identity: str, ask: VariableAsked, *, actor: str) -> Called | Tree:
    """Set one. Returns: what the charger said, and the value that it has now; or why it could not be asked.

    Raises: NotFound, InvalidRequest.
    """
    if ask.name.casefold() in _PASSWORDS:
        raise InvalidRequest(f"/name: a password is changed by: busbar station password {identity}")
    stations = await register(program)
    view = await stations.view(identity)
    if version_of(view) != "1.6":
        parsed(ask.name)
    await program.store.commit(Unit().audited(Audit(actor, "station.set", identity, ask.name)))
    return await exchange.put(program.hub, stations, view, ask.name, ask.value)


async def monitors(program: Program, identity: str) -> Tree:
    """The monitors of a charger as far as they are known. Raises: NotFound."""
    view = await (await register(program)).view(identity)
    rows = await device_model.rows_of(program.store, view["identity"], "monitors")
    items = sorted(rows.values(), key=lambda row: int(row["id"]))
    return {"items": items, "total": len(items)}


async def report(program: Program, identity: str, subject: str) -> Tree:
    """What a charger of 2.x reported of a subject, and when. Raises: NotFound, InvalidRequest."""
    if subject not in SUBJECTS:
        raise InvalidRequest(f"there is no such report; there are {', '.join(SUBJECTS)}")
    view = await (await register(program)).view(identity)
    told = await reported.read(program.store, view["identity"], subject)
    rows = told.get("rows", {})
    return {
        "items": [{"key": key, **row} for key, row in sorted(rows.items())],
        "at": told.get("at"),
        "total": len(rows),
    }


async def set_monitor(program: Program, identity: str, ask: MonitorAsked, *, actor: str) -> Called | Tree:
    """Let a charger watch one of its variables. Returns: its word, and the monitor's number.

    Raises: NotFound, InvalidRequest, NotCapable (1.6 has no monitors).
    """
    variable, _ = parsed(ask.name)
    stations, view = await _of_2x(program, identity)
    monitor: Tree = {"transaction": ask.transaction, "value": ask.value, "type": ask.type, "severity": ask.severity}
    asked = {**({"id": ask.id} if ask.id is not None else {}), **monitor, **variable.tree()}
    await program.store.commit(Unit().audited(Audit(actor, "station.monitor", identity, ask.name)))
    called = await _called(stations, identity, "SetVariableMonitoring", {"setMonitoringData": [asked]})
    if called.outcome != "result":
        return called
    told = first(called.payload or {}, "setMonitoringResult")
    status, number = str(told.get("status")), told.get("id", ask.id)
    if status == "Accepted" and isinstance(number, int):
        row = device_model.monitor_row(variable.text, {**monitor, "id": number})
        await device_model.noted(program.hub, view["identity"], "monitors", {str(number): row})
    return {"name": ask.name, "status": status, "id": number}


async def clear_monitor(program: Program, identity: str, number: int, *, actor: str) -> Called | Tree:
    """Take a monitor away. Raises: NotFound, NotCapable."""
    stations, view = await _of_2x(program, identity)
    await program.store.commit(Unit().audited(Audit(actor, "station.monitor_cleared", identity, str(number))))
    called = await _called(stations, identity, "ClearVariableMonitoring", {"id": [number]})
    if called.outcome != "result":
        return called
    status = str(first(called.payload or {}, "clearMonitoringResult").get("status"))
    if status in ("Accepted", "NotFound"):
        await device_model.noted(program.hub, view["identity"], "monitors", {}, gone=[str(number)])
    return {"id": number, "status": status}


async def _of_2x(program: Program, identity: str) -> tuple[StationRegister, Tree]:
    stations = await register(program)
    view = await stations.view(identity)
    if version_of(view) == "1.6":
        raise NotCapable("a charger of OCPP 1.6 has no monitors")
    return stations, view


async def _called(stations: StationRegister, identity: str, action: str, payload: Tree) -> Called:
    return await stations.call(identity, action, payload, timeout_s=TIMEOUT_S, force=False)
