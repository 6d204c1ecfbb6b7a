"""The values that occur in many messages. Lengths and forms are those of the specification's text, anchored."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Final

from hub.core.countries import ALPHA_3
from partners.oicp.ids import EvcoID, EvseID, OperatorID, ProviderID, written
from partners.oicp.wire.kinds import flag, identifier, moment, number, text, whole

EVERYBODY: Final = "*"
"""Stands for all providers where prices are meant for everybody."""


_BETWEEN_DIGITS: Final = re.compile(r"\(0\)|[\s()./-]")


def _alpha_3(word: str) -> str:
    """A country, written in two letters or in small ones."""
    folded = word.strip().upper()
    return ALPHA_3.get(folded, folded)


def _cased(word: str) -> str:
    """A language in small letters, its country in capitals."""
    language, _, country = word.replace("_", "-").partition("-")
    return f"{language.lower()}-{country.upper()}" if country else language.lower()


def _digits_alone(word: str) -> str:
    """A phone number of the whole world, with what people write between its digits."""
    plain = _BETWEEN_DIGITS.sub("", word)
    return f"+{plain[2:]}" if plain.startswith("00") else plain


def _provider_or_all(word: str) -> object:
    return word if word == EVERYBODY else ProviderID.parse(word)


_LANGUAGE: Final = r"[a-z]{2,3}(-[A-Z]{2,3}(-[a-zA-Z]{4})?)?(-x-[a-zA-Z0-9]{1,8})?"
_EVSE: Final = r"[A-Z]{2}\*?[A-Z0-9]{3}\*?E[A-Z0-9*]{1,30}|\+?[0-9]{1,3}\*[0-9]{3}\*[0-9*]{1,32}"
_OPERATOR: Final = r"[A-Za-z]{2}\*?[A-Za-z0-9]{3}|\+?[0-9]{1,3}\*[0-9]{3}"
_PROVIDER: Final = r"[A-Za-z]{2}[*-]?[A-Za-z0-9]{3}"
_EVCO: Final = (
    r"[A-Za-z]{2}-?[A-Za-z0-9]{3}-?C[A-Za-z0-9]{8}-?[A-Za-z0-9]"
    r"|[A-Za-z]{2}[*-]?[A-Za-z0-9]{3}[*-]?[A-Za-z0-9]{6}[*-]?[0-9X]"
)

EvseIDText = Annotated[str, replace(identifier(EvseID.parse, _EVSE, is_needed=True), mend=written)]
OperatorIDText = Annotated[str, identifier(OperatorID.parse, _OPERATOR, is_needed=True)]
ProviderIDText = Annotated[str, identifier(ProviderID.parse, _PROVIDER, is_needed=True)]
ProviderOrAll = Annotated[str, identifier(_provider_or_all, rf"{_PROVIDER}|\*", is_needed=True)]
EvcoIDText = Annotated[str, identifier(EvcoID.parse, _EVCO, is_needed=False)]
UIDText = Annotated[str, text(pattern=r"[0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20}")]
SessionIDText = Annotated[str, text(pattern=r"[A-Za-z0-9]{8}(-[A-Za-z0-9]{4}){3}-[A-Za-z0-9]{12}")]
PartnerSessionID = Annotated[str, text(250)]
PoolID = Annotated[str, text(pattern=r"[A-Za-z]{2}\*?[A-Za-z0-9]{3}\*?P[A-Za-z0-9*]{1,30}")]
ProductIDType = Annotated[str, text(50)]
CountryCodeType = Annotated[str, replace(text(pattern=r"[A-Z]{3}"), mend=_alpha_3)]
CurrencyIDType = Annotated[str, replace(text(pattern=r"[A-Z]{3}"), mend=str.upper)]
LanguageCodeType = Annotated[str, replace(text(pattern=_LANGUAGE), mend=_cased)]
PhoneNumberType = Annotated[str, replace(text(pattern=r"\+[0-9]{5,15}"), mend=_digits_alone)]
ClockText = Annotated[str, text(pattern=r"([01][0-9]|2[0-4]):[0-5][0-9]")]
Name = Annotated[str, text(100)]
Flag = Annotated[bool, flag()]
Moment = Annotated[str, moment()]
Energy = Annotated[Decimal, number(3, is_alone=True)]
"""kWh, or the register of a meter in kWh."""
Amount = Annotated[Decimal, number(is_amount=True, is_alone=True)]
"""Money without tax, in the currency beside it."""
Kilowatts = Annotated[Decimal, number(is_some=True)]
"""A power, kW: there is none of 0."""
Count = Annotated[int, whole(0, 2**31 - 1)]
