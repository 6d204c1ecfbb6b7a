"""Sessions in 2.1.1 and 2.2.1 (mod_sessions)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.core.dialect import NotExpressible
from modules.locations.wire import LOCATION
from modules.sessions.wire import CHARGING_PREFERENCES, SESSION
from tests.modules.locations.test_wire import LOCATION_211, NOW, OWNER

SESSION_211: dict[str, Any] = {
    "id": "101",
    "start_datetime": NOW,
    "kwh": Decimal("12.5"),
    "auth_id": "DE8ACC12E46L89",
    "auth_method": "WHITELIST",
    "location": LOCATION_211,
    "currency": "EUR",
    "charging_periods": [{"start_date_time": NOW, "dimensions": [{"type": "ENERGY", "volume": Decimal("12.5")}]}],
    "total_cost": Decimal("4.5"),
    "status": "ACTIVE",
    "last_updated": NOW,
}
STORED = LOCATION["2.1.1"].read(LOCATION_211, given=OWNER).tree()
OURS = SESSION["2.1.1"].read(SESSION_211, given=OWNER).tree()


def test_a_2_1_1_session_names_its_place_and_its_token() -> None:
    assert (OURS["location_id"], OURS["evse_uid"], OURS["connector_id"]) == ("LOC1", "3256", "1")
    assert OURS["total_cost"] == {"before_taxes": Decimal("4.5")}
    assert OURS["cdr_token"] == {
        "country_code": "DE",
        "party_id": "8AC",
        "uid": "#NA",
        "type": "OTHER",
        "contract_id": "DE8ACC12E46L89",
    }


def test_the_token_that_the_caller_knows_is_taken() -> None:
    known = {"country_code": "DE", "party_id": "TNM", "uid": "0123", "type": "RFID", "contract_id": "DE8ACC12E46L89"}
    assert SESSION["2.1.1"].read(SESSION_211, given={**OWNER, "cdr_token": known}).cdr_token.uid == "0123"


def test_a_contract_that_names_no_party_belongs_to_nobody() -> None:
    token = SESSION["2.1.1"].read({**SESSION_211, "auth_id": "4711"}, given=OWNER).cdr_token
    assert (token.country_code, token.party_id) == ("ZZ", "#NA")


def test_a_session_written_for_2_1_1_carries_its_location_cut_down() -> None:
    two = {**STORED, "evses": [{**STORED["evses"][0], "uid": "other"}, STORED["evses"][0]]}
    written, losses = SESSION["2.1.1"].write(OURS, context={"location": two})
    assert [evse["uid"] for evse in written["location"]["evses"]] == ["3256"]
    assert written["auth_id"] == "DE8ACC12E46L89"
    assert written["total_cost"] == Decimal("4.5")
    assert [loss.pointer for loss in losses] == ["/cdr_token"]


def test_a_session_at_an_unpublished_location_is_the_drivers_to_see() -> None:
    written, _ = SESSION["2.1.1"].write(OURS, context={"location": {**STORED, "publish": False}})
    assert written["location"]["id"] == "LOC1"


@pytest.mark.parametrize("context", [{}, {"location": {**STORED, "evses": []}}])
def test_a_session_whose_place_is_unknown_is_not_written_for_2_1_1(context: dict[str, Any]) -> None:
    with pytest.raises(NotExpressible):
        SESSION["2.1.1"].write(OURS, context=context)


def test_a_plug_that_2_1_1_lacks_does_not_stop_a_session() -> None:
    evse = STORED["evses"][0]
    plug = {**evse["connectors"][0], "standard": "CHAOJI", "power_type": "DC"}
    place = {**STORED, "evses": [{**evse, "connectors": [plug]}]}
    written, losses = SESSION["2.1.1"].write(OURS, context={"location": place})
    assert written["location"]["evses"][0]["connectors"][0]["standard"] == "IEC_62196_T2_COMBO"
    assert "/connector_id" in [loss.pointer for loss in losses]


@pytest.mark.parametrize(
    ("field", "value", "sent"), [("status", "RESERVATION", "PENDING"), ("auth_method", "COMMAND", "AUTH_REQUEST")]
)
def test_values_2_1_1_lacks_turn_into_near_ones(field: str, value: str, sent: str) -> None:
    written, losses = SESSION["2.1.1"].write({**OURS, field: value}, context={"location": STORED})
    assert written[field] == sent
    assert f"/{field}" in [loss.pointer for loss in losses]


def test_a_period_without_a_dimension_2_1_1_knows_bills_nothing() -> None:
    period = {"start_date_time": NOW, "dimensions": [{"type": "POWER", "volume": 11}]}
    written, losses = SESSION["2.1.1"].write({**OURS, "charging_periods": [period]}, context={"location": STORED})
    assert written["charging_periods"][0]["dimensions"] == [{"type": "TIME", "volume": 0}]
    assert "/charging_periods/0/dimensions" in [loss.pointer for loss in losses]


def test_flat_is_no_dimension_of_ours() -> None:
    dimensions = [{"type": "FLAT", "volume": 1}, {"type": "TIME", "volume": 2}]
    period = {"start_date_time": NOW, "dimensions": dimensions}
    read = SESSION["2.1.1"].read({**SESSION_211, "charging_periods": [period]}, given=OWNER)
    assert [dimension.type for dimension in read.charging_periods[0].dimensions] == ["TIME"]


def test_a_part_with_half_a_place_is_left_to_the_whole() -> None:
    with pytest.raises(NotExpressible, match="whole location"):
        SESSION["2.1.1"].write_patch({"connector_id": "2"}, context={"location": STORED})
    assert SESSION["2.1.1"].write_patch({"kwh": 13, "end_date_time": NOW}) == ({"kwh": 13, "end_datetime": NOW}, ())


@pytest.mark.parametrize(
    ("price_221", "price"),
    [
        ({"excl_vat": Decimal(10)}, {"before_taxes": 10}),
        (
            {"excl_vat": 10, "incl_vat": Decimal("11.9")},
            {"before_taxes": 10, "taxes": [{"name": "VAT", "amount": Decimal("1.9")}]},
        ),
        ({"excl_vat": 10, "incl_vat": 10}, {"before_taxes": 10, "taxes": [{"name": "VAT", "amount": 0}]}),
    ],
)
def test_prices_of_2_2_1_come_and_go_without_loss(price_221: dict[str, Any], price: dict[str, Any]) -> None:
    written, _ = SESSION["2.2.1"].write({**OURS, "total_cost": price})
    assert written["total_cost"] == price_221
    assert SESSION["2.2.1"].read(written).tree()["total_cost"] == price


def test_several_taxes_are_one_sum_in_2_2_1() -> None:
    taxes = [{"name": "QST", "amount": Decimal("0.998"), "percentage": 5}, {"name": "GST", "amount": Decimal("0.5")}]
    written, losses = SESSION["2.2.1"].write({**OURS, "total_cost": {"before_taxes": 10, "taxes": taxes}})
    assert written["total_cost"] == {"excl_vat": 10, "incl_vat": Decimal("11.498")}
    assert [loss.pointer for loss in losses] == ["/total_cost/taxes"]


def test_2_1_1_has_no_charging_preferences() -> None:
    assert set(CHARGING_PREFERENCES) == {"2.2.1", "2.3.0"}
