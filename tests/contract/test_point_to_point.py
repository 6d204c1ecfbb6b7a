"""What is addressed to one party (OCPI-to) goes there at once: its answer comes back, and what it took is on record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from hub.core import failpoints
from hub.core.agreements import Agreement
from hub.core.errors import EndpointsMissing, PeerNonsense, PeerRefused, PeerTimeout, PeerUnreachable
from hub.core.inbound import encode
from hub.core.losses import Lost
from hub.core.parties import Party, PartyRole
from hub.core.ports import PeerAnswer
from hub.core.registry import Claim
from modules.locations.store import LOCATIONS
from modules.tariffs.store import TARIFFS
from modules.tokens.store import TOKENS
from tests.hub.core.test_delivery import Delivering
from tests.world import NOW, VERSIONS, Said, Sent, their_location, their_tariff, token

PARTIES = {"2.1.1": "NL*E21", "2.2.1": "NL*E22", "2.3.0": "NL*E23"}
LATER = "2026-05-04T10:01:00Z"
LOCATION = "receiver/locations/BE/AAA/P1"
TARIFF = "receiver/tariffs/BE/AAA/P9"
STATUS = {"status": "CHARGING", "last_updated": LATER}
GONE = PeerRefused("There is no such thing", http=404, status_code=2000)


def to(party: str) -> list[tuple[str, str]]:
    country_code, party_id = party.split("*")
    return [("OCPI-to-country-code", country_code), ("OCPI-to-party-id", party_id)]


class Hub(Delivering):
    """A hub whose c1 speaks `version`, with an eMSP of each version; its lanes run."""

    async def open(self) -> None:
        for version, party in PARTIES.items():
            await self.world.join(f"e{version}", party, PartyRole.EMSP, version=version)
        self.lanes.start()
        await self.quiet()
        self.world.peers.sent.clear()

    async def asks(self, method: str, path: str, body: Any = None, *, party: str) -> Said:
        return await self.world.ask(method, self.world.at(path), by="c1", body=body, headers=to(party))

    async def puts(self, party: str, **fields: Any) -> Said:
        return await self.asks(
            "PUT", LOCATION, their_location(self.world.version, "BE*AAA", "P1", **fields), party=party
        )

    async def taken(self) -> list[Sent]:
        """What was sent, once the lanes are at rest; and no more of it."""
        await self.quiet()
        sent = list(self.world.peers.sent)
        self.world.peers.sent.clear()
        return sent

    def answers(self, answer: Any) -> None:
        """From now on each partner says so."""

        def script(sent: Sent) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

        self.world.peers.script = script

    async def kept(self, party: str) -> list[str]:
        """The keys of what is on record for that party alone."""
        found = [*await self.world.documents(LOCATIONS), *await self.world.documents(TARIFFS)]
        return [document.key for document in found if document.audience == party]


def parties_of(said: Said) -> tuple[str, str]:
    """FROM and TO of an answer."""
    return _party(said, "from"), _party(said, "to")


def _party(said: Said, way: str) -> str:
    return f"{said.headers[f'ocpi-{way}-country-code']}*{said.headers[f'ocpi-{way}-party-id']}"


@asynccontextmanager
async def unwritten(hub: Hub) -> AsyncIterator[None]:
    """Nothing on disk differs afterwards."""
    before = await hub.world.dump()
    yield
    await hub.quiet()
    assert await hub.world.dump() == before


@pytest.fixture(params=VERSIONS[1:])
def version(request: pytest.FixtureRequest) -> str:
    """Those that have OCPI-to headers."""
    return str(request.param)


@pytest.fixture
async def hub(sqlite_url: str, version: str) -> AsyncIterator[Hub]:
    async with Hub.opened(sqlite_url, version) as made:
        yield made


@pytest.fixture(params=VERSIONS)
def theirs(request: pytest.FixtureRequest) -> str:
    """The receiver's version."""
    return str(request.param)


async def test_a_location_gets_there_before_its_answer_and_the_lane_brings_it_no_second_time(
    hub: Hub, theirs: str
) -> None:
    party = PARTIES[theirs]
    hub.answers(PeerAnswer(201, 1000, None))
    said = await hub.puts(party)
    assert (said.http, said.code, parties_of(said)) == (201, 1000, (party, "BE*AAA"))
    (sent,) = await hub.taken()
    assert (sent.partner, sent.brief) == (f"e{theirs}", ("PUT", "locations", "BE/AAA/P1"))
    assert (sent.sender, sent.to, sent.body["id"]) == ("BE*AAA", party, "P1")
    assert ("party_id" in sent.body) is (theirs != "2.1.1")
    assert await hub.kept(party) == [f"BE*AAA>{party}/P1"]
    hub.answers(PeerAnswer(200, 1000, None))
    assert (await hub.puts(party)).http == 200


async def test_every_part_of_a_location_goes_as_it_is_addressed(hub: Hub, theirs: str) -> None:
    party = PARTIES[theirs]
    await hub.puts(party)
    (whole,) = await hub.taken()
    evse = their_location(hub.world.version)["evses"][0]
    connector = evse["connectors"][0]
    for method, below, body in (
        ("PATCH", "", {"name": "New", "last_updated": LATER}),
        ("PUT", "/E1", evse),
        ("PATCH", "/E1", STATUS),
        ("PUT", "/E1/1", connector),
        ("PATCH", "/E1/1", {"format": "CABLE", "last_updated": LATER}),
    ):
        said = await hub.asks(method, f"{LOCATION}{below}", body, party=party)
        assert (said.code, parties_of(said)) == (1000, (party, "BE*AAA")), (method, below)
        (sent,) = await hub.taken()
        assert sent.brief == (method, "locations", f"BE/AAA/P1{below}")
        if method == "PATCH":
            assert sent.body == body
    shown = await hub.world.ask("GET", f"/ocpi/{theirs}/sender/locations/P1", by=f"e{theirs}")
    assert (shown.data["name"], shown.data["evses"][0]["status"]) == ("New", "CHARGING")
    assert shown.data["evses"][0]["connectors"][0]["format"] == "CABLE"
    assert whole.body["name"] == "Rail"


async def test_a_tariff_goes_there_and_is_withdrawn_there(hub: Hub, theirs: str) -> None:
    party = PARTIES[theirs]
    body = their_tariff(hub.world.version, tariff_id="P9")
    said = await hub.asks("PUT", TARIFF, body, party=party)
    assert (said.code, parties_of(said)) == (1000, (party, "BE*AAA"))
    assert await hub.kept(party) == [f"BE*AAA>{party}/P9"]
    assert (await hub.asks("DELETE", TARIFF, party=party)).code == 1000
    assert await hub.kept(party) == []
    assert [(sent.partner, sent.brief) for sent in await hub.taken()] == [
        (f"e{theirs}", ("PUT", "tariffs", "BE/AAA/P9")),
        (f"e{theirs}", ("DELETE", "tariffs", "BE/AAA/P9")),
    ]


CARD = "receiver/tokens/NL/EEE/CARD1"
CPOS = {"2.1.1": "FR*C21", "2.2.1": "FR*C22", "2.3.0": "FR*C23"}


async def test_a_token_goes_to_the_cpo_that_is_named_in_its_version_and_so_does_each_change(
    hub: Hub, theirs: str
) -> None:
    world, party = hub.world, CPOS[theirs]
    name = f"c{theirs}"
    await world.join(name, party, PartyRole.CPO, version=theirs)
    for method, body in (("PUT", token(world.version)), ("PATCH", {"valid": False, "last_updated": LATER})):
        said = await world.ask(method, world.at(f"{CARD}?type=RFID"), by="e1", body=body, headers=to(party))
        assert (said.code, parties_of(said)) == (1000, (party, "NL*EEE"))
        (sent,) = await hub.taken()
        assert (sent.partner, sent.brief) == (name, (method, "tokens", "NL/EEE/CARD1"))
        assert (sent.sender, sent.to, dict(sent.query)) == (
            *("NL*EEE", party),
            {} if theirs == "2.1.1" else {"type": "RFID"},
        )
    assert "whitelist" not in sent.body
    for by, valid in ((name, [False]), ("c1", [])):
        version = theirs if by == name else world.version
        listed = await world.ask("GET", f"/ocpi/{version}/sender/tokens", by=by)
        assert [each["valid"] for each in listed.data] == valid


async def test_a_token_by_name_takes_nothing_from_those_that_have_it_already(hub: Hub) -> None:
    world = hub.world
    await world.ask("PUT", world.at(CARD), by="e1", body=token(world.version))
    for party in ("BE*AAA", "BE*BBB"):
        body = token(world.version, valid=party == "BE*BBB", last_updated=LATER)
        assert (await world.ask("PUT", world.at(CARD), by="e1", body=body, headers=to(party))).code == 1000
    assert (await world.ask("GET", world.at(CARD), by="e1")).data["last_updated"] < LATER
    kept = {document.key for document in await world.documents(TOKENS)}
    assert kept == {"NL*EEE/CARD1/RFID", "NL*EEE>BE*AAA/CARD1/RFID", "NL*EEE>BE*BBB/CARD1/RFID"}
    hub.answers(PeerUnreachable("away"))
    ask = world.at("sender/tokens/CARD1/authorize")
    assert (await world.ask("POST", ask, by="c1")).code == 4003
    assert (await world.ask("POST", ask, by="c2")).data["allowed"] == "ALLOWED"


@pytest.mark.parametrize("fault", [PeerTimeout("silent"), PeerRefused("No", http=200, status_code=2001)])
async def test_a_token_that_its_cpo_did_not_take_is_on_no_list(hub: Hub, fault: Exception) -> None:
    world = hub.world
    hub.answers(fault)
    async with unwritten(hub):
        for method, body in (("PUT", token(world.version)), ("PATCH", {"valid": False, "last_updated": LATER})):
            said = await world.ask(method, world.at(CARD), by="e1", body=body, headers=to("BE*AAA"))
            assert said.code == (2001 if isinstance(fault, PeerRefused) else 4002)


@pytest.mark.parametrize("version", ["2.3.0"])
@pytest.mark.parametrize("theirs", ["2.1.1", "2.2.1"])
async def test_an_emaid_for_who_would_take_it_for_something_else_is_refused(hub: Hub, theirs: str) -> None:
    world = hub.world
    await world.join("old", CPOS[theirs], PartyRole.CPO, version=theirs)
    async with world.unchanged():
        body = token("2.3.0", uid="NLEEEC1", type="EMAID")
        path = world.at("receiver/tokens/NL/EEE/NLEEEC1?type=EMAID")
        for method in ("PUT", "PATCH"):
            said = await world.ask(method, path, by="e1", body=body, headers=to(CPOS[theirs]))
            assert (said.http, said.code) == (200, 2001)


async def test_a_part_of_a_token_that_is_removed_goes_as_the_whole_where_a_patch_cannot_say_so(
    hub: Hub, theirs: str
) -> None:
    world, party = hub.world, CPOS[theirs]
    await world.join("c", party, PartyRole.CPO, version=theirs)
    part = {"visual_number": None, "last_updated": LATER}
    is_same = theirs == world.version
    said = await world.ask("PATCH", world.at(CARD), by="e1", body=part, headers=to(party))
    assert (said.http, said.code) == ((200, 1000) if is_same else (404, 2004))
    body = token(world.version, visual_number="No. 1")
    assert (await world.ask("PUT", world.at(CARD), by="e1", body=body, headers=to(party))).code == 1000
    await hub.taken()
    said = await world.ask("PATCH", world.at(CARD), by="e1", body=part, headers=to(party))
    assert (said.code, parties_of(said)) == (1000, (party if is_same else "DE*BSB", "NL*EEE"))
    (sent,) = await hub.taken()
    assert (sent.method, sent.body.get("visual_number")) == ("PATCH" if is_same else "PUT", None)


async def test_what_a_cpo_has_of_a_token_is_asked_of_that_cpo(hub: Hub, theirs: str) -> None:
    world, party = hub.world, CPOS[theirs]
    await world.join("c", party, PartyRole.CPO, version=theirs)
    hub.answers(token(theirs, valid=False))
    said = await world.ask("GET", world.at(CARD), by="e1", headers=to(party))
    assert (said.code, said.data["valid"], parties_of(said)) == (1000, False, (party, "NL*EEE"))
    assert said.data["contract_id"] == "NL-EEE-C1"


async def test_between_ends_of_one_version_the_bytes_pass_as_they_came(hub: Hub) -> None:
    version = hub.world.version
    raw = b' {"x_vendor": 1.50, ' + encode(their_location(version, "BE*AAA", "P1"))[1:]
    await hub.asks("PUT", LOCATION, raw, party=PARTIES[version])
    part = b'{"last_updated":"2026-05-04T10:01:00Z", "x_vendor": [ 1e2 ], "status":"CHARGING"}'
    await hub.asks("PATCH", f"{LOCATION}/E1", part, party=PARTIES[version])
    assert [sent.raw for sent in await hub.taken()] == [raw, part]


FAULTS = [
    (PeerTimeout("silent"), 200, 4002),
    (PeerUnreachable("no such host"), 200, 4003),
    (PeerNonsense("not OCPI"), 200, 4000),
    (EndpointsMissing(), 200, 4000),
    (PeerRefused("Too long a name", http=200, status_code=2001), 200, 2001),
    (PeerRefused("Who is that?", http=404, status_code=2003), 404, 2003),
    (PeerRefused("Out of order", http=500, status_code=3000), 200, 3000),
]


@pytest.mark.parametrize(("fault", "http", "code"), FAULTS)
async def test_what_is_refused_or_not_answered_is_told_so_and_leaves_nothing(
    hub: Hub, theirs: str, fault: Exception, http: int, code: int
) -> None:
    party = PARTIES[theirs]
    hub.answers(fault)
    tariff = their_tariff(hub.world.version, tariff_id="P9")
    async with unwritten(hub):
        for said in (await hub.puts(party), await hub.asks("PUT", TARIFF, tariff, party=party)):
            by = party if isinstance(fault, PeerRefused) else "DE*BSB"
            assert (said.http, said.code, parties_of(said)) == (http, code, (by, "BE*AAA"))
            if isinstance(fault, PeerRefused):
                assert said.message == fault.message
        assert len(await hub.taken()) == 2


async def test_what_was_refused_leaves_what_was_taken_before(hub: Hub, theirs: str) -> None:
    party = PARTIES[theirs]
    await hub.puts(party)
    tariff = their_tariff(hub.world.version, tariff_id="P9")
    await hub.asks("PUT", TARIFF, tariff, party=party)
    hub.answers(PeerRefused("No", http=200, status_code=2000))
    async with unwritten(hub):
        assert (await hub.asks("PATCH", f"{LOCATION}/E1", STATUS, party=party)).code == 2000
        assert (await hub.asks("DELETE", TARIFF, party=party)).code == 2000


async def test_a_tariff_that_its_receiver_has_no_more_is_gone_here_too(hub: Hub, theirs: str) -> None:
    party = PARTIES[theirs]
    await hub.asks("PUT", TARIFF, their_tariff(hub.world.version, tariff_id="P9"), party=party)
    hub.answers(GONE)
    said = await hub.asks("DELETE", TARIFF, party=party)
    assert (said.http, said.code) == (404, 2000)
    assert await hub.kept(party) == []


async def test_what_is_wrong_by_itself_reaches_nobody(hub: Hub, theirs: str) -> None:
    party, whole = PARTIES[theirs], their_location(hub.world.version, "BE*AAA", "P1")
    twice = {**whole, "evses": [whole["evses"][0]] * 2}
    other = their_tariff(hub.world.version, tariff_id="OTHER")
    async with hub.world.unchanged():
        for method, path, body in (
            ("PUT", LOCATION, {**whole, "id": "OTHER"}),
            ("PUT", LOCATION, {**whole, "party_id": "BBB"}),
            ("PUT", LOCATION, twice),
            ("PUT", f"{LOCATION}/E9", whole["evses"][0]),
            ("PATCH", f"{LOCATION}/E1", {"status": "CHARGING"}),
            ("PUT", TARIFF, other),
        ):
            assert (await hub.asks(method, path, body, party=party)).code == 2001, (method, path)


async def test_a_part_of_what_went_to_everybody_may_go_to_one_and_changes_nothing_here(hub: Hub, theirs: str) -> None:
    world, party = hub.world, PARTIES[theirs]
    await world.ask("PUT", world.at(LOCATION), by="c1", body=their_location(world.version, "BE*AAA", "P1"))
    await hub.taken()
    async with unwritten(hub):
        said = await hub.asks("PATCH", f"{LOCATION}/E1", STATUS, party=party)
        assert (said.code, parties_of(said)) == (1000, (party, "BE*AAA"))
    assert [(sent.partner, sent.method) for sent in world.peers.sent] == [(f"e{theirs}", "PATCH")]


@pytest.mark.parametrize("path", [LOCATION, f"{LOCATION}/E1", f"{LOCATION}/E1/1", TARIFF])
async def test_what_one_party_has_is_asked_of_that_party(hub: Hub, theirs: str, path: str) -> None:
    party, place = PARTIES[theirs], their_location(theirs, "BE*AAA", "P1", name="As it is there")
    tariff = their_tariff(theirs, tariff_id="P9")
    evse = place["evses"][0]
    has: dict[str, Any] = {LOCATION: place, f"{LOCATION}/E1": evse, TARIFF: tariff}
    hub.answers(has.get(path, evse["connectors"][0]))
    said = await hub.asks("GET", path, party=party)
    assert (said.code, parties_of(said)) == (1000, (party, "BE*AAA"))
    (sent,) = await hub.taken()
    assert sent.brief == ("GET", path.split("/")[1], path.split("/", 2)[2])
    if path in (LOCATION, TARIFF):
        assert said.data["party_id"] == "AAA"
    hub.answers(PeerRefused("no", http=404, status_code=2003))
    said = await hub.asks("GET", path, party=party)
    assert (said.http, said.code) == (404, 2003)


async def test_an_agreement_that_keeps_it_from_a_party_keeps_it_on_this_way_too(hub: Hub, theirs: str) -> None:
    party = PARTIES[theirs]
    await hub.world.hub.agreements.put(Agreement(party, "BE*AAA", "locations", allow=False), actor="op")
    async with hub.world.unchanged():
        for method, path, body in (
            ("PUT", LOCATION, their_location(hub.world.version, "BE*AAA", "P1")),
            ("PATCH", f"{LOCATION}/E1", STATUS),
            ("GET", LOCATION, None),
        ):
            said = await hub.asks(method, path, body, party=party)
            assert (said.http, said.code) == (200, 4001)


async def test_of_several_connections_of_a_party_the_one_that_stands_for_the_owner_is_asked(hub: Hub) -> None:
    world, party = hub.world, "NL*TWO"
    for name, owner in (("first", "BE*AAA"), ("second", "BE*AA2")):
        partner = await world.join(name, party, PartyRole.EMSP, version="2.1.1")
        await world.registry.save(partner.model_copy(update={"represents": owner}))
    platform = world.partner("c1")
    other = Claim(role=PartyRole.CPO, party=Party.parse("BE*AA2"))
    await world.registry.save(platform.model_copy(update={"claims": (*platform.claims, other)}))
    await hub.taken()
    for owner, name in (("BE*AAA", "first"), ("BE*AA2", "second")):
        path = f"receiver/locations/{owner.replace('*', '/')}/P1"
        body = their_location(world.version, owner, "P1")
        assert (await hub.asks("PUT", path, body, party=party)).code == 1000
        assert {sent.partner for sent in await hub.taken()} == {name}


async def test_what_is_for_our_own_party_stays_here(hub: Hub) -> None:
    settings = hub.world.hub.settings
    hub.world.hub.settings = settings.model_copy(update={"hub_party": "DE*HUB"})
    said = await hub.puts("DE*BSB")
    assert (said.code, parties_of(said)) == (1000, ("DE*BSB", "BE*AAA"))
    assert await hub.taken() == []
    said = await hub.puts("DE*HUB")
    assert (said.code, parties_of(said)) == (1000, ("DE*HUB", "BE*AAA"))
    assert {sent.to for sent in await hub.taken()} == {""}


async def test_a_tariff_that_does_not_hold_yet_waits_here_for_who_cannot_be_told_when(hub: Hub, theirs: str) -> None:
    party, world = PARTIES[theirs], hub.world
    body = their_tariff(world.version, tariff_id="P9", start_date_time="2026-06-01T00:00:00Z")
    said = await hub.asks("PUT", TARIFF, body, party=party)
    waits = theirs == "2.1.1"
    assert (said.code, parties_of(said)) == (1000, ("DE*BSB" if waits else party, "BE*AAA"))
    assert [sent.method for sent in await hub.taken()] == ([] if waits else ["PUT"])
    assert await hub.kept(party) == [f"BE*AAA>{party}/P9"]
    said = await hub.asks("DELETE", TARIFF, party=party)
    assert (said.code, await hub.kept(party)) == (1000, [])


async def test_what_the_receivers_version_cannot_say_is_refused_and_reaches_nobody(hub: Hub) -> None:
    async with hub.world.unchanged():
        said = await hub.puts(PARTIES["2.1.1"], publish=False)
        assert (said.http, said.code) == (200, 2001)
        assert "2.1.1" in said.message


async def test_a_location_that_is_not_published_any_more_is_taken_back_where_that_cannot_be_said(hub: Hub) -> None:
    party, hidden = PARTIES["2.1.1"], {"publish": False, "last_updated": LATER}
    await hub.puts(party)
    await hub.taken()
    said = await hub.asks("PATCH", LOCATION, hidden, party=party)
    assert (said.code, parties_of(said)) == (1000, ("DE*BSB", "BE*AAA"))
    assert [(sent.method, sent.path[-1], sent.body["status"]) for sent in await hub.taken()] == [
        ("PATCH", "E1", "REMOVED"),
        ("PATCH", "E2", "REMOVED"),
    ]
    assert (await hub.asks("PATCH", f"{LOCATION}/E1", STATUS, party=party)).code == 1000
    assert await hub.taken() == []
    body = their_location(hub.world.version, "BE*AAA", "P1", at=NOW + timedelta(minutes=2))
    said = await hub.asks("PUT", LOCATION, body, party=party)
    assert (said.code, parties_of(said)) == (1000, (party, "BE*AAA"))
    assert [sent.method for sent in await hub.taken()] == ["PUT"]


async def test_a_part_that_is_removed_goes_as_the_whole_where_a_patch_cannot_say_so(hub: Hub, theirs: str) -> None:
    party, version = PARTIES[theirs], hub.world.version
    await hub.puts(party)
    await hub.taken()
    said = await hub.asks("PATCH", LOCATION, {"name": None, "last_updated": LATER}, party=party)
    assert (said.code, parties_of(said)) == (1000, (party if theirs == version else "DE*BSB", "BE*AAA"))
    (sent,) = await hub.taken()
    assert sent.method == ("PATCH" if theirs == version else "PUT")
    assert sent.body.get("name") is None


@pytest.mark.parametrize("theirs", ["2.1.1"])
async def test_a_tariff_that_cannot_be_said_any_more_is_withdrawn_by_its_lane(hub: Hub, theirs: str) -> None:
    party, version = PARTIES[theirs], hub.world.version
    await hub.asks("PUT", TARIFF, their_tariff(version, tariff_id="P9"), party=party)
    await hub.taken()
    body = their_tariff(version, tariff_id="P9", at=NOW + timedelta(minutes=1), type="AD_HOC_PAYMENT")
    said = await hub.asks("PUT", TARIFF, body, party=party)
    assert (said.code, parties_of(said)) == (1000, ("DE*BSB", "BE*AAA"))
    assert [sent.method for sent in await hub.taken()] == ["DELETE"]
    assert (await hub.asks("DELETE", TARIFF, party=party)).code == 1000
    assert await hub.kept(party) == []


async def test_what_is_lost_on_the_way_counts_for_its_receiver_as_a_push_does(hub: Hub, theirs: str) -> None:
    world, party = hub.world, PARTIES[theirs]
    body = their_location(world.version, "BE*AAA", "P1")
    body["evses"][0]["capabilities"] = ["CHIP_CARD_SUPPORT", "RESERVABLE"]
    lost = Lost("out", "locations", "/evses/*/capabilities/*")
    await world.ask("PUT", world.at(LOCATION), by="c1", body=body)
    await hub.taken()
    each = 1 if theirs == "2.1.1" else 0
    assert (await world.hub.losses.of(f"e{theirs}")).get(lost, 0) == each
    assert (await hub.asks("PUT", LOCATION, body, party=party)).code == 1000
    assert (await world.hub.losses.of(f"e{theirs}")).get(lost, 0) == 2 * each


async def test_a_hub_that_falls_between_the_two_is_told_again(hub: Hub, theirs: str) -> None:
    party = PARTIES[theirs]
    failpoints.arm("point_to_point.accepted=once", {"BUSBAR_TEST": "1"})
    try:
        assert (await hub.puts(party)).code == 3000
    finally:
        failpoints.arm("")
    assert await hub.kept(party) == []
    assert (await hub.puts(party)).code == 1000
    assert await hub.kept(party) == [f"BE*AAA>{party}/P1"]
    assert len(await hub.taken()) == 2


async def test_an_operator_may_have_it_sent_again(hub: Hub, theirs: str) -> None:
    party = PARTIES[theirs]
    await hub.puts(party)
    await hub.taken()
    await hub.lanes.mark(f"e{theirs}", [("locations", f"BE*AAA>{party}/P1")])
    (sent,) = await hub.taken()
    assert (sent.sender, sent.to, sent.body["id"]) == ("BE*AAA", party, "P1")
