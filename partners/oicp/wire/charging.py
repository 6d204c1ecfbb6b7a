"""Authorization at a charger, and remote start, stop and reservation."""

from __future__ import annotations

from typing import Annotated

from partners.oicp.wire.common import IdentificationType, StatusCodeType
from partners.oicp.wire.enums import AuthorizationStatusType
from partners.oicp.wire.kinds import whole
from partners.oicp.wire.message import Message
from partners.oicp.wire.values import (
    EvseIDText,
    OperatorIDText,
    PartnerSessionID,
    ProductIDType,
    ProviderIDText,
    SessionIDText,
)


class AuthorizeStart(Message):
    """May this one charge? An operator asks; the hub issues the SessionID, whatever stands here."""

    SessionID: SessionIDText | None = None
    CPOPartnerSessionID: PartnerSessionID | None = None
    EMPPartnerSessionID: PartnerSessionID | None = None
    OperatorID: OperatorIDText
    EvseID: EvseIDText | None = None
    Identification: IdentificationType
    PartnerProductID: ProductIDType | None = None


class AuthorizationStart(Message):
    """The answer to it."""

    SessionID: SessionIDText | None = None
    CPOPartnerSessionID: PartnerSessionID | None = None
    EMPPartnerSessionID: PartnerSessionID | None = None
    ProviderID: ProviderIDText | None = None
    AuthorizationStatus: AuthorizationStatusType
    StatusCode: StatusCodeType
    AuthorizationStopIdentifications: list[IdentificationType] | None = None


class AuthorizeStop(Message):
    """May this one stop the session? An operator asks."""

    SessionID: SessionIDText
    CPOPartnerSessionID: PartnerSessionID | None = None
    EMPPartnerSessionID: PartnerSessionID | None = None
    OperatorID: OperatorIDText
    EvseID: EvseIDText | None = None
    Identification: IdentificationType


class AuthorizationStop(Message):
    """The answer to it."""

    SessionID: SessionIDText | None = None
    CPOPartnerSessionID: PartnerSessionID | None = None
    EMPPartnerSessionID: PartnerSessionID | None = None
    ProviderID: ProviderIDText | None = None
    AuthorizationStatus: AuthorizationStatusType
    StatusCode: StatusCodeType


class AuthorizeRemoteStart(Message):
    """Start a charge, says a provider. Towards the operator the SessionID is always there."""

    SessionID: SessionIDText | None = None
    CPOPartnerSessionID: PartnerSessionID | None = None
    EMPPartnerSessionID: PartnerSessionID | None = None
    ProviderID: ProviderIDText
    EvseID: EvseIDText
    Identification: IdentificationType
    PartnerProductID: ProductIDType | None = None


class AuthorizeRemoteStop(Message):
    """Stop it, says the provider."""

    SessionID: SessionIDText
    CPOPartnerSessionID: PartnerSessionID | None = None
    EMPPartnerSessionID: PartnerSessionID | None = None
    ProviderID: ProviderIDText
    EvseID: EvseIDText


class AuthorizeRemoteReservationStart(AuthorizeRemoteStart):
    """Keep an EVSE free, says a provider; `Duration` in minutes."""

    Duration: Annotated[int, whole(1, 99, is_kept=True)] | None = None


class AuthorizeRemoteReservationStop(AuthorizeRemoteStop):
    """Let it go again, says the provider. The operator sends a charge detail record then."""
