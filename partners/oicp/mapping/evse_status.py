"""What EVSEs do, in either protocol's words. OICP tells no time with it, so nobody can say when it changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from partners.oicp.mapping.enums import STATUS_TO_OCPI
from partners.oicp.mapping.terms import Terms

UNKNOWN: Final = "UNKNOWN"
REMOVED: Final = "REMOVED"
NOT_FOUND: Final = "EvseNotFound"
"""A hub does not know the EVSE: its data are to be fetched again. We never say this of an EVSE that we push."""


def ocpi_status(status: str, terms: Terms) -> str:
    """OCPI's word; UNKNOWN for one that OICP does not list."""
    return terms.out_of_service if status == "OutOfService" else STATUS_TO_OCPI.get(status, UNKNOWN)


def read_status(record: Mapping[str, Any], status: str | None, terms: Terms) -> str:
    """The status of the EVSE that an EvseDataRecord tells of; `status` is what was last told of it, if anything."""
    if record.get("deltaType") == "delete":
        return REMOVED
    if status is None or record.get("DynamicInfoAvailable") == "false":
        return UNKNOWN
    return ocpi_status(status, terms)
