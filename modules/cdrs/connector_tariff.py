"""The tariff of a CDR of 2.1.1: its periods name none, but the connector in its location does.

OCPI 2.1.1 mod_cdrs, CDR object: its location holds only the EVSE and connector of the session; mod_locations,
Connector: `tariff_id` is the current tariff. In our form the CDR has no connector, so this is read from what came.
"""

from __future__ import annotations

from hub.core.jsontypes import Json, Tree


def with_named_tariff(tree: Tree, original: Json) -> Tree:
    """The CDR with that tariff in its periods, where it says one, which it holds, or holds none at all."""
    named = {tariff_id for tariff_id in _named_in(original) if tariff_id}
    held = {str(tariff["id"]).lower() for tariff in tree.get("tariffs") or ()}
    if len(named) != 1 or (held and not held & {name.lower() for name in named}):
        return tree
    (name,) = named
    periods = [{**period, "tariff_id": period.get("tariff_id") or name} for period in tree["charging_periods"]]
    return {**tree, "charging_periods": periods}


def _named_in(original: Json) -> list[str]:
    place = original.get("location") if isinstance(original, dict) else None
    evses = _trees(place.get("evses")) if isinstance(place, dict) else []
    connectors = [connector for evse in evses for connector in _trees(evse.get("connectors"))]
    return [name for connector in connectors if isinstance(name := connector.get("tariff_id"), str)]


def _trees(value: Json) -> list[dict[str, Json]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
