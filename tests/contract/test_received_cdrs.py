"""CDRs of other CPOs, as their receiver takes them. OCPI mod_cdrs_receiver_interface."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest

from hub.core.inbound import encode, parse
from hub.core.parties import PartyRole
from modules.cdrs.store import CHECKS, ORIGINALS, RECEIVED
from tests.contract.test_answers import BAD_JSON
from tests.modules.cdrs.check.records import but, wired
from tests.modules.cdrs.check.test_mistakes import EVENING
from tests.world import BASE, World

POST = "receiver/cdrs"
DENSE = "AAAAAAAAAA"


def bill(world: World, **changes: Any) -> dict[str, Any]:
    """The CDR of c1, as it writes it."""
    return wired(but(EVENING, **changes), world.version)


async def post(world: World, body: Any, *, by: str = "c1") -> Any:
    return await world.ask("POST", world.at(POST), by=by, body=body)


def address(world: World, said: Any) -> str:
    """The path of the Location that an answer told."""
    located: str = said.headers["location"]
    return located.removeprefix(BASE)


async def test_a_new_cdr_is_201_with_its_location_and_the_same_again_200_without_effect(world_on_both: World) -> None:
    world = world_on_both
    said = await post(world, bill(world))
    assert (said.http, said.code, said.data) == (201, 1000, None)
    assert said.headers["location"] == f"{BASE}/ocpi/{world.version}/receiver/cdrs/BE/AAA/CDR1"
    async with world.unchanged():
        again = await post(world, bill(world))
        assert (again.http, again.code) == (200, 1000)
        assert again.headers["location"] == said.headers["location"]


async def test_what_was_posted_is_got_back_by_who_posted_it(world: World) -> None:
    sent = {**bill(world), "x_vendor": {"a": [1, "ä"]}}
    path = address(world, await post(world, sent))
    for where in (path, world.at(f"{POST}/CDR1"), world.at(f"{POST}/be/aaa/cdr1")):
        said = await world.ask("GET", where, by="c1")
        assert (said.http, said.code) == (200, 1000)
        assert parse(said.body, limit=2**20)["data"] == parse(encode(sent), limit=2**20)


async def test_nobody_else_gets_it(world: World) -> None:
    path = address(world, await post(world, bill(world)))
    async with world.unchanged():
        for by, http in (("c2", 404), ("e1", 403), ("e2", 403), ("a", 401), ("p", 401), ("x", 401)):
            said = await world.ask("GET", path, by=by)
            assert (by, said.http) == (by, http)
            said = await world.ask("GET", world.at(f"{POST}/CDR1"), by=by)
            assert (by, said.http) == (by, http)
        none = await world.ask("GET", world.at(f"{POST}/NONE"), by="c2")
        there = await world.ask("GET", world.at(f"{POST}/CDR1"), by="c2")
        assert (none.http, none.body) == (there.http, there.body)
    owner_of_the_token = 0 if world.version == "2.1.1" else 1  # which names a contract, and nobody's is known
    for by, count in (("e1", owner_of_the_token), ("e2", 0)):
        assert len((await world.ask("GET", world.at("sender/cdrs"), by=by)).data) == count


async def test_a_cdr_is_never_changed(world: World) -> None:
    await post(world, bill(world))
    async with world.unchanged():
        for changes in ({"total": ("15.00", "17.85")}, {"remark": "another"}, {"total_energy": Decimal(31)}):
            said = await post(world, bill(world, **changes))
            assert (said.http, said.code) == (200, 2001)
            assert "other content" in said.message
        for same in ({"last_updated": "2026-05-05T00:00:00Z"}, {"id": "cdr1"}, {"total": ("14.0000", "16.6600")}):
            said = await post(world, bill(world, **same))
            assert (same, said.http, said.code) == (same, 200, 1000)


async def test_ten_at_once_are_one(world_on_both: World) -> None:
    world = world_on_both
    said = await asyncio.gather(*(post(world, bill(world)) for _ in range(10)))
    assert sorted(answer.http for answer in said) == [200] * 9 + [201]
    for kind in (RECEIVED, ORIGINALS, CHECKS):
        assert len(await world.documents(kind)) == 1


async def test_the_party_of_the_cdr_is_one_of_the_caller(world: World) -> None:
    async with world.unchanged():
        if world.version == "2.1.1":
            return  # it names no party: the CDR is the caller's
        for party in ({"party_id": "BBB"}, {"country_code": "NL"}, {"country_code": "DE", "party_id": "BSB"}):
            said = await post(world, bill(world, **party))
            assert (said.http, said.code) == (200, 2001)
            assert "not yours" in said.message


async def test_two_cpos_may_have_cdrs_of_the_same_id(world: World) -> None:
    await post(world, bill(world))
    theirs = bill(world, party_id="BBB", total_energy=Decimal(31))
    assert (await post(world, theirs, by="c2")).http == 201
    for by, energy in (("c1", 30), ("c2", 31)):
        said = await world.ask("GET", world.at(f"{POST}/CDR1"), by=by)
        assert said.data["total_energy"] == energy


async def test_a_platform_of_several_parties_brings_the_cdrs_of_each(world: World) -> None:
    if world.version == "2.1.1":
        return  # has one party a connection
    partner = await world.join("both", "FR*ONE", PartyRole.CPO)
    second = partner.claims[0].model_copy(update={"party": "FR*TWO"})
    second = type(second).model_validate({"role": "CPO", "party": "FR*TWO"})
    other = type(second).model_validate({"role": "EMSP", "party": "FR*MSP"})
    claims = (*partner.claims, second, other)
    await world.registry.save(partner.model_copy(update={"claims": claims}))
    for party, code in (("ONE", 1000), ("TWO", 1000), ("MSP", 2001)):
        said = await post(world, bill(world, country_code="FR", party_id=party), by="both")
        assert (party, said.code) == (party, code)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_there_is_no_other_way_to_write_one(world: World, method: str) -> None:
    path = address(world, await post(world, bill(world)))
    async with world.unchanged():
        for where, allow in ((path, "GET"), (world.at(f"{POST}/CDR1"), "GET"), (world.at(POST), "POST")):
            said = await world.ask(method, where, by="c1", body=None if method == "DELETE" else bill(world))
            assert (said.http, said.code, said.headers["allow"]) == (405, 2000, allow)


async def test_who_may_post_is_what_the_matrix_says(world: World) -> None:
    async with world.unchanged():
        for by, expected in (
            (None, (401, 2000)),
            ("a", (401, 2000)),
            ("x", (401, 2000)),
            ("p", (401, 2000)),
            ("e1", (403, 2000)),
            ("e2", (403, 2000)),
        ):
            said = await world.ask("POST", world.at(POST), by=by, body=bill(world))
            assert (by, said.http, said.code) == (by, *expected)


async def test_what_is_not_json_is_400_with_2001(world: World) -> None:
    async with world.unchanged():
        for name, body in BAD_JSON.items():
            said = await post(world, body)
            assert (name, said.http, said.code) == (name, 400, 2001)


def bad_cdrs(world: World) -> dict[str, Any]:
    good = bill(world)
    end, cost = ("stop_date_time", 14) if world.version == "2.1.1" else ("end_date_time", good["total_cost"])
    bad: dict[str, Any] = {
        "null": None,
        "a list": [good],
        "text": "CDR",
        "empty": {},
        "id too long": {**good, "id": "A" * 7000},
        "id empty": {**good, "id": ""},
        "id of an object": {**good, "id": {"a": DENSE}},
        "no periods": {**good, "charging_periods": []},
        "periods of null": {**good, "charging_periods": None},
        "a period of text": {**good, "charging_periods": [DENSE]},
        "a dimension unknown": {**good, "charging_periods": [
            {"start_date_time": good["start_date_time"], "dimensions": [{"type": DENSE, "volume": 1}]}]},
        "a volume of text": {**good, "charging_periods": [
            {"start_date_time": good["start_date_time"], "dimensions": [{"type": "ENERGY", "volume": DENSE}]}]},
        "no time": {**good, "start_date_time": "yesterday"},
        "year 99999": {**good, end: "99999-01-01T00:00:00Z"},
        "month 13": {**good, end: "2026-13-01T00:00:00Z"},
        "a currency of four": {**good, "currency": "EURO"},
        "tariffs of text": {**good, "tariffs": DENSE},
        "a tariff without elements": {**good, "tariffs": [{**good["tariffs"][0], "elements": []}]},
        "energy of text": {**good, "total_energy": DENSE},
        "21 digits": {**good, "total_energy": Decimal("1" * 21)},
        "cost of text": {**good, "total_cost": DENSE},
        "cost of another version": {**good, "total_cost": [cost]},
        "auth_method unknown": {**good, "auth_method": DENSE},
        "an end before the start": {**good, end: "2020-01-01T00:00:00Z"},
    }  # fmt: skip
    if world.version != "2.1.1":
        bad["a credit of nothing"] = {**good, "credit": True}
    for name in ("id", "start_date_time", end, "auth_method", "currency", "charging_periods", "total_cost",
                 "total_energy", "total_time", "last_updated"):  # fmt: skip
        bad[f"without {name}"] = {key: value for key, value in good.items() if key != name}
    return bad


async def test_valid_json_with_wrong_content_is_200_with_2001(world: World) -> None:
    async with world.unchanged():
        for name, body in bad_cdrs(world).items():
            said = await post(world, encode(body))
            assert (name, said.http, said.code) == (name, 200, 2001)
            assert DENSE not in said.message


async def test_a_body_over_two_mebibytes_is_413(world: World) -> None:
    async with world.unchanged():
        said = await post(world, b" " * (2 * 1024 * 1024 + 1))
        assert (said.http, said.code) == (413, 2000)


@pytest.mark.parametrize("odd", ["A/B", "#NA", "a b", "?x=1", "%25", "'; --", "*"])
async def test_an_odd_id_comes_back_by_the_location_that_was_told(world: World, odd: str) -> None:
    said = await post(world, bill(world, id=odd))
    assert said.http == 201
    path = address(world, said)
    assert path.endswith(f"/{quote(odd, safe='')}")
    assert (await world.ask("GET", path, by="c1")).data["id"] == odd


async def test_a_cdr_of_2_1_1_keeps_the_location_it_came_with(world: World) -> None:
    if world.version != "2.1.1":
        return  # later versions have what they need in the CDR itself
    sent = bill(world)
    sent["location"] = {**sent["location"], "time_zone": "Europe/Berlin", "type": "ON_STREET"}
    await post(world, sent)
    (check,) = await world.documents(CHECKS)
    assert parse(check.body, limit=2**20)["time_zone"] == "Europe/Berlin"
    said = await world.ask("GET", world.at(f"{POST}/CDR1"), by="c1")
    assert said.data["location"]["type"] == "ON_STREET"


async def test_a_cdr_is_shown_in_the_version_that_is_asked_for(world: World) -> None:
    await post(world, bill(world))
    for version in ("2.2.1", "2.3.0"):
        said = await world.ask("GET", world.at(f"{POST}/CDR1", version=version), by="c1")
        assert said.data["end_date_time"] == EVENING["end_date_time"]
