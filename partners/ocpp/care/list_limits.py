"""What a station says of its local list: how long it may be, how much of it one message may bring, how it is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from hub.core.jsontypes import Tree
from partners.ocpp.care.payloads import Order
from partners.ocpp.readings import objects_in

DEFAULT_LENGTH: Final = 1000
DEFAULT_ITEMS: Final = 20
_MOST_ITEMS: Final = 500
"""In one message, whatever the station says: a frame has a bound too."""
_KEYS: Final = ("LocalAuthListEnabled", "LocalAuthListMaxLength", "LocalPreAuthorize", "SendLocalListMaxLength")
_VARIABLES: Final = (
    ("LocalAuthListCtrlr", "Enabled"),
    ("LocalAuthListCtrlr", "ItemsPerMessage"),
    ("AuthCtrlr", "LocalPreAuthorize"),
)


class Limits(NamedTuple):
    """`length`: entries of the whole list; `items`: of one message."""

    length: int = DEFAULT_LENGTH
    items: int = DEFAULT_ITEMS
    is_on: bool = True
    asks_list_first: bool = True
    """Unless it says that it does not."""


def question(version: str) -> Order:
    """Ask for them."""
    if version == "1.6":
        return Order("GetConfiguration", {"key": list(_KEYS)})
    asked = [{"component": {"name": component}, "variable": {"name": name}} for component, name in _VARIABLES]
    return Order("GetVariables", {"getVariableData": asked})


def limits_in(version: str, payload: Tree) -> Limits:
    """From the answer. 2.x does not tell how long a list may be without a report: then it is the default."""
    told = _of_keys(payload) if version == "1.6" else _of_variables(payload)
    items = _number(told.get("SendLocalListMaxLength", told.get("ItemsPerMessage")), DEFAULT_ITEMS)
    return Limits(
        length=_number(told.get("LocalAuthListMaxLength"), DEFAULT_LENGTH),
        items=min(items, _MOST_ITEMS),
        is_on=told.get("LocalAuthListEnabled", told.get("Enabled", "true")).casefold() != "false",
        asks_list_first=told.get("LocalPreAuthorize", "true").casefold() != "false",
    )


def _of_keys(payload: Tree) -> Mapping[str, str]:
    rows = objects_in(payload.get("configurationKey"))
    return {str(row.get("key")): str(row["value"]) for row in rows if isinstance(row.get("value"), str)}


def _of_variables(payload: Tree) -> Mapping[str, str]:
    told: dict[str, str] = {}
    for row in objects_in(payload.get("getVariableResult")):
        variable, value = row.get("variable"), row.get("attributeValue")
        if isinstance(variable, dict) and isinstance(value, str) and row.get("attributeStatus") == "Accepted":
            told[str(variable.get("name"))] = value
    return told


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and 0 < int(text) < 10**6 else default
