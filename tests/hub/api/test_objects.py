"""Our own locations, tariffs and tokens."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.core import failpoints
from tests.hub.house import House
from tests.world import location, tariff

LOC1 = "/api/v1/locations/DE/BSB/LOC1"
T1 = "/api/v1/tariffs/DE/BSB/T1"


async def test_a_location_is_kept_and_given_back(house: House) -> None:
    made = await house.ask("PUT", LOC1, location())
    assert (made.status, (await house.ask("PUT", LOC1, location())).status) == (201, 200)
    got = await house.ask("GET", "/api/v1/locations/de/bsb/loc1")
    assert got.tree["id"] == "LOC1"
    assert got.tree["country_code"] == "DE"
    assert got.tree["last_updated"]


async def test_a_location_of_somebody_else_is_not_ours_to_write(house: House) -> None:
    told = await house.ask("PUT", "/api/v1/locations/NL/ABC/LOC1", location())
    assert told.status == 422
    assert "NL*ABC is not our own party, DE*BSB is" in told.tree["error"]["message"]


async def test_the_url_and_the_location_must_agree(house: House) -> None:
    assert (await house.ask("PUT", LOC1, location("LOC2"))).status == 422


@pytest.mark.parametrize(
    "evses", [{}, "E1", [1], [{"uid": "E1", "connectors": "1"}], [{"uid": "E1", "connectors": [None]}], [{"uid": 1}]]
)
async def test_a_location_of_another_shape_is_refused(house: House, evses: Any) -> None:
    told = await house.ask("PUT", LOC1, {**location(), "evses": evses})
    assert (told.status, told.code) == (422, "invalid_request"), told.tree
    assert "/evses" in told.tree["error"]["message"]


async def test_an_evse_is_removed_and_still_readable(house: House) -> None:
    await house.ask("PUT", LOC1, location())
    told = await house.ask("DELETE", f"{LOC1}/evses/E2")
    assert {evse["uid"]: evse["status"] for evse in told.tree["evses"]} == {"E1": "AVAILABLE", "E2": "REMOVED"}
    assert (await house.ask("DELETE", f"{LOC1}/evses/E9")).status == 404


async def test_lists_are_newest_first_in_parts(house: House) -> None:
    for number in range(1, 6):
        await house.ask("PUT", f"/api/v1/locations/DE/BSB/L{number}", location(f"L{number}", evses=(f"E{number}",)))
    whole = (await house.ask("GET", "/api/v1/locations")).tree
    assert ([item["id"] for item in whole["items"]], whole["total"]) == (["L5", "L4", "L3", "L2", "L1"], 5)
    part = (await house.ask("GET", "/api/v1/locations?limit=2&offset=1")).tree
    assert ([item["id"] for item in part["items"]], part["total"]) == (["L4", "L3"], 5)
    last = (await house.ask("GET", "/api/v1/locations?limit=2&offset=4")).tree
    assert [item["id"] for item in last["items"]] == ["L1"]
    assert (await house.ask("GET", "/api/v1/locations?offset=5")).tree["items"] == []


async def test_a_price_keeps_its_digits(house: House) -> None:
    told = await house.ask("PUT", T1, tariff(price="0.1234"))
    assert told.tree["elements"][0]["price_components"][0]["price"] == Decimal("0.1234")


async def test_a_tariff_is_withdrawn(house: House) -> None:
    await house.ask("PUT", T1, tariff())
    assert (await house.ask("DELETE", T1)).tree == {"deleted": "DE*BSB/T1"}
    assert (await house.ask("GET", T1)).status == 404
    assert (await house.ask("DELETE", T1)).status == 404


async def test_a_connector_whose_tariff_is_not_here_is_warned_of_and_kept(house: House) -> None:
    made = await house.ask("PUT", LOC1, location(evses=tuple(f"E{number}" for number in range(1, 8))))
    assert made.status == 201
    shown = ", ".join(f"LOC1/E{number}/1" for number in range(1, 6))
    warning = f"tariff T1 is not here, but named by {shown} and 2 more: charges there are held, and not billed"
    assert made.tree["warnings"] == [warning]
    again = await house.ask("PUT", LOC1, made.tree)
    assert (again.status, again.tree) == (200, made.tree), "nothing changed, and it is as wrong as it was"
    assert "warnings" not in (await house.ask("GET", LOC1)).tree
    assert (await house.ask("PUT", T1, tariff())).status == 201
    assert "warnings" not in (await house.ask("PUT", LOC1, location(name="Yard"))).tree


async def test_a_tariff_that_connectors_name_still_is_withdrawn_with_a_warning(house: House) -> None:
    await house.furnish()
    assert (await house.ask("PUT", f"{T1[:-2]}T2", tariff("T2"))).status == 201
    assert "warnings" not in (await house.ask("DELETE", f"{T1[:-2]}T2")).tree
    assert (await house.ask("DELETE", f"{LOC1}/evses/E2")).status == 200
    told = await house.ask("DELETE", T1.lower())
    assert (told.status, len(told.tree["warnings"])) == (200, 1)
    assert "named by LOC1/E1/1:" in told.tree["warnings"][0], "who is REMOVED charges nobody"


async def test_a_token_needs_only_its_contract(house: House) -> None:
    told = await house.ask("PUT", "/api/v1/tokens/DE/BSB/0123", {"contract_id": "DE-BSB-C1"})
    assert told.status == 201
    assert (told.tree["uid"], told.tree["type"], told.tree["whitelist"]) == ("0123", "RFID", "ALLOWED")
    assert (await house.ask("GET", "/api/v1/tokens/DE/BSB/0123")).tree == told.tree
    assert (await house.ask("GET", "/api/v1/tokens/DE/BSB/0123?type=APP_USER")).status == 404
    assert (await house.ask("PUT", "/api/v1/tokens/DE/BSB/0124", {})).status == 422


async def test_a_card_number_is_not_written_to_the_audit_log(house: House) -> None:
    await house.ask("PUT", "/api/v1/tokens/DE/BSB/0123456789", {"contract_id": "DE-BSB-C1"})
    rows = (await house.ask("GET", "/api/v1/audit")).tree["items"]
    assert [row["action"] for row in rows] == ["token.put"]
    assert "0123456789" not in str(rows)


async def test_every_change_is_audited_with_who_made_it(house: House) -> None:
    await house.ask("PUT", T1, tariff(), token=house.token_of("operator"))
    await house.ask("DELETE", T1, token=house.token_of("operator"))
    rows = (await house.ask("GET", "/api/v1/audit")).tree["items"]
    assert [(row["actor"], row["action"], row["subject"]) for row in rows] == [
        ("jo", "tariff.put", "DE*BSB/T1"),
        ("jo", "tariff.deleted", "DE*BSB/T1"),
    ]


ADDED = {
    "location.put": ("PUT", "/api/v1/locations/DE/BSB/L9", location(location_id="L9")),
    "tariff.put": ("PUT", "/api/v1/tariffs/DE/BSB/T9", tariff(tariff_id="T9")),
    "token.put": ("PUT", "/api/v1/tokens/DE/BSB/0123", {"contract_id": "C1"}),
    "station.put": ("PUT", "/api/v1/stations/CP9", {"security_profile": 0}),
    "tariff.deleted": ("DELETE", T1, None),
    "evse.removed": ("DELETE", "/api/v1/locations/DE/BSB/LOC1/evses/E1", None),
    "station.delete": ("DELETE", "/api/v1/stations/CP1", None),
}


@pytest.mark.parametrize("action", ADDED)
async def test_a_change_is_never_without_its_audit_row_whatever_comes_after_it(house: House, action: str) -> None:
    """The answer of the first commit is lost: what that wrote has the row of who did it."""
    method, path, tree = ADDED[action]
    await house.furnish()
    await house.ask("PUT", "/api/v1/stations/CP1", {"security_profile": 0})
    failpoints.arm("store.after_commit=once", {"BUSBAR_TEST": "1"})
    try:
        told = await house.ask(method, path, tree)
    finally:
        failpoints.arm("")
    assert told.status == 503
    rows = (await house.ask("GET", "/api/v1/audit?limit=1")).tree["items"]
    assert [row["action"] for row in rows] == [action]


async def test_what_changes_nothing_is_no_change_in_the_audit_log(house: House) -> None:
    for _ in range(3):
        await house.ask("PUT", T1, tariff())
        await house.ask("PUT", "/api/v1/locations/DE/BSB/LOC1", location())
    rows = (await house.ask("GET", "/api/v1/audit")).tree["items"]
    assert [row["action"] for row in rows] == ["tariff.put", "location.put"]
