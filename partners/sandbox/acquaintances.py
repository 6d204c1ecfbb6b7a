"""Who else is connected, as the hub tells it: receiver of client infos. OCPI mod_hub_client_info_client_interface."""

from __future__ import annotations

from partners.sandbox.call import Call, Handlers, Refused, Reply
from partners.sandbox.check import check
from partners.sandbox.house import House
from partners.sandbox.wire import Json, instant

MODULE = "hubclientinfo"


class Acquaintances:
    """The parties that one partner was told of."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._told: dict[tuple[str, str, str], dict[str, Json]] = {}

    def handlers(self) -> Handlers:
        """The table for the desk."""
        return {(MODULE, "GET"): self.get, (MODULE, "PUT"): self.put}

    def listed(self) -> list[dict[str, Json]]:
        """As they were told last."""
        return list(self._told.values())

    def status(self, party: str) -> str | None:
        """The last word on a party (`NL*EEE`), in whatever role."""
        found = [info["status"] for key, info in self._told.items() if f"{key[0]}*{key[1]}" == party]
        return found[-1] if found else None

    async def get(self, call: Call) -> Reply:
        """A party as we were told of it. OCPI mod_hub_client_info_client_get."""
        place = self._place(call)
        found = [info for key, info in self._told.items() if key[:2] == place]
        if not found:
            raise Refused(404, 2000, "nobody told us of this party")
        return Reply(found[-1])

    async def put(self, call: Call) -> Reply:
        """The hub tells how a party stands. OCPI mod_hub_client_info_client_put."""
        place = self._place(call)
        self._require(call, check(self._house.rules.version, "ClientInfo", call.tree))
        named = (call.tree["country_code"].upper(), call.tree["party_id"].upper())
        self._require(call, [] if named == place else [f"/party_id: the URL says {place[0]}*{place[1]}"])
        self._look_at(call, place)
        key = (*place, call.tree["role"])
        known = self._told.pop(key, None)
        self._told[key] = call.tree
        return Reply(http=201 if known is None else 200)

    def _look_at(self, call: Call, place: tuple[str, str]) -> None:
        """What a hub does not do, though the tables allow it."""
        known = self._told.get((*place, call.tree["role"]))
        complain = self._house.complaints.add
        if self._house.party.is_same(*place):
            complain(call.where, "we are told of ourselves")
        if known is not None and instant(call.tree["last_updated"]) < instant(known["last_updated"]):
            complain(call.where, "last_updated goes back")
        if known is not None and call.tree != known and call.tree["last_updated"] == known["last_updated"]:
            complain(call.where, "another status under the same last_updated")
        if any(name.lower().startswith("ocpi-") for name in call.headers):
            complain(call.where, "client infos are never routed, and carry no routing headers")

    def _place(self, call: Call) -> tuple[str, str]:
        if len(call.path) != 2:
            self._house.complaints.add(call.where, "the URL is not {country_code}/{party_id}")
            raise Refused(404, 2000, "nothing is here")
        return call.path[0].upper(), call.path[1].upper()

    def _require(self, call: Call, breaches: list[str]) -> None:
        for breach in breaches:
            self._house.complaints.add(call.where, breach)
        if breaches:
            raise Refused(200, 2001, breaches[0])
