"""Tariffs that CPOs push, in each version, and withdraw."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from modules.tariffs.store import TARIFFS
from tests.world import NOW, Said, World, their_tariff

T9 = "receiver/tariffs/BE/AAA/T9"
LATER = NOW + timedelta(minutes=1)


async def put(world: World, body: Any = None, **fields: Any) -> Said:
    return await world.ask("PUT", world.at(T9), by="c1", body=body or their_tariff(world.version, **fields))


async def kept(world: World) -> Any:
    return (await world.ask("GET", world.at(T9), by="c1")).data


async def test_a_new_tariff_is_201_and_the_same_again_200_without_a_change(world_on_both: World) -> None:
    world = world_on_both
    assert (await put(world)).http == 201
    async with world.unchanged():
        assert (await put(world)).http == 200
        assert (await put(world, price="9", at=NOW - timedelta(hours=1))).http == 200
    assert (await put(world, price="0.45", at=LATER)).http == 200
    assert (await kept(world))["elements"][0]["price_components"][0]["price"] == 0.45


async def test_what_was_put_is_got_back_unknown_fields_too(world: World) -> None:
    sent = {**their_tariff(world.version), "x_vendor": {"a": [1, None]}}
    await put(world, sent)
    shown = await kept(world)
    for tree in (shown, sent):
        assert float(tree["elements"][0]["price_components"][0].pop("price")) == 0.4
        tree["elements"][0]["price_components"][0].pop("vat", None)
    assert {name: shown[name] for name in sent} == sent


async def test_a_tariff_that_is_withdrawn_is_gone_and_told(world: World) -> None:
    await put(world)
    seen = await world.store.last_change()
    said = await world.ask("DELETE", world.at("receiver/tariffs/BE/AAA/t9"), by="c1")
    assert (said.http, said.code) == (200, 1000)
    (change,) = await world.store.changes(after=seen, limit=10)
    assert (change.change.key, change.change.what) == ("BE*AAA/T9", "deleted/T9")
    async with world.unchanged():
        said = await world.ask("DELETE", world.at(T9), by="c1")
        assert (said.http, said.code) == (404, 2000)
        assert (await world.ask("GET", world.at(T9), by="c1")).http == 404
    assert (await put(world)).http == 201


async def test_a_part_of_a_tariff_is_changed_in_211_alone(world: World) -> None:
    await put(world)
    said = await world.ask("PATCH", world.at(T9), by="c1", body={"currency": "CHF"})
    if world.version != "2.1.1":
        assert (said.http, said.headers["allow"]) == (405, "DELETE, GET, PUT")
        return
    assert (said.http, said.code) == (200, 1000)
    assert (await kept(world))["currency"] == "CHF"
    async with world.unchanged():
        bad: list[Any] = [{"currency": None}, {"id": "T8"}, {"elements": []}, [], {"last_updated": "x"}]
        for part in bad:
            said = await world.ask("PATCH", world.at(T9), by="c1", body=part)
            assert (part, said.http, said.code) == (part, 200, 2001)
        said = await world.ask("PATCH", world.at("receiver/tariffs/BE/AAA/NO"), by="c1", body={"currency": "CHF"})
        assert (said.http, said.code) == (404, 2000)


async def test_wrong_content_is_200_with_2001_and_has_no_effect(world: World) -> None:
    await put(world)
    whole = their_tariff(world.version)
    bad: list[Any] = [{}, {**whole, "id": "T8"}, {**whole, "currency": "EURO"}, {**whole, "elements": []}, "x", []]
    bad += [{**whole, "elements": [{"price_components": [{"type": "ENERGY", "price": "x", "step_size": 1}]}]}]
    if world.version != "2.1.1":
        bad.append({**whole, "party_id": "BBB"})
    async with world.unchanged():
        for body in bad:
            said = await put(world, body or {"id": "T9"})
            assert (body, said.http, said.code) == (body, 200, 2001)


async def test_a_tariff_is_kept_under_its_owner(world: World) -> None:
    await put(world)
    assert [d.key for d in await world.documents(TARIFFS) if d.owner == "BE*AAA"] == ["BE*AAA/T9"]


async def test_amounts_are_not_below_zero_and_the_price_of_a_unit_may_be(world: World) -> None:
    """A driver may be paid for what he draws; a limit or a sum set aside below zero is a slip."""
    assert (await put(world, their_tariff(world.version, price="-0.05"))).code == 1000
    side = "excl_vat" if world.version == "2.2.1" else "before_taxes"
    amounts: list[dict[str, Any]] = [{"min_price": {side: -1}}, {"max_price": {side: Decimal("-0.01")}}]
    amounts += [{"preauthorize_amount": -1}] if world.version == "2.3.0" else []
    async with world.unchanged():
        for amount in amounts if world.version != "2.1.1" else []:
            said = await put(world, {**their_tariff(world.version, price="-0.05", at=LATER), **amount})
            assert (amount, said.http, said.code) == (amount, 200, 2001)
