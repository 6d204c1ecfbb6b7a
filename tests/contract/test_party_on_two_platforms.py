"""One party with its chargers on one platform and its drivers on another: two partners, which meet as any two do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.core.agreements import Agreement
from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim, Partner, State
from tests.contract.test_passed_on import Hub as Passing
from tests.contract.test_passed_on import with_token_receiver
from tests.modules.cdrs.check.records import but, wired
from tests.modules.cdrs.check.test_mistakes import EVENING
from tests.modules.sessions.records import a_session
from tests.world import Sent, stored_token, their_location, their_tariff, token

PARTY = "NL*A2A"


class Hub(Passing):
    """`cars` has the drivers of NL*A2A, `chargers` its chargers."""

    async def open(self) -> None:
        world = self.world
        made = await world.join("chargers", PARTY, PartyRole.CPO)
        await world.registry.save(with_token_receiver(made))
        await world.join("cars", PARTY, PartyRole.EMSP)
        self.lanes.start()
        await self.quiet()
        world.peers.sent.clear()

    async def put(self, by: str, module: str, object_id: str, body: Any) -> None:
        path = self.world.at(f"receiver/{module}/NL/A2A/{object_id}")
        assert (await self.world.ask("PUT", path, by=by, body=body)).code == 1000
        await self.quiet()

    async def offers(self) -> None:
        version = self.world.version
        await self.put("chargers", "tariffs", "T9", their_tariff(version, PARTY))
        await self.put("chargers", "locations", "P1", their_location(version, PARTY, "P1"))
        await self.put("cars", "tokens", "CARD1", token(version, PARTY, whitelist="NEVER"))

    async def charges(self) -> None:
        version, owned = self.world.version, {"country_code": "NL", "party_id": "A2A"}
        names = ("country_code", "party_id", "uid", "type", "contract_id")
        card = {name: stored_token(PARTY)[name] for name in names}
        await self.put("chargers", "sessions", "S1", a_session(version, PARTY, PARTY))
        cdr = wired(but(EVENING, cdr_token=card, **owned), version)
        assert (await self.world.ask("POST", self.world.at("receiver/cdrs"), by="chargers", body=cdr)).code == 1000
        await self.quiet()

    async def listed(self, by: str, module: str) -> list[str]:
        query = "?date_from=2020-01-01T00:00:00Z" if module == "sessions" else ""
        said = await self.world.ask("GET", self.world.at(f"sender/{module}{query}"), by=by)
        return [each.get("id") or each["uid"] for each in said.data]

    def brought(self, name: str) -> list[tuple[str, str]]:
        return [(sent.method, sent.module) for sent in self.world.peers.sent if sent.partner == name]


@pytest.fixture
async def hub(sqlite_url: str, version: str) -> AsyncIterator[Hub]:
    async with Hub.opened(sqlite_url, version) as made:
        yield made


async def test_each_platform_has_what_the_other_owns_and_nothing_of_its_own(hub: Hub) -> None:
    await hub.offers()
    assert hub.brought("cars") == [("PUT", "tariffs"), ("PUT", "locations")]
    assert hub.brought("chargers") == [("PUT", "tokens")]
    assert "P1" in await hub.listed("cars", "locations")
    assert "T9" in await hub.listed("cars", "tariffs")
    assert "CARD1" in await hub.listed("chargers", "tokens")


async def test_sessions_and_cdrs_of_its_own_drivers_go_to_the_platform_of_the_drivers(hub: Hub) -> None:
    await hub.offers()
    hub.world.peers.sent.clear()
    await hub.charges()
    assert hub.brought("cars") == [("PUT", "sessions"), ("POST", "cdrs")]
    assert hub.brought("chargers") == []
    assert (await hub.listed("cars", "sessions"), await hub.listed("cars", "cdrs")) == (["S1"], ["CDR1"])


async def test_the_platform_of_the_chargers_has_no_records_of_those_drivers_though_it_has_others(hub: Hub) -> None:
    partner = hub.world.partner("chargers")
    more = Claim(role=PartyRole.EMSP, party=Party("NL", "OWN"))
    await hub.world.registry.save(partner.model_copy(update={"claims": (*partner.claims, more)}))
    await hub.offers()
    hub.world.peers.sent.clear()
    await hub.charges()
    assert hub.brought("chargers") == []
    assert await hub.listed("chargers", "sessions") == await hub.listed("chargers", "cdrs") == []


async def test_each_platform_is_asked_what_is_its_to_say(hub: Hub) -> None:
    await hub.offers()
    hub.world.peers.sent.clear()

    def says(sent: Sent) -> Any:
        return {"result": "ACCEPTED", "timeout": 9} if sent.module == "commands" else {"allowed": "BLOCKED"}

    hub.world.peers.script = says
    path = hub.world.at("sender/tokens/CARD1/authorize")
    said = await hub.world.ask("POST", path, by="chargers", body={"location_id": "P1", "evse_uids": ["E1"]})
    assert said.data["allowed"] == "BLOCKED"
    version = hub.world.version
    order = {"token": token(version, PARTY), "location_id": "P1", "evse_uid": "E1"}
    order["response_url"] = "https://cars.example/x"
    said = await hub.world.ask("POST", hub.world.at("receiver/commands/START_SESSION"), by="cars", body=order)
    assert said.data["result"] == "ACCEPTED"
    assert [(sent.partner, sent.module) for sent in hub.world.peers.sent] == [
        ("cars", "tokens"),
        ("chargers", "commands"),
    ]


async def test_an_agreement_between_the_two_is_followed(hub: Hub) -> None:
    rule = Agreement("cars", PARTY, allow=False)
    await hub.world.hub.agreements.put(rule, actor="op")
    await hub.offers()
    await hub.charges()
    assert hub.brought("cars") == []
    assert "P1" not in await hub.listed("cars", "locations")
    await hub.world.hub.agreements.remove(rule, actor="op")
    await hub.looks()
    assert sorted(hub.brought("cars")) == [("POST", "cdrs"), ("PUT", "sessions")]


async def test_one_platform_with_both_gets_nothing_of_its_own_back(hub: Hub) -> None:
    for name in ("cars", "chargers"):
        await hub.world.registry.save(
            hub.world.partner(name).model_copy(update={"state": State.UNREGISTERED, "claims": ()})
        )
    both: Partner = await hub.world.join("both", PARTY, PartyRole.CPO)
    drivers = Claim(role=PartyRole.EMSP, party=Party("NL", "A2A"))
    await hub.world.registry.save(both.model_copy(update={"claims": (*both.claims, drivers)}))
    hub.world.secrets |= {"cars": hub.world.secrets["both"], "chargers": hub.world.secrets["both"]}
    hub.world.peers.sent.clear()
    await hub.offers()
    await hub.charges()
    assert hub.brought("both") == []
    assert "P1" not in await hub.listed("both", "locations")
    assert "CARD1" not in await hub.listed("both", "tokens")


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_a_party_that_has_a_connection_for_each_party_gets_nothing_of_its_own_on_another(hub: Hub) -> None:
    for name, party in (("cars", "BE*AAA"), ("more", "BE*BBB")):
        if name == "more":
            await hub.world.join(name, PARTY, PartyRole.EMSP)
        rule = Agreement(name, PARTY)
        await hub.world.hub.agreements.put(rule, actor="op")
        await hub.world.registry.save(hub.world.partner(name).model_copy(update={"represents": party}))
    await hub.quiet()
    hub.world.peers.sent.clear()
    await hub.put("cars", "tokens", "CARD1", token("2.1.1", PARTY))
    assert hub.brought("more") == hub.brought("cars") == []


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
async def test_where_one_of_the_two_is_away_it_is_that_one_that_cannot_be_reached(hub: Hub) -> None:
    await hub.offers()
    chargers = hub.world.partner("chargers")
    await hub.world.registry.save(chargers.model_copy(update={"state": State.BLOCKED}))
    order = {"token": token(hub.world.version, "NL*EEE"), "location_id": "P1", "response_url": "https://e1.example/x"}
    path, to = (
        hub.world.at("receiver/commands/START_SESSION"),
        [("OCPI-to-country-code", "NL"), ("OCPI-to-party-id", "A2A")],
    )
    assert (await hub.world.ask("POST", path, by="e1", body=order, headers=to)).code == 4003
    assert await hub.listed("cars", "locations") == ["LOC1"]


async def test_each_hears_of_the_other_that_it_is_there(hub: Hub) -> None:
    agreements = hub.world.hub.agreements
    for name, other, own in (("cars", PartyRole.CPO, PartyRole.EMSP), ("chargers", PartyRole.EMSP, PartyRole.CPO)):
        assert agreements.meets(hub.world.partner(name), PARTY, other)
        assert not agreements.meets(hub.world.partner(name), PARTY, own)
