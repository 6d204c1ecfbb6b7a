"""What chargers of 2.x are told to show: the tariff of each EVSE, and what a charge costs so far."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from modules.tariffs import service as tariffs
from partners.ocpp import reported, schemas, settling
from partners.ocpp.costs_told import CostsTold
from partners.ocpp.tariffs_told import TariffsTold
from tests.partners.ocpp.site import OURS, Point, Site, a_site, recently, until


async def a_point_that_shows(site: Site, version: str, what: str) -> Point:
    cp = await site.point(protocols=[f"ocpp{version}"])
    live = site.gateway.stations.get("CP1")
    live.learned.configuration = {f"TariffCostCtrlr.Enabled[{what}]": "true"}
    return cp


def sent(cp: Point, version: str, wanted: str) -> list[Any]:
    found = [payload for action, payload in cp.asked if action == wanted]
    assert all(schemas.check(version, wanted, payload, strict=True) is None for payload in found)
    return found


async def rows(site: Site) -> Any:
    return (await reported.read(site.hub.store, "CP1", "tariffs")).get("rows", {})


async def test_a_charger_is_told_the_tariff_of_each_evse_once(site: Site) -> None:
    told = []
    for _ in range(2):
        async with await a_point_that_shows(site, "2.1", "Tariff") as cp:
            cp.answers["SetDefaultTariff"] = {"status": "Accepted"}
            await site.settled()
            told.append(sent(cp, "2.1", "SetDefaultTariff"))
    assert [[payload["evseId"] for payload in each] for each in told] == [[1, 2], []]
    assert told[0][0]["tariff"]["energy"] == {"prices": [{"priceKwh": 0.3}]}
    assert {row["status"] for row in (await rows(site)).values()} == {"Accepted"}


async def test_a_changed_tariff_is_told_to_a_charger_that_stays_connected(site: Site) -> None:
    async with await a_point_that_shows(site, "2.1", "Tariff") as cp:
        cp.answers["SetDefaultTariff"] = {"status": "Accepted"}
        stations = site.gateway.stations
        link = stations.get("CP1").link
        assert link is not None
        link.settle_at = None
        told = TariffsTold(site.hub, stations, lambda link: partial(settling.ask, stations, link))
        told.tick()
        component = {"type": "ENERGY", "price": 1, "step_size": 1}
        fresh = {"id": "T1", "currency": "EUR", "tax_included": "NO", "elements": [{"price_components": [component]}]}
        await tariffs.put(site.hub.store, OURS, "T1", fresh, now=site.hub.clock.now())
        told.tick()
        await until(lambda: len(cp.asked) == 2)
        assert sent(cp, "2.1", "SetDefaultTariff")[0]["tariff"]["energy"] == {"prices": [{"priceKwh": 1}]}


async def test_a_tariff_beyond_the_words_of_2_1_is_not_told_and_why_is_shown(tmp_path: Path) -> None:
    async with a_site(tmp_path, ocpp_settle_s=0.05) as site:
        component = {"type": "ENERGY", "price": 1, "step_size": 1000}
        wide = {"id": "T1", "currency": "EUR", "tax_included": "NO", "elements": [{"price_components": [component]}]}
        await tariffs.put(site.hub.store, OURS, "T1", wide, now=site.hub.clock.now())
        async with await a_point_that_shows(site, "2.1", "Tariff") as cp:

            async def is_said() -> bool:
                return len(await rows(site)) == 2

            await until(is_said)
            assert sent(cp, "2.1", "SetDefaultTariff") == []
        assert (await rows(site))["1"]["reasons"] == ["/elements/0/price_components/0/step_size: 2.1 has no steps"]


@pytest.mark.parametrize(("version", "what"), [("2.1", "Cost"), ("2.0.1", "Tariff")])
async def test_a_charger_that_shows_no_tariff_is_told_none(site: Site, version: str, what: str) -> None:
    async with await a_point_that_shows(site, version, what) as cp:
        cp.answers["SetDefaultTariff"] = {"status": "Accepted"}
        await site.settled()
        assert sent(cp, "2.1", "SetDefaultTariff") == []


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_what_a_charge_costs_so_far_is_told_at_most_once_a_minute(site: Site, version: str) -> None:
    async with await site.point() as cp:
        began = recently()
        number = (await cp.start(began))["transactionId"]
        await cp.meter(began.replace(second=59), 11000, number)
        await cp.meter(recently(3600), 11000, number)
    async with await a_point_that_shows(site, version, "Cost") as cp:
        cp.answers["CostUpdated"] = {}
        costs = CostsTold(site.hub, site.gateway.stations, site.gateway.transactions)
        await costs.tick()
        await costs.tick()
        await until(lambda: bool(cp.asked))
        await asyncio.sleep(0.1)
        (told,) = sent(cp, version, "CostUpdated")
        assert told == {"totalCost": 3, "transactionId": str(number)}


async def test_a_charger_without_a_display_is_told_no_costs(site: Site) -> None:
    async with await site.point() as cp:
        await cp.start(recently())
    async with await site.point(protocols=["ocpp2.0.1"]) as cp:
        await CostsTold(site.hub, site.gateway.stations, site.gateway.transactions).tick()
        await asyncio.sleep(0.1)
        assert cp.asked == []
