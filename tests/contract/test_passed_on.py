"""What one platform brings, another gets: tokens, sessions and CDRs between each two versions, over the lanes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from hub.core.agreements import Agreement
from hub.core.errors import InvalidRequest
from hub.core.inbound import encode
from hub.core.parties import PartyRole
from hub.core.registry import Partner
from hub.core.types import parse_datetime
from hub.core.units import Delete, Unit
from modules.cdrs import received, service, vetting, waiting
from modules.cdrs.owed import OWED
from modules.cdrs.store import CDRS
from modules.commands import references
from tests.hub.core.test_delivery import Delivering
from tests.modules.cdrs.check.records import but, wired
from tests.modules.cdrs.check.test_mistakes import EVENING
from tests.modules.sessions.records import a_period, a_session
from tests.world import NOW, VERSIONS, Sent, endpoints, their_location, token

OWNERS = {"2.1.1": "NL*E21", "2.2.1": "NL*E22", "2.3.0": "NL*E23"}
LATER = "2026-05-04T11:00:00Z"


class Hub(Delivering):
    """A hub whose c1 speaks `version`, with an eMSP of each version, and a card of each eMSP."""

    async def open(self) -> None:
        world = self.world
        for version, owner in OWNERS.items():
            await world.join(name_of(version), owner, PartyRole.EMSP, version=version)
            path = f"/ocpi/{version}/receiver/tokens/{owner.replace('*', '/')}/CARD1"
            said = await world.ask("PUT", path, by=name_of(version), body=token(version, owner))
            assert said.http == 201
        for name in ("c1", "c2"):
            await world.registry.save(with_token_receiver(world.partner(name)))
        self.lanes.start()
        await self.quiet()

    def got(self, name: str, module: str) -> list[Sent]:
        return [sent for sent in self.world.peers.sent if (sent.partner, sent.module) == (name, module)]

    async def brings_session(self, driver: str, **changes: Any) -> None:
        path = self.world.at("receiver/sessions/BE/AAA/S1")
        body = a_session(self.world.version, driver=driver, **changes)
        assert (await self.world.ask("PUT", path, by="c1", body=body)).code == 1000
        await self.quiet()

    async def brings_cdr(self, body: Any) -> None:
        said = await self.world.ask("POST", self.world.at("receiver/cdrs"), by="c1", body=body)
        assert said.code == 1000
        await self.quiet()

    async def looks(self) -> None:
        """As the clock does every few seconds."""
        await waiting.look_if_changed(self.world.hub)
        await self.quiet()


def name_of(version: str) -> str:
    return f"e{version.replace('.', '')}"


def with_token_receiver(partner: Partner) -> Partner:
    version = partner.version or ""
    found = [each.model_copy(update={"role": "RECEIVER"}) if each.identifier == "tokens" and each.role else each
             for each in endpoints(version, host=f"{partner.name}.example")]  # fmt: skip
    return partner.model_copy(update={"endpoints": tuple(found)})


def bill(version: str, driver: str, **changes: Any) -> dict[str, Any]:
    """A CDR of c1 for a driver of `driver`."""
    country_code, party_id = driver.split("*")
    card = {"country_code": country_code, "party_id": party_id, "uid": "CARD1", "type": "RFID"}
    contract = f"{country_code}-{party_id}-C1"
    return wired(but(EVENING, cdr_token={**card, "contract_id": contract}, **changes), version)


@pytest.fixture
async def hub(sqlite_url: str, version: str) -> AsyncIterator[Hub]:
    async with Hub.opened(sqlite_url, version) as made:
        yield made


@pytest.mark.parametrize("theirs", VERSIONS)
async def test_a_session_gets_to_the_owner_of_the_token_and_nobody_else(hub: Hub, theirs: str) -> None:
    owner = OWNERS[theirs]
    await hub.brings_session(owner)
    (sent,) = hub.got(name_of(theirs), "sessions")
    assert sent.brief == ("PUT", "sessions", "BE/AAA/S1")
    assert (sent.sender, sent.to) == ("BE*AAA", owner)
    assert (sent.body["kwh"], sent.body["status"]) == (1, "ACTIVE")
    assert ("auth_id" in sent.body) is (theirs == "2.1.1")
    if theirs == "2.1.1":
        assert sent.body["location"]["evses"][0]["uid"] == "E1"
    else:
        assert (sent.body["cdr_token"]["uid"], sent.body["evse_uid"]) == ("CARD1", "E1")
    assert {each.partner for each in hub.world.peers.sent if each.module == "sessions"} == {name_of(theirs)}


@pytest.mark.parametrize("theirs", VERSIONS)
async def test_a_patch_reaches_it_as_the_whole_session(hub: Hub, theirs: str) -> None:
    await hub.brings_session(OWNERS[theirs])
    version = hub.world.version
    news = a_session(version, charging_periods=[a_period(5)])["charging_periods"]
    part = {"kwh": 2, "charging_periods": news, "last_updated": LATER}
    path = hub.world.at("receiver/sessions/BE/AAA/S1")
    assert (await hub.world.ask("PATCH", path, by="c1", body=part)).code == 1000
    await hub.quiet()
    last = hub.got(name_of(theirs), "sessions")[-1]
    assert (last.method, last.body["kwh"], len(last.body["charging_periods"])) == ("PUT", 2, 2)


@pytest.mark.parametrize("theirs", VERSIONS)
async def test_a_cdr_is_posted_once_to_the_owner_of_the_token(hub: Hub, theirs: str) -> None:
    owner, version = OWNERS[theirs], hub.world.version
    raw = b' {"x_vendor": 1.50, ' + encode(bill(version, owner))[1:]
    for _ in range(2):
        await hub.brings_cdr(raw)
    (sent,) = hub.got(name_of(theirs), "cdrs")
    assert (sent.method, sent.path, sent.sender, sent.to) == ("POST", (), "BE*AAA", owner)
    assert (sent.raw == raw) is (theirs == version)
    assert (sent.body["id"], sent.body["total_energy"], sent.body["x_vendor"]) == ("CDR1", 30, Decimal("1.50"))
    assert {each.partner for each in hub.world.peers.sent if each.module == "cdrs"} == {name_of(theirs)}
    for by, count in ((name_of(theirs), 1), ("e1", 0)):
        said = await hub.world.ask("GET", f"/ocpi/{theirs}/sender/cdrs", by=by)
        assert (len(said.data), said.headers["x-total-count"]) == (count, str(count))


def plug_of(cdr: dict[str, Any]) -> tuple[int, int]:
    """Volts and amperes in a CDR of 2.1.1."""
    (evse,) = cdr["location"]["evses"]
    (connector,) = evse["connectors"]
    return connector["voltage"], connector["amperage"]


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
async def test_2_1_1_is_told_the_volts_and_amperes_of_the_connector_that_is_on_record(hub: Hub) -> None:
    world = hub.world
    place = their_location(world.version, location_id="PLACE1", evses=("3256",))
    assert (await world.ask("PUT", world.at("receiver/locations/BE/AAA/PLACE1"), by="c1", body=place)).code == 1000
    await hub.brings_cdr(bill(world.version, OWNERS["2.1.1"]))
    elsewhere = {"id": "CDR2", "session_id": "S2", "cdr_location": {**EVENING["cdr_location"], "id": "PLACE2"}}
    await hub.brings_cdr(bill(world.version, OWNERS["2.1.1"], **elsewhere))
    assert [plug_of(sent.body) for sent in hub.got("e211", "cdrs")] == [(230, 32), (0, 0)]
    listed = await world.ask("GET", "/ocpi/2.1.1/sender/cdrs", by="e211")
    assert [plug_of(cdr) for cdr in listed.data] == [(230, 32), (0, 0)]


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_a_list_of_2_1_1_tells_the_volts_and_amperes_that_a_cdr_of_2_1_1_came_with(hub: Hub) -> None:
    sent = bill(hub.world.version, OWNERS["2.1.1"])
    sent["location"]["evses"][0]["connectors"][0].update(voltage=400, amperage=16)
    await hub.brings_cdr(sent)
    (listed,) = (await hub.world.ask("GET", "/ocpi/2.1.1/sender/cdrs", by="e211")).data
    assert plug_of(listed) == (400, 16)


async def test_a_cdr_that_is_held_goes_nowhere_until_it_is_released(hub: Hub) -> None:
    owner = OWNERS[hub.world.version]
    partner = hub.world.partner("c1")
    await hub.world.registry.save(partner.model_copy(update={"switches": {"cdr_policy": "hold"}}))
    await hub.brings_cdr(bill(hub.world.version, owner, total=("99.00", "117.81")))
    await vetting.vet_waiting(hub.world.hub)
    await hub.quiet()
    assert not hub.got(name_of(hub.world.version), "cdrs")
    assert not await hub.world.documents(CDRS)
    await received.release(hub.world.hub, "BE*AAA/CDR1", actor="op")
    await hub.quiet()
    assert len(hub.got(name_of(hub.world.version), "cdrs")) == 1


async def test_a_cdr_of_a_contract_of_nobody_is_kept_and_told_to_nobody(hub: Hub) -> None:
    await hub.brings_cdr(bill(hub.world.version, "NL*ZZZ"))
    assert not [sent for sent in hub.world.peers.sent if sent.module == "cdrs"]
    audits = [row.audit.action for row in await hub.world.store.audit_rows(after=0, limit=1000)]
    assert audits.count("cdr.unaddressed") == 1


async def test_a_cdr_that_was_passed_on_is_found_once(hub: Hub) -> None:
    await hub.brings_cdr(bill(hub.world.version, OWNERS["2.3.0"]))
    (found,) = await service.with_ids(hub.world.store, ["CDR1"])
    assert found.owner == "BE*AAA"


async def test_only_who_issued_a_cdr_takes_it_back(hub: Hub) -> None:
    await hub.brings_cdr(bill(hub.world.version, OWNERS["2.3.0"]))
    with pytest.raises(InvalidRequest, match="by the CPO that issued it"):
        await service.take_back(hub.world.hub, "BE*AAA/CDR1", actor="op", location={})


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_a_reference_that_the_cpo_cannot_say_is_in_session_and_cdr(hub: Hub) -> None:
    world = hub.world
    put = references.remember(
        world.hub, "BE*AAA", "NL-E22-C1", "REF1", until=parse_datetime(EVENING["start_date_time"])
    )
    await world.store.commit(Unit().put(put))
    world.clock.move_to((parse_datetime(EVENING["start_date_time"]) - NOW).total_seconds())
    await hub.brings_session("NL*E22", start_date_time=EVENING["start_date_time"])
    place = {**EVENING["cdr_location"], "evse_uid": "E1"}
    await hub.brings_cdr(bill(world.version, "NL*E22", cdr_location=place))
    for module in ("sessions", "cdrs"):
        assert [sent.body["authorization_reference"] for sent in hub.got("e221", module)] == ["REF1"], module


@pytest.mark.parametrize("theirs", VERSIONS)
async def test_a_token_gets_to_every_cpo_that_may_have_it(hub: Hub, theirs: str) -> None:
    owner, version = OWNERS[theirs], hub.world.version
    await hub.world.hub.agreements.put(Agreement("c2", owner, "tokens", allow=False), actor="op")
    hub.world.peers.sent.clear()
    path = f"/ocpi/{theirs}/receiver/tokens/{owner.replace('*', '/')}/CARD2"
    said = await hub.world.ask("PUT", path, by=name_of(theirs), body=token(theirs, owner, "CARD2"))
    assert said.http == 201
    await hub.quiet()
    (sent,) = hub.world.peers.sent
    assert (sent.partner, sent.brief) == ("c1", ("PUT", "tokens", f"{owner.replace('*', '/')}/CARD2"))
    assert sent.sender == "DE*BSB"
    assert ("auth_id" in sent.body) is (version == "2.1.1")
    assert sent.body["valid"] is True


async def test_an_emaid_is_pushed_to_nobody_who_would_take_it_for_something_else(hub: Hub) -> None:
    owner = OWNERS["2.3.0"]
    hub.world.peers.sent.clear()
    body = token("2.3.0", owner, "NLE23C12345678", type="EMAID")
    path = f"/ocpi/2.3.0/receiver/tokens/{owner.replace('*', '/')}/NLE23C12345678?type=EMAID"
    assert (await hub.world.ask("PUT", path, by=name_of("2.3.0"), body=body)).http == 201
    await hub.quiet()
    told = {sent.partner for sent in hub.world.peers.sent}
    assert told == ({"c1", "c2"} if hub.world.version == "2.3.0" else set())


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
@pytest.mark.parametrize("theirs", ["2.2.1", "2.3.0"])
async def test_a_wish_goes_to_the_cpo_of_the_session(hub: Hub, theirs: str) -> None:
    await hub.brings_session(OWNERS[theirs])
    hub.world.peers.script = lambda sent: "DEPARTURE_REQUIRED"
    hub.world.peers.sent.clear()
    path = f"/ocpi/{theirs}/sender/sessions/S1/charging_preferences"
    said = await hub.world.ask("PUT", path, by=name_of(theirs), body={"profile_type": "GREEN"})
    assert (said.http, said.code, said.data) == (200, 1000, "DEPARTURE_REQUIRED")
    (sent,) = hub.world.peers.sent
    assert (sent.partner, sent.brief) == ("c1", ("PUT", "sessions", "S1/charging_preferences"))
    assert (sent.body, sent.sender, sent.to) == ({"profile_type": "GREEN"}, OWNERS[theirs], "BE*AAA")
    assert said.headers["ocpi-from-party-id"] == "AAA"
    said = await hub.world.ask("PUT", path, by="e1", body={"profile_type": "GREEN"})
    assert (said.http, said.code) == (404, 2000)
    hub.world.peers.script = lambda sent: "PERHAPS"
    said = await hub.world.ask("PUT", path, by=name_of(theirs), body={"profile_type": "GREEN"})
    assert said.code == 4000


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_a_cpo_of_211_takes_no_wish(hub: Hub) -> None:
    await hub.brings_session(OWNERS["2.2.1"])
    path = "/ocpi/2.2.1/sender/sessions/S1/charging_preferences"
    said = await hub.world.ask("PUT", path, by=name_of("2.2.1"), body={"profile_type": "GREEN"})
    assert (said.http, said.code) == (404, 2001)


DENIED = Agreement("NL*E22", "BE*AAA", "*", allow=False)


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_what_an_agreement_denies_waits_and_goes_once_it_allows(hub: Hub) -> None:
    world = hub.world
    await world.hub.agreements.put(DENIED, actor="op")
    await hub.brings_session("NL*E22")
    await hub.brings_cdr(bill(world.version, "NL*E22"))
    await hub.looks()
    assert (hub.got("e221", "sessions"), hub.got("e221", "cdrs")) == ([], [])
    assert (await world.ask("GET", world.at("sender/cdrs"), by="e221")).data == []
    audits = [row.audit for row in await world.store.audit_rows(after=0, limit=1000)]
    rule = "agreement: deny viewer NL*E22, owner BE*AAA, module *"
    assert {a.action for a in audits if a.detail == rule} == {"cdr.withheld", "session.withheld"}
    await world.hub.agreements.remove(DENIED, actor="op")
    for _ in range(2):
        await hub.looks()
    assert [sent.body["id"] for sent in hub.got("e221", "cdrs")] == ["CDR1"]
    assert [sent.body["id"] for sent in hub.got("e221", "sessions")] == ["S1"]
    for module in ("cdrs", "sessions"):
        listed = await world.ask("GET", world.at(f"sender/{module}?date_from=2020-01-01T00:00:00Z"), by="e221")
        assert [each["id"] for each in listed.data] == [hub.got("e221", module)[0].body["id"]]


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
async def test_what_is_for_a_party_that_nobody_knows_goes_there_once_it_registers(hub: Hub) -> None:
    world = hub.world
    await hub.brings_session("NL*ZZZ")
    await hub.brings_cdr(bill(world.version, "NL*ZZZ"))
    await hub.looks()
    assert [document.audience for document in await world.documents(CDRS)] == [""]
    await world.join("late", "NL*ZZZ", PartyRole.EMSP)
    for _ in range(2):
        await hub.looks()
    assert [sent.body["id"] for sent in hub.got("late", "cdrs")] == ["CDR1"]
    assert [sent.body["id"] for sent in hub.got("late", "sessions")] == ["S1"]


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_what_a_card_of_nobody_charged_goes_to_its_emsp_once_the_card_is_known(hub: Hub) -> None:
    world = hub.world
    card = wired(but(EVENING, cdr_token={"country_code": "NL", "party_id": "E22", "uid": "NEW", "type": "RFID",
                                         "contract_id": "NL-E22-NEW"}), "2.1.1")  # fmt: skip
    await hub.brings_cdr(card)
    await waiting.look_again(world.hub)
    assert not hub.got("e221", "cdrs")
    body = {**token("2.2.1", "NL*E22", "NEW"), "contract_id": "NL-E22-NEW"}
    path = "/ocpi/2.2.1/receiver/tokens/NL/E22/NEW"
    assert (await world.ask("PUT", path, by="e221", body=body)).http == 201
    await waiting.look_again(world.hub)
    await hub.quiet()
    (sent,) = hub.got("e221", "cdrs")
    assert sent.body["cdr_token"]["contract_id"] == "NL-E22-NEW"


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_what_was_passed_over_before_cdrs_waited_is_found_at_the_first_look(hub: Hub) -> None:
    world = hub.world
    await hub.brings_cdr(bill(world.version, "NL*ZZZ"))
    await world.store.commit(Unit().delete(Delete(CDRS, "BE*AAA/CDR1")))
    await world.join("late", "NL*ZZZ", PartyRole.EMSP)
    for _ in range(2):
        await hub.looks()
    assert [sent.body["id"] for sent in hub.got("late", "cdrs")] == ["CDR1"]


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_without_a_change_nothing_is_looked_at_again(hub: Hub) -> None:
    world = hub.world
    await hub.looks()
    revision = world.store.revision(OWED)
    await hub.looks()
    assert world.store.revision(OWED) == revision
    await world.hub.agreements.put(DENIED, actor="op")
    await hub.looks()
    assert world.store.revision(OWED) > revision
