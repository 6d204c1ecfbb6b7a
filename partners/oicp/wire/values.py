"""The values that occur in many messages. Lengths and forms are those of the specification's text, anchored."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final

from partners.oicp.ids import EvcoID, EvseID, OperatorID, ProviderID
from partners.oicp.wire.kinds import flag, identifier, moment, number, text, whole

EVERYBODY: Final = "*"
"""Stands for all providers where prices are meant for everybody."""


def _provider_or_all(word: str) -> object:
    return word if word == EVERYBODY else ProviderID.parse(word)


_EVSE: Final = r"[A-Z]{2}\*?[A-Z0-9]{3}\*?E[A-Z0-9*]{1,30}|\+?[0-9]{1,3}\*[0-9]{3}\*[0-9*]{1,32}"
_OPERATOR: Final = r"[A-Za-z]{2}\*?[A-Za-z0-9]{3}|\+?[0-9]{1,3}\*[0-9]{3}"
_PROVIDER: Final = r"[A-Za-z]{2}[*-]?[A-Za-z0-9]{3}"
_EVCO: Final = (
    r"[A-Za-z]{2}-?[A-Za-z0-9]{3}-?C[A-Za-z0-9]{8}-?[A-Za-z0-9]"
    r"|[A-Za-z]{2}[*-]?[A-Za-z0-9]{3}[*-]?[A-Za-z0-9]{6}[*-]?[0-9X]"
)

EvseIDText = Annotated[str, identifier(EvseID.parse, _EVSE, is_needed=True)]
OperatorIDText = Annotated[str, identifier(OperatorID.parse, _OPERATOR, is_needed=True)]
ProviderIDText = Annotated[str, identifier(ProviderID.parse, _PROVIDER, is_needed=True)]
ProviderOrAll = Annotated[str, identifier(_provider_or_all, rf"{_PROVIDER}|\*", is_needed=True)]
EvcoIDText = Annotated[str, identifier(EvcoID.parse, _EVCO, is_needed=False)]
UIDText = Annotated[str, text(pattern=r"[0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20}")]
SessionIDText = Annotated[str, text(pattern=r"[A-Za-z0-9]{8}(-[A-Za-z0-9]{4}){3}-[A-Za-z0-9]{12}")]
PartnerSessionID = Annotated[str, text(250)]
PoolID = Annotated[str, text(pattern=r"[A-Za-z]{2}\*?[A-Za-z0-9]{3}\*?P[A-Za-z0-9*]{1,30}")]
ProductIDType = Annotated[str, text(50)]
CountryCodeType = Annotated[str, text(pattern=r"[A-Z]{3}")]
CurrencyIDType = Annotated[str, text(pattern=r"[A-Z]{3}")]
LanguageCodeType = Annotated[str, text(pattern=r"[a-z]{2,3}(-[A-Z]{2,3}(-[a-zA-Z]{4})?)?(-x-[a-zA-Z0-9]{1,8})?")]
PhoneNumberType = Annotated[str, text(pattern=r"\+[0-9]{5,15}")]
ClockText = Annotated[str, text(pattern=r"([01][0-9]|2[0-4]):[0-5][0-9]")]
Degrees = Annotated[str, text(pattern=r"-?1?[0-9]{1,2}\.[0-9]{1,6}")]
Name = Annotated[str, text(100)]
Flag = Annotated[bool, flag()]
Moment = Annotated[str, moment()]
Energy = Annotated[Decimal, number(3)]
"""kWh, or the register of a meter in kWh."""
Amount = Annotated[Decimal, number()]
"""Money without tax, in the currency beside it; or another exact number."""
Count = Annotated[int, whole(0, 2**31 - 1)]
