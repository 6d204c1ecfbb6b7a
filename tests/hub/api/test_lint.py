"""Lint and cases over the API."""

from __future__ import annotations

from typing import Any

from tests.hub.house import House
from tests.world import tariff

CASE: dict[str, Any] = {
    "name": "ten kWh",
    "ocpi_version": "2.3.0",
    "tariffs": [tariff()],
    "cdr": {
        "start_date_time": "2026-05-04T10:00:00Z",
        "end_date_time": "2026-05-04T11:00:00Z",
        "charging_periods": [
            {"start_date_time": "2026-05-04T10:00:00Z", "dimensions": [{"type": "ENERGY", "volume": 10}]}
        ],
    },
}


async def ask(house: House, path: str, tree: Any) -> Any:
    return await house.ask("POST", path, tree, token=house.token_of("viewer"))


async def test_a_tariff_is_looked_at_and_not_stored(house: House) -> None:
    odd = tariff()
    odd["elements"] *= 2
    told = await ask(house, "/api/v1/tariffs/lint", {"tariff": odd})
    assert told.status == 200
    first = told.tree["items"][0]
    assert (first["code"], first["severity"], first["pointer"]) == ("unreachable_element", "error", "/elements/1")
    assert told.tree["counted"]["error"] == 1
    assert (await house.ask("GET", "/api/v1/tariffs")).tree["total"] == 0


async def test_only_what_concerns_a_version_is_told(house: House) -> None:
    odd = {**tariff(), "max_price": {"before_taxes": 4}}
    codes = {}
    for version in ("2.1.1", "2.3.0"):
        told = await ask(house, "/api/v1/tariffs/lint", {"tariff": odd, "concerning": [version]})
        codes[version] = [item["code"] for item in told.tree["items"]]
    assert codes == {"2.1.1": ["limit_lost", "tax_lost"], "2.3.0": []}


async def test_what_is_no_tariff_is_a_finding_and_what_is_no_question_is_refused(house: House) -> None:
    told = await ask(house, "/api/v1/tariffs/lint", {"tariff": {"elements": 3}})
    assert [item["code"] for item in told.tree["items"]] == ["unreadable"]
    strange = {**tariff(), "elements": [{"price_components": [{"type": "HEAT", "price": 1, "step_size": 1}]}]}
    told = await ask(house, "/api/v1/tariffs/lint", {"tariff": strange})
    assert [item["code"] for item in told.tree["items"]] == ["unknown_dimension"]
    refused: tuple[Any, ...] = (
        {},
        {"tariff": 3},
        {"tariff": {}, "version": "3"},
        {"tariff": {}, "concerning": [""]},
        [],
    )
    for bad in refused:
        told = await ask(house, "/api/v1/tariffs/lint", bad)
        assert (told.status, told.code) == (422, "invalid_request"), bad


async def test_a_tariff_that_does_not_say_whether_taxes_are_included_is_told_so_and_looked_at_all_the_same(
    house: House,
) -> None:
    silent = {**tariff(), "tax_included": None}
    told = await ask(house, "/api/v1/tariffs/lint", {"tariff": {**silent, "elements": silent["elements"] * 2}})
    codes = [(item["code"], item["pointer"]) for item in told.tree["items"] if item["severity"] == "error"]
    assert codes == [("tax_included_missing", "/tax_included"), ("unreachable_element", "/elements/1")]
    del silent["tax_included"]
    told = await ask(house, "/api/v1/tariffs/lint", {"tariff": silent, "concerning": ["2.2.1"]})
    assert "tax_included_missing" not in [item["code"] for item in told.tree["items"]]


async def test_a_case_is_priced(house: House) -> None:
    told = await ask(house, "/api/v1/price", {**CASE, "expected": {"total_cost": {"excl": "5.5"}}})
    assert told.status == 200
    assert told.tree["total_cost"] == {"excl": "5", "incl": "5.95"}
    assert told.tree["check"]["ok"] is False
    assert told.tree["receipt"]["format"] == 1


async def test_a_case_that_has_no_price_is_refused_by_the_name_of_its_fault(house: House) -> None:
    for changes, code in (
        ({"tariffs": []}, "unfit_case"),
        ({"tariffs": [{**tariff(), "end_date_time": "2020-01-01T00:00:00Z"}]}, "no_tariff_in_force"),
        ({"ocpi_version": "4"}, "unfit_case"),
        ({"kind": "song"}, "unfit_case"),
    ):
        told = await ask(house, "/api/v1/price", {**CASE, **changes})
        assert (told.status, told.code) == (422, code), changes
