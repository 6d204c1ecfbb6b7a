"""Versions and version details. OCPI version_information_endpoint."""

from __future__ import annotations

import pytest

from hub.core.parties import PartyRole
from tests.world import BASE, NOT_OURS, VERSIONS, World, a_world

EMSP_SEES = {
    ("credentials", "SENDER"),
    ("locations", "SENDER"),
    ("tariffs", "SENDER"),
    ("tokens", "RECEIVER"),
    ("sessions", "SENDER"),
    ("cdrs", "SENDER"),
    ("commands", "RECEIVER"),
}
CPO_SEES = {
    ("credentials", "SENDER"),
    ("locations", "SENDER"),
    ("locations", "RECEIVER"),
    ("tariffs", "SENDER"),
    ("tariffs", "RECEIVER"),
    ("tokens", "SENDER"),
    ("sessions", "RECEIVER"),
    ("cdrs", "RECEIVER"),
    ("commands", "SENDER"),
}
SINCE_2_2 = {
    "e1": {("chargingprofiles", "RECEIVER"), ("hubclientinfo", "SENDER")},
    "a": {("chargingprofiles", "RECEIVER"), ("hubclientinfo", "SENDER")},
    "c1": {("chargingprofiles", "SENDER"), ("hubclientinfo", "SENDER")},
}
_INVOICES = {("invoicereconciliation", "SENDER"), ("invoicereconciliation", "RECEIVER")}
OF_230 = {
    "e1": {("Booking", "SENDER"), *_INVOICES},
    "a": {("Booking", "SENDER"), *_INVOICES},
    "c1": {("Booking", "RECEIVER"), ("payments", "SENDER"), *_INVOICES},
}
"""What only 2.3.0 has."""


@pytest.mark.parametrize("slash", ["", "/"])
async def test_the_list_names_every_version_with_an_absolute_url(world: World, slash: str) -> None:
    said = await world.ask("GET", f"/ocpi/versions{slash}", by="e1")
    assert (said.http, said.code) == (200, 1000)
    assert said.data == [{"version": version, "url": f"{BASE}/ocpi/{version}"} for version in VERSIONS]


@pytest.mark.parametrize(("by", "sees"), [("e1", EMSP_SEES), ("a", EMSP_SEES), ("c1", CPO_SEES)])
async def test_details_list_only_what_the_role_may_use(world: World, by: str, sees: set[tuple[str, str]]) -> None:
    said = await world.ask("GET", f"/ocpi/{world.version}", by=by)
    assert said.data["version"] == world.version
    listed = said.data["endpoints"]
    if world.version == "2.1.1":
        assert {endpoint["identifier"] for endpoint in listed} == {module for module, _ in sees}
        assert all("role" not in endpoint for endpoint in listed)
        side = "receiver" if by == "c1" else "sender"
        assert [e["url"] for e in listed if e["identifier"] == "locations"] == [f"{BASE}/ocpi/2.1.1/{side}/locations"]
    else:
        more = SINCE_2_2[by] | (OF_230[by] if world.version == "2.3.0" else set())
        assert {(endpoint["identifier"], endpoint["role"]) for endpoint in listed} == sees | more
    assert len({(e["identifier"], e.get("role")) for e in listed}) == len(listed)
    assert all(endpoint["url"].startswith(f"{BASE}/ocpi/{world.version}/") for endpoint in listed)


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
async def test_an_scsp_is_offered_no_charging_profiles_as_it_hears_of_no_session(world: World) -> None:
    await world.join("s1", "NL*SCS", PartyRole.SCSP)
    details = await world.ask("GET", f"/ocpi/{world.version}", by="s1")
    assert {each["identifier"] for each in details.data["endpoints"]} == {
        "credentials",
        "locations",
        "tariffs",
        "hubclientinfo",
    }
    async with world.unchanged():
        said = await world.ask(
            "DELETE", world.at("receiver/chargingprofiles/S1?response_url=https://s.example"), by="s1"
        )
        assert (said.http, said.code) == (403, 2000)


async def test_every_listed_endpoint_exists(world: World) -> None:
    said = await world.ask("GET", f"/ocpi/{world.version}", by="e1")
    for endpoint in said.data["endpoints"]:
        answer = await world.ask("GET", endpoint["url"].removeprefix(BASE), by="e1")
        allowed = answer.http == 200 or endpoint["identifier"] in (
            "tokens",
            "commands",
            "chargingprofiles",
            "invoicereconciliation",
        )
        assert allowed, endpoint


async def test_211_is_also_served_by_position(world: World) -> None:
    for position, modules in (
        ("cpo", {"locations", "tariffs", "sessions", "cdrs", "tokens", "commands"}),
        ("emsp", set()),
    ):
        said = await world.ask("GET", f"/ocpi/{position}/versions", by="e1")
        assert said.data == [{"version": "2.1.1", "url": f"{BASE}/ocpi/{position}/2.1.1"}]
        said = await world.ask("GET", f"/ocpi/{position}/2.1.1", by="e1")
        assert {e["identifier"] for e in said.data["endpoints"]} == modules | {"credentials"}


async def test_a_cpo_of_211_finds_where_to_post_at_the_position_of_an_emsp(world: World) -> None:
    for position, modules in (
        ("cpo", {"locations", "tariffs"}),
        ("emsp", {"cdrs", "commands", "locations", "sessions", "tariffs", "tokens"}),
    ):
        said = await world.ask("GET", f"/ocpi/{position}/2.1.1", by="c1")
        urls = {endpoint["identifier"]: endpoint["url"] for endpoint in said.data["endpoints"]}
        assert urls.keys() == modules | {"credentials"}
    assert urls["cdrs"] == f"{BASE}/ocpi/2.1.1/receiver/cdrs"


NOT_THERE = (
    "/ocpi",
    "/ocpi/",
    "/ocpi/2.2",
    "/ocpi/2.3.1",
    "/ocpi/2.1.1/nothing",
    "/ocpi/cpo/2.2.1",
    "/ocpi/hub/versions",
    "/ocpi/versions/x",
    "/ocpi/9.9/sender/locations",
    "/ocpi/2.2.1/owner/locations",
    "/ocpi/2.2.1/sender",
    "/ocpi/2.2.1/sender/nothing",
    "/ocpi/2.2.1/sender/locations/a/b/c/d",
    "/ocpi/%2e%2e/versions",
    "/ocpi//versions",
    "/ocpi/cpo/credentials",
)


async def test_what_is_not_there_is_404_in_an_envelope(world: World) -> None:
    for path in NOT_THERE:
        said = await world.ask("GET", path, by="e1")
        assert (path, said.http, said.code) == (path, 404, 2000)


@pytest.mark.parametrize("path", ["/ocpinion/versions", "/ocpi2/versions", "/ocpi-x"])
async def test_a_path_that_only_begins_like_ours_is_not_ours(sqlite_url: str, path: str) -> None:
    async with a_world(sqlite_url) as world:
        answer = await world.http.get(path)
    assert answer.text == NOT_OURS


async def test_a_percent_encoded_path_is_the_same_path(world: World) -> None:
    said = await world.ask("GET", "/%6fcpi/%76ersions", by="e1")
    assert (said.http, said.code) == (200, 1000)
