"""Prices and receipts over the API."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.hub.house import House
from tests.world import tariff

CDR: dict[str, Any] = {
    "start_date_time": "2026-05-04T10:00:00Z",
    "end_date_time": "2026-05-04T11:00:00Z",
    "charging_periods": [
        {"start_date_time": "2026-05-04T10:00:00Z", "dimensions": [{"type": "ENERGY", "volume": 10}]},
    ],
}


async def price(house: House, **asked: Any) -> Any:
    return await house.ask("POST", "/api/v1/price", asked, token=house.token_of("viewer"))


async def test_a_cdr_is_priced_with_its_receipt(house: House) -> None:
    tree = (await price(house, tariffs=[tariff()], cdr=CDR)).tree
    assert tree["currency"] == "EUR"
    assert tree["total"] == {"before_taxes": Decimal("5.0000"), "after_taxes": Decimal("5.9500")}
    receipt = tree["receipt"]
    assert (receipt["format"], receipt["currency"]) == (1, "EUR")
    assert [(line["dimension"], line["billed"], line["price"]) for line in receipt["lines"]] == [
        ("ENERGY", "10", "0.5")
    ]
    assert receipt["figures"][-1]["after_taxes"] == {"exact": "5.95", "rounded": "5.9500"}
    assert tree["taxes"][0]["amount"] == Decimal("0.95")
    assert "check" not in tree


async def test_a_cdr_with_its_tariffs_needs_no_others(house: House) -> None:
    tree = (await price(house, cdr={**CDR, "tariffs": [tariff()]})).tree
    assert tree["total"]["before_taxes"] == 5


async def test_a_cdr_that_claims_another_price_is_found_out(house: House) -> None:
    for claimed, verdict, off in ((5, "right", []), (Decimal("5.50"), "wrong", [Decimal("0.5")])):
        tree = (await price(house, tariffs=[tariff()], cdr={**CDR, "total_cost": {"before_taxes": claimed}})).tree
        assert (tree["check"]["verdict"], tree["check"]["ok"]) == (verdict, verdict == "right")
        assert [deviation["difference"] for deviation in tree["check"]["deviations"]] == off


async def test_it_is_said_how_far_off_a_claim_may_be(house: House) -> None:
    for tolerance, ok in ((0, False), (Decimal("0.01"), True)):
        cdr = {**CDR, "total_cost": {"before_taxes": Decimal("5.01")}}
        told = await price(house, tariffs=[tariff()], cdr=cdr, tolerance=tolerance)
        assert told.tree["check"]["ok"] is ok


async def test_a_running_session_is_priced_up_to_its_last_word(house: House) -> None:
    session = {name: value for name, value in CDR.items() if name != "end_date_time"}
    told = await price(house, tariffs=[tariff()], session={**session, "last_updated": "2026-05-04T10:30:00Z"})
    assert told.tree["total"]["before_taxes"] == 5


async def test_an_older_version_is_read_by_its_own_rules(house: House) -> None:
    old = {
        "id": "T1",
        "currency": "EUR",
        "elements": [{"price_components": [{"type": "ENERGY", "price": Decimal("0.5"), "step_size": 1}]}],
        "last_updated": "2026-01-01T00:00:00Z",
    }
    session = {
        "id": "S1",
        "start_datetime": "2026-05-04T10:00:00Z",
        "end_datetime": "2026-05-04T11:00:00Z",
        "kwh": 10,
        "auth_id": "C1",
        "auth_method": "WHITELIST",
        "location": {
            "id": "L1",
            "type": "ON_STREET",
            "address": "Rail 1",
            "city": "Berlin",
            "postal_code": "10115",
            "country": "DEU",
            "coordinates": {"latitude": "52.520008", "longitude": "13.404954"},
            "last_updated": "2026-01-01T00:00:00Z",
            "evses": [
                {
                    "uid": "E1",
                    "status": "AVAILABLE",
                    "last_updated": "2026-01-01T00:00:00Z",
                    "connectors": [
                        {
                            "id": "1",
                            "standard": "IEC_62196_T2",
                            "format": "SOCKET",
                            "power_type": "AC_3_PHASE",
                            "voltage": 230,
                            "amperage": 32,
                            "last_updated": "2026-01-01T00:00:00Z",
                        }
                    ],
                }
            ],
        },
        "currency": "EUR",
        "status": "COMPLETED",
        "charging_periods": CDR["charging_periods"],
        "last_updated": "2026-05-04T11:00:00Z",
    }
    told = await price(house, tariffs=[old], session=session, version="2.1.1")
    assert told.status == 200, told.tree
    assert told.tree["total"]["before_taxes"] == 5


async def test_what_cannot_be_priced_is_told(house: House) -> None:
    night = tariff()
    night["elements"][0]["restrictions"] = {"start_time": "22:00", "end_time": "06:00"}
    crowns = {**tariff(), "id": "SEK1", "currency": "SEK"}
    halves = zip(("10:00", "10:30"), (tariff()["id"], "SEK1"), strict=True)
    by_two = [
        {**CDR["charging_periods"][0], "start_date_time": f"2026-05-04T{at}:00Z", "tariff_id": name}
        for at, name in halves
    ]
    asks: list[tuple[dict[str, Any], str]] = [
        ({"tariffs": [tariff()]}, "invalid_request"),
        ({"tariffs": [tariff()], "cdr": CDR, "session": CDR}, "invalid_request"),
        ({"cdr": CDR}, "unfit_case"),
        ({"tariffs": [{}], "cdr": CDR}, "unfit_tariff"),
        ({"tariffs": [1], "cdr": CDR}, "invalid_request"),
        ({"tariffs": [tariff()], "cdr": {**CDR, "charging_periods": [{}]}}, "unfit_session"),
        ({"tariffs": [tariff()], "cdr": {**CDR, "charging_periods": 1}}, "unfit_case"),
        ({"tariffs": [tariff()], "cdr": {**CDR, "charging_periods": []}}, "unfit_session"),
        ({"tariffs": [tariff()], "cdr": {**CDR, "charging_periods": None}}, "unfit_session"),
        ({"tariffs": [tariff(), crowns], "cdr": {**CDR, "charging_periods": by_two}}, "several_currencies"),
        ({"cdr": {**CDR, "tariffs": [1]}}, "unfit_case"),
        ({"tariffs": [tariff()], "cdr": {**CDR, "start_date_time": "soon"}}, "unfit_session"),
        ({"tariffs": [tariff()], "cdr": {**CDR, "start_date_time": 1}}, "unfit_session"),
        ({"tariffs": [night], "cdr": CDR}, "unfit_session"),
        ({"tariffs": [night], "cdr": CDR, "time_zone": "Mars/Olympus"}, "unknown_time_zone"),
        ({"tariffs": [tariff()], "cdr": {}, "version": "2.2.1"}, "unfit_session"),
    ]
    for asked, code in asks:
        told = await price(house, **asked)
        assert (told.status, told.code) == (422, code), (asked, told.tree)
