"""Do two charge detail records say the same? A hub gives one back in words of its own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from partners.oicp.wire import REQUESTS, Unfit, read

_OF_HUBS: Final = frozenset({"HubOperatorID", "HubProviderID"})
"""A hub adds them on the way."""


def is_same_record(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """In whatever spelling of its fields and numbers, and whatever a hub has added to it."""
    return _content(one) == _content(other)


def _content(record: Mapping[str, Any]) -> Mapping[str, Any]:
    told = record
    with suppress(Unfit):
        told = read(REQUESTS["ChargeDetailRecord"], record).tree
    said = {name: value for name, value in told.items() if name not in _OF_HUBS and value not in (None, "", [], {})}
    return said | {"SessionID": str(said["SessionID"]).lower()}
