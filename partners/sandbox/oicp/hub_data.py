"""The hub's stores as partners see them: pushes are taken, pulls are answered by pages and by what changed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from partners.sandbox.oicp import geo
from partners.sandbox.oicp.call import Call, Handlers, Refused, Reply
from partners.sandbox.oicp.hub_evses import EvseBook, changed
from partners.sandbox.oicp.hub_members import Member
from partners.sandbox.oicp.ids import folded
from partners.sandbox.oicp.wire import SUCCESS, acknowledgement, status
from partners.sandbox.wire import Json, instant

if TYPE_CHECKING:
    from partners.sandbox.oicp.hub import Hub

_USUAL_PAGE: Final = 20
_BIGGEST_PAGE: Final = 2000
_LIST_FILTERS: Final[Mapping[str, Callable[[Mapping[str, Json]], str]]] = {
    "OperatorIds": lambda record: folded(record["OperatorID"]),
    "CountryCodes": lambda record: folded(record["Address"]["Country"]),
    "Accessibility": lambda record: folded(record["Accessibility"]),
    "CalibrationLawDataAvailability": lambda record: folded(record["CalibrationLawDataAvailability"]),
}
_FLAG_FILTERS: Final = ("RenewableEnergy", "IsHubjectCompatible", "IsOpen24Hours")


class HubData:
    """One hub's data desks."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.book = EvseBook()
        self.cards: dict[str, dict[str, Json]] = {}
        """Uploaded authentication data: by provider and then by UID or EvcoID."""
        self.products: dict[tuple[str, str], Json] = {}
        self.evse_prices: dict[str, dict[str, Json]] = {}
        self.push_takes_s = 0.0
        self._busy: set[tuple[str, str]] = set()

    def handlers(self) -> Handlers:
        """For the desk."""
        return {
            "PushEvseData": self.push_data,
            "PushEvseStatus": self.push_status,
            "PullEvseData": self.pull_data,
            "PullEvseStatus": self.pull_status,
            "PullEvseStatusById": self.pull_status_by_id,
            "PullEvseStatusByOperatorId": self.pull_status_by_operator,
            "PushAuthenticationData": self.push_cards,
            "PushPricingProductData": self.push_products,
            "PushEVSEPricing": self.push_evse_prices,
            "PullPricingProductData": self.pull_products,
            "PullEVSEPricing": self.pull_evse_prices,
        }

    async def push_data(self, call: Call) -> Reply:
        """eRoamingPushEvseData."""
        action, data = call.tree["ActionType"], call.tree["OperatorEvseData"]
        return await self._one_at_a_time(call, lambda member: self.book.push(member, action, data))

    async def push_status(self, call: Call) -> Reply:
        """eRoamingPushEvseStatus."""
        action, data = call.tree["ActionType"], call.tree["OperatorEvseStatus"]
        return await self._one_at_a_time(call, lambda member: self.book.push_status(member, action, data))

    async def push_cards(self, call: Call) -> Reply:
        """eRoamingPushAuthenticationData."""
        data = call.tree["ProviderAuthenticationData"]
        rows = [_card(record["Identification"]) for record in data.get("AuthenticationDataRecord") or []]

        def keep(member: Member) -> None:
            for row in rows:
                if row.get("EvcoID") and not member.owns(row["EvcoID"]):
                    raise Refused("019", row["EvcoID"])
            known = self.cards.get(folded(member.party), {})
            self.cards[folded(member.party)] = changed(known, call.tree["ActionType"], rows, "name")

        return await self._one_at_a_time(call, keep)

    async def push_products(self, call: Call) -> Reply:
        """eRoamingPushPricingProductData."""
        data = call.tree["PricingProductData"]

        def keep(member: Member) -> None:
            place = (folded(member.party), folded(data["ProviderID"]))
            known = {folded(each["ProductID"]): each for each in self._products_at(place)}
            rows = changed(known, call.tree["ActionType"], data["PricingProductDataRecords"], "ProductID")
            self.products[place] = {**data, "PricingProductDataRecords": list(rows.values())}

        return await self._one_at_a_time(call, keep)

    async def push_evse_prices(self, call: Call) -> Reply:
        """eRoamingPushEVSEPricing."""

        def keep(member: Member) -> None:
            named = [{**row, "name": f"{row['EvseID']}/{row['ProviderID']}"} for row in call.tree["EVSEPricing"]]
            known = self.evse_prices.get(folded(member.party), {})
            self.evse_prices[folded(member.party)] = changed(known, call.tree["ActionType"], named, "name")

        return await self._one_at_a_time(call, keep)

    async def pull_data(self, call: Call) -> Reply:
        """eRoamingPullEvseData, whole or what changed since LastCall."""
        asked = call.tree
        if asked.get("LastCall"):
            since = instant(asked["LastCall"])
            found = [record for holding in self.book.holdings() for record in holding.changes(since)]
        else:
            found = [record for holding in self.book.holdings() for record in holding.everything()]
        member = self._hub.members.sender(call)
        seen = [record for record in found if member.deals(record["OperatorID"]) and _fits(record, asked)]
        form = asked["GeoCoordinatesResponseFormat"]
        shown = [{**record, "GeoCoordinates": geo.written(record["GeoCoordinates"], form)} for record in seen]
        return Reply(self.page(call, sorted(shown, key=lambda record: str(record["EvseID"]))))

    async def pull_status(self, call: Call) -> Reply:
        """eRoamingPullEvseStatus."""
        return self._statuses(None, only=call.tree.get("EvseStatus"))

    async def pull_status_by_operator(self, call: Call) -> Reply:
        """eRoamingPullEvseStatusByOperatorID."""
        return self._statuses(call.tree["OperatorID"])

    async def pull_status_by_id(self, call: Call) -> Reply:
        """eRoamingPullEvseStatusByID."""
        known = {folded(row["EvseID"]): row for each in self.book.holdings() for row in self.book.status(each)}
        rows = [
            known.get(folded(evse_id)) or {"EvseID": evse_id, "EvseStatus": "EvseNotFound"}
            for evse_id in call.tree["EvseID"]
        ]
        return Reply({"EVSEStatusRecords": {"EvseStatusRecord": rows}, "StatusCode": status(SUCCESS)})

    async def pull_products(self, call: Call) -> Reply:
        """eRoamingPullPricingProductData."""
        wanted = [folded(operator) for operator in call.tree["OperatorIDs"]]
        readers = ("*", folded(call.party), folded("*"))
        found = [data for (owner, provider), data in self.products.items() if owner in wanted and provider in readers]
        return Reply({"PricingProductData": found, "StatusCode": status(SUCCESS)})

    async def pull_evse_prices(self, call: Call) -> Reply:
        """eRoamingPullEVSEPricing."""
        readers = ("*", folded(call.party))
        groups = []
        for operator in call.tree["OperatorIDs"]:
            rows = self.evse_prices.get(folded(operator), {}).values()
            seen = [_unnamed(row) for row in rows if row["ProviderID"] == "*" or folded(row["ProviderID"]) in readers]
            if seen:
                groups.append({"OperatorID": operator, "EVSEPricing": seen})
        return Reply({"EVSEPricing": groups, "StatusCode": status(SUCCESS)})

    def card(self, name: str) -> tuple[str, Json] | None:
        """The provider that uploaded a UID or an EvcoID, and what it uploaded. Locked providers do not count."""
        for provider, rows in self.cards.items():
            member = self._hub.members.find("EMP", provider)
            if folded(name) in rows and member is not None and not member.locked:
                return member.party, rows[folded(name)]
        return None

    def page(self, call: Call, records: Sequence[Json]) -> Json:
        """The page that is asked for, in the frame that platforms use. Raises: Refused."""
        try:
            number, size = int(call.query.get("page", 0)), int(call.query.get("size", _USUAL_PAGE))
        except ValueError as error:
            raise Refused("022", "page and size are numbers", http=400) from error
        if not 1 <= size <= _BIGGEST_PAGE or number < 0:
            raise Refused("022", f"size is from 1 to {_BIGGEST_PAGE}", http=400)
        size = call.mode.page_limit or size
        shown, pages = records[number * size : (number + 1) * size], math.ceil(len(records) / size)
        frame = {"number": number, "size": size, "totalElements": len(records), "totalPages": pages}
        ends = {"first": number == 0, "last": number + 1 >= pages, "numberOfElements": len(shown), "empty": not shown}
        return {"content": list(shown), **frame, **ends, "StatusCode": status(SUCCESS)}

    async def _one_at_a_time(self, call: Call, change: Callable[[Member], None]) -> Reply:
        """Pushes of one partner to one service are sequential: one that comes meanwhile is refused."""
        member = self._hub.members.sender(call)
        turn = (member.party, call.caller.operation.name)
        if call.mode.rejects or turn in self._busy:
            raise Refused("009", "another push is under way")
        self._busy.add(turn)
        try:
            await asyncio.sleep(self.push_takes_s)
            change(member)
        finally:
            self._busy.discard(turn)
        return Reply(acknowledgement())

    def _statuses(self, operators: Sequence[str] | None, only: str | None = None) -> Reply:
        groups = []
        for holding in self.book.holdings(operators):
            rows = [row for row in self.book.status(holding) if only in (None, row["EvseStatus"])]
            about = {"OperatorID": holding.operator, "OperatorName": holding.name}
            groups.append({**about, "EvseStatusRecord": rows})
        return Reply({"EvseStatuses": {"OperatorEvseStatus": groups}, "StatusCode": status(SUCCESS)})

    def _products_at(self, place: tuple[str, str]) -> list[Json]:
        found: list[Json] = (self.products.get(place) or {}).get("PricingProductDataRecords", [])
        return found


def _fits(record: Mapping[str, Json], asked: Mapping[str, Json]) -> bool:
    for name, value_of in _LIST_FILTERS.items():
        if asked.get(name) and value_of(record) not in map(folded, asked[name]):
            return False
    modes = asked.get("AuthenticationModes")
    if modes and not set(modes) & set(record["AuthenticationModes"]):
        return False
    return all(asked.get(name) in (None, record[name]) for name in _FLAG_FILTERS)


def _card(identification: Mapping[str, Json]) -> dict[str, Json]:
    details = next(value for value in identification.values() if isinstance(value, dict))
    return {**details, "name": details.get("UID") or details["EvcoID"]}


def _unnamed(row: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in row.items() if name != "name"}
