"""Variables of a station of OCPP 2.x, and their names as an operator writes them.

    Component.Variable                                 SmartChargingCtrlr.RateUnit
    Component@evse.Variable                            EVSE@1.Power
    Component@evse/connector.Variable                  Connector@1/1.AvailabilityState
    Component[instance].Variable[instance]             OCPPCommCtrlr.FileTransferProtocols[HTTP]
    ....:Target, :MinSet, :MaxSet                      another attribute than the actual value

A station's own names may hold any character; in ours the dot, brackets, `@`, `/` and `:` of a name are written `%2E`.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

import msgspec

from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Json, Tree

ACTUAL: Final = "Actual"
_ATTRIBUTES: Final = (ACTUAL, "Target", "MinSet", "MaxSet")
_NAME: Final = re.compile(
    r"(?P<component>[^.\[\]@/:]+)(?:\[(?P<component_instance>[^\[\]]+)\])?"
    r"(?:@(?P<evse>\d{1,4})(?:/(?P<connector>\d{1,4}))?)?"
    r"\.(?P<variable>[^.\[\]@/:]+)(?:\[(?P<instance>[^\[\]]+)\])?(?::(?P<attribute>\w+))?"
)
_LONGEST: Final = 50
_LONGEST_VALUE: Final = 1000


_SECRET: Final = frozenset({"apnpassword", "authorizationkey", "basicauthpassword", "simpin", "vpnkey", "vpnpassword"})


def is_secret(name: str) -> bool:
    """Opens this variable, or this configuration key of 1.6, a door? A charger should never tell it; some do."""
    return name.casefold() in _SECRET


class Variable(NamedTuple):
    """One variable of one component."""

    component: str
    variable: str
    component_instance: str | None = None
    instance: str | None = None
    evse: int | None = None
    connector: int | None = None

    @property
    def text(self) -> str:
        """As an operator writes it."""
        where = "" if self.evse is None else f"@{self.evse}" + ("" if self.connector is None else f"/{self.connector}")
        return (
            f"{_quoted(self.component)}{_bracketed(self.component_instance)}{where}"
            f".{_quoted(self.variable)}{_bracketed(self.instance)}"
        )

    def tree(self) -> Tree:
        """`component` and `variable` of a message."""
        evse: Tree = {}
        if self.evse is not None:
            evse = {"evse": {"id": self.evse, **({} if self.connector is None else {"connectorId": self.connector})}}
        instance = {"instance": self.component_instance} if self.component_instance is not None else {}
        of_variable = {"instance": self.instance} if self.instance is not None else {}
        return {
            "component": {**evse, "name": self.component, **instance},
            "variable": {"name": self.variable, **of_variable},
        }


class Row(msgspec.Struct, omit_defaults=True):
    """What a station told of a variable. `values`: by attribute, of those that may be read."""

    name: str
    values: dict[str, str] = {}
    mutability: str = ""
    unit: str = ""
    type: str = ""
    options: str = ""
    least: float | None = None
    most: float | None = None


def parsed(text: str) -> tuple[Variable, str]:
    """A name as an operator writes it, and which attribute is meant. Raises: InvalidRequest."""
    found = _NAME.fullmatch(text)
    attribute = (found["attribute"] or ACTUAL) if found is not None else ""
    if found is None or attribute not in _ATTRIBUTES:
        raise InvalidRequest("/name: must be as in Component.Variable, EVSE@1.Power or Component[a].Variable[b]:Target")
    texts = {key: _unquoted(found[key]) for key in ("component", "variable", "component_instance", "instance")}
    if any(value is not None and len(value) > _LONGEST for value in texts.values()):
        raise InvalidRequest(f"/name: a part of it has more than {_LONGEST} characters")
    numbers = {key: int(found[key]) if found[key] is not None else None for key in ("evse", "connector")}
    return Variable(**texts, **numbers), attribute  # type: ignore[arg-type]


def named_in(tree: Json) -> Variable | None:
    """The variable that an entry of a message is about; None, when it names none."""
    component, variable = _object(tree, "component"), _object(tree, "variable")
    name, of_variable = component.get("name"), variable.get("name")
    if not _word(name) or not _word(of_variable):
        return None
    evse = _object(component, "evse")
    return Variable(
        _word(name),
        _word(of_variable),
        _short(component.get("instance")),
        _short(variable.get("instance")),
        _whole(evse.get("id")),
        _whole(evse.get("connectorId")),
    )


def row_in(tree: Json) -> Row | None:
    """What an entry of a NotifyReport tells, read leniently; None, when it names no variable."""
    variable = named_in(tree)
    if variable is None or not isinstance(tree, dict):
        return None
    told, about = tree.get("variableAttribute"), _object(tree, "variableCharacteristics")
    attributes = [each for each in told if isinstance(each, dict)] if isinstance(told, list) else []
    told_values = [each for each in attributes if each.get("value") is not None and not is_secret(variable.variable)]
    return Row(
        variable.text,
        {_word(each.get("type")) or ACTUAL: _value(each["value"]) for each in told_values},
        _word(next((each.get("mutability") for each in attributes), None)),
        _word(about.get("unit")),
        _word(about.get("dataType")),
        _value(about.get("valuesList") or ""),
        _number(about.get("minLimit")),
        _number(about.get("maxLimit")),
    )


def _object(tree: Any, name: str) -> Tree:
    found = tree.get(name) if isinstance(tree, dict) else None
    return found if isinstance(found, dict) else {}


def _short(value: Any) -> str | None:
    text = "".join(filter(str.isprintable, value[:_LONGEST])) if isinstance(value, str) else ""
    return text or None


def _word(value: Any) -> str:
    return _short(value) or ""


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return "".join(filter(str.isprintable, text[:_LONGEST_VALUE]))


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10_000 else None


def _number(value: Any) -> float | None:
    try:
        number = float(value) if value is not None and not isinstance(value, bool) else math.nan
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _quoted(name: str) -> str:
    return quote(name, safe=" !\"#$&'()*+,;<=>?\\^`{|}~").replace(".", "%2E")


def _unquoted(name: str | None) -> str | None:
    return None if name is None else unquote(name)


def _bracketed(instance: str | None) -> str:
    return "" if instance is None else f"[{_quoted(instance)}]"
