"""Dirty data on demand: what real partners send, and what whoever reads it must survive.

`spellings` are the other names that the specification itself and its users give fields and values; `nulls` and
`texts` are habits of serializers; `wrong` puts records that nobody can use among the right ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from partners.sandbox.wire import Json

_NAMES: Final = {
    "ChargingStationID": "ChargingStationId",
    "HubProviderID": "HubProviderId",
    "HubOperatorID": "HubOperatorId",
    "EMPPartnerSessionID": "EMPPartnerSessionId",
    "CDRForwarded": "CDRForwarder",
    "EvseStatus": "EVSEStatus",
    "Periods": "Period",
    "Period": "Periods",
    "on": "On",
    "OperatorIds": "OperatorIDs",
}
_VALUES: Final = {"AC1": "AC 1", "ConnectorError": "Connector Error", "CriticalError": "Critical Error"}
_ABSENT: Final = {
    "Plugs": ("SubOperatorName", "ClearinghouseID", "MaxCapacity", "GeoChargingPointEntrance", "deltaType"),
    "Street": ("Floor", "Region", "ParkingSpot"),
    "PowerType": ("Voltage", "ChargingModes"),
    "SessionID": ("CPOPartnerSessionID", "PartnerProductID"),
    "StatusCode": ("CPOPartnerSessionID", "EMPPartnerSessionID", "SessionID"),
    "Code": ("AdditionalInfo",),
    "lang": ("lang",),
}
"""Where the first is said, the others are said as null: some of them always, some where they are absent."""
_LISTS: Final = ("EvseDataRecord", "content", "EvseStatusRecord", "AuthenticationDataRecord")
_WRONG: Final[tuple[Json, ...]] = (
    {"EvseID": "nonsense", "Plugs": "Type 2 Outlet", "EvseStatus": "Sleeping"},
    {"Plugs": [], "GeoCoordinates": {"Google": {"Coordinates": "north"}}, "Identification": {}},
    "a record",
    None,
)


@dataclass
class Dirt:
    """What is done to everything that leaves."""

    spellings: bool = False
    nulls: bool = False
    texts: bool = False
    wrong: int = 0

    def settle(
        self, *, spellings: bool = False, nulls: bool = False, texts: bool = False, wrong: int = 0
    ) -> Mapping[str, Json]:
        """From now on; without arguments everything is clean again."""
        self.spellings, self.nulls, self.texts, self.wrong = spellings, nulls, texts, wrong
        return vars(self)

    def bend(self, tree: Json) -> Json:
        """The same, as dirty as it is to be."""
        if not (self.spellings or self.nulls or self.texts or self.wrong):
            return tree
        return self._value(tree)

    def _value(self, value: Json) -> Json:
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return [self._value(item) for item in value]
        if self.texts and isinstance(value, int | Decimal):
            return str(value).lower()
        return _VALUES.get(value, value) if self.spellings and isinstance(value, str) else value

    def _object(self, tree: dict[str, Json]) -> Json:
        dirty = {name: self._value(value) for name, value in tree.items()}
        for name in _LISTS if self.wrong else ():
            if isinstance(dirty.get(name), list):
                dirty[name] = _mixed(dirty[name], self.wrong)
        for known, absent in _ABSENT.items() if self.nulls else ():
            if known in tree:
                dirty |= {name: None for name in absent if name not in tree or name == known}
        if not self.spellings:
            return dirty
        return _respelled(dirty)


def _respelled(tree: dict[str, Json]) -> dict[str, Json]:
    if set(tree) == {"Google"}:
        return {"Google": tree["Google"]["Coordinates"]}
    if isinstance(tree.get("Power"), int):
        tree["Power"] = Decimal(tree["Power"]).quantize(Decimal("0.1"))
    if any("EVSEPricing" in group for group in tree.get("EVSEPricing") or () if isinstance(group, dict)):
        tree["OperatorEVSEPricing"] = tree.pop("EVSEPricing")
    return {_NAMES.get(name, name): value for name, value in tree.items()}


def _mixed(records: list[Json], count: int) -> list[Json]:
    """Wrong ones at the head and from there after every right one, until there are `count`."""
    wrong = [_WRONG[index % len(_WRONG)] for index in range(count)]
    mixed: list[Json] = []
    for record in records:
        mixed += [wrong.pop(0)] if wrong else []
        mixed.append(record)
    return mixed + wrong
