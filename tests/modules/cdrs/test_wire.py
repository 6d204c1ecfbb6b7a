"""CDRs in 2.1.1 and 2.2.1 (mod_cdrs)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.core.dialect import NotExpressible
from hub.core.errors import InvalidRequest
from modules.cdrs.wire import CDR
from tests.modules.locations.test_wire import LOCATION_211, NOW, OWNER

CDR_211: dict[str, Any] = {
    "id": "12345",
    "start_date_time": NOW,
    "stop_date_time": "2015-06-29T23:37:32Z",
    "auth_id": "DE8ACC12E46L89",
    "auth_method": "WHITELIST",
    "location": LOCATION_211,
    "currency": "EUR",
    "charging_periods": [{"start_date_time": NOW, "dimensions": [{"type": "TIME", "volume": Decimal("1.973")}]}],
    "total_cost": "4.00",
    "total_energy": Decimal("15.342"),
    "total_time": Decimal("1.973"),
    "last_updated": NOW,
}
OURS = CDR["2.1.1"].read(CDR_211, given=OWNER).tree()
SIGNED = {"encoding_method": "OCMF", "signed_values": [{"nature": "Start", "plain_data": "a\nb", "signed_data": "c"}]}


def lost(**changes: Any) -> list[str]:
    return [loss.pointer for loss in CDR["2.1.1"].write({**OURS, **changes})[1]]


def test_the_place_of_a_2_1_1_cdr_is_flat_in_ours() -> None:
    assert OURS["cdr_location"] == {
        "id": "LOC1",
        "name": "Gent Zuid",
        "address": "F.Rooseveltlaan 3A",
        "city": "Gent",
        "postal_code": "9000",
        "country": "BEL",
        "coordinates": {"latitude": "51.04759", "longitude": "3.72994"},
        "evse_uid": "3256",
        "evse_id": "BE-BEC-E041503001",
        "connector_id": "1",
        "connector_standard": "IEC_62196_T2",
        "connector_format": "CABLE",
        "connector_power_type": "AC_3_PHASE",
    }


def test_the_place_is_built_again_for_2_1_1() -> None:
    location = CDR["2.1.1"].write(OURS)[0]["location"]
    assert (location["type"], location["evses"][0]["status"]) == ("UNKNOWN", "UNKNOWN")
    assert location["last_updated"] == location["evses"][0]["last_updated"] == NOW
    assert location["evses"][0]["connectors"][0]["voltage"] == 0


def test_volts_and_amperes_are_those_of_the_stored_connector() -> None:
    connector = {"id": "1", "max_voltage": 230, "max_amperage": 32}
    stored = {"evses": [{"uid": "3256", "connectors": [connector]}]}
    written, _ = CDR["2.1.1"].write(OURS, context={"location": stored})
    assert written["location"]["evses"][0]["connectors"][0]["amperage"] == 32


def test_a_reservation_without_an_evse_stays_one() -> None:
    place = {**OURS["cdr_location"], "evse_uid": "#NA", "evse_id": "#NA", "connector_id": "#NA"}
    written, _ = CDR["2.1.1"].write({**OURS, "cdr_location": place})
    again = CDR["2.1.1"].read(written, given=OWNER)
    assert (again.cdr_location.evse_uid, again.cdr_location.evse_id) == ("#NA", "#NA")


def test_a_2_1_1_cdr_without_an_evse_is_read() -> None:
    place = {name: value for name, value in LOCATION_211.items() if name != "evses"}
    assert CDR["2.1.1"].read({**CDR_211, "location": place}, given=OWNER).cdr_location.connector_id == "#NA"


def test_a_credit_cdr_is_never_sent_to_2_1_1() -> None:
    with pytest.raises(NotExpressible, match="credit"):
        CDR["2.1.1"].write({**OURS, "credit": True, "credit_reference_id": "1"})


def test_an_id_longer_than_2_1_1_has_is_not_cut() -> None:
    with pytest.raises(NotExpressible, match="36"):
        CDR["2.1.1"].write({**OURS, "id": "x" * 37})


def test_an_id_of_39_is_read_and_one_of_40_is_not() -> None:
    assert CDR["2.2.1"].read(CDR["2.2.1"].write({**OURS, "id": "x" * 39})[0]).id == "x" * 39
    with pytest.raises(InvalidRequest, match="/id: "):
        CDR["2.3.0"].read({**OURS, "id": "x" * 40})


def test_signed_data_is_lost_whole_and_told() -> None:
    assert "/signed_data" in lost(signed_data=SIGNED)


def test_signed_data_is_not_touched_on_the_way_to_2_2_1() -> None:
    assert CDR["2.2.1"].write({**OURS, "signed_data": SIGNED})[0]["signed_data"] == SIGNED


def test_what_a_bookkeeper_needs_goes_into_the_remark() -> None:
    changes = {"remark": "thanks", "invoice_reference_id": "INV7", "home_charging_compensation": True}
    written, losses = CDR["2.1.1"].write({**OURS, **changes})
    assert written["remark"] == "thanks inv=INV7 home=1"
    assert {"/remark", "/invoice_reference_id", "/home_charging_compensation"} <= {loss.pointer for loss in losses}


def test_a_full_remark_is_left_as_it_is() -> None:
    written, _ = CDR["2.1.1"].write({**OURS, "remark": "x" * 250, "invoice_reference_id": "INV7"})
    assert written["remark"] == "x" * 250


def test_a_tariff_that_cannot_be_sent_leaves_the_cdr_alone() -> None:
    tariff = {
        **OWNER,
        "id": "T",
        "currency": "EUR",
        "tax_included": "YES",
        "elements": [{"price_components": [{"type": "ENERGY", "price": 1, "step_size": 1}]}],
        "last_updated": NOW,
    }
    written, losses = CDR["2.2.1"].write({**OURS, "tariffs": [tariff]})
    assert "tariffs" not in written
    assert [loss.pointer for loss in losses] == ["/tariffs"]


@pytest.mark.parametrize(("power_type", "plug"), [("DC", "IEC_62196_T2_COMBO"), ("AC_3_PHASE", "IEC_62196_T2")])
def test_a_bill_is_not_held_for_a_plug_without_a_name(power_type: str, plug: str) -> None:
    place = {**OURS["cdr_location"], "connector_standard": "MCS", "connector_power_type": power_type}
    for version in ("2.1.1", "2.2.1"):
        written, losses = CDR[version].write({**OURS, "cdr_location": place})
        told = written.get("cdr_location", {}).get("connector_standard")
        assert (told or written["location"]["evses"][0]["connectors"][0]["standard"]) == plug
        assert "/cdr_location/connector_standard" in [loss.pointer for loss in losses]


def test_costs_other_than_the_total_are_lost_in_2_1_1() -> None:
    assert "/total_energy_cost" in lost(total_energy_cost={"before_taxes": 1})
    assert "/total_cost/taxes" in lost(total_cost={"before_taxes": 1, "taxes": [{"name": "VAT", "amount": 1}]})
