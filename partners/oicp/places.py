"""Where an EVSE is: its id in OICP, and what OCPI calls it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class EvsePlace:
    """An EVSE that is on record here, of whichever CPO."""

    evse_id: str
    """As it is written to partners."""
    owner: str
    """The CPO (`DE*ABC`)."""
    location: str
    """Key of its location, `DE*ABC/LOC1`."""
    location_id: str
    evse_uid: str
    connector_id: str = ""
    """The only connector, where there is one only."""
    is_remote: bool = True
    """May it be started from afar (IsHubjectCompatible)?"""


class Places(Protocol):
    """The EVSEs on record."""

    async def find(self, evse_id: str) -> EvsePlace | None:
        """That with this EvseID, in any spelling. Never raises for what is no EvseID."""
        ...

    async def named(self, owner: str, location_id: str, evse_uid: str) -> EvsePlace | None:
        """That which OCPI calls so."""
        ...

    async def record_of(self, evse_id: str) -> Mapping[str, Any]:
        """Its EvseDataRecord; nothing, where it is not on record."""
        ...

    async def has_any(self, owner: str) -> bool:
        """Is there any of this CPO? One that never told of its EVSEs is asked for each."""
        ...
