"""Agreements over the management API, and what is told of a message's way."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.parties import Party, PartyRole
from tests.hub.house import House
from tests.world import World

PATH = "/api/v1/agreements"
ROUTE = "/api/v1/route"


@pytest.fixture
async def house(house: House) -> House:
    """With a CPO and two eMSPs, of which one takes no pushes of locations."""
    world = World.around(house.program.hub)
    await world.join("cpo", "BE*AAA", PartyRole.CPO)
    await world.join("e1", "NL*EEE", PartyRole.EMSP)
    e2 = await world.join("e2", "NL*FFF", PartyRole.EMSP)
    rest = tuple(endpoint for endpoint in e2.endpoints if endpoint.identifier != "locations")
    await world.registry.save(e2.model_copy(update={"endpoints": rest}))
    return house


async def explain(house: House, **ask: Any) -> Any:
    told = await house.ask("POST", ROUTE, ask)
    assert told.status == 200, told.tree
    return told.tree


async def test_an_agreement_is_made_shown_and_ended(house: House) -> None:
    rule = {"viewer": "e1", "owner": "BE*AAA", "module": "locations", "allow": False}
    assert (await house.ask("PUT", PATH, rule)).tree == {**rule, "created": True, "warnings": []}
    assert (await house.ask("PUT", PATH, rule)).tree["created"] is False
    assert (await house.ask("GET", PATH)).tree == {"items": [rule], "total": 1, "default": "open"}
    shown = (await house.ask("GET", "/api/v1/partners/e1")).tree["sees"]
    assert ("BE*AAA" in shown["locations"], "BE*AAA" in shown["tariffs"]) == (False, True)
    assert (await house.ask("DELETE", f"{PATH}/e1/BE%2AAAA/locations")).status == 200
    assert (await house.ask("DELETE", f"{PATH}/e1/BE%2AAAA/locations")).status == 404
    assert (await house.ask("GET", PATH)).tree["items"] == []


@pytest.mark.parametrize(
    "rule",
    [{"viewer": ""}, {"owner": "nobody"}, {"module": "nonsense"}, {"allow": "perhaps"}, {"who": "e1"},
     {"viewer": "a/b"}, {"viewer": "N*L"}],
)  # fmt: skip
async def test_a_rule_about_nothing_is_refused(house: House, rule: Any) -> None:
    assert (await house.ask("PUT", PATH, rule)).status == 422
    assert (await house.ask("GET", PATH)).tree["total"] == 0


async def test_a_rule_for_a_name_that_no_partner_has_is_refused_unless_it_is_made_ahead(house: House) -> None:
    rule = {"viewer": "e11", "owner": "BE*AAA", "allow": False}
    told = await house.ask("PUT", PATH, rule)
    assert (told.status, (await house.ask("GET", PATH)).tree["total"]) == (422, 0)
    assert "/viewer: there is no partner e11 (is it e1?)" in told.tree["error"]["message"]
    told = await house.ask("PUT", PATH, {**rule, "ahead": True})
    assert (told.status, told.tree["warnings"]) == (
        200,
        ["there is no partner e11: until there is, this rule is for nobody"],
    )
    assert "ahead" not in told.tree
    await World.around(house.program.hub).join("e11", "NL*NEW", PartyRole.EMSP)
    told = await explain(house, sender="cpo", module="locations")
    assert {each["partner"]: each["gets"] for each in told["gets"]}["e11"] is False


async def test_a_rule_about_a_party_that_nobody_has_says_so(house: House) -> None:
    both = {"viewer": "NL*ZZZ", "owner": "BE*ZZZ"}
    told = await house.ask("PUT", PATH, both)
    assert told.tree["warnings"] == [
        "no partner is NL*ZZZ, the viewer of this rule",
        "no partner is BE*ZZZ, the owner of this rule",
    ]
    for known in ({"viewer": "NL*EEE", "owner": "BE*AAA"}, {"owner": "DE*BSB"}, {"viewer": "e1"}):
        assert (await house.ask("PUT", PATH, known)).tree["warnings"] == []


async def test_only_an_admin_makes_agreements(house: House) -> None:
    for role, status in (("viewer", 403), ("operator", 403), ("admin", 200)):
        assert (await house.ask("PUT", PATH, {"viewer": "e1"}, token=house.token_of(role))).status == status
    assert (await house.ask("GET", PATH, token=house.token_of("viewer"))).status == 200


async def test_a_broadcast_is_explained_partner_by_partner(house: House) -> None:
    await house.ask("PUT", PATH, {"viewer": "e1", "allow": False})
    told = await explain(house, sender="cpo", module="locations")
    assert told["goes"] == "everybody"
    by_name = {each["partner"]: (each["gets"], each["rule"]) for each in told["gets"]}
    assert by_name["e1"] == (False, "agreement: deny viewer e1, owner *, module *")
    assert by_name["e2"] == (False, "default: opposite roles; but it offers no locations")
    assert "cpo" not in by_name
    await house.ask("DELETE", f"{PATH}/e1/%2A/%2A")
    told = await explain(house, sender="cpo", module="locations")
    assert {each["partner"] for each in told["gets"] if each["gets"]} == {"e1"}


async def test_evses_that_do_not_go_on_to_another_hub_of_oicp_are_explained(house: House) -> None:
    ours: dict[str, Any] = {"kind": "hub", "party": "DE*HBS", "operator_ids": ["DE*BSB"]}
    theirs = {"kind": "hub", "party": "DE*FAR", "provider_ids": ["DE-BSB"], "learns": True}
    for name, said in (("hbs", ours), ("far", theirs)):
        assert (await house.ask("PUT", f"/api/v1/oicp/connections/{name}", said)).status in (200, 201)
    connections = house.program.oicp.connections
    await connections.learn(connections.get("far"), PartyRole.CPO, Party("DE", "ABC"))
    told = await explain(house, sender="far", module="locations", owner="DE*ABC")
    [got] = [each for each in told["gets"] if each["partner"] == "hbs"]
    assert got["gets"] is False
    assert got["rule"].startswith("default: opposite roles; but not told to hbs: ")
    await house.ask("PUT", "/api/v1/oicp/connections/hbs", {**ours, "operator_ids": ["DE*BSB", "DE*ABC"]})
    told = await explain(house, sender="far", module="locations", owner="DE*ABC")
    assert [each["gets"] for each in told["gets"] if each["partner"] == "hbs"] == [True]


async def test_a_message_to_one_party_is_explained_by_what_would_happen(house: House) -> None:
    told = await explain(house, sender="e1", module="commands", method="POST", owner="BE*AAA")
    assert (told["goes"], told["rule"]) == ("party", "default: opposite roles")
    assert [(each["partner"], each["gets"]) for each in told["gets"]] == [("cpo", True)]
    told = await explain(house, sender="e1", module="commands", method="POST", to="XX*XXX")
    assert (told["goes"], told["status_code"]) == ("nowhere", 4001)
    told = await explain(house, sender="e1", module="commands", method="POST")
    assert told["goes"] == "ours"
    told = await explain(house, sender="e1", module="locations", method="GET")
    assert (told["goes"], told["owners"]) == ("everybody", ["BE*AAA", "DE*BSB"])
    assert (await house.ask("POST", ROUTE, {"sender": "nobody", "module": "locations"})).status == 404


async def test_an_object_for_one_party_is_explained_as_it_is_handed_on(house: House) -> None:
    told = await explain(house, sender="cpo", module="locations", to="NL*EEE")
    assert (told["goes"], told["rule"]) == ("party", "default: opposite roles")
    assert [(each["partner"], each["gets"]) for each in told["gets"]] == [("e1", True)]
    told = await explain(house, sender="cpo", module="locations", to="NL*FFF")
    assert (told["goes"], told["status_code"], told["gets"][0]["gets"]) == ("nowhere", 4000, False)
    rule = {"viewer": "e1", "owner": "BE*AAA", "module": "locations", "allow": False}
    await house.ask("PUT", PATH, rule)
    for method in ("PUT", "PATCH"):
        told = await explain(house, sender="cpo", module="locations", method=method, to="NL*EEE")
        assert (told["goes"], told["status_code"]) == ("nowhere", 4001)
        assert told["rule"] == "agreement: deny viewer e1, owner BE*AAA, module locations"
    told = await explain(house, sender="e1", module="tariffs", method="GET", to="BE*AAA")
    assert (told["goes"], told["owners"]) == ("ours", ["BE*AAA"])
    told = await explain(house, sender="cpo", module="tariffs", method="GET", to="NL*EEE")
    assert (told["goes"], [each["partner"] for each in told["gets"]]) == ("party", ["e1"])


@pytest.mark.parametrize(("module", "method"), [("sessions", "PUT"), ("cdrs", "POST")])
async def test_what_a_cpo_brings_is_explained_by_whose_driver_it_is(house: House, module: str, method: str) -> None:
    ask = {"sender": "cpo", "module": module, "method": method}
    for to in ("", "NL*EEE"):
        told = await explain(house, **ask, owner="NL*EEE", to=to)
        assert (told["goes"], [(each["partner"], each["gets"]) for each in told["gets"]]) == ("party", [("e1", True)])
    await house.ask("PUT", PATH, {"viewer": "e1", "owner": "BE*AAA", "module": module, "allow": False})
    rule = f"agreement: deny viewer e1, owner BE*AAA, module {module}"
    told = await explain(house, **ask, owner="NL*EEE")
    assert (told["goes"], told["rule"], "status_code" in told) == ("nowhere", rule, False)
    assert told["why"] == f"it is taken, and waits as withheld: {rule}"
    told = await explain(house, **ask, owner="NL*ZZZ")
    assert (told["goes"], told["rule"]) == ("nowhere", "no partner is NL*ZZZ")
    told = await explain(house, **ask, owner="NL*FFF", to="XX*XXX")
    assert (told["goes"], told["status_code"]) == ("nowhere", 4001)
    told = await explain(house, **ask, owner="NL*EEE", to="NL*FFF")
    assert (told["goes"], told["status_code"], told["gets"]) == ("nowhere", 2001, [])
    assert (await explain(house, **ask, owner="DE*BSB"))["goes"] == "ours"
    assert (await house.ask("POST", ROUTE, ask)).status == 422


@pytest.mark.parametrize(("module", "method"), [("sessions", "PUT"), ("cdrs", "POST")])
async def test_of_several_connections_of_a_party_it_is_said_which_one_carries_what_a_cpo_brings(
    house: House, module: str, method: str
) -> None:
    world = World.around(house.program.hub)
    for name, party in (("for-none", "BE*ZZZ"), ("for-cpo", "BE*AAA")):
        made = await world.join(name, "NL*TWO", PartyRole.EMSP, version="2.1.1")
        await world.registry.save(made.model_copy(update={"represents": party}))
    told = await explain(house, sender="cpo", module=module, method=method, owner="NL*TWO")
    assert (told["goes"], told["rule"]) == ("party", "default: opposite roles")
    assert {each["partner"]: (each["gets"], each["rule"]) for each in told["gets"]} == {
        "for-cpo": (True, "default: opposite roles"),
        "for-none": (False, "this connection stands for BE*ZZZ alone"),
    }
    for_cpo = world.partner("for-cpo")
    await world.registry.save(for_cpo.model_copy(update={"represents": "BE*YYY"}))
    told = await explain(house, sender="cpo", module=module, method=method, owner="NL*TWO")
    assert (told["goes"], told["rule"]) == ("nowhere", "NL*TWO has no connection for BE*AAA")


@pytest.mark.parametrize(
    "ask", [{"module": "nomodule"}, {"module": "credentials"}, {"module": "cdrs", "method": "PUT"}]
)
async def test_what_no_request_is_routed_by_is_no_question(house: House, ask: Any) -> None:
    told = await house.ask("POST", ROUTE, {"sender": "cpo", **ask})
    assert told.status == 422, told.tree


@pytest.mark.parametrize("to", ["", "BE*AAA"])
async def test_it_is_said_of_a_rule_which_direction_it_is_about(house: House, to: str) -> None:
    ask = {"sender": "e1", "module": "tokens", "to": to}
    await house.ask("PUT", PATH, {"viewer": "e1", "owner": "BE*AAA", "allow": False})
    (got,) = [each for each in (await explain(house, **ask))["gets"] if each["partner"] == "cpo"]
    assert got["gets"] is True
    assert got["rule"] == (
        "default: opposite roles; the other direction, what e1 has of BE*AAA and asks of it, is by "
        "agreement: deny viewer e1, owner BE*AAA, module *"
    )
    await house.ask("PUT", PATH, {"viewer": "cpo", "owner": "NL*EEE", "module": "tokens", "allow": False})
    told = await explain(house, **ask)
    rules = [told["rule"]] if to else [each["rule"] for each in told["gets"] if each["partner"] == "cpo"]
    assert rules == ["agreement: deny viewer cpo, owner NL*EEE, module tokens"]
    assert told["goes"] == ("nowhere" if to else "everybody")
    told = await explain(house, sender="e1", module="commands", method="POST", to="BE*AAA")
    assert (told["goes"], told["rule"]) == ("nowhere", "agreement: deny viewer e1, owner BE*AAA, module *")
    assert told["why"].startswith(f"{told['rule']}; its sender is told 4001: "), (
        "the rule first: the sender hears of none"
    )


async def test_it_is_said_of_a_receiver_whose_version_has_no_such_thing(house: House) -> None:
    world = World.around(house.program.hub)
    await world.join("old", "BE*OLD", PartyRole.CPO, version="2.1.1")
    for module, method in (("sessions", "PUT"), ("chargingprofiles", "PUT"), ("chargingprofiles", "GET")):
        told = await explain(house, sender="e1", module=module, method=method, to="BE*OLD")
        assert (told["goes"], told["http"], told["status_code"], told["gets"]) == ("nowhere", 404, 2001, []), module
        assert told["why"] == "the receiver speaks OCPI 2.1.1, which has no such thing"
        assert told["rule"] == "default: opposite roles"
        assert (await explain(house, sender="e1", module=module, method=method, to="BE*AAA"))["goes"] == "party"
    for module, method in (("commands", "POST"), ("tokens", "PUT")):
        assert (await explain(house, sender="e1", module=module, method=method, to="BE*OLD"))["goes"] == "party"


async def test_the_way_of_an_invoice_follows_what_its_payer_may_have_of_its_owner(house: House) -> None:
    await World.around(house.program.hub).join("e3", "NL*GGG", PartyRole.EMSP, version="2.3.0")
    ask = {"sender": "cpo", "module": "invoicereconciliation", "method": "POST", "to": "NL*GGG"}
    for viewer, owner, goes in (("cpo", "NL*GGG", "party"), ("e3", "BE*AAA", "nowhere")):
        await house.ask("PUT", PATH, {"viewer": viewer, "owner": owner, "module": "*", "allow": False})
        told = await explain(house, **ask)
        assert told["goes"] == goes, told
        assert all(each["rule"].endswith("; once a CDR on it is known to be with NL*GGG") for each in told["gets"])
    assert "deny viewer e3, owner BE*AAA" in told["rule"]
