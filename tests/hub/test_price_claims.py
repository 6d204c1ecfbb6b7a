"""What a CDR claims is checked on every face that prices it: a case, a line of a batch, `--cdr`, and the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from hub.control.batch import Pricer
from hub.control.price import PriceAsked, quote
from hub.core.inbound import parse
from modules.tariffs.pricing import page_of
from tests.hub.test_price_batch import CDR, TARIFF, case, run

# Ten kWh at 0.50 with 19 % between ten and eleven o'clock.
TRUE: Final[dict[str, Any]] = {
    **CDR,
    "currency": "EUR",
    "total_cost": {"excl_vat": 5, "incl_vat": Decimal("5.95")},
    "total_energy_cost": {"excl_vat": 5},
    "total_energy": 10,
    "total_time": 1,
}

FALSE: Final[list[tuple[dict[str, Any], str, str]]] = [
    ({"total_energy": 11}, "total_energy", "energy"),
    ({"total_energy": 10_000}, "total_energy", "energy"),
    ({"total_time": 2}, "total_time", "total_time"),
    ({"total_parking_time": 1}, "total_parking_time", "parking_time"),
    ({"currency": "CHF"}, "currency", "currency"),
    ({"total_cost": {"excl_vat": 6}}, "total_cost.before_taxes", "arithmetic"),
    ({"total_cost": {"excl_vat": 5, "incl_vat": 5}}, "total_cost.after_taxes", "tax"),
    ({"total_energy_cost": {"excl_vat": 4}}, "total_energy_cost.before_taxes", "stale_tariff"),
    ({"total_time_cost": {"excl_vat": 1}}, "total_time_cost.before_taxes", "wrong_element"),
    ({"credit": True}, "credit_reference_id", "credit"),
]
UNREADABLE: Final[list[tuple[dict[str, Any], str]]] = [
    *(({"total_cost": value}, "total_cost") for value in ("abc", {}, [1], True, {"incl_vat": 5})),
    ({"total_cost": {"excl_vat": "much"}}, "total_cost.before_taxes"),
    ({"total_cost": {"excl_vat": 5, "incl_vat": []}}, "total_cost.after_taxes"),
    ({"total_cost": {"before_taxes": 5, "taxes": 1}}, "total_cost.taxes"),
    ({"total_cost": {"before_taxes": 5, "taxes": [1]}}, "total_cost.taxes/0"),
    ({"total_cost": {"before_taxes": 5, "taxes": [{"name": "VAT"}]}}, "total_cost.taxes/0"),
    ({"total_energy_cost": "abc"}, "total_energy_cost"),
    ({"total_energy": {}}, "total_energy"),
    ({"total_energy": "1e999"}, "total_energy"),
    ({"total_time": "an hour"}, "total_time"),
    ({"currency": "EURO"}, "currency"),
    ({"currency": 978}, "currency"),
    ({"credit": "yes"}, "credit"),
]

Found = list[tuple[str, str]]
Face = Callable[[dict[str, Any]], tuple[Found, bool]]


def by_a_case(cdr: dict[str, Any]) -> tuple[Found, bool]:
    return found(Pricer().of_line(written(case(cdr=cdr))))


def by_quote(cdr: dict[str, Any]) -> tuple[Found, bool]:
    asked = {"tariffs": [TARIFF], "cdr": cdr, "version": "2.2.1", "time_zone": "Europe/Berlin"}
    return found(quote(PriceAsked.of(parse(written(asked), limit=10_000))))


def found(priced: Any) -> tuple[Found, bool]:
    """Figure and class of each deviation, and whether all is well."""
    checked = priced["check"]
    return [(each["figure"], each["class"]) for each in checked["deviations"]], checked["ok"]


def written(tree: Any) -> bytes:
    return json.dumps(tree, default=float).encode()


FACES: Final = pytest.mark.parametrize("face", [by_a_case, by_quote])


@FACES
def test_a_true_cdr_is_right(face: Face) -> None:
    assert face(TRUE) == ([], True)


@FACES
@pytest.mark.parametrize(("change", "figure", "cause"), FALSE, ids=lambda value: str(value)[:40])
def test_a_false_claim_is_named_with_its_class(face: Face, change: dict[str, Any], figure: str, cause: str) -> None:
    deviations, ok = face({**TRUE, **change})
    assert (figure, cause) in deviations
    assert not ok


@FACES
@pytest.mark.parametrize(("change", "figure"), UNREADABLE, ids=str)
def test_a_claim_that_cannot_be_read_is_a_deviation(face: Face, change: dict[str, Any], figure: str) -> None:
    assert face({**TRUE, **change}) == ([(figure, "unreadable")], False)
    assert face({**CDR, **change}) == ([(figure, "unreadable")], False)


@FACES
def test_one_that_cannot_be_read_hides_no_other(face: Face) -> None:
    deviations, _ = face({**TRUE, "total_cost": "abc", "total_energy": 11})
    assert deviations == [("total_cost", "unreadable"), ("total_energy", "energy")]


def test_an_expectation_and_the_claims_are_told_apart() -> None:
    told = Pricer().of_line(written(case(cdr=TRUE, expected={"total_cost": {"excl": 4}})))["check"]
    assert (told["ok"], told["verdict"], [each["figure"] for each in told["differences"]]) == (
        False, "right", ["total_cost.excl"],
    )  # fmt: skip
    told = Pricer().of_line(written(case(cdr={**TRUE, "total_time": 3}, expected={"total_cost": {"excl": 5}})))["check"]
    assert (told["ok"], told["verdict"], told["differences"]) == (False, "wrong", [])


def test_a_session_claims_its_costs() -> None:
    for cost, ok in ((5, True), (6, False)):
        session = {**CDR, "kwh": 10, "total_cost": {"excl_vat": cost}}
        assert Pricer().of_line(written(case(kind="session", session=session)))["check"]["ok"] is ok


def test_a_cdr_needs_no_more_than_its_times_and_periods_whatever_its_version(tmp_path: Path) -> None:
    tariff, cdr = tmp_path / "tariff.json", tmp_path / "cdr.json"
    tariff.write_bytes(written(TARIFF))
    for version in ("2.1.1", "2.2.1", "2.3.0"):
        for claimed, code in ((5, 0), (6, 1), ("abc", 1)):
            cdr.write_bytes(written({**CDR, "total_cost": claimed}))
            ran = run("--tariff", str(tariff), "--cdr", str(cdr), "--ocpi", version)
            assert ran.code == code, (version, claimed)
            assert (b"total_cost" in ran.out) == (code == 1)


PLACE: Final = {"name": "Gent Zuid", "address": "F.Rooseveltlaan 3A", "city": "Gent", "postal_code": "9000"}


@pytest.mark.parametrize(
    "where",
    [
        {"cdr_location": {**PLACE, "evse_uid": "3256", "evse_id": "BE*AAA*E1"}},
        {"location": {**PLACE, "evses": [{"uid": "3256", "evse_id": "BE*AAA*E1"}]}},
    ],
)
def test_the_receipt_names_the_place_that_a_cdr_names(where: dict[str, Any]) -> None:
    receipt = Pricer().of_line(written(case(cdr={**CDR, **where})))["receipt"]
    assert receipt["place"] == {"location": "Gent Zuid, F.Rooseveltlaan 3A, 9000 Gent", "evse": "BE*AAA*E1"}


@pytest.mark.parametrize("where", [{}, {"cdr_location": 3}, {"location": []}, {"location": {"evses": [1], "name": 2}}])
def test_a_place_that_is_not_known_is_left_out(where: dict[str, Any]) -> None:
    assert "place" not in Pricer().of_line(written(case(cdr={**CDR, **where})))["receipt"]


# An hour was reserved, and nobody came: 9.00 for a reservation that is used or cancelled, 11.00 for one that expires.
RESERVING: Final[dict[str, Any]] = {
    **TARIFF,
    "elements": [
        {
            "price_components": [{"type": "TIME", "price": price, "step_size": 1}],
            "restrictions": {"reservation": reservation},
        }
        for price, reservation in ((9, "RESERVATION"), (11, "RESERVATION_EXPIRES"))
    ],
}
NOBODY_CAME: Final[dict[str, Any]] = {
    **CDR,
    "charging_periods": [
        {"start_date_time": CDR["start_date_time"], "dimensions": [{"type": "RESERVATION_TIME", "volume": 1}]}
    ],
}


def reserved(cost: int | None, **more: Any) -> Any:
    """The price of the reservation, for which a CDR claims `cost`."""
    claims = {} if cost is None else {"total_cost": {"excl_vat": cost}}
    return Pricer().of_line(written(case(tariffs=[RESERVING], cdr={**NOBODY_CAME, **claims}, **more)))


def test_a_reservation_that_nobody_came_for_has_expired_on_every_face() -> None:
    assert reserved(None)["total_cost"]["excl"] == "11"
    asked = {"tariffs": [RESERVING], "cdr": NOBODY_CAME, "version": "2.2.1", "time_zone": "Europe/Berlin"}
    assert quote(PriceAsked.of(asked))["total"]["before_taxes"] == 11
    assert (reserved(11)["check"]["verdict"], reserved(8)["check"]["ok"]) == ("right", False)
    states = [{"at": CDR["start_date_time"], "state": "RESERVED"}]
    timeline = {"start": CDR["start_date_time"], "end": CDR["end_date_time"], "states": states}
    priced = Pricer().of_line(written(case(kind="timeline", timeline=timeline, tariffs=[RESERVING])))
    assert priced["total_cost"]["excl"] == "11"


def test_one_that_is_said_not_to_have_expired_has_not() -> None:
    assert reserved(None, reservation_expired=False)["total_cost"]["excl"] == "9"
    assert reserved(None, reservation_expired=None)["total_cost"]["excl"] == "11"


def test_one_that_is_billed_as_cancelled_is_priced_so_and_that_is_said() -> None:
    priced = reserved(9)
    assert (priced["check"]["verdict"], priced["total_cost"]["excl"]) == ("right", "9")
    assert priced["warnings"] == ["reservation_taken_for_cancelled"]
    assert "cancelled" in page_of(priced["receipt"])
