"""Sites over the management API: made, shown, limited for a time, measured, and refused where they are none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.core.clock import timestamp
from hub.core.inbound import encode
from tests.hub.house import House

PATH = "/api/v1/sites"
GRID: dict[str, Any] = {
    "nodes": {"grid": {"limit_a": 63, "load_a": [20, 12, 9]}, "board": {"parent": "grid", "limit_w": 22000}},
    "evses": {"E1": {"node": "board", "most_a": 32, "safe_a": 6, "wiring": ["L2", "L3", "L1"]}},
}


def soon(**ahead: int) -> str:
    return timestamp(datetime.now(UTC) + timedelta(**ahead))


@pytest.fixture
async def house(house: House) -> House:
    await house.furnish()
    return house


async def test_a_site_is_made_changed_shown_and_deleted(house: House) -> None:
    made = await house.ask("PUT", f"{PATH}/yard", GRID)
    assert (made.status, made.tree["name"], made.tree["nodes"]) == (201, "yard", GRID["nodes"])
    assert made.tree["evses"] == {"E1": {"node": "board", "most_a": 32, "safe_a": 6, "wiring": ["L2", "L3", "L1"]}}
    assert (await house.ask("PUT", f"{PATH}/yard", {**GRID, "policy": "FIRST_COME"})).status == 200
    shown = (await house.ask("GET", f"{PATH}/yard")).tree
    assert (shown["policy"], shown["unsafe"], shown["limits"], shown["loads"]) == ("FIRST_COME", [], [], [])
    assert (await house.ask("GET", PATH)).tree["total"] == 1
    assert (await house.ask("DELETE", f"{PATH}/yard")).tree == {"deleted": "yard"}
    for method, path in (("GET", "yard"), ("DELETE", "yard"), ("GET", "yard/power")):
        assert (await house.ask(method, f"{PATH}/{path}")).status == 404


async def test_a_current_may_be_given_with_an_exponent(house: House) -> None:
    body = encode(GRID).replace(b'"limit_a":63', b'"limit_a":6.3e1')
    made = await house.ask("PUT", f"{PATH}/yard", body=body, headers={"Content-Type": "application/json"})
    assert (made.status, made.tree["nodes"]) == (201, GRID["nodes"])


async def test_where_the_safe_currents_are_too_much_together_is_told(house: House) -> None:
    tight = {**GRID, "nodes": {"grid": {"limit_a": 25, "load_a": [20, 12, 9]}, "board": {"parent": "grid"}}}
    assert (await house.ask("PUT", f"{PATH}/yard", tight)).tree["unsafe"] == ["L1 of grid"]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({}, "nodes"),
        ({**GRID, "nodes": {}}, "one grid connection"),
        ({**GRID, "nodes": {"grid": {"parent": "grid"}}}, "one grid connection"),
        ({**GRID, "nodes": {"grid": {"limit_a": -1}, "board": {"parent": "grid"}}}, "from 0 on"),
        ({**GRID, "nodes": {"grid": {"limit_a": [1, 2]}}}, "length 3"),
        ({**GRID, "nodes": {"grid": {"limit": 7}}}, "limit"),
        ({**GRID, "evses": {"E9": {"node": "board", "most_a": 32}}}, "no location of ours"),
        ({**GRID, "evses": {"E1": {"node": "attic", "most_a": 32}}}, "no node"),
        ({**GRID, "evses": {"E1": {"node": "board", "most_a": 32, "safe_a": 33}}}, "not in order"),
        ({**GRID, "evses": {"E1": {"node": "board", "most_a": 32, "wiring": ["L1", "L1"]}}}, "at most once"),
        ({**GRID, "policy": "WHIM"}, "WHIM"),
        ({**GRID, "rules": {"holds_s": 60, "renewed_s": 60}}, "told again"),
        ({**GRID, "rules": {"stay": 5}}, "stay"),
        ({**GRID, "volts": [230, 0, 230]}, "without voltage"),
    ],
)
async def test_what_is_no_site_is_refused_and_changes_nothing(house: House, wrong: Any, why: str) -> None:
    told = await house.ask("PUT", f"{PATH}/yard", wrong)
    assert (told.status, told.code) == (422, "invalid_request"), told.tree
    assert why in told.tree["error"]["message"]
    assert (await house.ask("GET", PATH)).tree["total"] == 0


async def test_an_evse_hangs_at_one_site(house: House) -> None:
    await house.ask("PUT", f"{PATH}/yard", GRID)
    told = await house.ask("PUT", f"{PATH}/roof", GRID)
    assert (told.status, "site yard" in told.tree["error"]["message"]) == (422, True)


async def test_a_node_is_limited_for_a_time_and_that_is_withdrawn(house: House) -> None:
    await house.ask("PUT", f"{PATH}/yard", GRID)
    until = soon(hours=1)
    told = await house.ask("PUT", f"{PATH}/yard/limits", {"node": "grid", "limit_a": [32, 25, 32], "until": until})
    (limit,) = told.tree["limits"]
    assert (limit["node"], limit["limit_a"], limit["until"]) == ("grid", [32, 25, 32], until)
    told = await house.ask("PUT", f"{PATH}/yard/limits", {"node": "grid", "limit_w": 11000, "until": until})
    assert [limit.get("limit_w") for limit in told.tree["limits"]] == [11000]
    assert (await house.ask("PUT", f"{PATH}/yard/limits", {"node": "grid"})).tree["limits"] == []
    for wrong in (
        {"node": "attic", "limit_a": 1, "until": until},
        {"node": "grid", "limit_a": 1},
        {"node": "grid", "limit_a": 1, "until": soon(hours=-1)},
        {"node": "grid", "limit_a": 1, "until": soon(days=400)},
        {"node": "grid", "limit_a": 1, "until": "tonight"},
        {"node": "grid", "limit_a": -1, "until": until},
        {"node": "grid", "limit_a": 1, "until": until, "begin": soon(hours=2)},
    ):
        assert (await house.ask("PUT", f"{PATH}/yard/limits", wrong)).status == 422, wrong


async def test_a_measured_load_counts_while_it_is_fresh_and_an_older_one_changes_nothing(house: House) -> None:
    await house.ask("PUT", f"{PATH}/yard", {**GRID, "load_fresh_s": 60})
    told = await house.ask("PUT", f"{PATH}/yard/load", {"node": "grid", "load_a": [3, 4, 5]})
    assert [(load["load_a"], load["counts"]) for load in told.tree["loads"]] == [([3, 4, 5], True)]
    stale = {"node": "grid", "load_a": 50, "at": soon(minutes=-2)}
    assert (await house.ask("PUT", f"{PATH}/yard/load", stale)).tree["loads"][0]["load_a"] == [3, 4, 5]
    for wrong in ({"node": "grid"}, {"node": "attic", "load_a": 1}, {"node": "grid", "load_a": -1}):
        assert (await house.ask("PUT", f"{PATH}/yard/load", wrong)).status == 422, wrong


async def test_who_said_what_of_a_site_is_on_record(house: House) -> None:
    await house.ask("PUT", f"{PATH}/yard", GRID)
    await house.ask("PUT", f"{PATH}/yard/limits", {"node": "grid", "limit_a": 9, "until": soon(hours=1)})
    await house.ask("DELETE", f"{PATH}/yard")
    found = (await house.ask("GET", "/api/v1/audit")).tree["items"]
    said = [(row["actor"], row["action"], row["subject"]) for row in found if row["action"].startswith("site.")]
    assert said == [("operator", f"site.{what}", "yard") for what in ("put", "limit", "delete")]
