"""Our own tariffs: kept, withdrawn, and told to partners."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from hub.core.dialect import NotExpressible
from hub.core.errors import InvalidRequest, NotFound, PeerRefused
from hub.core.inbound import parse
from modules.tariffs import service
from modules.tariffs.publication import TariffPublication
from modules.tariffs.store import find, key_of
from tests.world import OURS, Sent, World, a_world, endpoints, tariff

T1 = key_of(OURS, "T1")
LATER_S = 60.0


async def put(world: World, tree: Mapping[str, Any]) -> bool:
    return await service.put(world.store, OURS, tree["id"], dict(tree), now=world.clock.now())


async def kept(world: World, key: str = T1) -> Any:
    document = await find(world.store, key)
    assert document is not None
    return parse(document.body, limit=65_536)


async def deliver(world: World, *what: str, key: str = T1) -> list[tuple[str, str, str]]:
    world.peers.sent.clear()
    await TariffPublication().deliver(world.hub, world.partner("e1"), key, frozenset(what))
    return world.peers.to("e1")


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_a_changed_tariff_moves_on_whatever_time_it_claims(world: World) -> None:
    world.clock.passed_s = LATER_S
    assert not await put(world, {**tariff(price="0.60"), "last_updated": "2020-01-01T00:00:00Z"})
    assert (await kept(world))["last_updated"] == "2026-05-04T10:01:00.000Z"
    assert not await put(world, {**tariff(price="0.70"), "last_updated": "2026-06-01T00:00:00Z"})
    assert (await kept(world))["last_updated"] == "2026-06-01T00:00:00Z"
    await put(world, tariff(price="0.80"))
    assert (await kept(world))["last_updated"] == "2026-06-01T00:00:00.000Z", "never back"


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_a_put_that_says_nothing_new_is_no_change(world: World) -> None:
    world.clock.passed_s = LATER_S
    async with world.unchanged():
        assert not await put(world, tariff())


@pytest.mark.parametrize("version", ["2.2.1"])
@pytest.mark.parametrize("wrong", [{"id": "T2"}, {"party_id": "XXX"}, {"elements": []}, {"currency": "EURO"}])
async def test_a_tariff_that_is_none_is_refused(world: World, wrong: dict[str, Any]) -> None:
    async with world.unchanged():
        with pytest.raises(InvalidRequest):
            await service.put(world.store, OURS, "T1", {**tariff(), **wrong}, now=world.clock.now())


async def test_a_tariff_goes_as_put(world: World) -> None:
    assert await deliver(world, "") == [("PUT", "tariffs", "DE/BSB/T1")]
    assert ("tax_included" in world.peers.sent[0].body) == (world.version == "2.3.0")


async def test_a_withdrawn_tariff_goes_as_delete_under_the_id_as_it_was_spelled(world: World) -> None:
    await put(world, tariff("Day-rate"))
    await service.delete(world.store, OURS, "DAY-RATE")
    (row,) = (await world.store.changes(after=await world.store.last_change() - 1, limit=1),)
    key = key_of(OURS, "Day-rate")
    assert await deliver(world, "", row[0].change.what, key=key) == [("DELETE", "tariffs", "DE/BSB/Day-rate")]
    assert await deliver(world, "", key=key) == [("DELETE", "tariffs", "DE/BSB/DAY-RATE")], "sent again by an operator"
    with pytest.raises(NotFound):
        await service.delete(world.store, OURS, "Day-rate")


@pytest.mark.parametrize("version", ["2.2.1"])
@pytest.mark.parametrize("refusal", [PeerRefused(http=404, status_code=2000), PeerRefused(http=200, status_code=2003)])
async def test_a_partner_that_never_had_it_is_content(world: World, refusal: PeerRefused) -> None:
    def script(sent: Sent) -> Any:
        raise refusal

    world.peers.script = script
    await service.delete(world.store, OURS, "T1")
    assert await deliver(world, "deleted/T1") == [("DELETE", "tariffs", "DE/BSB/T1")]


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_a_delete_that_a_partner_refuses_is_the_lanes(world: World) -> None:
    def script(sent: Sent) -> Any:
        raise PeerRefused(http=405)

    world.peers.script = script
    await service.delete(world.store, OURS, "T1")
    with pytest.raises(PeerRefused):
        await deliver(world, "deleted/T1")


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_withdrawn_and_made_anew_is_a_put(world: World) -> None:
    await service.delete(world.store, OURS, "T1")
    assert await put(world, tariff(price="0.90"))
    assert await deliver(world, "deleted/T1", "") == [("PUT", "tariffs", "DE/BSB/T1")]


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_partners_that_do_not_take_tariffs_are_passed_over(world: World) -> None:
    partner = world.partner("e1")
    without = endpoints(world.version, leave_out="tariffs")
    await world.registry.save(partner.model_copy(update={"endpoints": without}))
    await service.delete(world.store, OURS, "T1")
    assert await deliver(world, "deleted/T1") == []


@pytest.mark.parametrize("version", ["2.1.1", "2.2.1"])
async def test_gross_prices_without_a_rate_are_held_for_versions_that_know_net_only(world: World) -> None:
    gross = tariff("GROSS")
    gross["tax_included"] = "YES"
    del gross["elements"][0]["price_components"][0]["vat"]
    await put(world, gross)
    with pytest.raises(NotExpressible):
        await deliver(world, "", key=key_of(OURS, "GROSS"))
    listed = await world.ask("GET", world.at("sender/tariffs"), by="e1")
    assert [tree["id"] for tree in listed.data] == ["T1"]


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_a_snapshot_has_what_exists_in_the_order_asked_for(world: World) -> None:
    await put(world, tariff("T2"))
    found = await service.snapshot(world.store, OURS, ["t2", "T9", "T1"])
    assert [tree["id"] for tree in found] == ["T2", "T1"]


@pytest.mark.parametrize("version", ["2.2.1"])
async def test_puts_at_the_same_time_are_all_decided(database_url: str, version: str) -> None:
    async with a_world(database_url, version) as world:
        prices = ("0.61", "0.62", "0.63")
        await asyncio.gather(*(put(world, tariff(price=price)) for price in prices))
        assert str((await kept(world))["elements"][0]["price_components"][0]["price"]) in prices
        assert sorted(await asyncio.gather(*(put(world, tariff("NEW")) for _ in range(3)))) == [False, False, True]
