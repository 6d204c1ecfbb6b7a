"""Locations that CPOs push, in each version: what is kept, what it does to what was there, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from hub.core.inbound import encode
from modules.locations.publication import LocationPublication
from modules.locations.store import EVSES, LOCATIONS
from tests.world import NOW, Said, World, their_location

X1 = "receiver/locations/BE/AAA/X1"
LATER = NOW + timedelta(minutes=1)
EARLIER = NOW - timedelta(minutes=1)
MOMENT = "2026-05-04T10:01:00Z"
LATER_STILL = "2026-05-04T10:02:00Z"


async def put(world: World, path: str = X1, body: Any = None, *, by: str = "c1", **fields: Any) -> Said:
    return await world.ask("PUT", world.at(path), by=by, body=body or their_location(world.version, **fields))


async def patch(world: World, path: str, part: Any) -> Said:
    return await world.ask("PATCH", world.at(path), by="c1", body=part)


async def kept(world: World, path: str = X1) -> Any:
    said = await world.ask("GET", world.at(path), by="c1")
    assert said.code == 1000
    return said.data


async def changes(world: World, after: int) -> list[tuple[str, str]]:
    return [(row.change.key, row.change.what) for row in await world.store.changes(after=after, limit=100)]


async def test_a_new_location_is_201_and_the_same_again_200_without_a_change(world_on_both: World) -> None:
    world = world_on_both
    said = await put(world)
    assert (said.http, said.code, said.tree.get("data")) == (201, 1000, None)
    async with world.unchanged():
        assert (await put(world)).http == 200
    assert (await put(world, name="New", at=LATER)).http == 200
    assert (await kept(world))["name"] == "New"


async def test_what_was_put_is_got_back_unknown_fields_too(world: World) -> None:
    sent = {**their_location(world.version), "x_vendor": {"a": [1, None, "ä"]}}
    sent["evses"][0]["x_more"] = 1
    await put(world, body=sent)
    shown = await kept(world)
    assert {name: shown[name] for name in sent} == sent


async def test_unknown_fields_reach_partners_of_that_version_byte_by_byte(world: World) -> None:
    """Their numbers too: `2e3` is not written as 2000."""
    unknown = b'"x_vendor":{"a":2e3,"b":[1E-7,-0e2,1.50]}'
    tree = their_location(world.version)
    tree["evses"][0]["connectors"][0]["x_vendor"] = tree["x_vendor"] = "?"
    said = await put(world, body=encode(tree).replace(b'"x_vendor":"?"', unknown))
    assert said.code == 1000
    for path, by in ((X1, "c1"), ("sender/locations/X1", "e1"), ("sender/locations", "e1")):
        shown = await world.ask("GET", world.at(path), by=by)
        assert shown.body.count(unknown) == 2, path
    await LocationPublication().deliver(world.hub, world.partner("e1"), "BE*AAA/X1", frozenset({""}))
    assert encode(world.peers.sent[-1].body).count(unknown) == 2
    status = encode({"status": "CHARGING", "last_updated": MOMENT})
    assert (await patch(world, f"{X1}/{tree['evses'][0]['uid']}", status)).code == 1000
    assert (await world.ask("GET", world.at(X1), by="c1")).body.count(unknown) == 2


async def test_two_evses_of_one_name_are_refused(world: World) -> None:
    tree = their_location(world.version)
    uid = tree["evses"][0]["uid"]
    tree["evses"].append({**tree["evses"][0], "uid": uid if world.version == "2.1.1" else uid.lower()})
    async with world.unchanged():
        said = await put(world, body=tree)
        assert (said.http, said.code) == (200, 2001)
        assert "/evses" in said.tree["status_message"]


async def test_an_older_copy_changes_nothing_and_is_success(world: World) -> None:
    await put(world)
    async with world.unchanged():
        assert (await put(world, name="Old", at=EARLIER)).code == 1000
        old = their_location(world.version, at=EARLIER)["evses"][0]
        assert (await put(world, f"{X1}/E1", {**old, "status": "BLOCKED"})).code == 1000
        assert (await put(world, f"{X1}/E1/1", old["connectors"][0])).code == 1000
        part = {"last_updated": "2026-05-04T09:59:59Z"}
        for path in (X1, f"{X1}/E1", f"{X1}/E1/1"):
            assert (await patch(world, path, part)).code == 1000


async def test_equal_time_is_newer(world: World) -> None:
    await put(world)
    await put(world, name="Equal")
    assert (await kept(world))["name"] == "Equal"


async def test_a_status_moves_the_times_above_it_and_is_told_as_a_status(world: World) -> None:
    await put(world)
    seen = await world.store.last_change()
    assert (await patch(world, f"{X1}/E1", {"status": "CHARGING", "last_updated": MOMENT})).http == 200
    shown = await kept(world)
    one, two = shown["evses"]
    assert (one["status"], one["last_updated"], shown["last_updated"]) == ("CHARGING", MOMENT, MOMENT)
    assert two["last_updated"].startswith("2026-05-04T10:00:00")
    assert await changes(world, seen) == [("BE*AAA/X1", "status/E1")]


async def test_a_child_that_changed_before_its_parent_leaves_the_parents_time(world: World) -> None:
    await put(world)
    whole = {**their_location(world.version), "last_updated": "2026-05-04T11:00:00Z"}
    await put(world, body=whole)
    await patch(world, f"{X1}/E1/1", {"format": "CABLE", "last_updated": MOMENT})
    shown = await kept(world)
    assert shown["last_updated"] == "2026-05-04T11:00:00Z"
    assert shown["evses"][0]["last_updated"] == shown["evses"][0]["connectors"][0]["last_updated"] == MOMENT


async def test_evses_and_connectors_are_added_and_replaced_at_their_own_depth(world: World) -> None:
    await put(world)
    new = their_location(world.version, evses=("E3",), at=LATER)["evses"][0]
    assert (await put(world, f"{X1}/E3", new)).http == 201
    assert (await put(world, f"{X1}/E3", new)).http == 200
    connector = {**new["connectors"][0], "id": "2"}
    assert (await put(world, f"{X1}/E3/2", connector)).http == 201
    assert (await put(world, f"{X1}/e3/2", connector)).http == 200
    assert [evse["uid"] for evse in (await kept(world))["evses"]] == ["E1", "E2", "E3"]
    assert [c["id"] for c in (await kept(world, f"{X1}/E3"))["connectors"]] == ["1", "2"]
    assert (await kept(world, f"{X1}/E3/2"))["id"] == "2"
    assert {d.key for d in await world.documents(EVSES) if d.owner == "BE*AAA"} == {
        "BE*AAA/E1", "BE*AAA/E2", "BE*AAA/E3"}  # fmt: skip


async def test_what_belongs_to_nothing_we_have_is_2003_so_that_its_owner_puts_the_whole(world: World) -> None:
    evse = their_location(world.version)["evses"][0]
    async with world.unchanged():
        for path, body in ((f"{X1}/E1", evse), (f"{X1}/E1/1", evse["connectors"][0])):
            said = await put(world, path, body)
            assert (path, said.http, said.code) == (path, 404, 2003)
        for path in (X1, f"{X1}/E1", f"{X1}/E1/1"):
            said = await patch(world, path, {"last_updated": MOMENT})
            assert (path, said.http, said.code) == (path, 404, 2003)
            said = await world.ask("GET", world.at(path), by="c1")
            assert (path, said.http, said.code) == (path, 404, 2003)
    await put(world)
    async with world.unchanged():
        for path in (f"{X1}/E9", f"{X1}/E1/9"):
            assert (await patch(world, path, {"last_updated": MOMENT})).code == 2003
        assert (await put(world, f"{X1}/E9/1", evse["connectors"][0])).code == 2003


async def test_an_evse_that_a_put_leaves_out_stays_readable_as_removed(world: World) -> None:
    await put(world)
    await put(world, evses=("E1",), at=LATER)
    for _ in range(2):
        shown = await kept(world)
        assert {evse["uid"]: evse["status"] for evse in shown["evses"]} == {"E1": "AVAILABLE", "E2": "REMOVED"}
        async with world.unchanged():
            await put(world, evses=("E1",), at=LATER)


async def test_a_patch_of_a_location_joins_evses_by_uid_and_replaces_all_else(world: World) -> None:
    await put(world)
    evse = {**their_location(world.version, at=LATER)["evses"][1], "status": "BLOCKED"}
    new = their_location(world.version, evses=("E3",), at=LATER)["evses"][0]
    part = {"name": "New", "evses": [evse, new], "last_updated": MOMENT}
    assert (await patch(world, X1, part)).code == 1000
    shown = await kept(world)
    assert shown["name"] == "New"
    assert [(e["uid"], e["status"]) for e in shown["evses"]] == [
        ("E1", "AVAILABLE"), ("E2", "BLOCKED"), ("E3", "AVAILABLE")]  # fmt: skip


async def test_null_removes_what_is_optional(world: World) -> None:
    await put(world)
    assert (await patch(world, X1, {"name": None, "last_updated": MOMENT})).code == 1000
    assert "name" not in await kept(world)
    part = {"evses": [{"uid": "E1", "floor_level": "-1"}], "last_updated": MOMENT}
    assert (await patch(world, X1, part)).code == 1000
    assert (await kept(world))["evses"][0]["floor_level"] == "-1"
    part["evses"] = [{"uid": "e1", "floor_level": None}]
    assert (await patch(world, X1, part)).code == 1000
    assert "floor_level" not in (await kept(world))["evses"][0]


async def test_a_patch_may_carry_parts_of_evses_and_of_their_connectors(world: World) -> None:
    await put(world)
    before = await kept(world)
    amperage = "amperage" if world.version == "2.1.1" else "max_amperage"
    evses = [{"uid": "E2", "status": "BLOCKED", "connectors": [{"id": "1", amperage: 16}]}]
    assert (await patch(world, X1, {"evses": evses, "last_updated": LATER_STILL})).code == 1000
    first, second = (await kept(world))["evses"]
    assert first == before["evses"][0]
    assert (second["status"], second["connectors"][0][amperage]) == ("BLOCKED", 16)
    assert second["last_updated"] == second["connectors"][0]["last_updated"] == LATER_STILL
    unchanged = {"status", "last_updated", "connectors"}
    assert {n: v for n, v in second.items() if n not in unchanged} == {
        n: v for n, v in before["evses"][1].items() if n not in unchanged
    }


async def test_a_patch_of_an_evse_may_carry_a_new_connector_and_loses_none(world: World) -> None:
    await put(world)
    connector = {**their_location(world.version)["evses"][0]["connectors"][0], "id": "2"}
    assert (await patch(world, f"{X1}/E1", {"connectors": [connector], "last_updated": MOMENT})).code == 1000
    assert [each["id"] for each in (await kept(world))["evses"][0]["connectors"]] == ["1", "2"]
    whole = their_location(world.version)["evses"][0]
    assert (await patch(world, X1, {"evses": [whole], "last_updated": MOMENT})).code == 1000
    assert [each["id"] for each in (await kept(world))["evses"][0]["connectors"]] == ["1", "2"]


@pytest.mark.parametrize("evses", [None, []])
async def test_a_patch_that_names_no_evse_loses_none(world: World, evses: Any) -> None:
    await put(world)
    assert (await patch(world, X1, {"evses": evses, "last_updated": MOMENT})).code == 1000
    assert [evse["uid"] for evse in (await kept(world))["evses"]] == ["E1", "E2"]


async def test_a_part_of_an_evse_that_is_older_changes_nothing_of_it(world: World) -> None:
    await put(world, at=LATER)
    part = {"name": "New", "evses": [{"uid": "E1", "status": "BLOCKED", "last_updated": "2026-05-04T10:00:00Z"}]}
    assert (await patch(world, X1, {**part, "last_updated": LATER_STILL})).code == 1000
    shown = await kept(world)
    assert (shown["name"], shown["evses"][0]["status"]) == ("New", "AVAILABLE")


def wrong(version: str) -> Iterator[tuple[str, str, Any]]:
    """(method, path, body) that are JSON, and wrong."""
    whole = their_location(version)
    none: list[Any] = [[], None, "x", {}]
    evse = whole["evses"][0]
    connector = evse["connectors"][0]
    without = {name: {k: v for k, v in whole.items() if k != name} for name in ("city", "coordinates", "last_updated")}
    yield from (("PUT", X1, body) for body in (*none, *without.values()))
    yield "PUT", X1, {**whole, "id": "X2"}
    yield "PUT", X1, {**whole, "evses": [{**evse, "status": "BUSY"}]}
    yield "PUT", X1, {**whole, "evses": [{**evse, "connectors": []}]}
    yield "PUT", X1, {**whole, "coordinates": {"latitude": "x", "longitude": "1"}}
    yield "PUT", f"{X1}/E1", {**evse, "uid": "E2"}
    yield "PUT", f"{X1}/E1", {**evse, "connectors": None}
    yield "PUT", f"{X1}/E1/1", {**connector, "id": "2"}
    yield "PUT", f"{X1}/E1/1", {**connector, "format": "PLUG"}
    yield "PATCH", X1, {"last_updated": MOMENT, "city": None}
    yield "PATCH", X1, {"last_updated": MOMENT, "id": "X2"}
    yield "PATCH", X1, {"last_updated": "soon"}
    for parts in (
        [{"status": "BLOCKED"}],
        [{"uid": "E9", "status": "BLOCKED"}],
        [{"uid": "E1"}, {"uid": "e1"}],
        ["E1"],
    ):
        yield "PATCH", X1, {"last_updated": MOMENT, "evses": parts}
    for name, value in (("status", None), ("uid", None), ("connectors", []), ("connectors", [{"format": "CABLE"}])):
        yield "PATCH", X1, {"last_updated": MOMENT, "evses": [{"uid": "E1", name: value}]}
    yield "PATCH", f"{X1}/E1", {"last_updated": MOMENT, "connectors": [{"id": "7", "format": "CABLE"}]}
    yield "PATCH", f"{X1}/E1", {"last_updated": MOMENT, "status": None}
    yield "PATCH", f"{X1}/E1", {"last_updated": MOMENT, "uid": "E2"}
    yield "PATCH", f"{X1}/E1", {"last_updated": MOMENT, "status": "BUSY"}
    yield "PATCH", f"{X1}/E1/1", {"last_updated": MOMENT, "id": "9"}
    if version != "2.1.1":
        yield from (("PATCH", path, {"x": 1}) for path in (X1, f"{X1}/E1", f"{X1}/E1/1"))
        yield "PATCH", X1, {"last_updated": MOMENT, "party_id": "BBB"}
        yield "PUT", X1, {**whole, "country_code": "NL"}
        yield "PUT", X1, {**whole, "publish": None}


async def test_wrong_content_is_200_with_2001_and_has_no_effect(world: World) -> None:
    await put(world)
    async with world.unchanged():
        for method, path, body in wrong(world.version):
            said = await world.ask(method, world.at(path), by="c1", body=b"null" if body is None else body)
            assert (method, path, body, said.http, said.code) == (method, path, body, 200, 2001)


async def test_a_patch_of_211_needs_no_time(world: World) -> None:
    await put(world, at=EARLIER)
    said = await patch(world, f"{X1}/E1", {"status": "BLOCKED"})
    assert said.code == (1000 if world.version == "2.1.1" else 2001)


async def test_two_cpos_may_have_locations_of_one_id(world: World) -> None:
    await put(world)
    path = "receiver/locations/BE/BBB/X1"
    body = their_location(world.version, "BE*BBB", name="Other")
    assert (await put(world, path, body, by="c2")).http == 201
    assert (await kept(world))["name"] == "Rail"
    assert {d.key for d in await world.documents(LOCATIONS)} == {"DE*BSB/LOC1", "BE*AAA/X1", "BE*BBB/X1"}


async def test_statuses_at_the_same_time_are_all_kept(world_on_both: World) -> None:
    world = world_on_both
    uids = tuple(f"E{n}" for n in range(8))
    await put(world, evses=uids)
    part = {"status": "CHARGING", "last_updated": MOMENT}
    answers = await asyncio.gather(*(patch(world, f"{X1}/{uid}", part) for uid in uids))
    assert {said.code for said in answers} == {1000}
    assert {evse["status"] for evse in (await kept(world))["evses"]} == {"CHARGING"}


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_another_partys_space_is_404_whether_it_exists_or_not(world: World, method: str) -> None:
    await put(world, "receiver/locations/BE/BBB/X1", their_location(world.version, "BE*BBB"), by="c2")
    body = their_location(world.version, "BE*BBB") if method == "PUT" else {"last_updated": MOMENT}
    async with world.unchanged():
        answers = set()
        for place in ("BE/BBB/X1", "BE/BBB/NOPE", "DE/BSB/LOC1", "ZZ/ZZZ/X1"):
            said = await world.ask(method, world.at(f"receiver/locations/{place}"), by="c1", body=body)
            answers.add((said.http, said.code, said.message))
        assert len(answers) == 1
        assert next(iter(answers))[:2] == (404, 2000)


async def test_what_changed_goes_on_with_the_correlation_id_of_who_changed_it(world: World) -> None:
    seen = await world.store.last_change()
    await world.ask(
        "PUT",
        world.at(X1),
        by="c1",
        body=their_location(world.version),
        headers=[("X-Correlation-ID", "journey-1")],
    )
    part = {"status": "CHARGING", "last_updated": MOMENT}
    await world.ask("PATCH", world.at(f"{X1}/E1"), by="c1", body=part, headers=[("X-Correlation-ID", "journey-2")])
    rows = await world.store.changes(after=seen, limit=10)
    assert [row.change.correlation_id for row in rows] == ["journey-1", "journey-2"]
