"""A hub of OICP that takes pushes as the specification says: all of one, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.partners.oicp.bridged import YES, Asked

_SETS = {
    "PushEvseData": ("OperatorEvseData", "EvseDataRecord"),
    "PushEvseStatus": ("OperatorEvseStatus", "EvseStatusRecord"),
}
_MORE = {
    "PushAuthenticationData": ("ProviderAuthenticationData", "AuthenticationDataRecord"),
    "PushPricingProductData": ("PricingProductData", "PricingProductDataRecords"),
    "PushEVSEPricing": ("EVSEPricing",),
}


def no(code: str) -> dict[str, Any]:
    return {"Result": False, "StatusCode": {"Code": code, "Description": "no"}}


def _named(record: Mapping[str, Any], by: str) -> str:
    """What an item of a set is known by; a product by its operator, too."""
    if "ProductID" in record:
        return f"{by}/{record['ProductID']}"
    identification = record.get("Identification", {})
    return str(record.get("EvseID") or next(iter(identification.values()))["UID"])


@dataclass
class ScriptedHub:
    """What it has, by EvseID; `refuses`: EvseIDs that it does not take, with the code."""

    data: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    refuses: dict[str, str] = field(default_factory=dict)
    pushes: list[tuple[str, str, int]] = field(default_factory=list)
    """Operation, ActionType, how many records."""
    fault: Exception | None = None
    sets: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Cards, products and prices of EVSEs, by operation."""

    def __call__(self, asked: Asked) -> Any:
        if self.fault is not None:
            raise self.fault
        if asked.operation not in _SETS:
            return self._take_set(asked)
        outer, inner = _SETS[asked.operation]
        action, records = asked.message["ActionType"], asked.message[outer][inner]
        self.pushes.append((asked.operation, action, len(records)))
        refused = [self.refuses[each["EvseID"]] for each in records if each["EvseID"] in self.refuses]
        if refused:
            return no(refused[0])
        if asked.operation == "PushEvseData":
            return self._take(self.data, action, {each["EvseID"]: each for each in records})
        if any(each["EvseID"] not in self.data for each in records):
            return no("009")
        return self._take(self.states, action, {each["EvseID"]: each["EvseStatus"] for each in records})

    def _take_set(self, asked: Asked) -> Any:
        told: Any = asked.message
        for name in _MORE[asked.operation]:
            told = told[name]
        self.pushes.append((asked.operation, asked.message["ActionType"], len(told)))
        known = self.sets.setdefault(asked.operation, {})
        return self._take(known, asked.message["ActionType"], {_named(each, asked.id): each for each in told})

    def _take(self, known: dict[str, Any], action: str, told: dict[str, Any]) -> Any:
        there = known.keys() & told.keys()
        if (action == "insert" and there) or (action in ("update", "delete") and len(there) < len(told)):
            return no("009")
        if action == "fullLoad":
            known.clear()
        if action == "delete":
            for evse_id in told:
                del known[evse_id]
        else:
            known.update(told)
        return YES

    def forget_pushes(self) -> None:
        self.pushes.clear()
