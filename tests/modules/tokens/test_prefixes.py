"""Whose card it probably is, by how its uid begins."""

from __future__ import annotations

import pytest

from hub.core.parties import Party
from hub.core.units import Unit
from modules.tokens.prefixes import Prefixes
from modules.tokens.store import learned_put, put_of
from modules.tokens.wire import TOKEN
from tests.world import World, stored_token

EEE, FFF = "NL*EEE", "NL*FFF"


@pytest.fixture
def version() -> str:
    return "2.3.0"


async def lists(world: World, owner: str, *uids: str, token_type: str = "RFID") -> None:
    for uid in uids:
        token = TOKEN["2.3.0"].read({**stored_token(owner, uid), "type": token_type})
        await world.store.commit(Unit().put(put_of(Party.parse(owner), token, token.json_bytes())))


@pytest.mark.parametrize(
    ("listed", "shown", "owner"),
    [
        (["ABCD1"], "ABCD2", ""),
        (["ABCD1", "ABCD2", "ABCD3"], "ABCD4", EEE),
        (["ABCDEF1", "ABCDEF2"], "ABCDEF3", EEE),
        (["ABCDEF001"], "ABCDEF012", ""),
        (["ABCDEF0011"], "ABCDEF0022", EEE),
        (["04A2B3C4D5E6F7"], "04A2B3C4AAAAAA", ""),
        (["04A2B3C4D5E6F7"], "04-A2-B3-C4-D5-AA-AA", EEE),
        (["ABCD1", "ABCD2", "ABCD3"], "ABC", ""),
        ([], "ABCD1", ""),
    ],
)
async def test_the_shorter_a_beginning_the_more_cards_must_share_it(
    world: World, listed: list[str], shown: str, owner: str
) -> None:
    await lists(world, EEE, *listed)
    assert await Prefixes().owner_of(world.store, shown) == owner


async def test_a_beginning_that_two_owners_share_tells_nothing_and_a_longer_one_decides(world: World) -> None:
    await lists(world, EEE, "ABCD11", "ABCD12", "ABCDEE55001")
    await lists(world, FFF, "ABCD21", "ABCD22", "ABCDFF55001")
    prefixes = Prefixes()
    for shown, owner in (("ABCD99", ""), ("ABCDEE55009", EEE), ("ABCDFF55009", FFF)):
        assert (shown, await prefixes.owner_of(world.store, shown)) == (shown, owner)


async def test_a_stray_card_among_many_does_not_hide_whose_they_are(world_on_both: World) -> None:
    world = world_on_both
    await lists(world, EEE, *(f"ABCD{number:02}" for number in range(9)))
    await lists(world, FFF, "ABCD99")
    prefixes = Prefixes()
    assert await prefixes.owner_of(world.store, "ABCD55") == EEE
    await lists(world, FFF, "ABCD98")
    assert await prefixes.owner_of(world.store, "ABCD55") == "", "what comes later counts"


async def test_cards_allowed_before_count_and_apps_do_not(world: World) -> None:
    prefixes = Prefixes()
    await lists(world, EEE, "ABCDEF0011", token_type="APP_USER")
    assert await prefixes.owner_of(world.store, "ABCDEF0022") == ""
    await world.store.commit(Unit().put(learned_put(TOKEN["2.3.0"].read(stored_token(FFF, "ABCDEF0033")))))
    assert await prefixes.owner_of(world.store, "ABCDEF0022") == FFF


async def test_no_more_is_remembered_than_there_is_room_for(world: World) -> None:
    prefixes = Prefixes(most=3)
    await lists(world, EEE, "ABCDEF0011", "XYZXYZ0011")
    assert await prefixes.owner_of(world.store, "ABCDEF0022") == EEE
    assert await prefixes.owner_of(world.store, "XYZXYZ0022") == ""
