"""What a charger can be told of itself: its variables (2.x) or configuration (1.6), and monitors that watch them.

A value is set, then read back, since a charger may take one and keep another; whether it must be restarted is its word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from hub.control.asks import MonitorAsked, VariableAsked
from hub.control.stations import Called, StationRegister, register
from hub.core.errors import InvalidRequest, NotCapable
from hub.core.jsontypes import Tree
from hub.core.units import Audit, Unit
from partners.ocpp import device_model, reported
from partners.ocpp.variables import Variable, is_secret, parsed

if TYPE_CHECKING:
    from hub.app import Program

TIMEOUT_S: Final = 30.0
SUBJECTS: Final = tuple(sorted({*device_model.SUBJECTS, "ev-schedules", "limits", "needs", "tariffs"}))
"""What a charger of 2.x may report, when it is asked, or by itself."""
_PASSWORDS: Final = frozenset({"authorizationkey", "securityctrlr.basicauthpassword"})


async def variables(program: Program, identity: str, text: str) -> Tree:
    """What a charger told of itself, by name, as far as `text` is part of the name. Raises: NotFound."""
    stations = await register(program)
    view = await stations.view(identity)
    if version_of(view) == "1.6":
        rows = await _configuration(stations, identity)
    else:
        rows = list((await device_model.rows_of(program.store, view["identity"], "variables")).values())
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
    write, read, status_in, value_in = _OF_VERSION[version_of(view) == "1.6"](ask.name, ask.value)
    await program.store.commit(Unit().audited(Audit(actor, "station.set", identity, ask.name)))
    called = await _called(stations, identity, *write)
    if called.outcome != "result":
        return called
    status = status_in(called.payload or {})
    back = await _called(stations, identity, *read) if status in ("Accepted", "RebootRequired") else None
    value = value_in(back.payload or {}) if back is not None and back.outcome == "result" else None
    if value is not None and version_of(view) != "1.6":
        await _noted(program, view["identity"], ask.name, value)
    return {
        "name": ask.name,
        "status": status,
        "value": value,
        "verified": value == ask.value,
        "reboot_required": status == "RebootRequired",
    }


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
    told = _first(called.payload or {}, "setMonitoringResult")
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
    status = str(_first(called.payload or {}, "clearMonitoringResult").get("status"))
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


async def _configuration(stations: StationRegister, identity: str) -> list[Tree]:
    """All keys of a charger of 1.6; it is asked, as nothing of them is kept."""
    called = await _called(stations, identity, "GetConfiguration", {})
    keys = (called.payload or {}).get("configurationKey")
    return [
        {
            "name": str(item.get("key")),
            "values": {"Actual": str(item["value"])} if "value" in item and not is_secret(str(item.get("key"))) else {},
            "mutability": "ReadOnly" if item.get("readonly") else "ReadWrite",
        }
        for item in (keys if isinstance(keys, list) else [])
        if isinstance(item, dict)
    ]


async def _noted(program: Program, identity: str, name: str, value: str) -> None:
    variable, attribute = parsed(name)
    if is_secret(variable.variable):
        return
    rows = await device_model.rows_of(program.store, identity, "variables")
    row = rows.get(variable.text, {"name": variable.text})
    row = {**row, "values": {**row.get("values", {}), attribute: value}}
    await device_model.noted(program.hub, identity, "variables", {variable.text: row})


Written = tuple[tuple[str, Tree], tuple[str, Tree], Callable[[Tree], str], Callable[[Tree], str | None]]
"""The CALL that writes, the one that reads, the status in the first's answer, the value in the second's."""


def _of_16(name: str, value: str) -> Written:
    return (
        ("ChangeConfiguration", {"key": name, "value": value}),
        ("GetConfiguration", {"key": [name]}),
        lambda told: str(told.get("status")),
        lambda told: _text(_first(told, "configurationKey").get("value")),
    )


def _of_2(name: str, value: str) -> Written:
    variable, attribute = parsed(name)
    about: Tree = Variable.tree(variable)
    asked = {} if attribute == "Actual" else {"attributeType": attribute}
    return (
        ("SetVariables", {"setVariableData": [{**asked, "attributeValue": value, **about}]}),
        ("GetVariables", {"getVariableData": [{**asked, **about}]}),
        lambda told: str(_first(told, "setVariableResult").get("attributeStatus")),
        lambda told: _text(_first(told, "getVariableResult").get("attributeValue")),
    )


_OF_VERSION: Final[Mapping[bool, Callable[[str, str], Written]]] = {True: _of_16, False: _of_2}


def version_of(view: Tree) -> str:
    """Of the connection; of a charger that is away, of its registration."""
    return str(view["version"] or view["protocol"].removeprefix("ocpp"))


def _first(tree: Tree, name: str) -> Tree:
    found = tree.get(name)
    first = found[0] if isinstance(found, list) and found else None
    return first if isinstance(first, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
