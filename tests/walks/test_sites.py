"""A site within its grid connection: two drivers share it, and the app of one asks for less."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from partners.sandbox.charger import Charger
from tests.walks.site import Emsp, Place, Site, Tree, until
from tests.walks.test_commands import from_2_2_1_on, results, the_active_session
from tests.walks.test_taps import assert_nobody_complains

VOLTS = 690


def may_a(charger: Charger) -> float:
    """What a charger allows on each phase, by the profiles that it holds and its own clock."""
    transaction = charger.connectors[1].transaction
    assert transaction is not None
    limit_w = charger.plan.limit_w(1, charger.clock.now(), transaction_from=transaction.started)
    return 32.0 if limit_w is None else round(limit_w / VOLTS, 1)


def put_site(site: Site, limit_a: int, *places: Place) -> str:
    name = f"yard{places[0].number}"
    evses = {place.evse: {"node": "grid", "most_a": 32, "safe_a": 6} for place in places}
    made: Tree = site.hub.web.ask(
        "PUT", f"/api/v1/sites/{name}", {"nodes": {"grid": {"limit_a": limit_a}}, "evses": evses}
    )
    return str(made["name"])


def power(site: Site, name: str) -> dict[str, Tree]:
    view = site.hub.web.ask("GET", f"/api/v1/sites/{name}/power")
    return {item["evse_uid"]: item for item in view["items"]}


async def allows(charger: Charger, amperes: float, other: Charger, rest: float) -> None:
    def both() -> bool:
        return (may_a(charger), may_a(other)) == (amperes, rest)

    await until(both, why=f"{amperes} A and {rest} A")


async def limited(emsp: Emsp, method: str, session: str, *amperes: int) -> Tree:
    """PUT or DELETE a charging profile, and wait for its result."""
    periods = [{"start_period": 0, "limit": limit} for limit in amperes]
    given: dict[str, Any] = {"charging_rate_unit": "A", "charging_profile_period": periods} if periods else {}
    ask = {"method": method, "session": session, "given": given}
    outcome: Tree = await asyncio.to_thread(emsp.post, "limits", ask)
    return outcome


def shown_to(emsp: Emsp, session: str) -> Callable[[], object]:
    def first() -> object:
        profile = emsp.state()["limits"].get(session)
        return profile and profile["charging_profile"]["charging_profile_period"][0]["limit"]

    return first


class Sharing(NamedTuple):
    """Two chargers at a site, the session at the first, and the site's name."""

    one: Charger
    two: Charger
    session: str
    name: str


@asynccontextmanager
async def two_share(site: Site, emsp: Emsp) -> AsyncIterator[Sharing]:
    """Two drivers charge behind 32 A, 16 A each; in the end they leave."""
    places = site.place(), site.place()
    tokens = [emsp.push_token(site.uid(), whitelist="ALLOWED") for _ in places]
    name = await asyncio.to_thread(put_site, site, 32, *places)
    async with site.charger(places[0]) as one, site.charger(places[1]) as two:
        for charger, token in ((one, tokens[0]), (two, tokens[1])):
            await charger.boot()
            await charger.plug_in()
            assert await charger.tap(token["uid"]) == "Accepted"
            await charger.until_started()
        await allows(one, 16, two, 16)
        yield Sharing(one, two, (await the_active_session(emsp, tokens[0]))["id"], name)
        for charger in (one, two):
            await charger.unplug()
            await charger.settled()
            assert charger.complaints.texts() == []
    assert_nobody_complains(site)


async def ask_for_less(site: Site, emsp: Emsp) -> None:
    """The app of the first driver asks for 10 A, and takes that back; each time it hears what came of it."""
    async with two_share(site, emsp) as (one, two, session, name):
        told = shown_to(emsp, session)
        assert results(await limited(emsp, "PUT", session, 10)) == ("ACCEPTED", "ACCEPTED")
        assert may_a(one) == 10, "what was called done is done"
        await allows(one, 10, two, 22)
        await until(lambda: told() == 10, why="the active profile of 10 A")
        assert results(await limited(emsp, "DELETE", session)) == ("ACCEPTED", "ACCEPTED")
        await allows(one, 16, two, 16)
        await until(lambda: told() == 16, why="the active profile of 16 A")
        await until(lambda: {item["may_a"] for item in power(site, name).values()} == {16}, why="the view of it")


@from_2_2_1_on
async def test_an_app_asks_for_less_at_a_site_and_the_rest_is_the_others(site: Site, version: str) -> None:
    await ask_for_less(site, site.emsps[version])


async def test_an_app_that_asks_for_more_than_there_is_raises_nobody(site: Site) -> None:
    emsp = site.emsps["2.2.1"]
    async with two_share(site, emsp) as (one, two, session, _):
        assert results(await limited(emsp, "PUT", session, 31)) == ("ACCEPTED", "ACCEPTED")
        await asyncio.sleep(0.3)
        assert (may_a(one), may_a(two)) == (16, 16)
