"""A party that comes into a partner's roles by PUT credentials is pulled in full, as after a registration."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from hub.app import Program
from hub.core.parties import Party, PartyRole
from hub.core.ports import Found
from hub.core.registry import Claim
from modules.tokens.store import TOKENS
from partners.ocpi.pull import Puller
from tests.partners.ocpi.test_handshake import Scripted, envelope
from tests.partners.ocpi.test_pull import Pages
from tests.partners.ocpi.test_pull_meanwhile import SlowLists
from tests.partners.ocpi.test_rotation import NEW, partner, program, rotated
from tests.world import World, credentials, token

__all__ = ["partner", "program"]

CAME = Claim(role=PartyRole.EMSP, party=Party("NL", "E5E"))
OLD = "2026-01-01T00:00:00Z"

later_versions = pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])


async def invite_too(world: World) -> None:
    def invited(known: Any) -> Any:
        return known.model_copy(update={"invited": (*known.invited, CAME)})

    await world.registry.change("e1", invited)


async def put(world: World, *parties: str) -> None:
    both = [credentials(world.version, party)["roles"][0] for party in parties]
    body = credentials(world.version, roles=both)
    world.discovery.found = Found(world.version, world.partner("e1").endpoints, "base64")
    said = await world.ask("PUT", world.at("credentials"), by="e1", body=body)
    assert said.code == 1000, said.message
    world.secrets["e1"] = said.data["token"]


def lists(world: World) -> Pages:
    theirs = token(world.version, "NL*E5E", "CARD5", last_updated=OLD)
    return Pages(world.version, [token(world.version, last_updated=OLD), theirs])


async def owners(world: World) -> set[str]:
    return {document.owner for document in await world.documents(TOKENS)}


@later_versions
async def test_what_a_party_that_came_by_put_credentials_has_is_pulled_in_full(world: World) -> None:
    await invite_too(world)
    pages = lists(world)
    puller = Puller(world.hub, pages)
    await puller.pull("e1")
    assert await owners(world) == {"NL*EEE"}
    await put(world, "NL*EEE", "NL*E5E")
    due = puller.due(world.partner("e1"))
    assert [source.module for source in due] == ["tokens"]
    await puller.pull_due("e1", due)
    assert "date_from" not in pages.asked[-1]
    assert await owners(world) == {"NL*EEE", "NL*E5E"}
    assert puller.due(world.partner("e1")) == []


@later_versions
async def test_a_put_that_brings_nobody_has_nothing_pulled_anew(world: World) -> None:
    await invite_too(world)
    puller = Puller(world.hub, lists(world))
    await put(world, "NL*EEE", "NL*E5E")
    await puller.pull("e1")
    await put(world, "NL*EEE")
    assert puller.due(world.partner("e1")) == []
    await put(world, "NL*EEE", "NL*E5E")
    assert [source.module for source in puller.due(world.partner("e1"))] == ["tokens"]


@later_versions
async def test_a_pull_that_began_before_a_party_came_does_not_count_for_it(world: World) -> None:
    await invite_too(world)
    meanwhile = partial(put, world, "NL*EEE", "NL*E5E")
    puller = Puller(world.hub, SlowLists("tokens", [token(world.version)], meanwhile))
    await puller.pull("e1")
    assert [source.module for source in puller.due(world.partner("e1"))] == ["tokens"]


async def test_a_party_that_comes_by_an_exchange_of_ours_is_pulled_in_full(program: Program, partner: Scripted) -> None:
    def as_before(known: Any) -> Any:
        return known.model_copy(update={"invited": (*known.invited, CAME), "pulled": {"tokens": OLD}})

    hub = program.hub
    await hub.registry.change("eee", as_before)
    partner.answers["credentials"] = (200, envelope(NEW))
    await rotated(program)
    assert hub.registry.get("eee").pulled["tokens"] >= OLD
    came = {**NEW["roles"][0], "party_id": "E5E"}
    partner.answers["credentials"] = (200, envelope({**NEW, "roles": [*NEW["roles"], came]}))
    await rotated(program)
    assert hub.registry.get("eee").pulled == {}
