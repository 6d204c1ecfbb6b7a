"""Tariffs of OCPI as chargers of 2.1 take them: exactly, or not at all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.core.inbound import encode, parse
from partners.ocpp import schemas
from partners.ocpp.tariffs21 import expressed


def tariff(*elements: dict[str, Any], **more: Any) -> Any:
    whole = {"id": "T1", "currency": "EUR", "tax_included": "NO", "elements": list(elements), **more}
    return parse(encode(whole), limit=10**6)


def element(kind: str, price: str, *, step: int = 1, vat: str | None = None, **restrictions: Any) -> dict[str, Any]:
    tax = {"vat": Decimal(vat)} if vat is not None else {}
    component = {"type": kind, "price": Decimal(price), "step_size": step, **tax}
    return {"price_components": [component], **({"restrictions": restrictions} if restrictions else {})}


WHOLE = tariff(
    element("ENERGY", "0.59", vat="19", start_time="07:00", end_time="22:00", day_of_week=["MONDAY", "SUNDAY"]),
    element("ENERGY", "0.49", vat="19", max_kwh=20, min_power=11),
    element("TIME", "0.60", max_duration=3600),
    element("PARKING_TIME", "6"),
    element("FLAT", "1.50", start_date="2026-01-01", end_date="2027-01-01"),
    element("TIME", "3.00", reservation="RESERVATION"),
    element("FLAT", "2", reservation="RESERVATION"),
    min_price={"before_taxes": Decimal("0.5")},
    max_price={"before_taxes": 100, "after_taxes": 119},
    start_date_time="2026-01-01T00:00:00Z",
    tariff_alt_text=[{"language": "en", "text": "59 cents"}],
)


def test_what_2_1_can_say_it_is_told_exactly() -> None:
    told = expressed(WHOLE)
    assert told.reasons == ()
    assert schemas.check("2.1", "SetDefaultTariff", {"evseId": 1, "tariff": told.tariff}, strict=True) is None
    assert told.tariff["energy"] == {
        "prices": [
            {
                "priceKwh": Decimal("0.59"),
                "conditions": {
                    "startTimeOfDay": "07:00",
                    "endTimeOfDay": "22:00",
                    "dayOfWeek": ["Monday", "Sunday"],
                },
            },
            {"priceKwh": Decimal("0.49"), "conditions": {"maxEnergy": 20000, "minPower": 11000}},
        ],
        "taxRates": [{"type": "VAT", "tax": 19}],
    }
    assert told.tariff["chargingTime"]["prices"] == [{"priceMinute": Decimal("0.01"), "conditions": {"maxTime": 3600}}]
    assert told.tariff["idleTime"]["prices"] == [{"priceMinute": Decimal("0.1")}]
    fixed = {"validFromDate": "2026-01-01", "validToDate": "2027-01-01"}
    assert told.tariff["fixedFee"]["prices"] == [{"priceFixed": Decimal("1.50"), "conditions": fixed}]
    assert told.tariff["reservationTime"]["prices"] == [{"priceMinute": Decimal("0.05")}]
    assert told.tariff["reservationFixed"]["prices"] == [{"priceFixed": 2}]
    assert (told.tariff["minCost"], told.tariff["maxCost"]) == (
        {"exclTax": Decimal("0.5")},
        {"exclTax": 100, "inclTax": 119},
    )


@pytest.mark.parametrize(
    ("given", "where"),
    [
        (tariff(element("ENERGY", "0.59", step=1000)), "/elements/0/price_components/0/step_size"),
        (tariff(element("TIME", "1.00", step=1)), "/elements/0/price_components/0/price"),
        (tariff(element("ENERGY", "0.59"), tax_included="YES"), "/tax_included"),
        (tariff(element("ENERGY", "0.59"), end_date_time="2027-01-01T00:00:00Z"), "/end_date_time"),
        (tariff(element("FLAT", "1", min_kwh=5)), "/elements/0/restrictions/min_kwh"),
        (tariff(element("FLAT", "1", reservation="RESERVATION_EXPIRES")), "/elements/0/price_components/0/type"),
        (
            tariff(element("ENERGY", "1", vat="19"), element("ENERGY", "2", vat="7")),
            "/elements/1/price_components/0/vat",
        ),
    ],
)
def test_what_it_cannot_say_is_named_by_its_field_and_nothing_is_told(given: Any, where: str) -> None:
    told = expressed(given)
    assert told.tariff == {}
    assert [reason.split(":")[0] for reason in told.reasons] == [where]
