"""Where a charge took place, in words for its receipt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_LONGEST: Final = 120


def place_of(location: object) -> dict[str, str] | None:
    """Name, address and EVSE out of a CdrLocation, or of a Location with the EVSE in it, whole or not; else None."""
    if not isinstance(location, Mapping):
        return None
    town = " ".join(_texts(location, "postal_code", "city"))
    where = ", ".join([*_texts(location, "name", "address"), *([town] if town else [])])
    evse = next(iter(_texts(_evse(location), "evse_id", "evse_uid", "uid")), "")
    found = {"location": where, "evse": evse}
    return {name: text for name, text in found.items() if text} or None


def _evse(location: Mapping[str, Any]) -> Mapping[str, Any]:
    evses = location.get("evses")
    first = evses[0] if isinstance(evses, list) and evses else location
    return first if isinstance(first, Mapping) else location


def _texts(tree: Mapping[str, Any], *names: str) -> list[str]:
    """What is stated of these. `N/A` and `#NA` stand for what is not known."""
    values = (tree.get(name) for name in names)
    return [value[:_LONGEST] for value in values if isinstance(value, str) and value not in ("", "N/A", "#NA")]
