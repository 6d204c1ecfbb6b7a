"""Things that a CPO of 2.1.1 calls by ids which no later version could have: kept, told and asked for by a name."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hub.core.own_ids import NAMES, alias_of
from hub.core.parties import PartyRole
from modules.cdrs.store import ORIGINALS, RECEIVED
from modules.locations.store import LOCATIONS
from modules.sessions.store import SESSIONS
from modules.tariffs.store import TARIFFS
from tests.contract.test_received_cdrs import bill
from tests.contract.test_received_sessions import known_card
from tests.modules.sessions.records import a_session
from tests.world import VERSIONS, Said, Sent, World, a_world, their_location, their_tariff, token

LONG = "Parking-of-the-old-Market-in-Gent-00001"
LONG_EVSE = "Parking-of-the-old-Market-in-Gent-E0001"
LATER = "2026-05-04T10:01:00Z"
SESSION_LIST = "sender/sessions?date_from=2026-01-01T00:00:00Z"
URL = "https://e1.example/results/7"


@pytest.fixture
def version() -> str:
    """Of the CPOs c1 and c2, and of the eMSPs e1 and e2."""
    return "2.1.1"


def own(*path: str) -> str:
    return "/".join(("receiver", path[0], "BE", "AAA", *path[1:]))


async def put(world: World, body: Any, *path: str, by: str = "c1") -> Said:
    return await world.ask("PUT", world.at(own(*path)), by=by, body=body)


async def place(world: World, location_id: str = LONG, evses: tuple[str, ...] = (LONG_EVSE,), **fields: Any) -> Any:
    """A location of c1, which has taken it. Returns: its words."""
    tree = their_location("2.1.1", location_id=location_id, evses=evses, **fields)
    assert (await put(world, tree, "locations", location_id)).code == 1000
    return tree


async def shown(world: World, *path: str) -> Any:
    """What c1 sees of its own."""
    said = await world.ask("GET", world.at(own(*path)), by="c1")
    assert (said.http, said.code) == (200, 1000)
    return said.data


async def others_see(world: World, module: str = "locations", path: str = "") -> list[Any]:
    """What an eMSP sees of c1."""
    said = await world.ask("GET", world.at(path or f"sender/{module}"), by="e1")
    assert said.code == 1000
    return [tree for tree in said.data if tree["id"] not in ("LOC1", "T1")]


async def keys(world: World, kind: Any) -> set[str]:
    return {document.key for document in await world.documents(kind) if document.owner == "BE*AAA"}


async def emsp(world: World, version: str) -> str:
    """The name of an eMSP of this version."""
    if version == "2.1.1":
        return "e1"
    await world.join("e3", "NL*GGG", PartyRole.EMSP, version=version)
    return "e3"


async def test_ids_of_39_characters_are_taken_and_have_names_of_36_for_others(world_on_both: World) -> None:
    world = world_on_both
    sent = await place(world)
    assert (await put(world, sent, "locations", LONG)).http == 200
    (told,) = await others_see(world)
    assert told["id"] == alias_of(LONG)
    assert told["evses"][0]["uid"] == alias_of(LONG_EVSE)
    assert len(told["id"]) == len(told["evses"][0]["uid"]) == 36
    assert told["id"].startswith(LONG[:25])
    got = await shown(world, "locations", LONG)
    assert {name: got[name] for name in sent} == sent


async def test_each_depth_is_written_and_read_by_its_owners_ids(world: World) -> None:
    sent = await place(world)
    evse = {**sent["evses"][0], "status": "CHARGING", "last_updated": LATER}
    assert (await put(world, evse, "locations", LONG, LONG_EVSE)).http == 200
    assert await shown(world, "locations", LONG, LONG_EVSE) == evse
    connector = {**evse["connectors"][0], "id": "left", "last_updated": LATER}
    assert (await put(world, connector, "locations", LONG, LONG_EVSE, "left")).http == 201
    assert await shown(world, "locations", LONG, LONG_EVSE, "left") == connector
    part = {"status": "BLOCKED", "last_updated": LATER}
    said = await world.ask("PATCH", world.at(own("locations", LONG, LONG_EVSE)), by="c1", body=part)
    assert said.code == 1000
    assert (await others_see(world))[0]["evses"][0]["status"] == "BLOCKED"
    seen = await world.store.changes(after=0, limit=100)
    assert seen[-1].change.what == f"status/{alias_of(LONG_EVSE)}"


async def test_more_than_39_characters_are_refused_without_effect(world: World) -> None:
    for tree in (their_location("2.1.1", location_id=f"{LONG}x"), their_location("2.1.1", evses=(f"{LONG_EVSE}x",))):
        async with world.unchanged():
            assert (await put(world, tree, "locations", tree["id"])).code == 2001


async def test_ids_that_differ_in_case_alone_are_two_locations(world_on_both: World) -> None:
    world = world_on_both
    for name in ("Loc-a", "LOC-A", "Loc-a"):
        await place(world, name, evses=("E1",), name=f"The {name}")
    names = {tree["id"]: tree["name"] for tree in await others_see(world)}
    assert names == {"Loc-a": "The Loc-a", alias_of("LOC-A"): "The LOC-A"}
    for name in ("Loc-a", "LOC-A"):
        got = await shown(world, "locations", name)
        assert (got["id"], got["name"]) == (name, f"The {name}")


async def test_ids_of_evses_and_connectors_that_differ_in_case_alone_are_two(world: World) -> None:
    tree = their_location("2.1.1", location_id="L", evses=("left", "LEFT"))
    tree["evses"][0]["connectors"] += [{**tree["evses"][0]["connectors"][0], "id": name} for name in ("a", "A")]
    assert (await put(world, tree, "locations", "L")).code == 1000
    (told,) = await others_see(world)
    assert len({evse["uid"].upper() for evse in told["evses"]}) == 2
    assert len({each["id"].upper() for each in told["evses"][0]["connectors"]}) == 3
    assert (await shown(world, "locations", "L"))["evses"] == tree["evses"]
    for uid in ("left", "LEFT"):
        assert (await shown(world, "locations", "L", uid))["uid"] == uid


async def test_tariffs_that_differ_in_case_alone_are_two_and_connectors_name_the_right_one(world: World) -> None:
    for name in ("Day", "DAY"):
        assert (await put(world, their_tariff("2.1.1", tariff_id=name), "tariffs", name)).http == 201
    assert {tree["id"] for tree in await others_see(world, "tariffs")} == {"Day", alias_of("DAY")}
    tree = their_location("2.1.1", location_id="L", evses=("E1", "E2"))
    for evse, name in zip(tree["evses"], ("Day", "DAY"), strict=True):
        evse["connectors"][0]["tariff_id"] = name
    await put(world, tree, "locations", "L")
    (told,) = await others_see(world)
    assert [evse["connectors"][0]["tariff_id"] for evse in told["evses"]] == ["Day", alias_of("DAY")]
    assert (await world.ask("DELETE", world.at(own("tariffs", "DAY")), by="c1")).code == 1000
    assert await keys(world, TARIFFS) == {"BE*AAA/DAY"}
    assert (await shown(world, "tariffs", "Day"))["id"] == "Day"


async def test_a_session_is_told_with_the_names_of_what_it_names_and_read_by_its_owners(world_on_both: World) -> None:
    world = world_on_both
    await known_card(world)
    where = await place(world)
    for name in ("s-1", "S-1"):
        sent = {**a_session("2.1.1", id=name), "location": where}
        assert (await put(world, sent, "sessions", name)).http == 201
        got = await shown(world, "sessions", name)
        assert (got["id"], got["location"]["id"], got["location"]["evses"][0]["uid"]) == (name, LONG, LONG_EVSE)
    assert await keys(world, SESSIONS) == {"BE*AAA/S-1", f"BE*AAA/{alias_of('S-1').upper()}"}
    told = await others_see(world, path=SESSION_LIST)
    assert {tree["id"] for tree in told} == {"s-1", alias_of("S-1")}
    assert {tree["location"]["id"] for tree in told} == {alias_of(LONG)}
    part = {"status": "COMPLETED", "kwh": 2, "last_updated": LATER}
    await world.ask("PATCH", world.at(own("sessions", "S-1")), by="c1", body=part)
    assert {tree["id"]: tree["status"] for tree in await others_see(world, path=SESSION_LIST)} == {
        "s-1": "ACTIVE", alias_of("S-1"): "COMPLETED"}  # fmt: skip


@pytest.mark.parametrize("is_there", [True, False])
async def test_a_cdr_names_its_location_as_that_is_told_and_its_owner_reads_its_own_words(
    world: World, is_there: bool
) -> None:
    await known_card(world)
    if is_there:
        await place(world)
    sent = bill(world)
    sent["location"] = {**sent["location"], "id": LONG, "evses": [{**sent["location"]["evses"][0], "uid": LONG_EVSE}]}
    said = await world.ask("POST", world.at("receiver/cdrs"), by="c1", body=sent)
    assert (said.http, said.code) == (201, 1000)
    assert (await world.ask("POST", world.at("receiver/cdrs"), by="c1", body=sent)).http == 200
    got = (await world.ask("GET", world.at("receiver/cdrs/BE/AAA/CDR1"), by="c1")).data
    assert (got["location"]["id"], got["location"]["evses"][0]["uid"]) == (LONG, LONG_EVSE)
    assert got.keys() == sent.keys()
    for kind in (RECEIVED, ORIGINALS):
        (kept,) = await world.documents(kind)
        assert f'"id":"{alias_of(LONG)}"'.encode() in kept.body


async def test_who_is_asked_about_a_driver_hears_the_name_and_the_cpo_its_own_id(world: World) -> None:
    await known_card(world)
    await place(world)
    asked: list[Sent] = []

    def allowed(sent: Sent) -> Any:
        asked.append(sent)
        return {"allowed": "ALLOWED", "location": sent.body}

    world.peers.script = allowed
    here = {"location_id": LONG, "evse_uids": [LONG_EVSE]}
    said = await world.ask("POST", world.at("sender/tokens/CARD1/authorize"), by="c1", body=here)
    assert asked[0].body == {"location_id": alias_of(LONG), "evse_uids": [alias_of(LONG_EVSE)]}
    assert said.data == {"allowed": "ALLOWED", "location": here}


async def test_what_the_list_says_of_a_driver_is_in_the_cpos_words_the_second_time_too(world: World) -> None:
    body = token("2.1.1", whitelist="ALWAYS")
    assert (await world.ask("PUT", world.at("receiver/tokens/NL/EEE/CARD1"), by="e1", body=body)).code == 1000
    here = {"location_id": LONG, "evse_uids": [LONG_EVSE]}
    for _ in range(3):
        said = await world.ask("POST", world.at("sender/tokens/CARD1/authorize"), by="c1", body=here)
        assert said.data == {"allowed": "ALLOWED", "location": here}


@pytest.mark.parametrize("theirs", VERSIONS)
async def test_an_order_by_the_name_reaches_the_cpo_by_its_own_id(world: World, theirs: str) -> None:
    await place(world)
    await place(world, "Loc-a", evses=("e-1",))
    world.peers.script = lambda sent: {"result": "ACCEPTED"} if sent.module == "commands" else None
    by = await emsp(world, theirs)
    driver = "NL*EEE" if by == "e1" else "NL*GGG"
    url = URL.replace("e1", by)
    start = {"response_url": url, "token": token(theirs, driver)}
    called = {(alias_of(LONG), alias_of(LONG_EVSE)): (LONG, LONG_EVSE), ("LOC-A", "E-1"): ("Loc-a", "e-1")}
    for said, meant in called.items():
        for order in ("START_SESSION", "UNLOCK_CONNECTOR"):
            spot = {"location_id": said[0], "evse_uid": said[1]}
            more = start if order == "START_SESSION" else {"response_url": url, "connector_id": "1"}
            path = world.at(f"receiver/commands/{order}", version=theirs)
            answer = await world.ask("POST", path, by=by, body={**more, **spot})
            assert answer.data["result"] == "ACCEPTED"
            told = world.peers.sent[-1].body
            assert (told["location_id"], told["evse_uid"]) == meant


async def test_a_session_is_stopped_by_its_owners_id(world: World) -> None:
    await known_card(world)
    for name in ("s-1", "S-1"):
        await put(world, a_session("2.1.1", id=name), "sessions", name)
    world.peers.script = lambda sent: {"result": "ACCEPTED"}
    for said, meant in (("S-1", "s-1"), (alias_of("S-1"), "S-1")):
        body = {"response_url": URL, "session_id": said}
        answer = await world.ask("POST", world.at("receiver/commands/STOP_SESSION"), by="e1", body=body)
        assert answer.data == {"result": "ACCEPTED"}
        assert world.peers.sent[-1].body["session_id"] == meant


async def test_a_spelling_that_was_never_declared_means_the_one_that_was(world: World) -> None:
    await place(world, "Loc-a", evses=("e-1",))
    part = {"status": "CHARGING", "last_updated": LATER}
    assert (await world.ask("PATCH", world.at(own("locations", "LOC-A", "E-1")), by="c1", body=part)).code == 1000
    assert (await shown(world, "locations", "lOC-a"))["evses"][0]["status"] == "CHARGING"
    await known_card(world)
    where = their_location("2.1.1", location_id="LOC-A", evses=("E-1",))
    await put(world, {**a_session("2.1.1"), "location": where}, "sessions", "S1")
    (told,) = await others_see(world, path=SESSION_LIST)
    assert told["location"]["id"] == "LOC-A"
    assert await keys(world, LOCATIONS) == {"BE*AAA/LOC-A"}


async def test_what_is_refused_takes_no_name(world: World) -> None:
    async with world.unchanged():
        assert (await put(world, their_location("2.1.1", location_id=LONG), "locations", "X1")).code == 2001
        assert (await put(world, {"id": "abc"}, "locations", "abc")).code == 2001
        assert (await put(world, their_location("2.1.1", location_id="abc"), "locations", "abc", by="c2")).http == 404
        for method in ("GET", "PATCH"):
            body = {"name": "x", "last_updated": LATER} if method == "PATCH" else None
            assert (await world.ask(method, world.at(own("locations", LONG)), by="c1", body=body)).http == 404


async def test_two_that_come_at_once_and_differ_in_case_alone_are_both_kept(world_on_both: World) -> None:
    world, names = world_on_both, ("loc-a", "Loc-a", "LOC-a", "LOC-A")
    await asyncio.gather(*(place(world, name, evses=("1",), name=f"The {name}") for name in names))
    assert len(await keys(world, LOCATIONS)) == len(names)
    for name in names:
        assert (await shown(world, "locations", name))["name"] == f"The {name}"


async def test_the_same_ids_of_two_cpos_have_nothing_to_do_with_each_other(world: World) -> None:
    await place(world, "Loc-a", evses=("e",))
    tree = their_location("2.1.1", "BE*BBB", "LOC-A", evses=("E",))
    path = world.at("receiver/locations/BE/BBB/LOC-A")
    assert (await world.ask("PUT", path, by="c2", body=tree)).http == 201
    assert {each["id"] for each in await others_see(world)} == {"Loc-a", "LOC-A"}


@pytest.mark.parametrize("theirs", ["2.2.1", "2.3.0"])
async def test_ids_of_later_versions_are_what_they_are(sqlite_url: str, theirs: str) -> None:
    async with a_world(sqlite_url, theirs) as world:
        tree = their_location(theirs, location_id="Loc-a", evses=("e-1",))
        assert (await put(world, tree, "locations", "LOC-A")).http == 201
        assert (await put(world, {**tree, "id": "loc-A"}, "locations", "Loc-a")).http == 200
        assert await keys(world, LOCATIONS) == {"BE*AAA/LOC-A"}
        assert await world.documents(NAMES) == []


async def test_an_id_without_letters_needs_no_row(world: World) -> None:
    await place(world, "4711", evses=("1", "2"))
    assert await world.documents(NAMES) == []


async def test_a_patch_adds_what_nobody_has_and_changes_what_is_known_in_any_spelling(world: World) -> None:
    (known,) = (await place(world, "L", evses=("left",)))["evses"]
    part = {"evses": [{"uid": "LEFT", "floor_level": "1"}, {**known, "uid": "right"}], "last_updated": LATER}
    said = await world.ask("PATCH", world.at(own("locations", "L")), by="c1", body=part)
    assert said.code == 1000
    evses = (await shown(world, "locations", "L"))["evses"]
    assert [(evse["uid"].lower(), evse.get("floor_level")) for evse in evses] == [("left", "1"), ("right", None)]
    tree = their_location("2.1.1", location_id="L", evses=("left", "right", "RIGHT"))
    await put(world, {**tree, "last_updated": LATER}, "locations", "L")
    (told,) = await others_see(world)
    assert [evse["uid"] for evse in told["evses"]] == ["left", "right", alias_of("RIGHT")]


async def ask(world: World, method: str, *path: str, body: Any = None) -> Said:
    return await world.ask(method, world.at(own(*path)), by="c1", body=body)


async def test_of_two_locations_an_undeclared_spelling_means_neither_and_changes_nothing(world_on_both: World) -> None:
    world = world_on_both
    for name in ("Loc-a", "LOC-A"):
        tree = await place(world, name, evses=("E-1",))
    part = {"status": "CHARGING", "last_updated": LATER}
    async with world.unchanged():
        for below in ((), ("E-1",), ("E-1", "1")):
            for method, body in (("GET", None), ("PATCH", part)):
                if not (method == "PATCH" and below[1:]):
                    said = await ask(world, method, "locations", "loc-A", *below, body=body)
                    assert (said.http, said.code) == (404, 2003), (method, below)
        assert (await ask(world, "PUT", "locations", "loc-A", "E-1", body=tree["evses"][0])).http == 404
        assert (await ask(world, "PUT", "locations", "loc-A", body=tree)).code == 2001
    for name in ("Loc-a", "LOC-A"):
        assert (await ask(world, "PATCH", "locations", name, "e-1", body=part)).code == 1000
        got = await shown(world, "locations", name)
        assert (got["id"], got["evses"][0]["uid"], got["evses"][0]["status"]) == (name, "E-1", "CHARGING")


async def test_of_two_tariffs_an_undeclared_spelling_means_neither_and_changes_nothing(world: World) -> None:
    for name in ("Day", "DAY"):
        await put(world, their_tariff("2.1.1", tariff_id=name), "tariffs", name)
    async with world.unchanged():
        for method, body in (("GET", None), ("DELETE", None), ("PATCH", {"currency": "SEK", "last_updated": LATER})):
            said = await ask(world, method, "tariffs", "day", body=body)
            assert (said.http, (said.code or 0) // 1000) == (404, 2)
    assert (await ask(world, "DELETE", "tariffs", "DAY")).code == 1000
    assert (await shown(world, "tariffs", "Day"))["id"] == "Day"


@pytest.mark.parametrize("name", ["Day", LONG])
async def test_of_one_tariff_any_spelling_is_meant_and_answered_in_the_declared_one(world: World, name: str) -> None:
    await put(world, their_tariff("2.1.1", tariff_id=name), "tariffs", name)
    for spelled in (name.swapcase(), name.upper(), name):
        assert (await shown(world, "tariffs", spelled))["id"] == name
    part = {"currency": "SEK", "last_updated": LATER}
    assert (await ask(world, "PATCH", "tariffs", name.swapcase(), body=part)).code == 1000
    assert (await shown(world, "tariffs", name))["currency"] == "SEK"
    assert (await ask(world, "DELETE", "tariffs", name.upper())).code == 1000
    assert await keys(world, TARIFFS) == set()


async def test_of_two_evses_a_patch_in_an_undeclared_spelling_means_neither(world: World) -> None:
    await place(world, "L", evses=("left", "LEFT"))
    part: Any = {"evses": [{"uid": "Left", "floor_level": "1"}], "last_updated": LATER}
    async with world.unchanged():
        assert (await ask(world, "PATCH", "locations", "L", body=part)).code == 2001
        assert (await ask(world, "PATCH", "locations", "L", "Left", body={"last_updated": LATER})).http == 404
    part["evses"][0]["uid"] = "LEFT"
    assert (await ask(world, "PATCH", "locations", "L", body=part)).code == 1000
    assert [evse.get("floor_level") for evse in (await shown(world, "locations", "L"))["evses"]] == [None, "1"]


async def test_a_token_is_one_in_all_spellings(world: World) -> None:
    for uid in ("Card-a", "CARD-A"):
        said = await world.ask(
            "PUT", world.at(f"receiver/tokens/NL/EEE/{uid}"), by="e1", body=token("2.1.1", uid=uid, last_updated=LATER)
        )
        assert said.code == 1000
    for uid in ("card-a", "Card-a"):
        assert (await world.ask("GET", world.at(f"receiver/tokens/NL/EEE/{uid}"), by="e1")).data["uid"] == "CARD-A"
