"""What may happen to tokens: puts and patches in any order, by many at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from hub.core.errors import InvalidRequest, UnknownToken
from hub.core.inbound import parse
from hub.core.log import SENSITIVE
from hub.core.parties import Party
from hub.core.store import Store
from modules.tokens import namesakes, service
from modules.tokens.wire import TOKEN
from tests.unread import unread
from tests.world import World, a_world, stored_token

EEE = Party("NL", "EEE")
MOMENT = datetime(2026, 5, 4, 12, tzinfo=UTC)
EARLIER, NOW, LATER = "2026-05-04T09:00:00Z", "2026-05-04T10:00:00Z", "2026-05-04T11:00:00Z"

pytestmark = pytest.mark.parametrize("version", ["2.2.1"])


async def put(store: Store, *, last_updated: str = NOW, **fields: Any) -> bool:
    tree = {**stored_token(str(EEE)), "last_updated": last_updated, **fields}
    return await service.put(store, EEE, tree["uid"], TOKEN["2.3.0"].read(tree), now=MOMENT)


async def kept(store: Store, uid: str = "CARD1", token_type: str = "") -> Any:
    return parse((await service.get(store, EEE, uid, token_type)).body, limit=65_536)


async def test_a_put_says_whether_it_was_new(world: World) -> None:
    assert await put(world.store)
    assert not await put(world.store, valid=False)
    assert (await kept(world.store))["valid"] is False


async def test_an_older_copy_changes_nothing(world: World) -> None:
    await put(world.store)
    async with world.unchanged():
        await put(world.store, last_updated=EARLIER, valid=False)
        await service.patch(world.store, EEE, "CARD1", "RFID", {"valid": False, "last_updated": EARLIER}, now=MOMENT)
        await put(world.store)


async def test_what_is_plainly_newer_is_written_without_a_look_at_what_is_on_record(world: World) -> None:
    await put(world.store)
    assert not await put(unread(world.store), last_updated=LATER, valid=False)
    assert (await kept(world.store))["valid"] is False


async def test_what_was_changed_at_the_same_time_is_taken_and_what_is_the_same_is_not_told_again(world: World) -> None:
    await put(world.store)
    told = await world.store.last_change()
    assert not await put(world.store, valid=False)
    assert not await put(world.store, valid=False)
    assert await world.store.last_change() == told + 1
    assert (await kept(world.store))["valid"] is False


async def test_a_patch_replaces_what_it_names_and_null_removes(world: World) -> None:
    await put(world.store, visual_number="V1", language="nl")
    part = {"valid": False, "visual_number": None, "last_updated": LATER}
    await service.patch(world.store, EEE, "card1", "RFID", part, now=MOMENT)
    tree = await kept(world.store)
    assert (tree["valid"], tree["language"], tree["last_updated"]) == (False, "nl", LATER)
    assert "visual_number" not in tree


@pytest.mark.parametrize(
    "part", [{"valid": False}, {"uid": "CARD2", "last_updated": LATER}, {"type": "OTHER", "last_updated": LATER}]
)
async def test_a_patch_needs_a_time_and_renames_nothing(world: World, part: dict[str, Any]) -> None:
    await put(world.store)
    async with world.unchanged():
        with pytest.raises(InvalidRequest):
            await service.patch(world.store, EEE, "CARD1", "RFID", part, now=MOMENT)


async def test_without_a_type_the_card_is_meant_else_the_only_token_of_that_uid(world: World) -> None:
    await put(world.store, type="OTHER")
    assert (await kept(world.store))["type"] == "OTHER"
    with pytest.raises(UnknownToken):
        await kept(world.store, token_type="RFID")
    await put(world.store, type="APP_USER")
    with pytest.raises(UnknownToken):
        await kept(world.store)
    await put(world.store)
    assert (await kept(world.store))["type"] == "RFID"
    with pytest.raises(UnknownToken):
        await service.get(world.store, Party("NL", "FFF"), "CARD1", "")


async def test_a_card_of_two_partners_is_kept_for_both_and_warned_of_once(world: World) -> None:
    other = Party("NL", "FFF")
    with capture_logs() as logs:
        await put(world.store)
        for fields in ({}, {"valid": False}, {"type": "OTHER"}):
            tree = {**stored_token(str(other), "card:1"), "last_updated": LATER, **fields}
            await service.put(world.store, other, "card:1", TOKEN["2.3.0"].read(tree), now=MOMENT)
            await asyncio.gather(*namesakes.looking)
    (warning,) = [log for log in logs if log["log_level"] == "warning"]
    assert (warning["event"], warning["owner"]) == ("card uid of two partners", str(other))
    assert warning["others"] == [str(EEE)]
    assert "uid" in SENSITIVE
    assert "CARD1" not in str({name: value for name, value in warning.items() if name not in SENSITIVE})
    assert (await kept(world.store))["valid"] is True


async def test_of_two_partners_that_bring_one_card_at_the_same_time_the_second_is_warned_of(world: World) -> None:
    others = [Party("NL", "FFF"), Party("NL", "GGG")]
    trees = [TOKEN["2.3.0"].read(stored_token(str(other))) for other in others]
    with capture_logs() as logs:
        pairs = zip(others, trees, strict=True)
        await asyncio.gather(*(service.put(world.store, other, "CARD1", tree, now=MOMENT) for other, tree in pairs))
        await asyncio.gather(*namesakes.looking)
    (warning,) = [log for log in logs if log["log_level"] == "warning"]
    assert (warning["owner"], warning["others"]) == ("NL*GGG", ["NL*FFF"])


async def test_patches_at_the_same_time_all_take_effect(database_url: str, version: str) -> None:
    async with a_world(database_url, version) as world:
        await put(world.store)
        parts: list[dict[str, Any]] = [{"valid": False}, {"language": "nl"}, {"whitelist": "NEVER"}, {"issuer": "New"}]
        await asyncio.gather(
            *(
                service.patch(world.store, EEE, "CARD1", "RFID", {**part, "last_updated": LATER}, now=MOMENT)
                for part in parts
            )
        )
        tree = await kept(world.store)
        assert {name: tree[name] for part in parts for name in part} == {n: v for p in parts for n, v in p.items()}


async def test_the_same_new_token_twice_at_once_is_new_once(database_url: str, version: str) -> None:
    async with a_world(database_url, version) as world:
        assert sorted(await asyncio.gather(*(put(world.store) for _ in range(4)))) == [False, False, False, True]
