"""Where a charge was, as its receipt says it: from the place that the CDR names. OCPI mod_cdrs_cdr_location_class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_UNKNOWN = ("", "N/A", "#NA")
_LONGEST = 120
"""Characters of one field that a receipt repeats."""


def place_in_words(location: Mapping[str, Any]) -> dict[str, str]:
    """The name, the street, then postal code and town in one; the EVSE by the id that drivers read, else by its uid."""
    stated = {name: str(text)[:_LONGEST] for name, text in location.items() if text not in (None, *_UNKNOWN)}
    town = f"{stated.get('postal_code', '')} {stated.get('city', '')}".strip()
    where = [text for text in (stated.get("name"), stated.get("address"), town) if text]
    evse = stated.get("evse_id") or stated.get("evse_uid")
    return {**({"location": ", ".join(where)} if where else {}), **({"evse": evse} if evse else {})}
