"""Terms of operators, and what keeps EVSEs from partners of OICP, over the API."""

from __future__ import annotations

import pytest

from hub.core.units import Put, Unit
from partners.oicp.acknowledged import PushState
from partners.oicp.client import Answer
from partners.oicp.connection import Connection
from partners.oicp.evse_pull import PullState
from partners.oicp.set_push import OICP_HELD
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


async def test_the_power_of_products_is_a_number_as_text_and_never_0(house: House) -> None:
    for power in ("22", "1", "350.5"):
        asked = {"product_power": power}
        assert (await house.ask("PATCH", f"{OPERATORS}/DE*ABC", asked)).tree["terms"] == asked
    for wrong in ("0", "0.0", "much", "-1", 22):
        assert (await house.ask("PATCH", f"{OPERATORS}/DE*ABC", {"product_power": wrong})).code == "invalid_request"


async def test_findings_are_listed(house: House) -> None:
    assert (await house.ask("GET", "/api/v1/oicp/findings")).tree == {"items": [], "total": 0}


async def test_nothing_can_be_confirmed_where_nothing_is_held(house: House) -> None:
    hub = {"kind": "hub", "party": "DE-HBJ", "operator_ids": ["DE*BSB"], "push_size": 100}
    await house.ask("PUT", "/api/v1/oicp/connections/hbs", hub)
    assert (await house.ask("POST", "/api/v1/oicp/connections/hbs/confirm")).status == 404
    assert (await house.ask("POST", "/api/v1/oicp/connections/nobody/confirm")).status == 404


async def test_no_record_can_be_brought_again_where_none_is_held_or_refused(house: House) -> None:
    assert (await house.ask("POST", "/api/v1/oicp/records/s-1/resend")).status == 404


async def test_what_is_held_is_let_go_one_thing_at_a_time(house: House) -> None:
    hub = {"kind": "hub", "party": "DE-HBJ", "operator_ids": ["DE*BSB"], "provider_ids": ["DE-BSB"]}
    await house.ask("PUT", "/api/v1/oicp/connections/hbs", hub)
    unit = Unit([PushState(held=3, held_of=5).put("hbs"), PullState(held=2, held_of=3).put("hbs")])
    await house.program.store.commit(unit.put(Put(OICP_HELD, "hbs/evse prices", b"2 of 4")))
    at = "/api/v1/oicp/connections/hbs/confirm"
    unsaid = await house.ask("POST", at)
    assert (unsaid.status, "pushed, pulled, evse-prices" in unsaid.tree["error"]["message"]) == (409, True)
    assert (await house.ask("POST", f"{at}?what=cards")).status == 404
    assert (await house.ask("POST", f"{at}?what=pulled")).status == 200
    assert (await house.program.oicp.evse_pull.state("hbs")).confirmed
    assert not (await house.program.oicp.evse_push.acknowledged.state("hbs")).confirmed
    assert (await house.ask("POST", f"{at}?what=evse-prices")).status == 200
    assert (await house.ask("POST", at)).status == 200
    assert (await house.program.oicp.evse_push.acknowledged.state("hbs")).confirmed
    assert (await house.ask("POST", f"{at}?what=nonsense")).code == "invalid_request"


async def test_a_hub_is_pulled_when_an_operator_says_so_with_the_records_of_our_drivers(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def answer(connection: Connection, operation: str, *_: object, **__: object) -> Answer:
        asked.append(operation)
        told: dict[str, object] = (
            {"EvseStatuses": {"OperatorEvseStatus": []}} if operation == "PullEvseStatus" else {"content": []}
        )
        return Answer(200, {**told, "StatusCode": {"Code": "000"}})

    monkeypatch.setattr(house.program.oicp_door.client, "call", answer)
    hub = {"kind": "hub", "party": "DE-HBJ", "provider_ids": ["DE-BSB"], "base_url": "https://hub.example"}
    await house.ask("PUT", "/api/v1/oicp/connections/hbs", hub)
    pulled = await house.ask("POST", "/api/v1/partners/hbs/pull", {"full": True})
    assert (pulled.status, pulled.tree) == (200, {"taken": 0, "unchanged": 0, "refused": 0})
    assert asked == ["PullEvseData", "PullEvseStatus", "GetChargeDetailRecords"]


async def test_what_tokens_are_for_is_refused_of_partners_of_oicp(house: House) -> None:
    cpo = {"kind": "cpo", "operator_ids": ["DE*ABC"]}
    await house.ask("PUT", "/api/v1/oicp/connections/abc", cpo)
    for what in ("rotate", "pull"):
        refused = await house.ask("POST", f"/api/v1/partners/abc/{what}")
        assert (refused.status, "OICP" in refused.tree["error"]["message"]) == (409, True)
