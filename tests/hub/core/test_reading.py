"""What is kept of the reading of a request serves those that are like it, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.dispatch import Dispatcher
from hub.core.registry import Partner, State
from modules.tokens.store import TOKENS
from tests.world import World, token

STEM = "receiver/tokens/NL/EEE/"


async def put(world: World, last: str, uid: str, *, by: str = "e1") -> Any:
    return await world.ask("PUT", world.at(f"{STEM}{last}"), by=by, body={**token(world.version), "uid": uid})


async def test_each_push_is_of_the_object_that_its_own_path_names(world: World) -> None:
    for last, uid in (("CARD1", "CARD1"), ("CARD2", "CARD2"), ("CARD%33", "CARD3"), ("A.B_C~D", "A.B_C~D")):
        assert (await put(world, last, uid)).http == 201, last
    assert [document.columns["uid"] for document in await world.documents(TOKENS)][:3] == ["CARD1", "CARD2", "CARD3"]
    async with world.unchanged():
        assert (await put(world, "CARD1", "CARD2")).code == 2001
        assert (await put(world, "", "CARD1")).http == 404
        assert (await put(world, "CARD1/more", "CARD1")).http == 404
        assert (await put(world, "CARD%FF", "CARD1")).code == 2001


async def test_a_push_like_that_of_another_partner_is_judged_by_who_makes_it(world: World) -> None:
    await put(world, "CARD1", "CARD1")
    async with world.unchanged():
        assert (await put(world, "CARD1", "CARD1", by="e2")).http == 404
        assert (await put(world, "CARD1", "CARD1", by="c1")).http == 403
        assert (await put(world, "CARD1", "CARD1", by="x")).http == 401


async def test_a_partner_that_is_blocked_pushes_nothing_more(world: World) -> None:
    def blocked(partner: Partner) -> Partner:
        return partner.model_copy(update={"state": State.BLOCKED})

    await put(world, "CARD1", "CARD1")
    await world.registry.change("e1", blocked)
    async with world.unchanged():
        assert (await put(world, "CARD2", "CARD2")).http == 401


async def test_a_push_like_one_before_is_not_read_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await put(world, "CARD1", "CARD1")
    monkeypatch.delattr(Dispatcher, "_read_anew")
    assert (await put(world, "CARD2", "CARD2")).http == 201


async def page(world: World, query: str, *, by: str = "c1") -> Any:
    return await world.ask("GET", world.at(f"sender/tokens?{query}"), by=by)


async def test_a_page_like_one_before_is_not_read_anew_and_is_the_one_that_is_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for uid in ("CARD1", "CARD2", "CARD3"):
        await put(world, uid, uid)
    first = await page(world, "limit=1")
    monkeypatch.delattr(Dispatcher, "_read_anew")
    for query, uids in (
        ("limit=2&offset=1", ["CARD2", "CARD3"]),
        ("off%73et=1&limit=1", ["CARD2"]),
        ("offset=2", ["CARD3"]),
    ):
        said = await page(world, query)
        assert [each.get("uid", each.get("auth_id")) for each in said.data][: len(uids)] == uids, query
        assert said.headers["x-total-count"] == first.headers["x-total-count"]
    assert (await page(world, "limit=0")).code == 2001


async def test_a_page_like_that_of_another_partner_is_given_to_none_who_may_not_have_it(world: World) -> None:
    def blocked(partner: Partner) -> Partner:
        return partner.model_copy(update={"state": State.BLOCKED})

    await page(world, "limit=1")
    assert (await page(world, "limit=2", by="e1")).http == 403
    assert (await page(world, "limit=2", by="x")).http == 401
    await world.registry.change("c1", blocked)
    assert (await page(world, "limit=3")).http == 401
