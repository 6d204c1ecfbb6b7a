"""The functional modules of a CPO: sender of what it has, receiver of tokens, commands and charging profiles."""

from __future__ import annotations

from collections.abc import Mapping

from partners.sandbox.call import Call, Handlers, Refused, Reply
from partners.sandbox.check import check
from partners.sandbox.grounds import Grounds
from partners.sandbox.house import House
from partners.sandbox.list_pages import ListPages
from partners.sandbox.orders import Orders
from partners.sandbox.wire import Json, instant


class Counters:
    """One CPO's modules. What arrives is checked before it is kept, and complained about where it is wrong."""

    def __init__(self, house: House, grounds: Grounds, orders: Orders) -> None:
        self._house = house
        self._rules = house.rules
        self._grounds = grounds
        self._orders = orders
        self._pages = ListPages(house)
        self.tokens: dict[tuple[str, str, str], dict[str, Json]] = {}
        """By owner and uid, as they were pushed."""

    def handlers(self) -> Handlers:
        """The table for the desk."""
        return {
            **dict.fromkeys([(module, "GET") for module in ("locations", "tariffs", "sessions", "cdrs")], self.get),
            ("tokens", "GET"): self.get_token,
            ("tokens", "PUT"): self.put_token,
            ("tokens", "PATCH"): self.patch_token,
            ("commands", "POST"): self._orders.take,
            **dict.fromkeys([("chargingprofiles", method) for method in ("GET", "PUT", "DELETE")], self._orders.limit),
        }

    async def get(self, call: Call) -> Reply:
        """Our list, or one location, EVSE or connector of it."""
        if not call.path:
            return self._pages.answer(call, self._grounds.listed(call.module))
        found = self._grounds.find(call.module, call.path)
        if found is None or call.module != "locations":
            raise Refused(404, 2003 if call.module == "locations" else 2000, "no such object here")
        return Reply(found)

    async def get_token(self, call: Call) -> Reply:
        """A token as we have it."""
        found = self.tokens.get(self._key(call))
        if found is None:
            raise Refused(404, self._rules.unknown_token_code, "no such token here")
        return Reply(found)

    async def put_token(self, call: Call) -> Reply:
        """A driver's token. OCPI mod_tokens_put_method."""
        key = self._key(call)
        self._require(call, check(self._rules.version, "Token", call.tree))
        if "country_code" in call.tree:
            named = (call.tree["country_code"].upper(), call.tree["party_id"].upper())
            self._require(call, [] if named == key[:2] else [f"/party_id: the URL says {key[0]}*{key[1]}"])
        known = self.tokens.get(key)
        if known is not None and instant(call.tree["last_updated"]) < instant(known["last_updated"]):
            self._house.complaints.add(call.where, "last_updated goes back")
        self.tokens[key] = call.tree
        return Reply(http=200 if known is not None else 201)

    async def patch_token(self, call: Call) -> Reply:
        """A part of one. OCPI mod_tokens_patch_method."""
        key = self._key(call)
        known: Mapping[str, Json] | None = self.tokens.get(key)
        if known is None:
            raise Refused(404, self._rules.unknown_token_code, "no such token here")
        self._require(call, check(self._rules.version, "Token", call.tree, partial=True))
        self.tokens[key] = {**known, **call.tree}
        return Reply()

    def _key(self, call: Call) -> tuple[str, str, str]:
        if len(call.path) != 3:
            self._house.complaints.add(call.where, "the URL is not {country_code}/{party_id}/{uid}")
            raise Refused(404, 2000, "nothing is here")
        return call.path[0].upper(), call.path[1].upper(), call.path[2].casefold()

    def _require(self, call: Call, breaches: list[str]) -> None:
        for breach in breaches:
            self._house.complaints.add(call.where, breach)
        if breaches:
            raise Refused(200, 2001, breaches[0])
