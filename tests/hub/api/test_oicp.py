"""Partners that speak OICP, and the certificates between us, over the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.core.parties import Party, PartyRole
from hub.core.registry import State
from tests.hub.house import House, a_house
from tests.partners.oicp.authority import Authority

ALL = "/api/v1/oicp/connections"
CERTIFICATES = "/api/v1/oicp/certificates"
EMP: dict[str, Any] = {"kind": "emp", "provider_ids": ["DE-DCB"], "base_url": "https://emp.example/oicp/"}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def test_a_partner_is_connected_shown_changed_and_let_go(house: House) -> None:
    made = await house.ask("PUT", f"{ALL}/acme", EMP)
    assert (made.status, made.tree["state"], made.tree["parties"]) == (201, "connected", ["EMSP DE*DCB"])
    assert made.tree["base_url"] == "https://emp.example/oicp"
    listed = await house.ask("GET", ALL)
    assert (listed.tree["total"], listed.tree["items"]) == (1, [made.tree])
    changed = await house.ask("PUT", f"{ALL}/acme", {**EMP, "provider_ids": ["DE-DCB", "NL*TNM"]})
    assert (changed.status, changed.tree["parties"]) == (200, ["EMSP DE*DCB", "EMSP NL*TNM"])
    gone = await house.ask("DELETE", f"{ALL}/acme")
    assert (gone.status, gone.tree) == (200, {"deleted": "acme"})
    assert (await house.ask("GET", f"{ALL}/acme")).status == 404
    assert house.program.hub.registry.get("acme").state is State.UNREGISTERED
    assert (await house.ask("PUT", f"{ALL}/acme", EMP)).tree["state"] == "connected"


async def test_it_is_a_partner_like_any_other(house: House) -> None:
    await house.ask("PUT", f"{ALL}/acme", EMP)
    shown = (await house.ask("GET", "/api/v1/partners/acme")).tree
    assert (shown["version"], shown["state"]) == ("2.3.0", "connected")
    assert {(each["identifier"], each["role"]) for each in shown["endpoints"]} >= {("cdrs", "RECEIVER")}
    assert {each["url"].split(":")[0] for each in shown["endpoints"]} == {"oicp"}
    assert (await house.ask("POST", "/api/v1/partners/acme/block")).status == 200
    assert (await house.ask("GET", f"{ALL}/acme")).tree["state"] == "blocked"
    assert (await house.ask("PUT", f"{ALL}/acme", EMP)).tree["state"] == "blocked"


async def test_of_a_hub_the_ids_are_ours_and_it_has_a_party_by_which_it_is_named(house: House) -> None:
    ask = {"kind": "hub", "party": "DE-HBJ", "operator_ids": ["DE*BSB"], "provider_ids": ["DE-BSB"]}
    made = await house.ask("PUT", f"{ALL}/hbs", ask)
    assert (made.status, made.tree["parties"], made.tree["learns"]) == (201, ["HUB DE*HBJ"], True)


async def test_an_operator_of_din_is_the_party_of_its_country(house: House) -> None:
    made = await house.ask("PUT", f"{ALL}/swm", {"kind": "cpo", "operator_ids": ["+49*810"]})
    assert made.tree["parties"] == ["CPO DE*810"]
    shared = {"kind": "cpo", "operator_ids": ["+44*123"]}
    assert (await house.ask("PUT", f"{ALL}/brit", shared)).code == "invalid_request"
    made = await house.ask("PUT", f"{ALL}/brit", {**shared, "countries": {"44": "GB"}})
    assert made.tree["parties"] == ["CPO GB*123"]


WRONG: dict[str, dict[str, Any]] = {
    "no ids": {"kind": "cpo"},
    "ids of the other kind": {"kind": "cpo", "operator_ids": ["DE*ABC"], "provider_ids": ["DE-DCB"]},
    "a hub without a party": {"kind": "hub", "operator_ids": ["DE*ABC"]},
    "an EMP with a party": {**EMP, "party": "DE*DCB"},
    "an id that is none": {"kind": "cpo", "operator_ids": ["DE*ABCD!"]},
    "another kind": {"kind": "nap", "operator_ids": ["DE*ABC"]},
    "a URL that is none": {**EMP, "base_url": "ftp://emp.example"},
    "a URL with a question": {**EMP, "base_url": "https://emp.example/?a=1"},
    "a URL without TLS": {**EMP, "base_url": "http://emp.example/oicp"},
    "an address without TLS": {**EMP, "base_url": "http://203.0.113.7"},
    "a URL with a password": {**EMP, "base_url": "https://me:secret@emp.example"},
    "a short fingerprint": {**EMP, "fingerprints": ["ab" * 20]},
    "a fingerprint of words": {**EMP, "fingerprints": ["xy" * 32]},
    "no certificate": {**EMP, "certificates": ["hello"]},
    "no authority": {**EMP, "server_ca": "hello"},
    "an unknown operation": {**EMP, "limits": {"PullEverything": 1}},
    "a limit of nothing": {**EMP, "limits": {"PullEvseData": 0}},
    "an unknown field": {**EMP, "password": "secret"},
    "an unknown certificate of ours": {**EMP, "client_certificate": "none"},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_what_makes_no_sense_is_told_and_changes_nothing(house: House, wrong: dict[str, Any]) -> None:
    told = await house.ask("PUT", f"{ALL}/acme", wrong)
    assert (told.status, told.code) == (422, "invalid_request")
    assert "secret" not in str(told.tree)
    assert house.program.hub.registry.all() == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/oicp", "http://localhost:8080", "http://[::1]:8080"])
async def test_without_tls_a_partner_lives_on_the_loopback_in_development_alone(
    house: House, empty: Path, url: str
) -> None:
    assert (await house.ask("PUT", f"{ALL}/acme", {**EMP, "base_url": url})).status == 201
    (empty / "earnest").mkdir()
    async with a_house(empty / "earnest", dev=False) as earnest:
        told = await earnest.ask("PUT", f"{ALL}/acme", {**EMP, "base_url": url})
        assert (told.status, told.code) == (422, "invalid_request")
        assert "/base_url: OICP goes over TLS" in str(told.tree)
        assert earnest.program.hub.registry.all() == []


async def test_no_network_that_partners_may_live_in_makes_up_for_tls(empty: Path) -> None:
    async with a_house(empty, dev=False, allow_networks=["10.0.0.0/8", "127.0.0.0/8"]) as house:
        told = await house.ask("PUT", f"{ALL}/acme", {**EMP, "base_url": "http://10.1.2.3/oicp"})
        assert (told.status, told.code) == (422, "invalid_request")
        assert (await house.ask("PUT", f"{ALL}/acme", {**EMP, "base_url": "http://127.0.0.1/oicp"})).status == 201
        assert (await house.ask("PUT", f"{ALL}/other", {**EMP, "provider_ids": ["DE-XYZ"]})).status == 201


async def test_names_parties_and_certificates_belong_to_one(house: House, authority: Authority) -> None:
    pem = authority.identity("emp").pem
    await house.invite("ocpi", "FR*AAA")
    assert (await house.ask("PUT", f"{ALL}/acme", {**EMP, "certificates": [pem]})).status == 201
    taken = [
        ("ocpi", {**EMP, "provider_ids": ["DE-XYZ"]}),
        ("other", EMP),
        ("other", {**EMP, "provider_ids": ["DE-XYZ"], "certificates": [pem]}),
        ("other", {"kind": "cpo", "operator_ids": [house.program.settings.party]}),
    ]
    for name, ask in taken:
        told = await house.ask("PUT", f"{ALL}/{name}", ask)
        assert (told.status, told.code) == (409, "conflict")
    assert house.program.hub.registry.find("other") is None


async def test_a_certificate_is_told_by_fingerprint_and_end(house: House, authority: Authority) -> None:
    shown = authority.identity("emp")
    spelled = ":".join(shown.fingerprint[at : at + 2] for at in range(0, 64, 2)).upper()
    made = await house.ask("PUT", f"{ALL}/acme", {**EMP, "fingerprints": [spelled], "certificates": [shown.pem]})
    assert made.tree["fingerprints"] == [shown.fingerprint]
    (certificate,) = made.tree["certificates"]
    assert (certificate["fingerprint"], certificate["days"], certificate["ends_soon"]) == (
        shown.fingerprint,
        364,
        False,
    )


async def test_a_key_of_ours_never_leaves_and_its_certificate_is_installed(house: House, authority: Authority) -> None:
    asked = await house.ask("POST", CERTIFICATES, {"name": "qa", "common_name": "hub.example", "country": "DE"})
    assert (asked.status, asked.tree["in_use"], asked.tree["expires"]) == (201, False, None)
    assert "PRIVATE" not in str(asked.tree)
    issued = authority.sign(asked.tree["csr"])
    done = await house.ask("PUT", f"{CERTIFICATES}/qa", {"certificate": issued + authority.pem})
    assert (done.status, done.tree["in_use"], done.tree["days"], done.tree["csr"]) == (200, True, 364, None)
    assert (await house.ask("GET", f"{CERTIFICATES}/qa")).tree == done.tree
    assert (await house.ask("GET", CERTIFICATES)).tree == {"items": [done.tree], "total": 1}


async def test_a_renewal_leaves_the_old_certificate_in_use_until_the_new_one_is_there(
    house: House, authority: Authority
) -> None:
    ask = {"name": "qa", "common_name": "hub.example", "key": "ec"}
    first = authority.sign((await house.ask("POST", CERTIFICATES, ask)).tree["csr"])
    await house.ask("PUT", f"{CERTIFICATES}/qa", {"certificate": first})
    waiting = (await house.ask("POST", CERTIFICATES, ask)).tree
    assert (waiting["in_use"], waiting["certificate"]) == (True, first)
    second = authority.sign(waiting["csr"])
    renewed = (await house.ask("PUT", f"{CERTIFICATES}/qa", {"certificate": second})).tree
    assert (renewed["certificate"], renewed["csr"]) == (second, None)


async def test_a_certificate_for_another_key_is_refused(house: House, authority: Authority) -> None:
    await house.ask("POST", CERTIFICATES, {"name": "qa", "common_name": "hub.example"})
    for wrong in (authority.identity("other").pem, "hello", ""):
        told = await house.ask("PUT", f"{CERTIFICATES}/qa", {"certificate": wrong})
        assert (told.status, told.code) == (422, "invalid_request")
    assert (await house.ask("GET", f"{CERTIFICATES}/qa")).tree["in_use"] is False
    assert (await house.ask("PUT", f"{CERTIFICATES}/none", {"certificate": "x"})).status == 404


async def test_a_certificate_that_is_shown_to_somebody_is_not_removed(house: House) -> None:
    await house.ask("POST", CERTIFICATES, {"name": "qa", "common_name": "hub.example"})
    await house.ask("PUT", f"{ALL}/acme", {**EMP, "client_certificate": "qa"})
    assert (await house.ask("GET", f"{CERTIFICATES}/qa")).tree["shown_to"] == ["acme"]
    assert (await house.ask("DELETE", f"{CERTIFICATES}/qa")).code == "conflict"
    await house.ask("DELETE", f"{ALL}/acme")
    assert (await house.ask("DELETE", f"{CERTIFICATES}/qa")).tree == {"deleted": "qa"}
    assert (await house.ask("DELETE", f"{CERTIFICATES}/qa")).status == 404


@pytest.mark.parametrize("role", ["viewer", "operator"])
async def test_only_an_admin_decides_who_is_connected(house: House, role: str) -> None:
    token = house.token_of(role)
    for method, path, ask in (
        ("PUT", f"{ALL}/acme", EMP),
        ("DELETE", f"{ALL}/acme", None),
        ("POST", CERTIFICATES, {"name": "qa", "common_name": "x"}),
    ):
        assert (await house.ask(method, path, ask, token=token)).status == 403
    assert (await house.ask("GET", ALL, token=token)).status == 200


async def test_a_party_that_came_to_light_behind_a_hub_is_connected_by_itself_when_an_operator_says_so(
    house: House,
) -> None:
    ask = {"kind": "hub", "party": "DE-HBJ", "provider_ids": ["DE-BSB"]}
    await house.ask("PUT", f"{ALL}/hbs", ask)
    connections = house.program.oicp.connections
    for party in ("FR*XYZ", "FR*ABC"):
        await connections.learn(connections.get("hbs"), PartyRole.CPO, Party.parse(party))
    made = await house.ask("PUT", f"{ALL}/xyz", {"kind": "cpo", "operator_ids": ["FR*XYZ"]})
    assert made.status == 201
    roles = [{"role": "CPO", "country_code": "FR", "party_id": "ABC"}]
    assert (await house.ask("POST", "/api/v1/partners", {"name": "abc", "roles": roles})).status == 201
    await connections.learn(connections.get("hbs"), PartyRole.CPO, Party.parse("FR*ABC"))
    assert house.program.hub.registry.get("hbs").parties == {"DE*HBJ"}
    again = await house.ask("PUT", f"{ALL}/other", {"kind": "cpo", "operator_ids": ["FR*XYZ"]})
    assert again.status == 409
