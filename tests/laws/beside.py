"""What travels beside an object of an older version: in the URL, in the credentials, in the stored location."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hub.core.jsontypes import Tree

PLACE = {
    "address": "F.Rooseveltlaan 3A",
    "city": "Gent",
    "postal_code": "9000",
    "country": "BEL",
    "coordinates": {"latitude": "51.047599", "longitude": "3.729944"},
    "time_zone": "Europe/Brussels",
    "publish": False,
    "last_updated": "2024-01-01T00:00:00Z",
}


TOKEN = {
    "country_code": "DE",
    "party_id": "TNM",
    "uid": "12345678905880",
    "type": "RFID",
    "contract_id": "DE8ACC12E46L89",
    "issuer": "TheNewMotion",
    "valid": True,
    "whitelist": "NEVER",
    "last_updated": "2024-01-01T00:00:00Z",
}


def given(tree: Mapping[str, Any]) -> Tree:
    """What the reader of an older version knows besides, when our object was `tree`."""
    token = tree.get("token", TOKEN)
    if not isinstance(token, dict) or "country_code" not in token:
        token = TOKEN
    known = {name: tree.get(name, token[name]) for name in ("country_code", "party_id")}
    known["token"] = token
    known["role"] = "RECEIVER" if "endpoints" in tree else tree.get("roles", [{"role": "OTHER"}])[0]["role"]
    known["time_zone"] = "Europe/Brussels"
    return {**known, **{name: tree[name] for name in ("timeout", "cdr_token") if name in tree}}


def context(tree: Mapping[str, Any]) -> Tree:
    """What the writer of an older version knows besides: the location of a session, as it is stored."""
    if "evse_uid" not in tree or "location_id" not in tree:
        return {}
    now = PLACE["last_updated"]
    connector = {
        "id": tree.get("connector_id", "1"),
        "standard": "MCS",
        "format": "CABLE",
        "power_type": "DC",
        "max_voltage": 1000,
        "max_amperage": 500,
        "last_updated": now,
    }
    evse = {"uid": tree["evse_uid"], "status": "CHARGING", "connectors": [connector], "last_updated": now}
    return {"location": {**PLACE, "id": tree["location_id"], "evses": [evse]}}


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """JSON pointers of what is not the same. Coordinates are the same when they name the same point."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before.keys() | after.keys():
            yield from differences(before.get(name), after.get(name), f"{path}/{name}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for at, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{path}/{at}")
    elif (before or None) != (after or None) or (before is False) != (after is False):
        yield path


def covered(pointer: str, losses: Any) -> bool:
    """Is the difference at `pointer` told by a loss at it, above it, or (items missing from a list) below it?"""
    return any(f"{pointer}/".startswith(f"{lost}/") or f"{lost}/".startswith(f"{pointer}/") for lost, _ in losses)


def merged(whole: Mapping[str, Any], part: Mapping[str, Any]) -> Tree:
    """PATCH as OCPI has it: fields are replaced as they are, null removes; an empty list is no list."""
    both = {**whole, **part}
    return {name: value for name, value in both.items() if value is not None and value != []}
