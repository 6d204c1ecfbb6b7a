"""Tokens and what an eMSP answers about them, in our own form (mod_tokens)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hub.core.types import (
    CiString36,
    CountryCode,
    DateTime,
    DisplayText,
    Flag,
    Id36,
    Language,
    Many,
    OcpiModel,
    PartyId,
    key_of,
)
from hub.core.types.markers import Closed, OpenEnum, string

TokenType = Annotated[str, OpenEnum("TokenType", ("AD_HOC_USER", "APP_USER", "EMAID", "OTHER", "RFID"))]
"""mod_tokens_tokentype_enum"""
WhitelistType = Annotated[Literal["ALWAYS", "ALLOWED", "ALLOWED_OFFLINE", "NEVER"], Closed("WhitelistType")]
"""mod_tokens_whitelisttype_enum"""
AllowedType = Annotated[Literal["ALLOWED", "BLOCKED", "EXPIRED", "NO_CREDIT", "NOT_ALLOWED"], Closed("AllowedType")]
"""mod_tokens_allowedtype_enum"""
ProfileType = Annotated[Literal["CHEAP", "FAST", "GREEN", "REGULAR"], Closed("ProfileType")]
"""mod_sessions_profiletype_enum"""


class EnergyContract(OcpiModel):
    """The driver's own energy contract. mod_tokens_energycontract_class."""

    supplier_name: Annotated[str, string(64)]
    contract_id: Annotated[str, string(64)] | None = None


class Token(OcpiModel):
    """What a driver shows to charge. mod_tokens_token_object."""

    country_code: CountryCode
    party_id: PartyId
    uid: Id36
    type: TokenType
    contract_id: Id36
    visual_number: Annotated[str, string(64)] | None = None
    issuer: Annotated[str, string(64)]
    group_id: CiString36 | None = None
    valid: Flag
    whitelist: WhitelistType
    language: Language | None = None
    default_profile_type: ProfileType | None = None
    energy_contract: EnergyContract | None = None
    last_updated: DateTime

    @property
    def key(self) -> str:
        """`DE*ABC/rfid/012345`: uid and type are unique for a party."""
        return key_of(self.country_code, self.party_id, self.type, self.uid)


class LocationReferences(OcpiModel):
    """A location, and which of its EVSEs. mod_tokens_locationreferences_class."""

    location_id: Id36
    evse_uids: Many[Id36] = Field(default_factory=list)


class AuthorizationInfo(OcpiModel):
    """The eMSP's answer: may this token charge here? mod_tokens_authorizationinfo_object."""

    allowed: AllowedType
    token: Token
    location: LocationReferences | None = None
    authorization_reference: CiString36 | None = None
    info: DisplayText | None = None
