"""Who is connected through a hub, in our own form (mod_hub_client_info)."""

from __future__ import annotations

from typing import Annotated, Literal

from hub.core.types import CountryCode, DateTime, OcpiModel, PartyId
from hub.core.types.markers import Closed
from modules.credentials.model import Role

ConnectionStatus = Annotated[Literal["CONNECTED", "OFFLINE", "PLANNED", "SUSPENDED"], Closed("ConnectionStatus")]
"""mod_hub_client_info_hub_connection_type_enum"""


class ClientInfo(OcpiModel):
    """A party in one of its roles, and whether it can be reached. mod_hub_client_info_hub_client_info_object."""

    party_id: PartyId
    country_code: CountryCode
    role: Role
    status: ConnectionStatus
    last_updated: DateTime
