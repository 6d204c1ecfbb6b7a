"""Who is connected through a hub, in our own form (mod_hub_client_info)."""

from __future__ import annotations

from typing import Annotated, Literal

from hub.core.types import CountryCode, DateTime, OcpiModel, PartyId
from hub.core.types.markers import Closed
from modules.credentials.model import Role

ConnectionStatus = Annotated[Literal["CONNECTED", "OFFLINE", "PLANNED", "SUSPENDED"], Closed("ConnectionStatus")]
"""mod_hub_client_info_hub_connection_type_enum"""


class _ClientFacts(OcpiModel):
    party_id: PartyId
    country_code: CountryCode
    role: Role
    status: ConnectionStatus


class ClientInfo(_ClientFacts):
    """A party in one of its roles, and whether it can be reached. mod_hub_client_info_hub_client_info_object."""

    last_updated: DateTime


class ClientInfoTold(_ClientFacts):
    """The same as a hub tells it: the text's own example of a PUT leaves out the time."""

    last_updated: DateTime | None = None
