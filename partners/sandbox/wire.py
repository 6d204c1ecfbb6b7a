"""What differs between the versions on the wire, and the small forms that all share.

Objects differ by the tables in `spec`; everything else that an eMSP must do differently stands in `RULES`.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

Json = Any
"""A tree of dict, list, str, int, Decimal, bool and None."""


@dataclass(frozen=True)
class Rules:
    """One version's manners."""

    version: str
    base64_tokens: bool
    """The Authorization header carries the token in Base64 (transport_and_format_authorization)."""
    message_ids: bool
    """X-Request-ID and X-Correlation-ID are obligatory (transport_and_format_unique_message_ids)."""
    routing: bool
    """The four OCPI-* headers are obligatory on functional modules (transport_and_format_message_routing)."""
    endpoint_roles: bool
    owner_in_body: bool
    """Objects carry country_code and party_id."""
    patch_needs_last_updated: bool
    periods_append: bool
    """charging_periods in a Session PATCH are added to those known (mod_sessions_patch_method)."""
    charging_profiles: bool
    """There are modules for them, and for who is connected (mod_charging_profiles, mod_hub_client_info)."""
    contract_field: str
    result_object: str
    unknown_token_code: int


_LATER = {
    "base64_tokens": True,
    "message_ids": True,
    "routing": True,
    "endpoint_roles": True,
    "owner_in_body": True,
    "patch_needs_last_updated": True,
    "periods_append": True,
    "charging_profiles": True,
}

RULES: Mapping[str, Rules] = {
    "2.1.1": Rules("2.1.1", **dict.fromkeys(_LATER, False), contract_field="auth_id",
                   result_object="CommandResponse", unknown_token_code=2000),
    "2.2.1": Rules("2.2.1", **_LATER, contract_field="contract_id",
                   result_object="CommandResult", unknown_token_code=2004),
    "2.3.0": Rules("2.3.0", **_LATER, contract_field="contract_id",
                   result_object="CommandResult", unknown_token_code=2004),
}  # fmt: skip

COMMANDS: Mapping[str, str] = {
    "START_SESSION": "StartSession",
    "STOP_SESSION": "StopSession",
    "RESERVE_NOW": "ReserveNow",
    "CANCEL_RESERVATION": "CancelReservation",
    "UNLOCK_CONNECTOR": "UnlockConnector",
}
OBJECT_OF: Mapping[str, str] = {
    "locations": "Location",
    "tariffs": "Tariff",
    "sessions": "Session",
    "cdrs": "CDR",
    "tokens": "Token",
}


class NotJsonError(ValueError):
    """Text that is not JSON, or JSON that two readers would read differently."""


@dataclass(frozen=True)
class Party:
    """A party of the trade, written `NL*EEE`."""

    country_code: str
    party_id: str

    @classmethod
    def parse(cls, text: str) -> Party:
        """Read `NL*EEE`, `NL-EEE` or `NLEEE`. Raises ValueError."""
        found = re.fullmatch(r"([A-Za-z]{2})[*-]?([A-Za-z0-9]{3})", text)
        if found is None:
            raise ValueError(f"not a party: {text}")
        return cls(found[1].upper(), found[2].upper())

    def __str__(self) -> str:
        return f"{self.country_code}*{self.party_id}"

    def is_same(self, country_code: object, party_id: object) -> bool:
        """Compare as CiStrings do."""
        return (str(country_code).upper(), str(party_id).upper()) == (self.country_code, self.party_id)


def now_text() -> str:
    """The present moment as every version reads it."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def instant(text: str) -> datetime:
    """A DateTime of any legal form; without designator it is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        raise NotJsonError("an object names a field twice")
    return tree


def _no_constant(name: str) -> Json:
    raise NotJsonError(f"{name} is not a JSON number")


def decode(body: bytes) -> Json:
    """Read JSON strictly, fractions as Decimal. Raises NotJsonError."""
    try:
        return json.loads(
            body.decode("utf-8"), parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_once
        )
    except NotJsonError:
        raise
    except (ValueError, RecursionError) as error:
        raise NotJsonError("the body is not JSON") from error


_ENCODER = msgspec.json.Encoder(decimal_format="number")


def encode(tree: Json) -> bytes:
    """Write JSON, Decimals as numbers."""
    return _ENCODER.encode(tree)


def envelope(data: Json = None, *, code: int = 1000, message: str | None = None) -> dict[str, Json]:
    """The answer around every answer. OCPI transport_and_format_response_format."""
    tree: dict[str, Json] = {"status_code": code, "timestamp": now_text()}
    if message is not None:
        tree["status_message"] = message
    if data is not None:
        tree["data"] = data
    return tree


def present(token: str, rules: Rules) -> str:
    """The Authorization header's value for `token`."""
    shown = base64.b64encode(token.encode()).decode() if rules.base64_tokens else token
    return f"Token {shown}"
