"""Terms of operators, and what keeps EVSEs from partners of OICP, over the API."""

from __future__ import annotations

from tests.hub.house import House

OPERATORS = "/api/v1/oicp/operators"


async def test_what_is_said_of_an_operator_stays_until_it_is_taken_back(house: House) -> None:
    said = await house.ask("PATCH", f"{OPERATORS}/de-abc", {"hotline": "+4912345678", "language": "de"})
    assert (said.status, said.tree["party"], said.tree["terms"]["hotline"]) == (200, "DE*ABC", "+4912345678")
    await house.ask("PATCH", f"{OPERATORS}/DE*ABC", {"language": None})
    shown = await house.ask("GET", f"{OPERATORS}/DE*ABC")
    assert shown.tree["terms"] == {"hotline": "+4912345678"}
    assert (await house.ask("GET", OPERATORS)).tree["total"] == 1
    assert (await house.ask("GET", f"{OPERATORS}/DE*XYZ")).status == 404


async def test_a_hotline_that_is_none_is_refused(house: House) -> None:
    assert (await house.ask("PATCH", f"{OPERATORS}/DE*ABC", {"hotline": "call us"})).code == "invalid_request"


async def test_a_default_price_is_a_number_as_text(house: House) -> None:
    asked = {"default_price": "0.60", "default_unit": "KILOWATT_HOUR"}
    assert (await house.ask("PATCH", f"{OPERATORS}/DE*ABC", asked)).tree["terms"] == asked
    for wrong in ("cheap", "-1", 0.6):
        assert (await house.ask("PATCH", f"{OPERATORS}/DE*ABC", {"default_price": wrong})).code == "invalid_request"


async def test_findings_are_listed(house: House) -> None:
    assert (await house.ask("GET", "/api/v1/oicp/findings")).tree == {"items": [], "total": 0}


async def test_nothing_can_be_confirmed_where_nothing_is_held(house: House) -> None:
    hub = {"kind": "hub", "party": "DE-HBJ", "operator_ids": ["DE*BSB"], "push_size": 100}
    await house.ask("PUT", "/api/v1/oicp/connections/hbs", hub)
    assert (await house.ask("POST", "/api/v1/oicp/connections/hbs/confirm")).status == 404
    assert (await house.ask("POST", "/api/v1/oicp/connections/nobody/confirm")).status == 404


async def test_no_record_can_be_brought_again_where_none_is_held_or_refused(house: House) -> None:
    assert (await house.ask("POST", "/api/v1/oicp/records/s-1/resend")).status == 404
