"""Parties and their roles. A *party* is `DE*TNM`; a *platform* may speak for several; see types, CiString."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from hub.core.errors import InvalidRequest

_PARTY = re.compile(r"([A-Za-z]{2})[*-]?([A-Za-z0-9]{3})", re.ASCII)


class PartyRole(StrEnum):
    """Role of OCPI credentials (types_role_enum), of all versions.

    HUB is a role in 2.2.1 only; later a hub is known by its `hub_party_id`. PTP, a payment terminal provider, is a role
    from 2.3.0 on.
    """

    CPO = "CPO"
    EMSP = "EMSP"
    HUB = "HUB"
    NAP = "NAP"
    NSP = "NSP"
    OTHER = "OTHER"
    PTP = "PTP"
    SCSP = "SCSP"


class Party(NamedTuple):
    """Country code and party id, upper case."""

    country_code: str
    party_id: str

    def __str__(self) -> str:
        return f"{self.country_code}*{self.party_id}"

    @classmethod
    def of(cls, country_code: str, party_id: str) -> Party:
        """From two wire values, in any case. Raises: InvalidRequest, when they are not ASCII letters and digits."""
        return _parsed(f"{country_code}*{party_id}")

    @classmethod
    def parse(cls, text: str) -> Party:
        """From `DE*TNM`, `DE-TNM` or `DETNM`. Raises: InvalidRequest."""
        return _parsed(text)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Party:
    match = _PARTY.fullmatch(text)
    if match is None:
        raise InvalidRequest("a party is two letters and three letters or digits, as in DE*ABC")
    return Party(match[1].upper(), match[2].upper())


class RoleClaim(NamedTuple):
    """One entry of `roles` in a Credentials object: who, as what."""

    role: PartyRole
    party: Party
