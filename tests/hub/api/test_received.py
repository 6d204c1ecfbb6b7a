"""CDRs that other CPOs brought, in the operator's hands: listed by verdict, checked, held and released."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.core.parties import Party, PartyRole
from hub.core.registry import Claim, State
from modules.cdrs import received, vetting
from modules.cdrs.model import CDR
from modules.sessions import received as sessions
from modules.sessions.received import Bringer
from tests.hub.house import House
from tests.modules.cdrs.check.records import but
from tests.modules.cdrs.check.test_mistakes import HOURS
from tests.modules.cdrs.test_received import later
from tests.modules.sessions.records import in_our_form
from tests.world import World

CDRS = "/api/v1/cdrs"
WRONG = but(HOURS, id="BAD", total=("6.00", "7.20"), fixed=("1.00", "1.20"))


async def brings(house: House, tree: dict[str, Any], *, partner: str = "cpo") -> None:
    """A CPO has sent a CDR, and its check was made."""
    hub = house.program.hub
    await received.take(hub, CDR.model_validate(tree), partner=partner, version="2.3.0", original=tree)
    await vetting.vet_waiting(hub)


async def connects(house: House) -> None:
    """Who was invited has registered."""
    world = World.around(house.program.hub)
    for name in ("acme", "cpo", "other"):
        invited = world.partner(name)
        await world.registry.save(invited.model_copy(update={"state": State.CONNECTED, "claims": invited.invited}))


def card_of(party: str) -> dict[str, Any]:
    """A cdr_token of a driver of that party."""
    country_code, party_id = party.split("*")
    return {"country_code": country_code, "party_id": party_id, "uid": "CARD1", "type": "RFID", "contract_id": "C1"}


@pytest.fixture
async def furnished(house: House) -> House:
    """A CPO that has brought a right and a wrong CDR, and one of ours."""
    await house.furnish()
    await house.invite("acme", "NL*EEE")
    await house.invite("cpo", "BE*AAA", "CPO")
    await house.invite("other", "BE*BBB", "CPO")
    await connects(house)
    await house.charge()
    await brings(house, HOURS)
    await brings(house, later(WRONG))
    return house


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("received=true", ["BAD", "CDR1"]),
        ("check=wrong", ["BAD"]),
        ("check=right", ["CDR1"]),
        ("check=unchecked", []),
        ("received=true&partner=cpo", ["BAD", "CDR1"]),
        ("received=true&partner=other", []),
        ("held=true", []),
        ("received=true&limit=1", ["BAD"]),
        ("received=true&date_from=2026-05-04T10:30:00Z", ["BAD", "CDR1"]),
        ("received=true&date_from=2026-05-05T00:00:00Z", []),
    ],
)
async def test_received_ones_are_narrowed(furnished: House, query: str, ids: list[str]) -> None:
    told = await furnished.ask("GET", f"{CDRS}?{query}")
    assert [item["cdr"]["id"] for item in told.tree["items"]] == ids
    assert told.tree["total"] == (2 if "limit" in query else len(ids))


async def test_a_list_shows_who_brought_it_and_what_the_check_said(furnished: House) -> None:
    (item,) = (await furnished.ask("GET", f"{CDRS}?check=wrong")).tree["items"]
    assert {name: item[name] for name in ("partner", "version", "check", "state")} == {
        "partner": "cpo",
        "version": "2.3.0",
        "check": "wrong",
        "state": "free",
    }
    assert (await furnished.ask("GET", f"{CDRS}/BE/AAA/BAD")).tree == item


async def test_a_list_says_why_each_is_held(furnished: House) -> None:
    """By what its check found, or because of what it takes back; of one that was released nothing keeps it any more."""
    await furnished.ask("PUT", "/api/v1/partners/cpo/switches", {"cdr_policy": "hold"})
    await brings(furnished, but(WRONG, id="BAD2", session_id="S3", start_date_time="2026-05-04T08:00:00Z"))
    back = but(HOURS, id="NONE-C", credit=True, credit_reference_id="NONE", total=("-5.50", "-6.60"))
    await brings(furnished, back)
    held = (await furnished.ask("GET", f"{CDRS}?held=true")).tree["items"]
    rules = {item["cdr"]["id"]: item["rule"] for item in held}
    assert rules["NONE-C"] == "it takes back a CDR that was not received"
    assert rules["BAD2"].startswith("wrong: ")
    assert (await furnished.ask("GET", f"{CDRS}/BE/AAA/NONE-C")).tree["rule"] == rules["NONE-C"]
    assert (await furnished.ask("POST", f"{CDRS}/BE/AAA/NONE-C/release")).tree["rule"] != rules["NONE-C"]


async def test_a_verdict_that_there_is_none_of_is_told(furnished: House) -> None:
    assert (await furnished.ask("GET", f"{CDRS}?check=odd")).status == 422


async def test_a_plain_list_has_ours_and_what_is_passed_on(furnished: House) -> None:
    told = (await furnished.ask("GET", CDRS)).tree
    assert {(item["audience"], item["state"]) for item in told["items"]} == {("NL*EEE", "addressed")}
    assert [item["cdr"]["party_id"] for item in told["items"]] == ["AAA", "AAA", "BSB"]


async def test_a_check_names_each_figure_and_its_cause(furnished: House) -> None:
    told = (await furnished.ask("GET", f"{CDRS}/BE/AAA/BAD/check")).tree
    assert (told["key"], told["verdict"], told["state"]) == ("BE*AAA/BAD", "wrong", "free")
    assert told["deviations"][0] == {
        "figure": "total_cost.before_taxes",
        "claimed": 6,
        "computed": Decimal("5.5"),
        "difference": Decimal("0.5"),
        "class": "flat_per_period",
        "why": "The flat fee was charged for each period",
        "tolerable": False,
    }
    assert told["tolerance"] == Decimal("0.01")
    assert (await furnished.ask("GET", f"{CDRS}/BE/AAA/NONE/check")).status == 404


async def test_one_of_ours_is_checked_when_it_is_asked_for(furnished: House) -> None:
    (item,) = [each for each in (await furnished.ask("GET", CDRS)).tree["items"] if each["cdr"]["party_id"] == "BSB"]
    told = (await furnished.ask("GET", f"{CDRS}/DE/BSB/{item['cdr']['id']}/check")).tree
    assert (told["verdict"], told["deviations"], told["time_zone"]) == ("right", [], "Europe/Berlin")


async def test_one_of_another_cpo_is_not_ours_to_credit(furnished: House) -> None:
    assert (await furnished.ask("POST", f"{CDRS}/BE/AAA/CDR1/credit")).status == 422


async def test_a_check_that_is_to_come_says_so(furnished: House) -> None:
    tree = but(WRONG, id="LATER")
    await received.take(furnished.program.hub, CDR.model_validate(tree), partner="cpo", version="2.3.0", original=tree)
    told = (await furnished.ask("GET", f"{CDRS}/BE/AAA/LATER/check")).tree
    assert (told["verdict"], told["state"]) == ("unchecked", "waiting")
    assert (await furnished.ask("GET", f"{CDRS}?check=unchecked")).tree["total"] == 1


async def test_a_policy_holds_what_is_wrong_until_it_is_released(furnished: House) -> None:
    rules = {"cdr_policy": "hold", "cdr_tolerance": "0.02"}
    told = await furnished.ask("PUT", "/api/v1/partners/cpo/switches", rules)
    assert (told.status, told.tree["switches"]) == (200, rules)
    await brings(furnished, but(WRONG, id="BAD2"))
    assert [item["cdr"]["id"] for item in (await furnished.ask("GET", f"{CDRS}?held=true")).tree["items"]] == ["BAD2"]
    page = (await furnished.ask("GET", "/api/v1/partners/cpo")).tree
    assert (page["cdr_checks"]["wrong"], page["cdr_checks"]["held"]) == (2, 1)
    assert page["warnings"] == [
        "received CDRs that are held: 1 (busbar cdr list --partner cpo --held)",
        "received CDRs, wrong: 2 (busbar cdr list --partner cpo --check wrong)",
    ]
    told = await furnished.ask("POST", f"{CDRS}/BE/AAA/BAD2/release")
    assert (told.status, told.tree["state"]) == (200, "released")
    assert (await furnished.ask("POST", f"{CDRS}/BE/AAA/BAD2/release")).status == 409
    assert (await furnished.ask("POST", f"{CDRS}/BE/AAA/NONE/release")).status == 404


async def test_who_accepts_all_is_not_warned(furnished: House) -> None:
    page = (await furnished.ask("GET", "/api/v1/partners/cpo")).tree
    assert (page["cdr_checks"]["wrong"], page["cdr_checks"]["right"], page["warnings"]) == (1, 1, [])


@pytest.mark.parametrize(
    "rules",
    [
        {"cdr_policy": "burn"},
        {"cdr_tolerance": -1},
        {"cdr_tolerance": "much"},
        {"tolerance": 1},
        {"cdr_tolerance": "NaN"},
    ],
)
async def test_rules_that_cannot_be_are_refused(furnished: House, rules: dict[str, Any]) -> None:
    assert (await furnished.ask("PUT", "/api/v1/partners/cpo/switches", rules)).status == 422
    assert (await furnished.ask("GET", "/api/v1/partners/cpo")).tree["switches"] == {}


async def test_rules_outlive_a_new_invitation_and_are_taken_back_by_none(furnished: House) -> None:
    await furnished.invite("new", "BE*CCC", "CPO")
    await furnished.ask("PUT", "/api/v1/partners/new/switches", {"cdr_policy": "flag"})
    await furnished.invite("new", "BE*CCC", "CPO")
    assert (await furnished.ask("GET", "/api/v1/partners/new")).tree["switches"] == {"cdr_policy": "flag"}
    assert (await furnished.ask("PUT", "/api/v1/partners/new/switches", {})).tree["switches"] == {}
    assert (await furnished.ask("PUT", "/api/v1/partners/none/switches", {})).status == 404


async def test_what_no_agreement_lets_through_is_shown_with_the_rule(furnished: House) -> None:
    rule = {"viewer": "acme", "owner": "BE*AAA", "module": "cdrs", "allow": False}
    await furnished.ask("PUT", "/api/v1/agreements", rule)
    await World.around(furnished.program.hub).join("else", "NL*ELS", PartyRole.EMSP)
    why = "agreement: deny viewer acme, owner BE*AAA, module cdrs"
    await brings(furnished, but(HOURS, id="KEPT", cdr_token=card_of("NL*EEE")))
    await brings(furnished, but(HOURS, id="WHOSE", cdr_token=card_of("NL*ZZZ")))
    for query, ids in (("", {"KEPT", "WHOSE"}), ("?withheld=true", {"KEPT", "WHOSE"}), ("?received=true", {"KEPT"}),
                       ("?withheld=true&partner=acme", {"KEPT"}), ("?withheld=true&partner=other", set())):  # fmt: skip
        items = {item["cdr"]["id"]: item for item in (await furnished.ask("GET", f"{CDRS}{query}")).tree["items"]}
        assert (query, ids - set(items)) == (query, set())
        if "KEPT" in items:
            assert (items["KEPT"]["state"], items["KEPT"]["rule"]) == ("withheld", why)
            assert items["KEPT"].get("deliveries", []) == [], "it is for nobody yet"
        if "WHOSE" in items:
            assert (items["WHOSE"]["state"], items["WHOSE"]["rule"]) == ("unaddressed", "no partner is NL*ZZZ")
    assert (await furnished.ask("GET", f"{CDRS}/BE/AAA/KEPT")).tree["state"] == "withheld"
    told = await furnished.ask("POST", f"{CDRS}/BE/AAA/KEPT/resend")
    assert (told.status, why in told.tree["error"]["message"]) == (422, True)
    for partner in ("acme", "cpo"):
        (warning,) = [
            w for w in (await furnished.ask("GET", f"/api/v1/partners/{partner}")).tree["warnings"] if why in w
        ]
        assert warning == f"CDRs that are withheld: 1, {why} (busbar cdr list --partner {partner} --withheld)"


async def test_a_session_that_reaches_nobody_says_by_which_rule(furnished: House) -> None:
    rule = {"viewer": "acme", "owner": "BE*AAA", "module": "sessions", "allow": False}
    await furnished.ask("PUT", "/api/v1/agreements", rule)
    for session_id, driver in (("KEPT", "NL*EEE"), ("WHOSE", "NL*ZZZ")):
        bringer = Bringer(owner=Party("BE", "AAA"), partner="cpo")
        tree = in_our_form("BE*AAA", driver, id=session_id)
        await sessions.put(furnished.program.hub, bringer, session_id, tree)
    found = (await furnished.ask("GET", "/api/v1/sessions?withheld=true")).tree
    assert {item["id"]: item["waits"] for item in found["items"]} == {
        "KEPT": {"state": "withheld", "rule": "agreement: deny viewer acme, owner BE*AAA, module sessions"},
        "WHOSE": {"state": "unaddressed", "rule": "no partner is NL*ZZZ"},
    }
    assert all("waits" not in item for item in (await furnished.ask("GET", "/api/v1/sessions")).tree["items"])


async def test_bills_of_a_party_that_its_platform_dropped_are_shown_until_it_is_back(furnished: House) -> None:
    world = World.around(furnished.program.hub)
    acme = world.partner("acme")
    other = Claim(role=PartyRole.EMSP, party=Party.parse("NL*EEF"))
    dropped = acme.model_copy(update={"claims": (other,)})
    withheld = f"{CDRS}?withheld=true"
    assert (await furnished.ask("GET", withheld)).tree["items"] == []
    await world.registry.save(dropped)
    why = "no partner is NL*EEE any more"
    for query in (withheld, f"{withheld}&partner=acme"):
        items = (await furnished.ask("GET", query)).tree["items"]
        assert [(item["audience"], item["rule"]) for item in items] == [("NL*EEE", why)] * 3
    assert (await furnished.ask("GET", f"{withheld}&partner=other")).tree["items"] == []
    warnings = (await furnished.ask("GET", "/api/v1/partners/acme")).tree["warnings"]
    assert f"CDRs that are addressed: 3, {why} (busbar cdr list --partner acme --withheld)" in warnings
    await world.registry.save(acme)
    assert (await furnished.ask("GET", withheld)).tree["items"] == []
