"""The tariff of a CDR of 2.1.1 that holds several: its connector may name it, and else any of them may be its own."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.inbound import parse
from modules.cdrs import vetting
from modules.cdrs.store import CHECKS
from modules.cdrs.wire import CDR
from modules.tariffs.wire import TARIFF
from tests.modules.cdrs.check.records import cdr, component, element, period, tariff
from tests.world import World

pytestmark = pytest.mark.parametrize("version", ["2.1.1"])

CHEAP, DEAR = (
    tariff(element(component("ENERGY", price, 1, None)), id=name, last_updated="2026-05-01T00:00:00Z")
    for name, price in (("T", "0.30"), ("U", "0.40"))
)


async def check_of(world: World, total: str, *tariffs: dict[str, Any], connector: str | None = None) -> Any:
    """What is found of 10 kWh for that total; both tariffs were told."""
    for told in (CHEAP, DEAR):
        path = world.at(f"receiver/tariffs/BE/AAA/{told['id']}")
        assert (await world.ask("PUT", path, by="c1", body=TARIFF["2.1.1"].write(told)[0])).code == 1000
    tree = cdr([*tariffs], [period("06:00", energy="10")], "06:30", total=(total,))
    wired = CDR["2.1.1"].write(tree)[0]
    for place in wired["location"]["evses"][0]["connectors"]:
        place.pop("tariff_id", None)
        place |= {"tariff_id": connector} if connector else {}
    assert (await world.ask("POST", world.at("receiver/cdrs"), by="c1", body=wired)).code == 1000
    await vetting.vet_waiting(world.hub)
    check = await world.store.get(CHECKS, f"BE*AAA/{tree['id']}")
    assert check is not None
    return parse(check.body, limit=2**20)


@pytest.mark.parametrize("order", [(CHEAP, DEAR), (DEAR, CHEAP), ()], ids=["in one order", "in the other", "not held"])
@pytest.mark.parametrize("connector", ["T", "t"])
async def test_that_of_its_connector_is_the_right_one_wherever_it_stands(
    world: World, connector: str, order: tuple[dict[str, Any], ...]
) -> None:
    check = await check_of(world, "3.00", *order, connector=connector)
    assert (check["verdict"], check["deviations"]) == ("right", [])


@pytest.mark.parametrize("order", [(CHEAP, DEAR), (DEAR, CHEAP), ()], ids=["in one order", "in the other", "not held"])
async def test_the_price_of_another_one_is_wrong_then(world: World, order: tuple[dict[str, Any], ...]) -> None:
    check = await check_of(world, "4.00", *order, connector="T")
    assert (check["verdict"], {deviation["class"] for deviation in check["deviations"]}) == ("wrong", {"stale_tariff"})


@pytest.mark.parametrize("total", ["3.00", "4.00"])
@pytest.mark.parametrize("order", [(CHEAP, DEAR), (DEAR, CHEAP)], ids=["in one order", "in the other"])
@pytest.mark.parametrize("connector", [None, "X"])
async def test_where_it_names_none_of_them_the_price_of_each_is_right(
    world: World, total: str, order: tuple[dict[str, Any], ...], connector: str | None
) -> None:
    assert (await check_of(world, total, *order, connector=connector))["verdict"] == "right"


async def test_the_price_of_none_of_them_is_wrong(world: World) -> None:
    assert (await check_of(world, "5.00", CHEAP, DEAR))["verdict"] == "wrong"
