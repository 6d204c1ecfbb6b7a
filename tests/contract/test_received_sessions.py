"""Sessions of other CPOs, as their receiver takes them. OCPI mod_sessions_receiver_interface."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from hub.core.agreements import Agreement
from hub.core.inbound import encode, parse
from hub.core.parties import Party
from modules.sessions.store import SESSIONS
from modules.tariffs import service as tariffs
from tests.contract.test_answers import BAD_JSON
from tests.modules.sessions.records import a_period, a_session
from tests.unread import unread
from tests.world import World, tariff, their_location, token

PATH = "receiver/sessions/BE/AAA/S1"
LIST = "sender/sessions?date_from=2026-01-01T00:00:00Z"
LATER = "2026-05-04T11:00:00Z"
EARLIER = "2026-05-04T09:00:00Z"
DENSE = "AAAAAAAAAA"


async def known_card(world: World) -> None:
    """2.1.1 names the contract only, so the hub must know the card."""
    path = world.at("receiver/tokens/NL/EEE/CARD1")
    assert (await world.ask("PUT", path, by="e1", body=token(world.version))).code == 1000


async def put(world: World, *, by: str = "c1", path: str = PATH, **changes: Any) -> Any:
    return await world.ask("PUT", world.at(path), by=by, body=a_session(world.version, **changes))


async def patch(world: World, body: Any, *, by: str = "c1", path: str = PATH) -> Any:
    return await world.ask("PATCH", world.at(path), by=by, body=body)


async def shown(world: World) -> Any:
    said = await world.ask("GET", world.at(PATH), by="c1")
    assert (said.http, said.code) == (200, 1000)
    return said.data


async def kept(world: World) -> dict[str, Any]:
    document = await world.store.get(SESSIONS, "BE*AAA/S1")
    assert document is not None
    return {**parse(document.body, limit=2**20), "audience": document.audience}


async def test_a_new_session_is_201_and_the_same_again_200_without_effect(world_on_both: World) -> None:
    world = world_on_both
    await known_card(world)
    said = await put(world)
    assert (said.http, said.code, said.data) == (201, 1000, None)
    async with world.unchanged():
        again = await put(world)
        assert (again.http, again.code) == (200, 1000)


async def test_what_was_put_is_got_back_in_the_words_of_the_version(world: World) -> None:
    await known_card(world)
    sent = {**a_session(world.version), "x_vendor": {"a": [1, "ä"]}}
    assert (await world.ask("PUT", world.at(PATH), by="c1", body=sent)).http == 201
    got = await shown(world)
    for name in sent.keys() - {"location"}:
        assert parse(encode(got[name]), limit=2**20) == parse(encode(sent[name]), limit=2**20), name
    assert ("location" in got) is (world.version == "2.1.1")
    if "location" in got:
        assert got["location"]["name"] == "Rail"


async def test_unknown_fields_reach_the_partner_byte_by_byte_and_known_numbers_in_plain_notation(world: World) -> None:
    await known_card(world)
    unknown = b'"x_vendor":{"a":2e3,"b":[1E-7,-0e2]}'
    body = encode({**a_session(world.version), "kwh": "?", "x_vendor": "?"})
    body = body.replace(b'"x_vendor":"?"', unknown).replace(b'"kwh":"?"', b'"kwh":1.25e1')
    assert (await world.ask("PUT", world.at(PATH), by="c1", body=body)).code == 1000
    for path, by in ((PATH, "c1"), (LIST, "e1")):
        shown = (await world.ask("GET", world.at(path), by=by)).body
        assert unknown in shown
        assert b'"kwh":12.5' in shown


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_the_connector_within_a_session_of_2_1_1_names_a_tariff_that_its_partners_can_have(world: World) -> None:
    await known_card(world)
    tree = {**tariff("T1"), "type": "AD_HOC_PAYMENT"}
    for tariff_type, theirs in ((None, "T1"), ("AD_HOC_PAYMENT", None), ("REGULAR", "T1")):
        if tariff_type is not None:
            await tariffs.put(
                world.store, Party("BE", "AAA"), "T1", {**tree, "type": tariff_type}, now=world.clock.now()
            )
        await put(world, kwh=Decimal(len(str(tariff_type))))
        listed = await world.ask("GET", world.at(LIST), by="e1")
        assert named(listed.data[0]) == theirs, tariff_type
        assert named(await shown(world)) == "T1", "its owner sees its own words"


def named(session: dict[str, Any]) -> str | None:
    found: str | None = session["location"]["evses"][0]["connectors"][0].get("tariff_id")
    return found


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
async def test_what_plainly_follows_is_written_without_a_look_at_what_is_on_record(world: World) -> None:
    await put(world)
    store = world.store
    world.hub.store = unread(store)
    answer = await put(world, kwh=Decimal(2), last_updated=LATER)
    world.hub.store = store
    assert answer.http == 200
    assert (await kept(world))["kwh"] == 2


async def test_a_put_replaces_the_whole_and_an_empty_list_of_periods_empties_it(world: World) -> None:
    await known_card(world)
    await put(world, charging_periods=[a_period(0), a_period(5)])
    await put(world, charging_periods=[], last_updated=LATER)
    assert not (await kept(world)).get("charging_periods")


async def test_a_patch_adds_periods_and_a_retry_adds_nothing(world: World) -> None:
    await known_card(world)
    await put(world)
    news = a_session(world.version, charging_periods=[a_period(5, "2"), a_period(10, "3")])["charging_periods"]
    part = {"kwh": 6, "charging_periods": news, "last_updated": LATER}
    assert (await patch(world, part)).code == 1000
    async with world.unchanged():
        assert (await patch(world, part)).code == 1000
    periods = (await kept(world))["charging_periods"]
    assert [(p["start_date_time"][14:16], p["dimensions"][0]["volume"]) for p in periods] == [
        ("00", 1), ("05", 2), ("10", 3)]  # fmt: skip
    again = a_session(world.version, charging_periods=[a_period(10, "4")])["charging_periods"]
    await patch(world, {"charging_periods": again, "last_updated": LATER})
    assert [p["dimensions"][0]["volume"] for p in (await kept(world))["charging_periods"]] == [1, 2, 4]


async def test_a_session_does_not_become_another_emsps(world: World) -> None:
    await known_card(world)
    path = world.at("receiver/tokens/NL/FFF/CARD2")
    assert (await world.ask("PUT", path, by="e2", body=token(world.version, "NL*FFF", "CARD2"))).code == 1000
    await put(world)
    other = a_session(world.version, last_updated=LATER)
    if world.version == "2.1.1":
        changed = {"auth_id": token(world.version, "NL*FFF", "CARD2")["auth_id"]}
    else:
        changed = {"cdr_token": {**other["cdr_token"], "party_id": "FFF", "uid": "CARD2", "contract_id": "NL-FFF-C1"}}
    async with world.unchanged():
        for said in (
            await patch(world, {**changed, "last_updated": LATER}),
            await world.ask("PUT", world.at(PATH), by="c1", body={**other, **changed}),
        ):
            assert (said.http, said.code) == (200, 2001)
            assert "CARD" not in said.message
    if world.version != "2.1.1":
        same = {"cdr_token": {**other["cdr_token"], "uid": "CARD7"}, "last_updated": LATER}
        assert (await patch(world, same)).code == 1000, "another card of the same eMSP"


@pytest.mark.parametrize("nothing", [[], None])
async def test_a_patch_without_periods_leaves_them(world: World, nothing: Any) -> None:
    await known_card(world)
    await put(world)
    for part in ({"kwh": 2}, {"kwh": 3, "charging_periods": nothing}):
        assert (await patch(world, {**part, "last_updated": LATER})).code == 1000
    assert [p["start_date_time"][14:16] for p in (await kept(world))["charging_periods"]] == ["00"]


async def test_a_patch_of_what_is_not_there_is_404_so_that_it_is_put(world: World) -> None:
    async with world.unchanged():
        said = await patch(world, {"kwh": 2, "last_updated": LATER})
        assert (said.http, said.code) == (404, 2000)


async def test_a_patch_says_when_except_in_211(world: World) -> None:
    await known_card(world)
    await put(world, last_updated=EARLIER)
    assert (await patch(world, {"kwh": 2})).code == (1000 if world.version == "2.1.1" else 2001)


async def test_an_older_copy_changes_nothing_and_one_of_the_same_time_counts(world: World) -> None:
    await known_card(world)
    await put(world, kwh=2)
    async with world.unchanged():
        assert (await put(world, kwh=1, last_updated=EARLIER)).code == 1000
        assert (await patch(world, {"kwh": 1, "last_updated": EARLIER})).code == 1000
    await put(world, kwh=3)
    assert (await kept(world))["kwh"] == 3


async def test_a_session_that_is_over_does_not_go_on(world: World) -> None:
    await known_card(world)
    await put(world, status="COMPLETED")
    async with world.unchanged():
        for status in ("ACTIVE", "PENDING"):
            for last_updated in (None, LATER):
                moment = {"last_updated": last_updated} if last_updated else {}
                said = await put(world, status=status, **moment)
                assert (said.http, said.code) == (200, 2001)
            assert (await patch(world, {"status": status, "last_updated": LATER})).code == 2001
    assert (await put(world, status="COMPLETED", kwh=9, last_updated=LATER)).code == 1000
    assert (await put(world, status="INVALID", last_updated=LATER)).code == 1000
    assert (await put(world, status="COMPLETED", last_updated=LATER)).code == 2001


async def test_the_url_and_the_object_name_the_same_session(world: World) -> None:
    async with world.unchanged():
        assert (await put(world, id="S2")).code == 2001
        if world.version != "2.1.1":  # there the body names no party
            said = await put(world, party_id="BBB")
            assert (said.http, said.code) == (200, 2001)
    await put(world)
    async with world.unchanged():
        assert (await patch(world, {"id": "S2", "last_updated": LATER})).code == 2001
    assert (await put(world, path="receiver/sessions/be/aaa/s1", last_updated=LATER)).http == 200


async def test_two_cpos_may_have_sessions_of_one_id(world: World) -> None:
    await known_card(world)
    await put(world)
    assert (await put(world, by="c2", path="receiver/sessions/BE/BBB/S1", owner="BE*BBB", kwh=7)).http == 201
    assert (await shown(world))["kwh"] == 1
    assert len((await world.ask("GET", world.at(LIST), by="e1")).data) == 2


async def test_who_may_is_what_the_matrix_says(world: World) -> None:
    await known_card(world)
    await put(world)
    unauthorized, forbidden, foreign = (401, 2000), (403, 2000), (404, 2000)
    async with world.unchanged():
        for by, expected in ((None, unauthorized), ("a", unauthorized), ("x", unauthorized), ("p", unauthorized),
                             ("e1", forbidden), ("e2", forbidden), ("c2", foreign)):  # fmt: skip
            part = {"kwh": 2, "last_updated": LATER}
            for method, body in (("GET", None), ("PUT", a_session(world.version, kwh=2)), ("PATCH", part)):
                said = await world.ask(method, world.at(PATH), by=by, body=body)
                assert (by, method, said.http, said.code) == (by, method, *expected)
        for by in ("c1", "e1"):
            for method in ("POST", "DELETE"):
                said = await world.ask(method, world.at(PATH), by=by, body=None if method == "DELETE" else {})
                assert (said.http, said.code, said.headers["allow"]) == (405, 2000, "GET, PATCH, PUT")


async def test_only_the_owner_of_the_token_has_it_in_its_list(world: World) -> None:
    await known_card(world)
    await put(world)
    for by, count in (("e1", 1), ("e2", 0)):
        said = await world.ask("GET", world.at(LIST), by=by)
        assert (len(said.data), said.headers["x-total-count"]) == (count, str(count))
    assert (await world.ask("GET", world.at(LIST), by="c1")).http == 403


async def test_a_contract_of_nobody_is_kept_and_told_to_nobody(world: World) -> None:
    driver = "NL*EEE" if world.version == "2.1.1" else "NL*ZZZ"
    assert (await put(world, driver=driver)).http == 201
    assert (await kept(world))["audience"] == ""
    for by in ("e1", "e2"):
        assert (await world.ask("GET", world.at(LIST), by=by)).data == []
    audits = [row.audit.action for row in await world.store.audit_rows(after=0, limit=1000)]
    assert audits.count("session.unaddressed") == 1
    if world.version == "2.1.1":  # and is the driver's, as soon as the card is known
        await known_card(world)
        await put(world, last_updated=LATER)
        found = await kept(world)
        assert (found["audience"], found["cdr_token"]["uid"]) == ("NL*EEE", "CARD1")


async def test_a_contract_of_two_parties_is_nobodys(world: World) -> None:
    await known_card(world)
    path = world.at("receiver/tokens/NL/FFF/CARD9")
    theirs = token(world.version, "NL*FFF", "CARD9")
    theirs["auth_id" if world.version == "2.1.1" else "contract_id"] = "NL-EEE-C1"
    assert (await world.ask("PUT", path, by="e2", body=theirs)).http == 201
    await put(world)
    assert (await kept(world))["audience"] == ("" if world.version == "2.1.1" else "NL*EEE")


async def test_ten_at_once_are_one(world_on_both: World) -> None:
    world = world_on_both
    await known_card(world)
    said = await asyncio.gather(*(put(world) for _ in range(10)))
    assert sorted(answer.http for answer in said) == [200] * 9 + [201]
    assert len(await world.documents(SESSIONS)) == 1


async def test_what_is_not_json_is_400_with_2001(world: World) -> None:
    async with world.unchanged():
        for method in ("PUT", "PATCH"):
            for name, body in BAD_JSON.items():
                said = await world.ask(method, world.at(PATH), by="c1", body=body)
                assert (method, name, said.http, said.code) == (method, name, 400, 2001)


async def test_valid_json_with_wrong_content_is_200_with_2001(world: World) -> None:
    good = a_session(world.version)
    start = "start_datetime" if world.version == "2.1.1" else "start_date_time"
    bad: dict[str, Any] = {"null": None, "a list": [good], "text": DENSE, "empty": {}}
    bad |= {f"without {name}": {k: v for k, v in good.items() if k != name}
            for name in ("id", start, "kwh", "auth_method", "currency", "status", "last_updated")}  # fmt: skip
    for name, value in (("status", DENSE), ("kwh", DENSE), ("kwh", True), (start, "yesterday"), ("currency", "EURO"),
                        ("charging_periods", DENSE), ("charging_periods", [DENSE]), ("total_cost", [1])):  # fmt: skip
        bad[f"{name} {value!r}"] = {**good, name: value}
    bad["no token"] = {k: v for k, v in good.items() if k not in ("cdr_token", "auth_id")}
    bad["no place"] = {k: v for k, v in good.items() if k not in ("location", "location_id")}
    async with world.unchanged():
        for name, body in bad.items():
            said = await world.ask("PUT", world.at(PATH), by="c1", body=encode(body))
            assert (name, said.http, said.code) == (name, 200, 2001)
            assert DENSE not in said.message


async def test_a_body_over_half_a_mebibyte_is_413(world: World) -> None:
    async with world.unchanged():
        for method in ("PUT", "PATCH"):
            said = await world.ask(method, world.at(PATH), by="c1", body=b" " * (512 * 1024 + 1))
            assert (said.http, said.code) == (413, 2000)


async def test_a_session_of_any_version_is_listed_in_each(world: World) -> None:
    await known_card(world)
    await put(world)
    for version in ("2.1.1", "2.2.1", "2.3.0"):
        (found,) = (await world.ask("GET", world.at(LIST, version=version), by="e1")).data
        assert (found["id"], found["kwh"]) == ("S1", 1)
        if version == "2.1.1":
            assert found["auth_id"] == "NL-EEE-C1"
            (evse,) = found["location"]["evses"]
            assert (found["location"]["id"], evse["uid"], evse["connectors"][0]["id"]) == ("PLACE1", "E1", "1")


NOT_ON_RECORD: dict[str, tuple[dict[str, str], tuple[str, str, int]]] = {
    "a reservation of no EVSE": ({"evse_uid": "#NA", "connector_id": "#NA"}, ("#NA", "#NA", 0)),
    "an EVSE that nobody told of": ({"evse_uid": "E9"}, ("E9", "1", 0)),
    "a connector that is not named": ({"connector_id": "#NA"}, ("E1", "#NA", 0)),
    "what is on record": ({}, ("E1", "1", 230)),
}


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
@pytest.mark.parametrize("name", NOT_ON_RECORD)
async def test_what_a_known_location_lacks_is_bare_in_it_for_2_1_1_and_all_else_is_told(
    world: World, name: str
) -> None:
    changes, (evse_uid, connector_id, voltage) = NOT_ON_RECORD[name]
    place = their_location(world.version, location_id="PLACE1", evses=("E1", "E2"))
    said = await world.ask("PUT", world.at("receiver/locations/BE/AAA/PLACE1"), by="c1", body=place)
    assert said.code == 1000
    assert (await put(world, status="RESERVATION", **changes)).code == 1000
    (found,) = (await world.ask("GET", world.at(LIST, version="2.1.1"), by="e1")).data
    told = found["location"]
    assert (told["id"], told["address"], told["city"]) == ("PLACE1", "Rail 1", "Berlin")
    assert told["coordinates"] == {"latitude": "52.520008", "longitude": "13.404954"}
    (evse,) = told["evses"]
    (connector,) = evse["connectors"]
    assert (evse["uid"], connector["id"], connector["voltage"]) == (evse_uid, connector_id, voltage)


@pytest.mark.parametrize("version", ["2.1.1"])
async def test_a_location_without_an_evse_that_came_with_a_session_is_told_with_a_bare_one(world: World) -> None:
    await known_card(world)
    body = a_session(world.version)
    body["location"] = {name: value for name, value in body["location"].items() if name != "evses"}
    assert (await world.ask("PUT", world.at(PATH), by="c1", body=body)).code == 1000
    (found,) = (await world.ask("GET", world.at(LIST), by="e1")).data
    (evse,) = found["location"]["evses"]
    assert (found["location"]["address"], evse["uid"]) == ("Rail 1", "#NA")


async def test_an_agreement_may_keep_it_from_the_owner_of_the_token(world: World) -> None:
    await known_card(world)
    await world.hub.agreements.put(Agreement("NL*EEE", "BE*AAA", "sessions", allow=False), actor="op")
    await put(world)
    assert (await kept(world))["audience"] == ""


async def test_figures_may_be_text_and_are_kept_as_numbers(world: World) -> None:
    """The example of 2.1.1 writes a price so; what is no plain figure is none."""
    await known_card(world)
    body = a_session(world.version)
    assert (await world.ask("PUT", world.at(PATH), by="c1", body={**body, "kwh": "5.50"})).code == 1000
    assert (await kept(world))["kwh"] == Decimal("5.50")
    async with world.unchanged():
        for figure in ("", "NaN", "Infinity", "1_0", "٣", "5,5", "5 kWh", " 5", True, [5], "1e999", "9" * 21):
            said = await world.ask("PUT", world.at(PATH), by="c1", body={**body, "kwh": figure})
            assert (figure, said.http, said.code) == (figure, 200, 2001)


async def test_energy_that_was_given_back_has_a_word_since_2_2(world: World) -> None:
    """CdrDimensionType, ENERGY: when negative, more energy was fed into the grid than charged into the EV."""
    await known_card(world)
    await put(world)
    has_word = world.version != "2.1.1"
    assert (await put(world, kwh=Decimal(-2), last_updated=LATER)).code == (1000 if has_word else 2001)
    assert (await patch(world, {"kwh": -3, "last_updated": LATER})).code == (1000 if has_word else 2001)
    assert (await kept(world))["kwh"] == (-3 if has_word else 1)


async def test_a_session_costs_nothing_below_zero(world: World) -> None:
    """Money is given back by credit CDRs."""
    await known_card(world)
    await put(world)
    cost = {"2.1.1": -1, "2.2.1": {"excl_vat": -1}, "2.3.0": {"before_taxes": -1}}[world.version]
    async with world.unchanged():
        for said in (
            await world.ask("PUT", world.at(PATH), by="c1", body={**a_session(world.version), "total_cost": cost}),
            await patch(world, {"total_cost": cost, "last_updated": LATER}),
        ):
            assert (said.http, said.code) == (200, 2001)
