"""Who connects, and for whom, in our own form (credentials)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hub.core.types import BusinessDetails, CountryCode, OcpiModel, PartyId, Some, Url, key_of
from hub.core.types.markers import Closed, ci_string, exact

Role = Annotated[Literal["CPO", "EMSP", "NAP", "NSP", "OTHER", "PTP", "SCSP"], Closed("Role")]
"""types_role_enum, and PTP, which the payments edition uses as a role. HUB exists only on the 2.2.1 wire."""


class CredentialsRole(OcpiModel):
    """A party and what it does. credentials_credentials_role_class."""

    role: Role
    business_details: BusinessDetails
    party_id: PartyId
    country_code: CountryCode

    @property
    def key(self) -> str:
        """`DE*ABC/cpo`: the three are unique on a platform."""
        return key_of(self.country_code, self.party_id, self.role)


class Credentials(OcpiModel):
    """How to reach a platform; `hub_party_id` is country code and party id of a hub. credentials_credentials_object.

    The token never shows in `repr`.
    """

    token: Annotated[str, exact(64, least=1, pattern=r"^[\x21-\x7e]*$")] = Field(repr=False)
    url: Url
    hub_party_id: Annotated[str, ci_string(5, least=5)] | None = None
    roles: Some[CredentialsRole]
