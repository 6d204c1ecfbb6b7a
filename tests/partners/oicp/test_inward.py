"""What an interpreted partner asks of the hub, in process."""

from __future__ import annotations

from hub.core.operations import RECEIVER, SENDER, Side
from hub.core.parties import PartyRole
from partners.oicp.inward import Answered, Inward
from tests.partners.oicp.interpreted import join_interpreted
from tests.world import World, a_world, token

TOKEN_PATH = ("DE", "DCB", "0102030405060708")


async def test_an_interpreted_partner_is_served_like_one_with_a_token_of_ours(sqlite_url: str) -> None:
    async with a_world(sqlite_url) as world:
        await join_interpreted(world, "dcb", "DE*DCB", PartyRole.EMSP)
        put = await _ask(world, "PUT", RECEIVER, TOKEN_PATH, body=_token())
        assert (put.http, put.code, put.is_success) == (201, 1000, True)
        got = await _ask(world, "GET", RECEIVER, TOKEN_PATH)
        assert got.data["contract_id"] == "DE-DCB-C00000001-X"


async def test_a_refusal_comes_back_with_both_codes(sqlite_url: str) -> None:
    async with a_world(sqlite_url) as world:
        await join_interpreted(world, "dcb", "DE*DCB", PartyRole.EMSP)
        foreign = await _ask(world, "PUT", RECEIVER, ("NL", "EEE", "0102030405060708"), body=_token())
        assert (foreign.http, foreign.is_success) == (404, False)
        wrong_side = await _ask(world, "GET", SENDER, ())
        assert (wrong_side.is_success, wrong_side.code >= 2000) == (False, True)


def _token() -> dict[str, object]:
    return token("2.3.0", "DE*DCB", "0102030405060708", contract_id="DE-DCB-C00000001-X", whitelist="NEVER")


async def _ask(world: World, method: str, side: Side, path: tuple[str, ...], body: object = None) -> Answered:
    return await Inward(world.app).request(
        world.partner("dcb"), method, "tokens", side, path, body=body, query={"type": "RFID"}
    )
