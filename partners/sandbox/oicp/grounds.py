"""The EVSEs of a CPO: their data and status, and how the hub is told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from partners.sandbox.oicp import samples
from partners.sandbox.oicp.ids import folded
from partners.sandbox.oicp.line import Answer
from partners.sandbox.wire import Json

if TYPE_CHECKING:
    from partners.sandbox.oicp.cpo import Cpo


class Grounds:
    """One CPO's EVSEs, by folded EvseID. What pushes raises NoHubError and httpx.HTTPError."""

    def __init__(self, cpo: Cpo) -> None:
        self._cpo = cpo
        self.name = f"Sandbox {cpo.party}"
        self._records: dict[str, dict[str, Json]] = {}
        self._statuses: dict[str, str] = {}

    def add(self, *said: Mapping[str, Json]) -> None:
        """EVSEs that nobody is told of yet; `{"EvseID": ...}` is enough."""
        for record in map(samples.evse, said):
            self._records[folded(record["EvseID"])] = record
            self._statuses.setdefault(folded(record["EvseID"]), "Available")

    def status_of(self, evse_id: str) -> str | None:
        """None for one that is not ours."""
        return self._statuses.get(folded(evse_id))

    def records(self) -> list[dict[str, Json]]:
        """All of them."""
        return list(self._records.values())

    def statuses(self) -> dict[str, str]:
        """By EvseID as we write it."""
        return {record["EvseID"]: self._statuses[name] for name, record in self._records.items()}

    async def push(self, action: str = "fullLoad", said: Sequence[Mapping[str, Json]] | None = None) -> Answer:
        """PushEvseData: these, or all that are ours. They are ours afterwards, or with `delete` no more."""
        if action == "delete" and said is not None:
            gone = [folded(each["EvseID"]) for each in said]
            records = [self._records.get(name) or samples.evse(each) for name, each in zip(gone, said, strict=True)]
        else:
            records = self.records() if said is None else [samples.evse(each) for each in said]
        data = {"OperatorID": self._cpo.party, "OperatorName": self.name, "EvseDataRecord": records}
        answer = await self._cpo.ask("PushEvseData", {"ActionType": action, "OperatorEvseData": data})
        if answer.is_yes:
            self._became(action, records)
        return answer

    async def push_status(self, action: str = "fullLoad", said: Mapping[str, str] | None = None) -> Answer:
        """PushEvseStatus: these, or all."""
        statuses = self.statuses() if said is None else said
        records = [{"EvseID": evse_id, "EvseStatus": status} for evse_id, status in statuses.items()]
        data = {"OperatorID": self._cpo.party, "OperatorName": self.name, "EvseStatusRecord": records}
        answer = await self._cpo.ask("PushEvseStatus", {"ActionType": action, "OperatorEvseStatus": data})
        if answer.is_yes and action != "delete":
            self._statuses |= {folded(evse_id): status for evse_id, status in statuses.items()}
        return answer

    async def push_prices(self, said: Mapping[str, Json], *, action: str = "fullLoad") -> Answer:
        """PushPricingProductData."""
        data = samples.prices({"OperatorID": self._cpo.party, "OperatorName": self.name, **said})
        return await self._cpo.ask("PushPricingProductData", {"ActionType": action, "PricingProductData": data})

    async def push_evse_prices(self, products: Mapping[str, Sequence[str]], *, action: str = "fullLoad") -> Answer:
        """PushEVSEPricing: the products of each EVSE, for all providers."""
        rows = [
            {"EvseID": evse_id, "ProviderID": "*", "EvseIDProductList": list(names)}
            for evse_id, names in products.items()
        ]
        return await self._cpo.ask("PushEVSEPricing", {"ActionType": action, "EVSEPricing": rows})

    def _became(self, action: str, records: Sequence[Mapping[str, Json]]) -> None:
        if action == "fullLoad":
            self._records = {}
        if action == "delete":
            for record in records:
                self._records.pop(folded(record["EvseID"]), None)
        else:
            self.add(*records)
        self._statuses = {name: status for name, status in self._statuses.items() if name in self._records}
