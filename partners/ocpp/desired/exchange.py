"""What a charger is configured as, read; and one value set, then read back, in the words of its version.

It is read back since a charger may take a value and keep another; whether it must be restarted is its word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, TypeVar

from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from partners.ocpp import device_model
from partners.ocpp.variables import ACTUAL, Variable, is_secret, parsed

TIMEOUT_S: Final = 30.0
TAKEN: Final = ("Accepted", "RebootRequired")


class Answered(Protocol):
    """What became of a call."""

    @property
    def outcome(self) -> str: ...

    @property
    def payload(self) -> Tree | None: ...


A_co = TypeVar("A_co", bound=Answered, covariant=True)


class Asks(Protocol[A_co]):
    """Whoever can call a charger: the gateway that has its socket, or what asks there."""

    async def call(self, identity: str, action: str, payload: Tree, *, timeout_s: float, force: bool) -> A_co:
        """See `partners.ocpp.stations.Stations.call`."""
        ...


def version_of(view: Tree) -> str:
    """Of the connection; of a charger that is away, of its registration."""
    return str(view["version"] or view["protocol"].removeprefix("ocpp"))


async def told(hub: Hub, stations: Asks[Answered], view: Tree) -> list[Tree]:
    """Its configuration (1.6), for which it is asked, as that is not kept; its variables (2.x), as it last told."""
    if version_of(view) == "1.6":
        called = await _called(stations, view["identity"], "GetConfiguration", {})
        return _configuration(called.payload or {})
    return list((await device_model.rows_of(hub.store, view["identity"], "variables")).values())


def has_name_for(view: Tree, name: str) -> bool:
    """Can the version that this charger speaks say `name`? Of 1.6 any text is a key."""
    if version_of(view) == "1.6":
        return True
    try:
        parsed(name)
    except InvalidRequest:
        return False
    return True


async def told_of(hub: Hub, stations: Asks[Answered], view: Tree, names: Mapping[str, str]) -> list[Tree]:
    """As `told`, of some names, and from the charger itself whatever it speaks; none, where it does not answer."""
    if version_of(view) == "1.6":
        return await told(hub, stations, view)
    rows: list[Tree] = []
    for name in names:
        (_, read, _, value_in) = _of_2(name, "")
        called = await _called(stations, view["identity"], *read)
        if called.outcome not in ("result", "error"):
            return []
        value = value_in(called.payload or {})
        rows.append({"name": name, "values": {} if value is None else {ACTUAL: value}})
    return rows


async def put(hub: Hub, stations: Asks[A_co], view: Tree, name: str, value: str) -> A_co | Tree:
    """Set one. Returns: what the charger said, and the value that it has now; or why it could not be asked."""
    identity = view["identity"]
    write, read, status_in, value_in = _of_16(name, value) if version_of(view) == "1.6" else _of_2(name, value)
    called = await _called(stations, identity, *write)
    if called.outcome != "result":
        return called
    status = status_in(called.payload or {})
    back = await _called(stations, identity, *read) if status in TAKEN else None
    now = value_in(back.payload or {}) if back is not None and back.outcome == "result" else None
    if now is not None and version_of(view) != "1.6":
        await _noted(hub, identity, name, now)
    return {
        "name": name,
        "status": status,
        "value": now,
        "verified": now == value,
        "reboot_required": status == "RebootRequired",
    }


async def _called(stations: Asks[A_co], identity: str, action: str, payload: Tree) -> A_co:
    return await stations.call(identity, action, payload, timeout_s=TIMEOUT_S, force=False)


def _configuration(payload: Tree) -> list[Tree]:
    keys = payload.get("configurationKey")
    return [
        {
            "name": str(item.get("key")),
            "values": {ACTUAL: str(item["value"])} if "value" in item and not is_secret(str(item.get("key"))) else {},
            "mutability": "ReadOnly" if item.get("readonly") else "ReadWrite",
        }
        for item in (keys if isinstance(keys, list) else [])
        if isinstance(item, dict)
    ]


async def _noted(hub: Hub, identity: str, name: str, value: str) -> None:
    variable, attribute = parsed(name)
    if is_secret(variable.variable):
        return
    rows = await device_model.rows_of(hub.store, identity, "variables")
    row = rows.get(variable.text, {"name": variable.text})
    row = {**row, "values": {**row.get("values", {}), attribute: value}}
    await device_model.noted(hub, identity, "variables", {variable.text: row})


Written = tuple[tuple[str, Tree], tuple[str, Tree], Callable[[Tree], str], Callable[[Tree], str | None]]
"""The CALL that writes, the one that reads, the status in the first's answer, the value in the second's."""


def _of_16(name: str, value: str) -> Written:
    return (
        ("ChangeConfiguration", {"key": name, "value": value}),
        ("GetConfiguration", {"key": [name]}),
        lambda told: str(told.get("status")),
        lambda told: _text(first(told, "configurationKey").get("value")),
    )


def _of_2(name: str, value: str) -> Written:
    """Raises: InvalidRequest, for what names no variable."""
    variable, attribute = parsed(name)
    about: Tree = Variable.tree(variable)
    asked = {} if attribute == ACTUAL else {"attributeType": attribute}
    return (
        ("SetVariables", {"setVariableData": [{**asked, "attributeValue": value, **about}]}),
        ("GetVariables", {"getVariableData": [{**asked, **about}]}),
        lambda told: str(first(told, "setVariableResult").get("attributeStatus")),
        lambda told: _text(first(told, "getVariableResult").get("attributeValue")),
    )


def first(tree: Tree, name: str) -> Tree:
    """The first object of a list in an answer; empty, where there is none."""
    found = tree.get(name)
    one = found[0] if isinstance(found, list) and found else None
    return one if isinstance(one, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
