"""Tariffs in 2.1.1 and 2.2.1 (mod_tariffs)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.core.dialect import Loss, NotExpressible
from modules.tariffs.wire import INCOMPLETE, ROUNDED, TARIFF

NOW = "2015-06-29T20:39:09Z"


def element(price: str = "0.25", *, vat: int | None = None, **restrictions: Any) -> dict[str, Any]:
    component: dict[str, Any] = {"type": "ENERGY", "price": Decimal(price), "step_size": 1}
    if vat is not None:
        component["vat"] = vat
    made: dict[str, Any] = {"price_components": [component]}
    return {**made, "restrictions": restrictions} if restrictions else made


def tariff(*elements: dict[str, Any], **changes: Any) -> dict[str, Any]:
    base = {"country_code": "DE", "party_id": "ALL", "id": "12", "currency": "EUR", "last_updated": NOW}
    return {**base, "tax_included": "NO", "elements": list(elements or [element()]), **changes}


def pointers(losses: tuple[Loss, ...]) -> list[str]:
    return [loss.pointer for loss in losses]


@pytest.mark.parametrize("version", ["2.1.1", "2.2.1"])
def test_older_prices_are_without_tax(version: str) -> None:
    written, losses = TARIFF[version].write(tariff())
    assert losses == ()
    assert TARIFF[version].read(written, given={"country_code": "DE", "party_id": "ALL"}).tree() == tariff()


@pytest.mark.parametrize("version", ["2.1.1", "2.2.1"])
def test_tax_is_taken_off_where_each_price_says_how_much(version: str) -> None:
    written, losses = TARIFF[version].write(tariff(element("0.30", vat=20), tax_included="YES"))
    assert written["elements"][0]["price_components"][0]["price"] == Decimal("0.25")
    assert {"/tax_included", "/elements/0/price_components/0/price"} <= set(pointers(losses))


@pytest.mark.parametrize("version", ["2.1.1", "2.2.1"])
def test_a_price_with_a_tax_of_unknown_height_is_never_sent(version: str) -> None:
    with pytest.raises(NotExpressible, match="tax"):
        TARIFF[version].write(tariff(element(vat=20), element(), tax_included="YES"))


@pytest.mark.parametrize("version", ["2.1.1", "2.2.1"])
def test_a_rate_that_counts_for_nothing_is_not_sent_where_it_would_be_added(version: str) -> None:
    ours = tariff(element("0.30", vat=20), element("0.40"), tax_included="N/A")
    written, losses = TARIFF[version].write(ours)
    components = [each["price_components"][0] for each in written["elements"]]
    assert [(each["price"], "vat" in each) for each in components] == [
        (Decimal("0.30"), False),
        (Decimal("0.40"), False),
    ]
    assert pointers(losses) == ["/tax_included", "/elements/0/price_components/0/vat"]
    assert TARIFF["2.3.0"].write(ours)[0]["elements"][0]["price_components"][0]["vat"] == 20


@pytest.mark.parametrize("vat", [-1, -100, -250])
def test_a_tax_below_nothing_is_a_tax_of_unknown_height(vat: int) -> None:
    with pytest.raises(NotExpressible):
        TARIFF["2.2.1"].write(tariff(element(vat=vat), tax_included="YES"))


def test_the_largest_price_that_is_read_can_be_sent_without_tax() -> None:
    written, _ = TARIFF["2.2.1"].write(tariff(element("9" * 20 + "E20", vat=25), tax_included="YES"))
    assert written["elements"][0]["price_components"][0]["price"] == Decimal("79999999999999999999.2E20")


def test_free_is_free_with_any_tax() -> None:
    written, _ = TARIFF["2.2.1"].write(tariff(element("0.00"), tax_included="YES"))
    assert written["elements"] == [element("0.00")]


def test_no_tax_at_all_is_sent_as_without_tax_and_told() -> None:
    written, losses = TARIFF["2.2.1"].write(tariff(tax_included="N/A"))
    assert written["elements"] == [element()]
    assert pointers(losses) == ["/tax_included"]


@pytest.mark.parametrize("more", [{}, {"min_kwh": 1}, {"min_current": 6}])
def test_the_element_goes_and_never_its_restriction(more: dict[str, Any]) -> None:
    written, losses = TARIFF["2.1.1"].write(tariff(element("9.99", reservation="RESERVATION", **more), element()))
    assert written["elements"] == [element()]
    assert written["tariff_alt_text"] == [INCOMPLETE]
    assert pointers(losses) == ["/elements/0", "/tariff_alt_text"]


def test_a_tariff_whose_elements_all_go_is_not_sent() -> None:
    with pytest.raises(NotExpressible, match="reservation"):
        TARIFF["2.1.1"].write(tariff(element(reservation="RESERVATION")))


@pytest.mark.parametrize("condition", [{"min_current": 6}, {"max_current": 32}])
def test_a_price_that_depends_on_current_is_not_told_as_another_price(condition: dict[str, Any]) -> None:
    with pytest.raises(NotExpressible, match="current"):
        TARIFF["2.1.1"].write(tariff(element("9.99", **condition), element()))
    assert TARIFF["2.2.1"].write(tariff(element("9.99", **condition), element()))[1] == ()


def test_prices_without_their_tax_have_four_decimals() -> None:
    written, losses = TARIFF["2.2.1"].write(tariff(element("0.49", vat=19), tax_included="YES"))
    assert str(written["elements"][0]["price_components"][0]["price"]) == "0.4118"
    assert [loss.reason for loss in losses if loss.pointer.endswith("/price")] == [ROUNDED]


@pytest.mark.parametrize("version", ["2.1.1", "2.2.1"])
def test_prices_of_bookings_are_not_sent_as_prices_of_charging(version: str) -> None:
    written, _ = TARIFF[version].write(tariff(element("5.00", booking="BOOKING"), element()))
    assert written["elements"] == [element()]


@pytest.mark.parametrize("kind", ["AD_HOC_PAYMENT", "PROFILE_GREEN"])
def test_2_1_1_gets_regular_tariffs_only(kind: str) -> None:
    with pytest.raises(NotExpressible, match="regular"):
        TARIFF["2.1.1"].write(tariff(type=kind))
    assert "type" not in TARIFF["2.1.1"].write(tariff(type="REGULAR"))[0]


def test_limits_are_lost_in_2_1_1_and_the_reader_is_told() -> None:
    written, losses = TARIFF["2.1.1"].write(tariff(min_price={"before_taxes": 1}))
    assert written["tariff_alt_text"] == [INCOMPLETE]
    assert pointers(losses) == ["/min_price", "/tariff_alt_text"]


def test_limits_are_prices_in_2_2_1() -> None:
    limits = {"min_price": {"before_taxes": 1, "after_taxes": 2}, "max_price": {"before_taxes": 3}}
    written, losses = TARIFF["2.2.1"].write(tariff(**limits))
    assert (written["min_price"], written["max_price"]) == ({"excl_vat": 1, "incl_vat": 2}, {"excl_vat": 3})
    assert losses == ()
    assert TARIFF["2.2.1"].read(written).tree() == tariff(**limits)


def test_a_part_of_a_2_1_1_tariff_is_read() -> None:
    assert TARIFF["2.1.1"].read_patch({"elements": [element()]}) == {"elements": [element()]}


def test_prices_are_not_sent_in_parts() -> None:
    with pytest.raises(NotExpressible, match="whole tariff"):
        TARIFF["2.1.1"].write_patch({"elements": [element()]})


def test_a_clock_has_no_25th_hour() -> None:
    with pytest.raises(Exception, match="/elements/0/restrictions/start_time"):
        TARIFF["2.3.0"].read(tariff(element(start_time="25:00")))
