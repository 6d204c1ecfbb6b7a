"""Tokens as their receiver takes them. OCPI mod_tokens_receiver_interface."""

from __future__ import annotations

from typing import Any

from modules.tokens.store import TOKENS
from tests.world import World, token

PATH = "receiver/tokens/NL/EEE/CARD1"


async def put(world: World, path: str = PATH, **fields: Any) -> int:
    said = await world.ask("PUT", world.at(path), by="e1", body=token(world.version, **fields))
    assert said.code == 1000
    assert said.data is None
    return said.http


async def test_a_new_token_is_201_and_the_same_again_200_without_a_change(world_on_both: World) -> None:
    world = world_on_both
    assert await put(world) == 201
    async with world.unchanged():
        assert await put(world) == 200
    assert await put(world, valid=False, last_updated="2026-05-04T11:00:00Z") == 200
    assert (await world.ask("GET", world.at(PATH), by="e1")).data["valid"] is False


async def test_what_was_put_is_got_back(world: World) -> None:
    fields: dict[str, Any] = {"visual_number": "No. 1", "language": "de", "x_vendor": {"a": [1, None, "ä"]}}
    await put(world, **fields)
    shown = (await world.ask("GET", world.at(PATH), by="e1")).data
    sent = token(world.version, **fields)
    del sent["last_updated"]  # the same moment, in our form
    assert {name: shown[name] for name in sent} == sent


async def test_an_older_copy_changes_nothing(world: World) -> None:
    await put(world, last_updated="2026-05-04T09:00:00Z")
    async with world.unchanged():
        assert await put(world, valid=False, last_updated="2026-05-04T08:59:59Z") == 200
        said = await world.ask(
            "PATCH", world.at(PATH), by="e1", body={"valid": False, "last_updated": "2026-05-04T08:00:00Z"}
        )
        assert said.code == 1000


async def test_a_patch_changes_what_it_names_and_nothing_else(world: World) -> None:
    await put(world, visual_number="No. 1")
    part = {"valid": False, "last_updated": "2026-05-04T11:00:00Z"}
    said = await world.ask("PATCH", world.at(PATH), by="e1", body=part)
    assert (said.http, said.code, said.data) == (200, 1000, None)
    shown = (await world.ask("GET", world.at(PATH), by="e1")).data
    assert (shown["valid"], shown["visual_number"], shown["whitelist"]) == (False, "No. 1", "ALLOWED")


async def test_a_patch_of_211_needs_no_time(world: World) -> None:
    await put(world, last_updated="2026-05-01T00:00:00Z")
    said = await world.ask("PATCH", world.at(PATH), by="e1", body={"valid": False})
    assert said.code == (1000 if world.version == "2.1.1" else 2001)


async def test_cards_of_one_uid_and_two_types_are_two_tokens(world: World) -> None:
    await put(world)
    await put(world, f"{PATH}?type=OTHER", type="OTHER", valid=False)
    assert len(await world.documents(TOKENS)) == 2
    for query, valid in (("", True), ("?type=RFID", True), ("?type=OTHER", False)):
        assert (await world.ask("GET", world.at(PATH + query), by="e1")).data["valid"] is valid
    said = await world.ask("GET", world.at(f"{PATH}?type=APP_USER"), by="e1")
    assert said.http == 404


async def test_the_type_of_the_url_and_of_the_object_must_agree(world: World) -> None:
    if world.version == "2.1.1":  # knows no such parameter on PUT
        return
    async with world.unchanged():
        said = await world.ask("PUT", world.at(f"{PATH}?type=OTHER"), by="e1", body=token(world.version))
        assert said.code == 2001
