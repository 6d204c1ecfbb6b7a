"""Operators and providers: who a party is in OICP.

`DE*ABC` is an operator and `DE-DCB` a provider; both may leave the separator out. An operator of DIN SPEC 91286 names
its country by the calling code, `+49*810`, and is the party DE*810.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from hub.core.countries import ALPHA_3
from hub.core.parties import Party
from partners.oicp.ids.dial_codes import COUNTRIES, DIAL_CODES
from partners.oicp.ids.faults import InvalidId, UnknownCountry

OperatorStyle = Literal["DE*ABC", "DEABC", "+49*810"]
"""How an operator is written to a partner, told by an example."""
ProviderStyle = Literal["DE-DCB", "DEDCB", "DE*DCB"]
"""How a provider is written to a partner, told by an example."""

_ISO_OPERATOR: Final = re.compile(r"([A-Z]{2})[*-]?([A-Z0-9]{3})", re.ASCII)
_DIN_OPERATOR: Final = re.compile(r"\+?([0-9]{1,3})\*([0-9]{3})", re.ASCII)
# The bar is met because the specification's own pattern lets it pass.
_PROVIDER: Final = re.compile(r"([A-Z]{2})[*|-]?([A-Z0-9]{3})", re.ASCII)


class OperatorID(NamedTuple):
    """An operator. `country` is two letters, or the calling code of an operator of DIN SPEC 91286."""

    country: str
    code: str

    @classmethod
    def parse(cls, text: str) -> OperatorID:
        """From `DE*ABC`, `DE-ABC`, `DEABC` or `+49*810`, in any case; the plus may be missing. Raises: InvalidId."""
        folded = text.strip().upper()
        match = _DIN_OPERATOR.fullmatch(folded) or _ISO_OPERATOR.fullmatch(folded)
        if match is None:
            raise InvalidId("an operator is written as in DE*ABC or +49*810")
        return cls(match[1], match[2])

    @classmethod
    def of(cls, party: Party, style: OperatorStyle = "DE*ABC") -> OperatorID:
        """The operator that `party` is. Raises: InvalidId, when one of DIN SPEC 91286 is asked for and it has none."""
        if style != "+49*810":
            return cls(*party)
        if not party.party_id.isdigit() or party.country_code not in DIAL_CODES:
            raise InvalidId("this party has no id of DIN SPEC 91286: that is three digits behind a calling code")
        return cls(DIAL_CODES[party.country_code], party.party_id)

    @property
    def is_din(self) -> bool:
        return self.country.isdigit()

    @property
    def canonical(self) -> str:
        """`DEABC` or `+49*810`: equal for all spellings of one id, and read again as the same."""
        return str(self) if self.is_din else self.country + self.code

    def party(self, countries: Mapping[str, str] | None = None) -> Party:
        """Who that is. `countries` says to which country (alpha-2) a calling code or an operator with one belongs:
        `{"44": "GB"}` or `{"+44*123": "GB"}`.

        Raises: UnknownCountry, when the calling code does not tell and `countries` does not either.
        """
        return Party(self._country(countries or {}), self.code)

    def _country(self, said: Mapping[str, str]) -> str:
        if not self.is_din:
            return self.country
        told = said.get(self.canonical) or said.get(self.country)
        if told is not None and told.upper() in ALPHA_3:
            return told.upper()
        known = COUNTRIES.get(self.country, ())
        if len(known) != 1:
            raise UnknownCountry
        return known[0]

    def styled(self, style: OperatorStyle) -> str:
        """As a partner wants it written; an id of DIN SPEC 91286 has one form only."""
        return self.canonical if style == "DEABC" else str(self)

    def __str__(self) -> str:
        return f"+{self.country}*{self.code}" if self.is_din else f"{self.country}*{self.code}"


class ProviderID(NamedTuple):
    """A provider: the other word for an eMSP."""

    country: str
    code: str

    @classmethod
    def parse(cls, text: str) -> ProviderID:
        """From `DE-DCB`, `DE*DCB`, `DE|DCB` or `DEDCB`, in any case. Raises: InvalidId."""
        match = _PROVIDER.fullmatch(text.strip().upper())
        if match is None:
            raise InvalidId("a provider is written as in DE-DCB")
        return cls(match[1], match[2])

    @classmethod
    def of(cls, party: Party) -> ProviderID:
        """The provider that `party` is."""
        return cls(*party)

    @property
    def canonical(self) -> str:
        """`DEDCB`: equal for all spellings of one id."""
        return self.country + self.code

    def party(self) -> Party:
        """Who that is."""
        return Party(self.country, self.code)

    def styled(self, style: ProviderStyle) -> str:
        """As a partner wants it written."""
        return style[2:-3].join(self)

    def __str__(self) -> str:
        return f"{self.country}-{self.code}"
