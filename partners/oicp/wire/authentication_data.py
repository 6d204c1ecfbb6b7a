"""The contracts of a provider that leaves it to the hub to authorize them."""

from __future__ import annotations

from partners.oicp.wire.common import IdentificationType, StatusCodeType
from partners.oicp.wire.enums import Action
from partners.oicp.wire.message import Message
from partners.oicp.wire.values import OperatorIDText, ProviderIDText


class AuthenticationDataRecordType(Message):
    """One card or contract."""

    Identification: IdentificationType


class ProviderAuthenticationDataType(Message):
    """Those of one provider."""

    lenient = frozenset({"AuthenticationDataRecord"})

    ProviderID: ProviderIDText
    AuthenticationDataRecord: list[AuthenticationDataRecordType]


class PushAuthenticationData(Message):
    """Keep these, says a provider."""

    ActionType: Action
    ProviderAuthenticationData: ProviderAuthenticationDataType


class PullAuthenticationData(Message):
    """Which are there? An operator asks. Of OICP 2.2; 2.3 limits its rate and does not describe it."""

    OperatorID: OperatorIDText


class AuthenticationData(Message):
    """The answer to it."""

    lenient = frozenset({"ProviderAuthenticationData"})

    ProviderAuthenticationData: list[ProviderAuthenticationDataType]
    StatusCode: StatusCodeType | None = None
