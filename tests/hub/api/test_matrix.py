"""What two partners can have of each other, as it is told before either is live."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.parties import PartyRole
from modules.bookings.editions import QUIRK
from tests.hub.house import House
from tests.world import VERSIONS, World

PATH = "/api/v1/matrix"


@pytest.fixture
async def house(house: House) -> House:
    """With a CPO of 2.2.1, an eMSP of 2.1.1, and one of 2.2.1 that takes no pushes of locations."""
    world = World.around(house.program.hub)
    await world.join("cpo", "BE*AAA", PartyRole.CPO)
    await world.join("old", "NL*EEE", PartyRole.EMSP, version="2.1.1")
    deaf = await world.join("deaf", "NL*FFF", PartyRole.EMSP)
    rest = tuple(endpoint for endpoint in deaf.endpoints if endpoint.identifier != "locations")
    await world.registry.save(deaf.model_copy(update={"endpoints": rest}))
    return house


async def matrix(house: House, a: str, b: str) -> Any:
    told = await house.ask("GET", f"{PATH}?a={a}&b={b}")
    assert told.status == 200, told.tree
    return told.tree


def hindered(tree: Any) -> dict[tuple[str, str], str]:
    """Why not, by sender and module."""
    return {(case["from"], case["module"]): case["why"] for case in tree["use_cases"] if not case["possible"]}


def fields(tree: Any, module: str) -> set[tuple[str, str]]:
    return {(each["field"], each["what"]) for each in tree["losses"] if each["module"] == module}


async def test_partners_are_told_what_their_versions_cannot_carry(house: House) -> None:
    tree = await matrix(house, "cpo", "old")
    assert tree["a"] == {"name": "cpo", "version": "2.2.1", "roles": ["CPO"]}
    assert tree["b"] == {"name": "old", "version": "2.1.1", "roles": ["EMSP"]}
    assert hindered(tree)["old", "chargingprofiles"] == "OCPI 2.1.1 has no such thing"
    assert {("/state", "lost"), ("/evses/*/connectors/*/tariff_ids", "rewritten")} <= fields(tree, "locations")
    assert ("/credit", "withheld") in fields(tree, "cdrs")
    assert {each["from"] for each in tree["losses"]} == {"cpo", "old"}


async def test_a_part_of_an_object_is_not_told_twice(house: House) -> None:
    tree = await matrix(house, "2.3.0:CPO", "2.1.1:EMSP")
    objects = {each["object"] for each in tree["losses"]}
    assert "Location" in objects
    assert objects.isdisjoint({"EVSE", "Connector"})


async def test_answers_and_results_lose_as_well(house: House) -> None:
    losses = (await matrix(house, "2.2.1:CPO", "2.1.1:EMSP"))["losses"]
    found = {(each["object"], each["field"]) for each in losses if each["from"] == "2.2.1:CPO"}
    assert {("CommandResponse", "/message"), ("CommandResult", "/message")} <= found


async def test_between_equal_versions_all_is_possible_and_nothing_lost(house: House) -> None:
    tree = await matrix(house, "2.3.0:cpo", "2.3.0:EMSP,PTP")
    assert hindered(tree) == {}
    assert tree["losses"] == []
    assert {case["module"] for case in tree["use_cases"]} >= {"locations", "cdrs", "commands", "payments", "bookings"}


async def test_two_of_one_role_have_nothing_to_say_to_each_other(house: House) -> None:
    assert (await matrix(house, "2.2.1:EMSP", "2.2.1:EMSP"))["use_cases"] == []


async def test_what_a_partner_does_not_offer_it_has_to_read(house: House) -> None:
    cases = (await matrix(house, "cpo", "deaf"))["use_cases"]
    (place,) = [case for case in cases if case["module"] == "locations" and case["what"].startswith("Keep a location")]
    assert (place["possible"], place["why"]) == (True, "deaf offers no locations RECEIVER: it has to read our list")
    assert place["methods"] == ["PATCH", "PUT"]


async def test_an_agreement_that_denies_is_named(house: House) -> None:
    await house.ask(
        "PUT", "/api/v1/agreements", {"viewer": "old", "owner": "BE*AAA", "module": "locations", "allow": False}
    )
    why = hindered(await matrix(house, "cpo", "old"))["cpo", "locations"]
    assert why == "agreement: deny viewer old, owner BE*AAA, module locations"


async def test_a_partner_of_bookings_1_0_is_taken_as_such(house: House) -> None:
    world = World.around(house.program.hub)
    for name, party, role in (("places", "BE*BBB", PartyRole.CPO), ("drivers", "NL*GGG", PartyRole.EMSP)):
        await world.join(name, party, role, version="2.3.0")
    assert (await matrix(house, "places", "drivers"))["losses"] == []
    await world.registry.save(world.partner("drivers").model_copy(update={"quirks": (QUIRK,)}))
    lost = fields(await matrix(house, "places", "drivers"), "bookings")
    assert ("/booking_terms", "rewritten") in lost


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("a=cpo&b=nobody", 404),
        ("a=cpo&b=2.1.1", 404),
        ("a=9.9:CPO&b=cpo", 422),
        ("a=2.2.1:KING&b=cpo", 422),
        ("a=2.2.1:CPO,&b=cpo", 404),
        ("a=cpo", 422),
        ("a=&b=", 404),
        (f"a={'x' * 101}&b=cpo", 422),
        ("a=%00&b=%F0%9F%92%A9", 404),
    ],
)
async def test_who_is_nobody_is_refused(house: House, query: str, status: int) -> None:
    assert (await house.ask("GET", f"{PATH}?{query}")).status == status


async def test_a_partner_that_has_not_registered_has_no_version_yet(house: House) -> None:
    await house.invite("late", "NL*LAT")
    told = await house.ask("GET", f"{PATH}?a=late&b=cpo")
    assert told.status == 422
    assert "2.2.1:EMSP" in told.tree["error"]["message"]


@pytest.mark.parametrize("ours", VERSIONS)
@pytest.mark.parametrize("theirs", VERSIONS)
async def test_a_card_may_be_asked_about_between_all_versions(house: House, ours: str, theirs: str) -> None:
    world = World.around(house.program.hub)
    await world.join("asks", "BE*CCC", PartyRole.CPO, version=ours)
    await world.join("says", "NL*SSS", PartyRole.EMSP, version=theirs)
    asked = await real_time(house)
    assert (asked["from"], asked["possible"], asked["why"]) == ("asks", True, "")
    for module in ("tokens", "*"):
        rule = {"viewer": "asks", "owner": "NL*SSS", "module": module, "allow": False}
        await house.ask("PUT", "/api/v1/agreements", rule)
        asked = await real_time(house)
        assert (asked["possible"], asked["why"][:29]) == (False, "agreement: deny viewer asks, ")


async def real_time(house: House) -> Any:
    """The real-time authorization, which one side alone asks for."""
    cases = (await matrix(house, "asks", "says"))["use_cases"]
    (found,) = [each for each in cases if each["what"].startswith("May this token charge")]
    return found


@pytest.mark.parametrize(("viewer", "owner", "way", "module"), [
    ("cpo", "NL*EEE", "cpo", "tokens"), ("old", "BE*AAA", "cpo", "sessions"), ("old", "BE*AAA", "cpo", "cdrs"),
    ("old", "BE*AAA", "old", "commands"),
])  # fmt: skip
async def test_what_an_agreement_keeps_from_going_through_is_not_foretold(
    house: House, viewer: str, owner: str, way: str, module: str
) -> None:
    await house.ask("PUT", "/api/v1/agreements", {"viewer": viewer, "owner": owner, "module": module, "allow": False})
    why = hindered(await matrix(house, "cpo", "old"))[way, module]
    assert why == f"agreement: deny viewer {viewer}, owner {owner}, module {module}"
