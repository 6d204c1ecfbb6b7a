"""Do two charge detail records say the same? Who lost our answer repeats one, and a hub gives one back, in other words.

An EVSE, a contract and a moment are the same in each of their spellings; all else is compared as it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, Final

from partners.oicp import ids
from partners.oicp.identifying import compared
from partners.oicp.mapping import times
from partners.oicp.record_checks import IN_ORDER
from partners.oicp.wire import REQUESTS, Unfit, read

_OF_HUBS: Final = frozenset({"HubOperatorID", "HubProviderID"})
"""A hub adds them on the way."""
_MEANINGS: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "SessionID": lambda told: str(told).lower(),
        "EvseID": lambda told: ids.EvseID.parse(str(told)).canonical,
        "Identification": compared,
        **dict.fromkeys(IN_ORDER, lambda told: times.instant(str(told))),
    }
)
"""What is meant by fields that may be written in several ways."""


def is_same_record(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """In whatever spelling of its fields, ids, times and numbers, and whatever a hub has added to it."""
    return _content(one) == _content(other)


def _content(record: Mapping[str, Any]) -> Mapping[str, Any]:
    told = record
    with suppress(Unfit):
        told = read(REQUESTS["ChargeDetailRecord"], record).tree
    said = {name: value for name, value in told.items() if name not in _OF_HUBS and value not in (None, "", [], {})}
    return {name: _meaning(name, value) for name, value in said.items()}


def _meaning(name: str, value: Any) -> Any:
    """What cannot be read is compared as it stands."""
    try:
        return _MEANINGS[name](value) if name in _MEANINGS else value
    except (ValueError, ids.InvalidId):
        return value
