"""What an EMP asks its hub for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from partners.sandbox.oicp.line import Answer
from partners.sandbox.oicp.places import Places
from partners.sandbox.oicp.wire import given, moment
from partners.sandbox.wire import Json, instant

if TYPE_CHECKING:
    from partners.sandbox.oicp.emp import Emp

_MOST_PAGES: Final = 10_000
_REMOTE: Final = {
    "start": "RemoteStart",
    "stop": "RemoteStop",
    "reserve": "ReservationStart",
    "release": "ReservationStop",
}


class Errands:
    """One EMP's requests. All raise NoHubError and httpx.HTTPError."""

    def __init__(self, emp: Emp) -> None:
        self._emp = emp
        self.places = Places(emp.complaints)

    async def pull_data(self, *, changes: bool = False, size: int = 2000, **filters: Json) -> Answer:
        """PullEvseData, all pages. `changes`: only what changed since the last call. Returns: the last page."""
        since = self.places.last_call if changes else None
        began = moment()
        asked = {"GeoCoordinatesResponseFormat": "Google", **given({"LastCall": since}), **filters}
        answer, records = await self._pages("PullEvseData", asked, size)
        if not answer.is_yes:
            return answer
        if since is None:
            self.places.take_all(records)
        else:
            self.places.take_changes(records)
        self.places.last_call = began
        return answer

    async def pull_status(self, *, evses: list[str] | None = None, operators: list[str] | None = None) -> Answer:
        """All statuses, or those of some EVSEs or of some operators."""
        if evses:
            answer = await self._ask("PullEvseStatusById", EvseID=evses)
        elif operators:
            answer = await self._ask("PullEvseStatusByOperatorId", OperatorID=operators)
        else:
            answer = await self._ask("PullEvseStatus")
        if answer.is_yes:
            self.places.take_statuses(answer.tree)
        return answer

    async def remote(self, doing: str, **fields: Json) -> Answer:
        """start, stop, reserve or release. Raises: KeyError. `evco_id` stands for the whole Identification."""
        evco_id = fields.pop("evco_id", None)
        if evco_id is not None:
            fields["Identification"] = {"RemoteIdentification": {"EvcoID": evco_id}}
        return await self._ask(_REMOTE[doing], **fields)

    async def push_cards(self, action: str = "fullLoad", identifications: list[Json] | None = None) -> Answer:
        """PushAuthenticationData: ours, or these."""
        uploaded = self._emp.counter.cards.identifications() if identifications is None else identifications
        records = [{"Identification": each} for each in uploaded]
        data = {"ProviderID": self._emp.party, "AuthenticationDataRecord": records}
        return await self._emp.ask("PushAuthenticationData", {"ActionType": action, "ProviderAuthenticationData": data})

    async def records(self, *, hours: float = 24, size: int = 20, **fields: Json) -> tuple[Answer, list[Json]]:
        """GetChargeDetailRecords, all pages: of the last `hours`, if From and To are not given."""
        now = instant(moment())
        spoken = {"From": moment(now - timedelta(hours=hours)), "To": moment(now + timedelta(minutes=1)), **fields}
        return await self._pages("GetChargeDetailRecords", spoken, size)

    async def pull_prices(self, operators: list[str], *, since: str | None = None) -> tuple[Answer, Answer]:
        """PullPricingProductData and PullEVSEPricing."""
        asked = given({"OperatorIDs": operators, "LastCall": since})
        return await self._emp.ask("PullPricingProductData", asked), await self._ask("PullEVSEPricing", **asked)

    async def _ask(self, name: str, **fields: Json) -> Answer:
        return await self._emp.ask(name, {"ProviderID": self._emp.party, **fields})

    async def _pages(self, name: str, asked: dict[str, Any], size: int) -> tuple[Answer, list[Json]]:
        records: list[Json] = []
        for page in range(_MOST_PAGES):
            query = {"page": str(page), "size": str(size)}
            answer = await self._emp.ask(name, {"ProviderID": self._emp.party, **asked}, query=query)
            records += answer.tree.get("content") or []
            if not answer.is_yes or answer.tree.get("last", True):
                break
        total = answer.tree.get("totalElements")
        if answer.is_yes and total is not None and total != len(records):
            self._emp.complaints.add(f"pages of {name}", f"totalElements says {total}, but {len(records)} came")
        return answer, records
